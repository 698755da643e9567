"""From what the user names to sources: files, folders, globs, archives and standard input."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.archives import Unreadable, sources_of
from openclaw_forensics.ingest.inflate import Bounds
from openclaw_forensics.ingest.series import ordered
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.spool import Spool

__all__ = ["Bounds", "Unreadable", "walk"]

STDIN = "-"
_OWN_REPORT = re.compile(r"openclaw-report(?:-\d+)?\.(?:html|txt|json|md)$")


def walk(
    paths: Sequence[str], stdin: BinaryIO | None = None, bounds: Bounds | None = None
) -> Iterator[Source | Unreadable]:
    """Every source under `paths`, in the order given; folders sorted, rotated series oldest first.

    "-" is `stdin`. A name that leads nowhere gives an `Unreadable` and the rest goes on. Within folders, hidden files
    and reports of our own are left out; a file that is named itself is always read.
    """
    bounds = bounds or Bounds()
    names: list[str] = []
    missing: list[Unreadable] = []
    for path in paths:
        found = [STDIN] if path == STDIN else _expand(path)
        names += [name for name in found if name not in names]
        if not found:
            missing.append(Unreadable(_slashed(path), Problem("unreadable", _why_nothing(path))))
    for name, series in ordered(names):
        for source in _open(name, stdin, bounds):
            if isinstance(source, Source):
                source.beside = tuple(names)
                if series and source.series is None:
                    source.series = _slashed(series)
            yield source
    yield from missing


def _expand(path: str) -> list[str]:
    if os.path.isdir(path):
        return _files_under(path)
    if os.path.lexists(path):
        return [path]
    if glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True), key=_natural)
        return [name for match in matches for name in (_files_under(match) if os.path.isdir(match) else [match])]
    return []


def _files_under(folder: str) -> list[str]:
    found: list[str] = []
    for parent, folders, files in os.walk(folder):  # does not follow links to folders
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=_natural)
        kept = (name for name in files if not name.startswith(".") and not _OWN_REPORT.match(name))
        found += [os.path.join(parent, name) for name in kept]
    return sorted((name for name in found if os.path.isfile(name)), key=_natural)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key: numbers by value, so that app.2.log comes before app.10.log."""
    parts = re.split(r"(\d{1,18})", _slashed(name))
    return [(int(part), "") if at % 2 else (-1, part) for at, part in enumerate(parts)]


def _open(name: str, stdin: BinaryIO | None, bounds: Bounds) -> Iterator[Source | Unreadable]:
    shown = _slashed(name)
    if name == STDIN:
        if stdin is None:
            yield Unreadable(shown, Problem("unreadable", "there is no standard input"))
            return
        yield from _spooled(shown, stdin, bounds)
        return
    try:
        regular = stat.S_ISREG(os.stat(name).st_mode)
        with open(name, "rb") as stream:
            if not regular:  # a pipe: it can be read only once
                yield from _spooled(shown, stream, bounds)
                return
    except OSError as exc:
        yield Unreadable(shown, Problem("unreadable", f"cannot be opened: {exc.strerror or exc}"))
        return
    path = Path(name)
    yield from sources_of(shown, lambda: path.open("rb"), bounds)


def _spooled(shown: str, stream: BinaryIO, bounds: Bounds) -> Iterator[Source | Unreadable]:
    spool = Spool(stream, bounds.expanded)
    for source in sources_of(shown, spool.view, bounds):
        if spool.cut and isinstance(source, Source):
            source.report(Problem("limit", f"only the first {bounds.expanded} bytes were read"))
        yield source


def _slashed(path: str) -> str:
    """The path as shown: "/" always, and bytes that are no UTF-8 replaced."""
    return path.replace(os.sep, "/").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _why_nothing(path: str) -> str:
    if os.path.isdir(path):
        return "the folder holds no files that can be captures"
    return "no file matches" if glob.has_magic(path) else "no such file or folder"
