"""Successes and failures over time, one row per operation: the answer to "since when, and is it all calls?"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openclaw_forensics.report.pictures.axis import Axis
from openclaw_forensics.report.view import View
from openclaw_forensics.result import Series, TimelineMark

ROWS = 8
BUCKETS = 240
LEFT, RIGHT = 214.0, 930.0
TOP, FLAGS, ROW, HALF = 16.0, 50.0, 76.0, 28.0


@dataclass(slots=True)
class Counts:
    """One row before it is drawn."""

    name: str
    ok: dict[int, int] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)
    first_failed: datetime | None = None
    last_ok: datetime | None = None

    @property
    def totals(self) -> tuple[int, int]:
        """All successes, all failures."""
        return sum(self.ok.values()), sum(self.failed.values())


@dataclass(frozen=True, slots=True)
class Row:
    """One operation: its bars as two SVG paths, and the largest bar of each kind."""

    name: str
    y: float
    ok_path: str
    failed_path: str
    ok_max: int
    failed_max: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Flag:
    """A numbered mark."""

    number: int
    x: float
    y: float
    mark: TimelineMark


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture."""

    axis: Axis
    rows: list[Row]
    more: int
    flags: list[Flag]
    gaps: list[tuple[float, float]]
    onset: float | None
    height: float
    top: float
    merged: int  # how many buckets of the document make one bar


def timeline(view: View) -> Timeline | None:
    """The picture, or None where the document has no traffic over time."""
    given = view.result.timeline
    series = [s for s in given.series if s.ok or s.failed]
    if not series:
        return None
    bucket = timedelta(seconds=max(1, given.bucket_s))
    start = min(s.start for s in series)
    end = max(s.start + bucket * max(len(s.ok), len(s.failed)) for s in series)
    merged = max(1, -(-int((end - start) / bucket) // BUCKETS))
    axis = Axis(start, end, LEFT, RIGHT)
    counts = _counts(view, series, start, bucket, merged)
    shown, rest = counts[:ROWS], counts[ROWS:]
    if rest:
        shown.append(_other(view, rest))
    step = (RIGHT - LEFT) / max(1, -(-int((end - start) / bucket) // merged))
    top = TOP + (FLAGS if given.marks else 0)
    rows = [_row(c, top + n * ROW + ROW / 2, step) for n, c in enumerate(shown)]
    main = view.main
    began = main.first_at if main and main.failures + main.explains else None
    onset = axis.x(began) if began and start <= began <= end else None
    gaps = [(axis.x(g.from_), axis.x(g.to)) for g in given.gaps if g.to > start and g.from_ < end]
    return Timeline(
        axis, rows, len(rest), _flags(given.marks, axis), gaps, onset, top + len(rows) * ROW + 62, top, merged
    )


def _counts(view: View, series: list[Series], start: datetime, bucket: timedelta, merged: int) -> list[Counts]:
    several = len({(s.platform, s.shop) for s in series}) > 1
    made: dict[tuple[str, ...], Counts] = {}
    for item in series:
        name = view.operation(item.operation)
        if several and item.shop:
            name = f"{name} · {item.shop}"
        row = made.setdefault((name, item.direction), Counts(name))
        offset = int((item.start - start) / bucket)
        for into, values in ((row.ok, item.ok), (row.failed, item.failed)):
            for n, value in enumerate(values):
                if value:
                    at = (offset + n) // merged
                    into[at] = into.get(at, 0) + value
        bad = [n for n, value in enumerate(item.failed) if value]
        good = [n for n, value in enumerate(item.ok) if value]
        if bad and (row.first_failed is None or item.start + bucket * bad[0] < row.first_failed):
            row.first_failed = item.start + bucket * bad[0]
        if good and (row.last_ok is None or item.start + bucket * good[-1] > row.last_ok):
            row.last_ok = item.start + bucket * good[-1]
    return sorted(made.values(), key=lambda c: (-c.totals[1], -c.totals[0], c.name))


def _other(view: View, rest: list[Counts]) -> Counts:
    made = Counts(view.say.plural("{n} other operation", "{n} other operations", len(rest)))
    for item in rest:
        for into, values in ((made.ok, item.ok), (made.failed, item.failed)):
            for at, value in values.items():
                into[at] = into.get(at, 0) + value
    made.first_failed = min((c.first_failed for c in rest if c.first_failed), default=None)
    made.last_ok = max((c.last_ok for c in rest if c.last_ok), default=None)
    return made


def _row(counts: Counts, middle: float, step: float) -> Row:
    ok_max, failed_max = max(counts.ok.values(), default=0), max(counts.failed.values(), default=0)
    return Row(
        counts.name,
        middle,
        _path(counts.ok, ok_max, middle, step, -1),
        _path(counts.failed, failed_max, middle, step, 1),
        ok_max,
        failed_max,
        counts,
    )


def _path(values: dict[int, int], most: int, middle: float, step: float, way: int) -> str:
    """Bars from the middle line, up (-1) or down (1); none lower than 2 units, so that one failure is seen."""
    wide = round(max(2.0, step - 0.8), 1)
    bars = []
    for at, value in sorted(values.items()):
        tall = round(max(2.0, HALF * value / most), 1) * way
        bars.append(f"M{LEFT + at * step:.1f} {middle + way:.0f}h{wide}v{tall}h-{wide}z")
    return "".join(bars)


def _flags(marks: tuple[TimelineMark, ...], axis: Axis) -> list[Flag]:
    made: list[Flag] = []
    last = [-100.0, -100.0]
    for number, mark in enumerate(sorted(marks, key=lambda m: m.at)[:20], 1):
        x = axis.x(mark.at)
        level = 0 if x - last[0] >= 26 else 1
        last[level] = x
        made.append(Flag(number, x, 14.0 + level * 24, mark))
    return made
