"""Small frames for the linker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from openclaw_forensics.exchanges import EXCHANGES, frame_of
from openclaw_forensics.link.identity import Identities

START = datetime(2026, 3, 17, 6, tzinfo=UTC)


def with_identity(frame: pl.DataFrame) -> pl.DataFrame:
    """One frame as a whole capture."""
    return Identities([frame]).named(frame)


def exchanges(*rows: dict[str, object]) -> pl.DataFrame:
    """Rows in short form: `at` is seconds after the start."""
    full = []
    for number, row in enumerate(rows):
        at = row.pop("at", number)
        base: dict[str, object] = {
            "exchange_id": f"x{number}", "source_file": "a.log", "locator": f"lines:{number + 1}-{number + 1}",
            "line": number + 1, "started_at": START + timedelta(seconds=float(str(at))), "direction": "out",
            "platform": "p", "status": 200, "method": "GET", "path": "/o", "host": "h", "zone_basis": "given",
            "duration_ms": 100.0,
        }  # fmt: skip
        full.append(base | row)
    return frame_of(full, EXCHANGES)
