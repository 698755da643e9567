"""A time axis: even steps of the capture's own clock, and the place of a time on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_STEPS = [
    timedelta(**{unit: n})
    for unit, numbers in (
        ("seconds", (1, 5, 10, 30)),
        ("minutes", (1, 5, 10, 15, 30)),
        ("hours", (1, 2, 3, 6, 12)),
        ("days", (1, 2, 7, 14, 30, 90, 365)),
    )
    for n in numbers
]


@dataclass(frozen=True, slots=True)
class Tick:
    """One labelled place on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps times to x between `left` and `right`."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """The place of a time, kept within the picture."""
        span = (self.end - self.start).total_seconds() or 1.0
        share = (at - self.start).total_seconds() / span
        return round(self.left + min(1.0, max(0.0, share)) * (self.right - self.left), 1)

    def ticks(self, local: Callable[[datetime], datetime], most: int = 7) -> list[Tick]:
        """At most `most` ticks on round local times."""
        step = next((s for s in _STEPS if (self.end - self.start) / s <= most), _STEPS[-1])
        first = local(self.start)
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + step * ((first - midnight) // step)
        made: list[Tick] = []
        while at <= local(self.end) and len(made) <= most * 4:
            if at >= first:
                label = f"{at:%m-%d}" if step >= timedelta(days=1) else f"{at:%H:%M}"
                label = f"{at:%H:%M:%S}" if step < timedelta(minutes=1) else label
                made.append(Tick(self.x(at.astimezone(UTC)), label))
            at += step
        return made
