"""Everything that is found across the parts of a capture, laid to its exchanges: zones, doubles, identities, order.

A large capture lies in files, so each question is asked of the few columns that it needs, part by part; only then are
the rows written once more, in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.exchanges import EXCHANGE_ORDER
from openclaw_forensics.link import identity, meetings, zones
from openclaw_forensics.link.doubles import Doubles, find_doubles
from openclaw_forensics.link.identity import Identities
from openclaw_forensics.link.zones import Zones, ZoneUsed
from openclaw_forensics.table import PART_ROWS, Spool, Table, in_order, sorting

_WEIGHED = ("exchange_id", "platform", "source_file", "zone_basis", "started_at")  # what decides whether a row stays


@dataclass(frozen=True, slots=True)
class Linked:
    """The exchanges, linked and in order, and the records that belong to them."""

    exchanges: Table
    records: pl.DataFrame
    zone: ZoneUsed
    clock_offsets_ms: Mapping[str, float]  # by file, against a fuller sighting
    outside: Mapping[str, int]  # platforms out of scope, and how many exchanges of theirs were left out


def link(
    read: Table,
    records: pl.DataFrame,
    series: Mapping[str, str | None],
    *,
    timezone: str | None,
    outside: Collection[str],
    finish: Callable[[pl.DataFrame], pl.DataFrame],
) -> Linked:
    """Link what was read. `series` tells for each file which rotated log it is a piece of; `outside` names platforms to
    leave out; `finish` is done on the rows at last. Raises UsageError for an unknown time zone."""
    placed, records = zones.settle(read.frames(zones.EVIDENCE), records, timezone)
    doubles = _doubles(read, placed, series)
    if doubles.stays:
        records = records.with_columns(pl.col("exchange_id").replace(doubles.stays))
    kept = _Kept(placed, doubles, frozenset(outside))
    shown = _in_memory(read, kept) if read.in_memory else _from_files(read, kept, series)
    spool: Spool | None = None
    for frame in map(finish, shown):
        spool = spool or Spool(dict(frame.schema))
        spool.add(frame)
    linked = Table.of(finish(read.empty())) if spool is None else spool.table()
    return Linked(linked, records, placed.used, doubles.offsets_ms, dict(sorted(kept.left_out.items())))


@dataclass(slots=True)
class _Kept:
    """Which rows stay, at their times in UTC."""

    zones: Zones
    doubles: Doubles
    outside: frozenset[str]
    left_out: Counter[str]

    def __init__(self, placed: Zones, doubles: Doubles, outside: frozenset[str]) -> None:
        self.zones, self.doubles, self.outside, self.left_out = placed, doubles, outside, Counter()

    def of(self, part: pl.DataFrame) -> pl.DataFrame:
        """The rows of a part that stay, with the columns `_WEIGHED` at least."""
        part = self.zones.moved(part)
        if self.doubles.stays:
            part = part.filter(~pl.col("exchange_id").is_in(list(self.doubles.stays)))
        if not self.outside:
            return part
        out = pl.col("platform").is_in(list(self.outside)).fill_null(False)
        self.left_out.update(dict(part.filter(out)["platform"].value_counts().iter_rows()))
        return part.filter(~out)


def _doubles(read: Table, placed: Zones, series: Mapping[str, str | None]) -> Doubles:
    if read.in_memory:
        return find_doubles(placed.moved(next(read.frames())), series)
    if len(series) < 2:
        return Doubles()
    rows = meetings.suspects(read.frames(meetings.PREVIEWED), series)
    if rows.is_empty():
        return Doubles()
    return find_doubles(placed.moved(read.take(rows, [*meetings.COLUMNS, "zone_basis"])), series)


def _in_memory(read: Table, kept: _Kept) -> Iterator[pl.DataFrame]:
    whole = kept.doubles.merged(kept.of(next(read.frames())))
    yield in_order(Identities([whole]).named(whole), EXCHANGE_ORDER)


def _from_files(read: Table, kept: _Kept, files: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The rows that stay, in order, some at a time."""
    asked = list(dict.fromkeys([*_WEIGHED, *identity.COLUMNS, "line"]))
    rank = {file: number for number, file in enumerate(sorted(files))}
    file = pl.col("source_file").replace_strict(rank, return_dtype=pl.UInt32)
    keys: list[pl.DataFrame] = []
    offset = 0

    def parts() -> Iterator[pl.DataFrame]:
        nonlocal offset
        for part in read.frames(asked):
            rows = kept.of(part.with_row_index("at_row", offset))
            offset += part.height
            keys.append(rows.select("at_row", "started_at", file, "line"))
            yield rows

    names = Identities(parts())
    places = pl.concat(keys)
    keys.clear()
    order = _order(places, read)
    del places
    for start in range(0, order.len(), PART_ROWS):
        frame = read.take(order.slice(start, PART_ROWS))
        yield names.named(kept.doubles.merged(kept.zones.moved(frame)))


def _order(table: pl.DataFrame, read: Table) -> pl.Series:
    """The positions of the rows that stay, in order; where rows lie is asked only of those that nothing else parts."""
    file, line = pl.col("source_file"), pl.col("line")
    later = (file > file.shift(1)) | ((file == file.shift(1)) & (line > line.shift(1)))
    if table.select(later.slice(1).fill_null(False).all()).item():  # most logs are read line by line: only time is left
        found = sorting(table.select("started_at"), ["started_at"])
        return table["at_row"] if found is None else table["at_row"].gather(found)
    by, last = EXCHANGE_ORDER[:-1], EXCHANGE_ORDER[-1]
    table = in_order(table, by)
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift(1)) for c in by)
    rows = table.select((same | same.shift(-1)).fill_null(False)).to_series().arg_true()
    place = read.take(table["at_row"].gather(rows), [last]).to_series()
    table = table.with_columns(pl.Series(last, [None], pl.String).new_from_index(0, table.height).scatter(rows, place))
    return in_order(table, EXCHANGE_ORDER)["at_row"]
