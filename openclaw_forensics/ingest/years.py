"""The year of stamps that have none (syslog's, klog's): told by what lies nearest to them.

First the date in the file's own name, then dates in its first lines, then the names and first lines of the files beside
it. Never the machine's clock, never a file's time of change.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from openclaw_forensics.ingest.sources import HEAD, Source
from openclaw_forensics.ingest.stamps import MONTHS, Calendar, date_in_name, nearest_year

_YEARLESS = re.compile(rb"(?m)^(?:<\d{1,3}>)?([A-Z][a-z]{2}) {1,2}(\d{1,2}) \d\d:\d\d:\d\d(?![ ]\d{4})")
_KLOG = re.compile(rb"(?m)^[IWEF](\d\d)(\d\d) \d\d:\d\d:\d\d\.")
_DASHED = re.compile(rb"(?<!\d)(20\d\d)[-/](\d\d)[-/](\d\d)[T ]\d\d:\d\d")
_NAMED = re.compile(rb"(?<!\d)(\d{1,2})[ /-]([A-Z][a-z]{2})[ /-](20\d\d)[ :]\d\d:\d\d")
_EPOCH = re.compile(rb"""(?i:time|timestamp|ts|date|_at)["']?\s?[=:]\s?["']?(1[3-9]\d{8})(?:\d{3})?(?!\d)""")
_CLOSE = timedelta(days=2)  # a date so close to a stamp, but for the year, is of that stamp's time
_BESIDE = 40  # files that are looked at


def calendar_of(source: Source) -> Calendar:
    """What the stamps of this file lack: the day that its name tells, and a date near its stamps."""
    day = date_in_name(source.path.rsplit("/", 1)[-1])
    return Calendar(day, near=day or _near(source))


def _near(source: Source) -> date | None:
    """A date near the stamps without a year in this file's first lines; None when there are none, or nothing tells."""
    head = source.text_head()
    stamps = [(MONTHS.get(m.lower().decode(), 0), int(d)) for m, d in _YEARLESS.findall(head)[:500]]
    stamps += [(int(m), int(d)) for m, d in _KLOG.findall(head)[:500]]
    if not stamps:
        return None
    if found := _closest(_dates(head), stamps):
        return found
    names = [name for name in source.beside if name != source.path][:_BESIDE]
    told = [day for name in names if (day := date_in_name(name.rsplit("/", 1)[-1])) is not None]
    return _closest(told, stamps) or _closest(
        [day for name in names for day in _dates(_start(name))], stamps, usual=True
    )


def _closest(days: Iterable[date], stamps: list[tuple[int, int]], *, usual: bool = False) -> date | None:
    """The day that most of those close to a stamp are of; with `usual` the most common one where none is close."""
    counted = Counter(days)
    month, day = stamps[0]
    close: Counter[date] = Counter()
    for one, number in counted.items():
        placed = nearest_year(month, day, one)
        if placed is not None and abs(placed - one) <= _CLOSE:
            close[one] += number
    best = (close or (counted if usual else close)).most_common()
    return min((one for one, number in best if number == best[0][1]), default=None)


def _dates(text: bytes) -> list[date]:
    """The dates in a text, as many as are written."""
    written = [(int(y), int(m), int(d)) for y, m, d in _DASHED.findall(text)]
    written += [(int(y), MONTHS.get(m.lower().decode(), 0), int(d)) for d, m, y in _NAMED.findall(text)]
    found = []
    for year, month, day in written:
        with suppress(ValueError):
            found.append(date(year, month, day))
    return [*found, *(datetime.fromtimestamp(int(seconds), UTC).date() for seconds in _EPOCH.findall(text))]


def _start(name: str) -> bytes:
    """The first bytes of a file beside this one; nothing when it cannot be read."""
    try:
        with open(name, "rb") as stream:
            return stream.read(HEAD)
    except (OSError, ValueError):
        return b""
