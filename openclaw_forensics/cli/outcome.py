"""Which exit code an analysis ends in: what could not be read, and what `--fail-on` asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from openclaw_forensics.result import InputFile

UNREADABLE = 2
_UNREAD = ("unreadable", "unsupported", "unrecognised", "encrypted")
_LEVELS = {"error": ("error",), "warning": ("error", "warning")}


def unread(files: Iterable[InputFile]) -> list[InputFile]:
    """Files that are neither text nor a known format. An empty file is a text without a line."""
    return [f for f in files if f.bytes != 0 and (f.format is None or any(p.kind in _UNREAD for p in f.problems))]


def exit_code(files: Sequence[InputFile], severities: Iterable[str], level: str | None, *, strict: bool) -> int:
    """2 when nothing is readable, or with --strict anything is not; 1 when --fail-on is met; else 0."""
    bad = unread(files)
    if len(bad) == len(files) or (strict and bad):
        for file in bad:
            for problem in file.problems[:1]:
                typer.echo(f"openclaw-forensics: {file.path}: {problem.message}", err=True)
        if not files:
            typer.echo("openclaw-forensics: no file to read", err=True)
        return UNREADABLE
    return int(level is not None and any(s in _LEVELS[level] for s in severities))
