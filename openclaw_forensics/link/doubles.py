"""The same exchange seen by two writers counts once: by the platform's request id, else by what and when.

Only across logs (files, or series of rotated files): two lines of one log are two attempts, unless the same line went
into two files of a series. The fuller sighting stays and names the other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

import polars as pl

from openclaw_forensics.exchanges import SOURCES
from openclaw_forensics.link.meetings import SLACK, Row, copied, may_meet

_LONGEST = timedelta(seconds=60)  # an exchange begun longer ago is not looked for
_MOST = 500  # candidates looked at for one row


@dataclass(frozen=True, slots=True)
class Doubles:
    """Which exchange stays for each that goes, and what its places were; how far the clocks of files disagree."""

    stays: dict[str, str] = field(default_factory=dict)  # exchange id that is dropped -> the one that stays
    places: dict[str, list[Row]] = field(default_factory=dict)  # exchange id that stays -> where else it was seen
    offsets_ms: dict[str, float] = field(default_factory=dict)  # file -> its clock minus that of the fuller sighting

    def merged(self, exchanges: pl.DataFrame) -> pl.DataFrame:
        """`exchanges` without doubles; those that stay name the other places."""
        if not self.stays:
            return exchanges
        exchanges = exchanges.filter(~pl.col("exchange_id").is_in(list(self.stays)))
        more = pl.DataFrame(
            {"exchange_id": list(self.places), "more": list(self.places.values())},
            schema={"exchange_id": pl.String, "more": SOURCES},
        )
        joined = exchanges.join(more, on="exchange_id", how="left", maintain_order="left")
        both = pl.concat_list("also_seen", "more")
        seen = pl.when(pl.col("also_seen").is_null()).then("more").when(pl.col("more").is_null()).then("also_seen")
        return joined.with_columns(also_seen=seen.otherwise(both)).drop("more")


def find_doubles(exchanges: pl.DataFrame, series: Mapping[str, str | None] | None = None) -> Doubles:
    """What another log shows more fully, and by it how the files' clocks disagree.

    `exchanges` needs the columns `meetings.COLUMNS`. `series` tells for each file of a rotated log which log it is a
    piece of.
    """
    if exchanges["source_file"].n_unique() < 2:
        return Doubles()
    logs = {file: log for file, log in (series or {}).items() if log is not None}
    again = copied(exchanges, logs)
    once = exchanges.filter(~pl.col("exchange_id").is_in([b["exchange_id"] for _, b in again])) if again else exchanges
    pairs: list[tuple[Row, Row]] = []
    for group in may_meet(once, logs).partition_by("group", maintain_order=True):
        pairs += _pairs(group.rows(named=True))
    stays = {str(b["exchange_id"]): str(a["exchange_id"]) for a, b in (*again, *pairs)}
    stays = {gone: stays.get(kept, kept) for gone, kept in stays.items()}
    return Doubles(stays, _places([*again, *pairs]), _offsets(pairs))


def _places(pairs: list[tuple[Row, Row]]) -> dict[str, list[Row]]:
    seen: dict[str, list[Row]] = defaultdict(list)
    for kept, dropped in pairs:
        place = {k: dropped[k] for k in ("line", "locator", "raw_stamp")} | {"file": dropped["source_file"]}
        seen[str(kept["exchange_id"])].append(place)
    return dict(seen)


def _offsets(pairs: list[tuple[Row, Row]]) -> dict[str, float]:
    """The median of what the same exchanges' stamps differ by, per file whose sightings were dropped."""
    found: dict[str, list[float]] = defaultdict(list)
    for kept, dropped in pairs:
        one, other = kept["started_at"], dropped["started_at"]
        if isinstance(one, datetime) and isinstance(other, datetime):
            found[str(dropped["source_file"])].append((other - one).total_seconds() * 1000)
    return {file: median(values) for file, values in sorted(found.items())}


def _pairs(rows: list[Row]) -> list[tuple[Row, Row]]:
    """(kept, dropped) pairs: unique partners from different logs, the fuller sighting kept."""
    rows = sorted(rows, key=_fullness)
    near = _Nearby(rows)
    taken: set[object] = set()
    pairs = []
    for kept in rows:
        if kept["exchange_id"] in taken:
            continue
        partners = [r for r in near.of(kept) if r["exchange_id"] not in taken and _same(kept, r)]
        by_log: dict[object, list[Row]] = defaultdict(list)
        for partner in partners:
            if _fullness(partner) > _fullness(kept):
                by_log[partner["log"]].append(partner)
        for unique in by_log.values():
            if len(unique) == 1:
                taken.add(unique[0]["exchange_id"])
                pairs.append((kept, unique[0]))
    return pairs


class _Nearby:
    """Rows that may be the same exchange: of the same request id, or begun at nearly the same time."""

    def __init__(self, rows: list[Row]) -> None:
        self._by_id: dict[object, list[Row]] = defaultdict(list)
        timed: list[tuple[datetime, int, Row]] = []
        for number, row in enumerate(rows):
            if row["request_id"] is not None:
                self._by_id[row["request_id"]].append(row)
            if isinstance(row["started_at"], datetime):
                timed.append((row["started_at"], number, row))
        self._timed = sorted(timed, key=lambda t: t[:2])
        self._starts = [t[0] for t in self._timed]

    def of(self, row: Row) -> list[Row]:
        """Candidates for one row, itself left out."""
        found = {str(r["exchange_id"]): r for r in self._by_id.get(row["request_id"], ())}
        start = row["started_at"]
        if isinstance(start, datetime):
            first = bisect_left(self._starts, start - _LONGEST)
            last = bisect_right(self._starts, _end(row, start) + SLACK)
            found |= {str(r["exchange_id"]): r for _, _, r in self._timed[max(first, last - _MOST) : last]}
        return [r for r in found.values() if r is not row]


def _fullness(row: Row) -> tuple[object, ...]:
    recorded = sum(row[k] in ("recorded", "empty") for k in ("response_body_state", "request_body_state"))
    return (-recorded, str(row["source_file"]), str(row["locator"]))


def _same(a: Row, b: Row) -> bool:
    if a["log"] == b["log"]:
        return False
    if a["host"] is not None and b["host"] is not None and a["host"] != b["host"]:
        return False
    if a["request_id"] is not None and b["request_id"] is not None:
        return a["request_id"] == b["request_id"]
    start_a, start_b = a["started_at"], b["started_at"]
    if not isinstance(start_a, datetime) or not isinstance(start_b, datetime):
        return False
    return start_a <= _end(b, start_b) + SLACK and start_b <= _end(a, start_a) + SLACK


def _end(row: Row, start: datetime) -> datetime:
    duration = row["duration_ms"]
    return start + timedelta(milliseconds=duration if isinstance(duration, int | float) else 0)
