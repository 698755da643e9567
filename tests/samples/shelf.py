"""The samples as the tests see them: name, folder, expectation; and an analysis that loads the packs once."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from openclaw_forensics.analysis import Analysis, analyze
from openclaw_forensics.result import Result

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FOLDERS = {path.parent.relative_to(SAMPLES).as_posix(): path.parent for path in sorted(SAMPLES.glob("**/expect.toml"))}
FAULTY = [name for name in FOLDERS if not name.startswith("healthy/")]


def expectation(name: str) -> dict[str, Any]:
    """What the sample's expect.toml says."""
    return tomllib.loads((FOLDERS[name] / "expect.toml").read_text(encoding="utf-8"))


def captures(name: str) -> list[Path]:
    """The files of a sample."""
    return sorted((FOLDERS[name] / "captures").iterdir())


def analysis_of(paths: Sequence[Path]) -> Analysis:
    """What the analyser makes of these files."""
    return analyze([path.as_posix() for path in paths])


@cache
def result_of(name: str) -> Result:
    """The document of a sample."""
    return analysis_of([FOLDERS[name] / "captures"]).result


def verdict_of(result: Result) -> tuple[str, str] | None:
    """Cause and party of the verdict."""
    return None if result.verdict is None else (result.verdict.cause, result.verdict.party)
