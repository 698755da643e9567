"""Objects that the client looked for, did not find, and created at the same address: then nothing failed.

RFC 9110, 9.3.4: a successful PUT creates what its address named in vain before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.recovery import OWN_RETRY, Recovery

Row = dict[str, Any]
_READS = ("GET", "HEAD")
_CREATES = "PUT"
_NOT_FOUND = 404
_ASKED = ("row", "started_at", "platform", "identity", "host", "path", "object_id")


def created(frame: Frame, found: Mapping[int, Recovery | None]) -> dict[int, Recovery]:
    """Failing reads answered 404 that a successful PUT of the same client to the same address ends within 15 minutes.

    `found`: how failures healed otherwise; what the client healed by itself is left as it is.
    """
    missed = [row for row in frame.failures if _is_missed(row) and not _healed(found.get(row["row"]))]
    if not missed:
        return {}
    written = _written(frame, sorted({row["path"] for row in missed}))
    ends: dict[int, Recovery] = {}
    for row in missed:
        made = next((w for w in written[_address(row)] if _follows(row, w)), None)
        if made is not None:
            ends[row["row"]] = Recovery(made["row"], made["started_at"], True)
    return ends


def _is_missed(row: Row) -> bool:
    return (
        row["direction"] == "out"
        and row["status"] == _NOT_FOUND
        and row["method"] in _READS
        and row["path"] is not None
    )


def _healed(recovery: Recovery | None) -> bool:
    return recovery is not None and recovery.by_client


def _address(row: Row) -> tuple[Any, ...]:
    return row["platform"], row["identity"], row["host"], row["path"]


def _written(frame: Frame, paths: list[str]) -> dict[tuple[Any, ...], list[Row]]:
    """Successful PUTs to these paths, in order, by client and address."""
    creating = ((pl.col("direction") == "out") & (pl.col("method") == _CREATES) & pl.col("good")).fill_null(False)
    rows = frame.where(creating).filter(creating & pl.col("path").is_in(paths)).select(_ASKED).collect()
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows.sort("row").to_dicts():
        found[_address(row)].append(row)
    return found


def _follows(asked: Row, made: Row) -> bool:
    """Whether a write comes soon after a read, and, where both tell an object, writes that one."""
    if None not in (asked["object_id"], made["object_id"]) and asked["object_id"] != made["object_id"]:
        return False
    begun, then = asked["started_at"], made["started_at"]
    if isinstance(begun, datetime) and isinstance(then, datetime) and then - begun > OWN_RETRY:
        return False
    return bool(made["row"] > asked["row"])
