"""Zones of stamps that carry none: as given, else inferred from evidence in the capture, else UTC and marked assumed.

Evidence is a time of known zone that belongs to the same exchange: the server's `Date` header (RFC 9110, 6.6.1) or an
epoch that the request carries; for a web server's error log the zone that its access log writes. Never the language,
the machine, or a file's time of change.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from openclaw_forensics.errors import UsageError
from openclaw_forensics.exchanges import EXCHANGES, TIME, ZoneBasis

_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$")
_QUARTER = 900  # zones lie on quarter hours
_SLACK = 180  # seconds that a clock may be off and the zone still be certain
_SAMPLE = 2_000
_WRITTEN = r"([+-][0-9]{4})$"  # the zone that an access log's stamp tells
_SERVERS = r"^(?:nginx|apache)(?:\.|$)"  # loggers of records that `ingest.errorlog` reads
_EPOCH = re.compile(r"^1[0-9]{9}(?:[0-9]{3})?$")


@dataclass(frozen=True, slots=True)
class ZoneUsed:
    """The zone that zone-less stamps were read in."""

    name: str
    assumed: bool
    inferred: bool = False


def parse_zone(name: str) -> tzinfo:
    """An IANA name or an offset such as `+08:00`. Raises UsageError for anything else."""
    if match := _OFFSET.match(name.strip()):
        hours, minutes = int(match[2]), int(match[3] or 0)
        if hours <= 14 and minutes < 60:
            span = timedelta(hours=hours, minutes=minutes)
            return timezone(span if match[1] == "+" else -span)
    try:
        return UTC if name.upper() in ("UTC", "Z") else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"unknown time zone {name!r}; use an IANA name (Asia/Shanghai) or an offset (+08:00)"
        ) from error


EVIDENCE = (
    "source_file", "format", "raw_stamp", "zone_basis", "started_at", "duration_ms", "response_headers",
    "request_timestamp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Zones:
    """In which zone the zone-less stamps of each file are read; `None` stands for every other file."""

    used: ZoneUsed
    basis: ZoneBasis = "assumed"
    moves: Mapping[str | None, tzinfo] = field(default_factory=dict)

    def moved(self, frame: pl.DataFrame, column: str = "started_at") -> pl.DataFrame:
        """`frame` with its zone-less stamps in UTC."""
        if not self.moves or not _loose(frame):
            return frame
        if None in self.moves:
            return _moved(frame, column, self.moves[None], self.basis)
        for file in frame["source_file"].unique().sort():
            frame = _moved(frame, column, self.moves[file], self.basis, file)
        return frame


def settle(parts: Iterable[pl.DataFrame], records: pl.DataFrame, given: str | None) -> tuple[Zones, pl.DataFrame]:
    """How the stamps of exchanges are read, whose parts are given with the columns `EVIDENCE`, and the records with
    theirs moved."""
    files: set[str] = set()
    evidence: list[pl.DataFrame] = []
    for part in parts:
        files.update(part["source_file"].unique())
        evidence.append(_telling(part))
    told = pl.concat(evidence) if evidence else pl.DataFrame(schema={c: EXCHANGES[c] for c in EVIDENCE})
    if not _loose(told) and not _loose(records):
        return Zones(ZoneUsed(given or "UTC", assumed=False)), records
    if given is not None:
        zones = Zones(ZoneUsed(given, assumed=False), "given", {None: parse_zone(given)})
        return zones, zones.moved(records, "at")
    records, beside = _beside_access_log(told, records)
    if beside is not None and not _loose(told) and not _loose(records):
        return Zones(ZoneUsed(_name(beside), assumed=False, inferred=True)), records
    offsets = _offsets(told)
    if not offsets:
        return Zones(ZoneUsed("UTC", assumed=True)), records
    usual, _ = Counter(offsets.values()).most_common(1)[0]
    files.update(records["source_file"].unique())
    moves: dict[str | None, tzinfo] = {file: timezone(timedelta(seconds=offsets.get(file, usual))) for file in files}
    zones = Zones(ZoneUsed(_name(usual), assumed=False, inferred=True), "inferred", moves)
    return zones, zones.moved(records, "at")


def _telling(part: pl.DataFrame) -> pl.DataFrame:
    """The rows of a part that tell of a zone, or that lack one."""
    loose = part.filter(pl.col("zone_basis") == "assumed")
    timed = loose.filter(pl.col("started_at").is_not_null()).group_by("source_file", maintain_order=True).head(_SAMPLE)
    served = part.filter((pl.col("format") == "accesslog") & (pl.col("zone_basis") == "given"))
    zone = pl.col("raw_stamp").str.extract(_WRITTEN, 1)
    served = served.filter(pl.struct("source_file", zone).is_first_distinct())
    rows = [timed if timed.height else loose.head(1), served]
    return pl.concat(r.select(EVIDENCE) for r in rows)


def _loose(frame: pl.DataFrame) -> bool:
    return bool((frame["zone_basis"] == "assumed").any())


def _beside_access_log(exchanges: pl.DataFrame, records: pl.DataFrame) -> tuple[pl.DataFrame, int | None]:
    """`records` with those of error logs moved by the zone of the access logs in the same folder, and that zone.

    The zone is null where the access logs are silent or disagree (summer time changed between them).
    """
    own = pl.col("logger").str.contains(_SERVERS) & (pl.col("zone_basis") == "assumed") & pl.col("at").is_not_null()
    folder = pl.col("source_file").str.replace(r"[^/\\]*$", "")
    files = records.filter(own).select("source_file", folder.alias("folder")).unique().sort("source_file")
    if files.is_empty():
        return records, None
    served = exchanges.filter((pl.col("format") == "accesslog") & (pl.col("zone_basis") == "given"))
    zones = served.select(folder.alias("folder"), pl.col("raw_stamp").str.extract(_WRITTEN, 1).alias("zone")).unique()
    used: set[int] = set()
    for file, place in files.iter_rows():
        found = zones.filter(pl.col("folder") == place)["zone"].to_list()
        zone = parse_zone(found[0]) if len(found) == 1 and found[0] is not None else None
        if zone is not None:
            records = _moved(records, "at", zone, "inferred", file)
            used.add(int((zone.utcoffset(None) or timedelta()).total_seconds()))
    return records, used.pop() if len(used) == 1 else None


def _name(offset: int) -> str:
    if offset == 0:
        return "UTC"
    sign, rest = ("+" if offset > 0 else "-"), abs(offset) // 60
    return f"UTC{sign}{rest // 60:02d}:{rest % 60:02d}"


def _offsets(exchanges: pl.DataFrame) -> dict[str, int]:
    """Seconds east of UTC per file, where the exchanges of the file agree on a quarter hour."""
    loose = exchanges.filter((pl.col("zone_basis") == "assumed") & pl.col("started_at").is_not_null())
    found: dict[str, int] = {}
    for part in loose.partition_by("source_file", maintain_order=True):
        votes: Counter[int] = Counter()
        rows = part.select("started_at", "duration_ms", "response_headers", "request_timestamp").head(_SAMPLE)
        for row in rows.iter_rows(named=True):
            known = _known_time(row)
            if known is None:
                continue
            off = (row["started_at"] - known).total_seconds()
            quarter = round(off / _QUARTER) * _QUARTER
            if abs(off - quarter) <= _SLACK and abs(quarter) <= 14 * 3600:
                votes[quarter] += 1
        if votes:
            best, count = votes.most_common(1)[0]
            if count * 2 > sum(votes.values()):
                found[part["source_file"][0]] = best
    return found


def _known_time(row: dict[str, object]) -> datetime | None:
    date = server_date(row["response_headers"])
    if date is not None:
        return date
    stamp = str(row["request_timestamp"] or "")
    if _EPOCH.match(stamp):
        return datetime.fromtimestamp(int(stamp[:10]), UTC)
    return None


def server_date(headers: object) -> datetime | None:
    """The `Date` of an answer in UTC; None where there is none or it does not parse."""
    if not isinstance(headers, list):
        return None
    for header in headers:
        if str(header["name"]).lower() == "date":
            try:
                at = parsedate_to_datetime(str(header["value"])[:64])
            except (ValueError, TypeError, OverflowError):
                return None
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _moved(frame: pl.DataFrame, column: str, zone: tzinfo, basis: str, file: str | None = None) -> pl.DataFrame:
    """Read the naive stamps of `frame` in `zone`."""
    which = (pl.col("zone_basis") == "assumed") & pl.col(column).is_not_null()
    if file is not None:
        which &= pl.col("source_file") == file
    naive = pl.col(column).dt.replace_time_zone(None)
    if isinstance(zone, ZoneInfo):
        moved = naive.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null").dt.convert_time_zone(
            "UTC"
        )
        moved = pl.coalesce(moved, pl.col(column))
    else:
        offset = zone.utcoffset(None) or timedelta()
        moved = (naive - offset).dt.replace_time_zone("UTC")
    return frame.with_columns(
        pl.when(which).then(moved).otherwise(pl.col(column)).cast(TIME).alias(column),
        pl.when(which).then(pl.lit(basis)).otherwise(pl.col("zone_basis")).alias("zone_basis"),
    )
