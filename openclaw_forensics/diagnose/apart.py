"""Calls refused as too many although they lie far apart: this capture does not show who uses the quota up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import Apart

Row = dict[str, Any]


def lie_apart(frame: Frame, rows: Sequence[Row], apart: Apart) -> bool:
    """Whether enough refusals, and all other calls to that platform up to an hour before them, lie that far apart.

    A refusal that speaks of a day's or longer quota is another matter, and one without a time tells nothing.
    """
    times = [t for r in rows if isinstance(t := r["started_at"], datetime)]
    if len(times) < max(apart.least, len(rows)):
        return False
    if any(re.search(apart.longer, f"{r['error_code'] or ''} {str(r['error_message'] or '')[:2000]}") for r in rows):
        return False
    span = pl.lit(min(times) - timedelta(hours=1)), pl.lit(max(times))
    theirs = (pl.col("direction") == "out") & pl.col("platform").eq_missing(pl.lit(rows[0]["platform"], pl.String))
    called = frame.where(theirs).filter(theirs & pl.col("started_at").is_between(*span)).select("started_at").collect()
    between = called["started_at"].sort().diff().drop_nulls()
    return bool((between >= timedelta(seconds=apart.seconds)).all())
