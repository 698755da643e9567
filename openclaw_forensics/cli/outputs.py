"""Where results go: the targets checked before anything is read, and files written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_forensics.cli import options as o
from openclaw_forensics.errors import UsageError

if TYPE_CHECKING:
    from openclaw_forensics.redact.document import Redacted

STDOUT_FORMATS = ("text", "json", "md", "ndjson")
LATER_SUFFIXES = (".csv", ".parquet", ".har")  # promised, not built yet


def stdout_format(given: str | None) -> str | None:
    """`--format`. Raises UsageError when it is unknown or not built yet."""
    if given is not None and given not in STDOUT_FORMATS:
        raise UsageError(f"--format takes {', '.join(STDOUT_FORMATS)}, not {given!r}")
    if given == "ndjson":
        raise UsageError("--format ndjson is not built yet")
    return given


def targets_of(outputs: Sequence[str], inputs: Sequence[str]) -> list[Path]:
    """The output files. Raises UsageError before anything is read."""
    targets = [Path(p) for p in outputs]
    places = [_place(t) for t in targets]
    if len(set(places)) < len(places):
        twice = next(t for t, p in zip(targets, places, strict=True) if places.count(p) > 1)
        raise UsageError(f"the output {twice} is given twice")
    read = {_place(Path(p)) for p in inputs if p != "-"}
    for target, place in zip(targets, places, strict=True):
        if target.suffix.lower() in LATER_SUFFIXES:
            raise UsageError(f"{target}: output as {target.suffix.lower()} is not built yet")
        if place in read:
            raise UsageError(f"{target} is an input; it would be overwritten")
    if targets:
        from openclaw_forensics.report.registry import renderer

        for target in targets:
            renderer(target.name)
    return targets


def _place(path: Path) -> str:
    """One spelling per file, also where case does not matter."""
    return os.path.normcase(os.path.realpath(path))


def free_pair() -> tuple[Path, Path]:
    """The default report and ticket; what lies there already is not overwritten."""
    number = 1
    while True:
        stem = "openclaw-report" if number == 1 else f"openclaw-report-{number}"
        pair = (Path(f"{stem}.html"), Path(f"{stem}.txt"))
        if not any(p.exists() for p in pair):
            return pair
        number += 1


def write_reports(redacted: Redacted, lang: o.Language, targets: Sequence[Path]) -> None:
    """Render all, look at all, then write. Raises LeakError before the first is written, UsageError."""
    from openclaw_forensics.report.registry import renderer

    texts = [(target, renderer(target.name)(redacted.result, lang, target.name)) for target in targets]
    for target, text in texts:
        checked(text, redacted, str(target))
    for target, text in texts:
        write_text(target, text)


def checked(text: str, redacted: Redacted, what: str) -> str:
    """`text` after its last look. Raises LeakError."""
    from openclaw_forensics.redact.check import check

    check(text, redacted.vault, what)
    return text


def write_text(target: Path, text: str) -> None:
    """Write a file in one step: interrupted, it leaves nothing behind. Raises UsageError."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}") from error


def say(text: str) -> None:
    """Write to standard output, at once: a closed pipe shows here and not at the end."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
