"""Request stamp minus server clock over time, against the allowed window, with the drift as a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from openclaw_forensics.report.pictures.axis import Axis
from openclaw_forensics.result import Clock, ClockPoint

REFUSED, ALL = 200, 300
LEFT, RIGHT = 110.0, 930.0
TOP, BOTTOM = 16.0, 296.0


@dataclass(frozen=True, slots=True)
class Point:
    """One measured exchange; `low` and `high` bound its error."""

    x: float
    y: float
    low: float
    high: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Offsets:
    """The whole picture. Levels are (y, seconds)."""

    axis: Axis
    points: list[Point]
    left_out: int
    band: tuple[float, float] | None
    levels: list[tuple[float, str]]
    line: tuple[float, float, float, float] | None
    crossing: datetime | None
    height: float = BOTTOM + 40


def _chosen(points: list[ClockPoint]) -> list[ClockPoint]:
    """All refused points up to 200, the rest thinned evenly to 300 in all."""
    refused = [p for p in points if not p.ok][:REFUSED]
    rest = [p for p in points if p.ok]
    room = ALL - len(refused)
    kept = rest if len(rest) <= room else [rest[i * len(rest) // room] for i in range(room)]
    wanted = {id(p) for p in (*refused, *kept)}
    return [p for p in points if id(p) in wanted]


def offsets(clock: Clock) -> Offsets | None:
    """The picture, or None without dated points."""
    dated = [p for p in clock.points if p.at is not None]
    if not dated:
        return None
    chosen = _chosen(dated)
    times = [p.at for p in dated if p.at]
    axis = Axis(min(times), max(times), LEFT, RIGHT)
    past = -clock.window_past_s * 1000 if clock.window_past_s is not None else None
    future = clock.window_future_s * 1000 if clock.window_future_s is not None else None
    values = [v for p in dated for v in (p.offset_ms - p.error_ms, p.offset_ms + p.error_ms)]
    values += [v for v in (past, future, 0.0) if v is not None]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return round(BOTTOM - (min(high, max(low, value)) - low) / span * (BOTTOM - TOP), 1)

    points = [
        Point(axis.x(p.at), y(p.offset_ms), y(p.offset_ms - p.error_ms), y(p.offset_ms + p.error_ms), p.ok)
        for p in chosen
        if p.at
    ]
    band = (y(future if future is not None else high), y(past if past is not None else low))
    levels = [
        (y(v), f"{v / 1000:+,.0f} s" if v else "0 s") for v in sorted({low, 0.0, past or low, future or high, high})
    ]
    line, crossing = _fit(clock, dated, axis, past, future)
    drawn = (axis.left, y(line[0]), axis.right, y(line[1])) if line else None
    return Offsets(axis, points, len(dated) - len(points), band, _apart(levels), drawn, crossing)


def _apart(levels: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Levels whose labels do not overlap."""
    kept: list[tuple[float, str]] = []
    for level in levels:
        if all(abs(level[0] - other[0]) >= 22 for other in kept):
            kept.append(level)
    return kept


def _fit(
    clock: Clock, dated: list[ClockPoint], axis: Axis, past: float | None, future: float | None
) -> tuple[tuple[float, float] | None, datetime | None]:
    """The offset at both ends of the axis after the measured drift, and when it leaves the window (within twice the
    capture's time)."""
    if clock.drift_ms_per_day is None:
        return None, None
    day = 86_400.0
    slope = clock.drift_ms_per_day / day
    since = [(p.at - axis.start).total_seconds() for p in dated if p.at]
    middle = sum(since) / len(since)
    mean = sum(p.offset_ms for p in dated) / len(dated)
    total = (axis.end - axis.start).total_seconds()
    ends = (mean - slope * middle, mean + slope * (total - middle))
    limit = past if slope < 0 else future
    if not slope or limit is None:
        return ends, None
    after = middle + (limit - mean) / slope
    return ends, axis.start + timedelta(seconds=after) if 0 <= after <= 2 * total else None
