"""The date that the recorded programs believe in.

libfaketime (its thread-safe variant) reads an offset from a file that the driver rewrites before each step.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


class Clock:
    """One clock for all programs; a program may be given one of its own that runs ahead or behind."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self._folder = folder
        self._skews: dict[str, float] = {"true": 0.0}
        self._offset = 0.0
        self.set(start)

    def set(self, at: datetime) -> None:
        """Make it `at` (UTC) now; from here on time goes on as it does."""
        self._offset = at.replace(tzinfo=UTC).timestamp() - time.time()
        self._write()

    def at(self, hour: int, minute: int, second: int = 0) -> None:
        """Go on to this time of the day. Raises ValueError when that lies in the past: programs keep timers."""
        now = self.now()
        then = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        if then < now:
            raise ValueError(f"{then} is over, it is {now}")
        self.set(then)

    def on(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.set(self.now() + timedelta(seconds=seconds))

    def now(self) -> datetime:
        """The true time of the scenario."""
        return datetime.fromtimestamp(time.time() + self._offset, UTC)

    def skew(self, name: str, seconds: float) -> None:
        """Let the programs with the clock `name` see a time that is off by so much from now on."""
        self._skews[name] = seconds
        self._write()

    def environment(self, name: str = "true", zone: str = "UTC") -> dict[str, str]:
        """What a program needs in its environment to believe in this clock."""
        library = next(path for path in LIBRARIES if os.path.exists(path))
        return {
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self._folder / f"{name}.offset"),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": zone,
        }  # fmt: skip

    def _write(self) -> None:
        for name, skew in self._skews.items():
            path = self._folder / f"{name}.offset"
            fresh = path.with_suffix(".new")
            fresh.write_text(f"{self._offset + skew:+.3f}\n")
            fresh.replace(path)  # at once: no program ever reads half an offset
