"""Rotated logs: which files are pieces of one log, and in which order they were written."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

_SUFFIXES = re.compile(r"\.(?:gz|zst|zstd|bz2|xz)$", re.I)
# A day or an hour, with any of the separators that rotation tools use: -2026-03-01, .20260301, _2026-03-01-13
_DATE = re.compile(
    r"[-._]?(?<!\d)(20\d\d|\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?([0-3]\d)(?:[-_.T]?([0-2]\d(?:[-_]?[0-5]\d){0,2}))?(?!\d)"
)
_INDEX_BEFORE_SUFFIX = re.compile(r"[-._](\d{1,5})(?=\.[A-Za-z][A-Za-z0-9]{0,9}$)")
_INDEX_AT_END = re.compile(r"\.(\d{1,5})$")


def place(name: str) -> tuple[str, tuple[str, int]]:
    """The log that the file `name` is a piece of, and where in it: ascending from the oldest.

    Dates ascend, the undated file is the newest; a bare number is an age (`app.log.2` is older than `app.log.1`,
    logrotate and logback), but beside a date it counts up (`app-2026-03-01.1.log`, logback's size and time).
    """
    folder, slash, base = name.rpartition("/")
    base = _SUFFIXES.sub("", base)
    date, index = "9999", 0
    if found := _DATE.search(base):
        date = "".join(part or "" for part in found.groups())
        date = date if len(found.group(1)) == 4 else "20" + date
        base = base[: found.start()] + base[found.end() :]
    for pattern in (_INDEX_AT_END, _INDEX_BEFORE_SUFFIX):
        if numbered := pattern.search(base):
            index = int(numbered.group(1))
            base = base[: numbered.start()] + base[numbered.end() :]
            break
    return folder + slash + base, (date, index if date != "9999" else -index)


def ordered(names: Sequence[str]) -> list[tuple[str, str | None]]:
    """`names` with the series of each (None when alone); a series stands oldest first where its first name stood."""
    groups: dict[str, list[tuple[tuple[str, int], int]]] = defaultdict(list)
    for at, name in enumerate(names):
        series, position = place(name)
        groups[series].append((position, at))
    return [
        (names[at], series if len(members) > 1 else None)
        for series, members in groups.items()
        for _, at in sorted(members)
    ]
