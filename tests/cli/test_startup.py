"""`--help` and `--version` are quick: nothing heavy is imported; the command stands under its two names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"polars", "pydantic", "jinja2", "rich", "orjson", "cryptography"}
PROBE = """
import sys
from openclaw_forensics.cli.app import run
code = run(sys.argv[1:])
sys.stderr.write(",".join(sorted({m.partition(".")[0] for m in sys.modules})))
sys.exit(code)
"""


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_nothing_heavy_is_imported(option: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, option], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "openclaw-forensics" in done.stdout
    assert set(done.stderr.split(",")) & HEAVY == set()


def test_the_module_runs_as_the_command_does(tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("openclaw-forensics")
    said = [
        subprocess.run([*command, "--version"], capture_output=True, text=True, cwd=tmp_path, check=True).stdout
        for command in ([sys.executable, "-m", "openclaw_forensics"], [str(beside)])
    ]
    assert said[0] == said[1]


def test_doctor_names_what_is_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "openclaw_forensics", "doctor"],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=True,
    )
    for word in ("Python", "polars", "packs", "formats:", "utf-8"):
        assert word in done.stdout
