"""Exchanges that meet a condition, and whether one of them lies before or after another, asked once per condition."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.conditions import compile_condition, keys_of
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.rule import Condition
from openclaw_forensics.diagnose.rule import Sequence as RuleSequence
from openclaw_forensics.platforms.columns import evaluate
from openclaw_forensics.platforms.message import COLUMNS, Message
from openclaw_forensics.platforms.places import find, parse

_PLACE_ROWS = 20_000  # exchanges whose messages are opened for one condition


def matching(base: pl.LazyFrame, when: pl.Expr, condition: Condition) -> pl.Series:
    """The rows of `base` for which `when` is true; messages are opened only where the rest of `condition` can hold."""
    places = _places(condition)
    if not places:
        return base.filter(when).select("row").collect()["row"]
    plain = {key.column for key in keys_of(condition) if not key.is_place}
    opened = _narrowed(base, condition).head(_PLACE_ROWS).select({"row", *COLUMNS, *plain}).collect()
    return with_places(opened, places).filter(when)["row"]


def _places(condition: Condition) -> list[str]:
    return sorted({key.column for key in keys_of(condition) if key.is_place})


def _narrowed(base: pl.LazyFrame, condition: Condition) -> pl.LazyFrame:
    """Without the rows for which the part of `condition` that asks for no place is not true."""
    plain = {k: v for k, v in condition.items() if not any(key.is_place for key in keys_of({k: v}))}
    return base.filter(compile_condition(plain)) if plain else base


def with_places(frame: pl.DataFrame, places: Sequence[str]) -> pl.DataFrame:
    """`frame` with a column per place, and `known:<place>` telling whether it could be known."""
    headers = [p for p in places if parse(p).kind == "header"]
    frame = _with_headers(frame, headers)
    places = [p for p in places if p not in headers]
    columns: dict[str, list[object]] = {name: [] for p in places for name in (p, f"known:{p}")}
    for row in frame.iter_rows(named=True) if places else ():
        message = Message(row)
        for place in places:
            found = find(place, message)
            columns[place].append(found.values[0] if found.values else None)
            columns[f"known:{place}"].append(found.state != "unknown")
    return frame.with_columns(
        pl.Series(name, values, dtype=pl.Boolean if name.startswith("known:") else pl.String)
        for name, values in columns.items()
    )


def _with_headers(frame: pl.DataFrame, places: Sequence[str]) -> pl.DataFrame:
    """Header places for all rows at once: absent is known only where all headers were recorded."""
    values = evaluate(frame, places)
    frame = frame.with_columns(values[p].alias(p) for p in places)
    return frame.with_columns(
        (pl.col(f"{parse(p).side}_headers_state").is_in(["recorded", "empty"]) | pl.col(p).is_not_null())
        .fill_null(False)
        .alias(f"known:{p}")
        for p in places
    )


@dataclass(slots=True)
class _Met:
    """Exchanges that meet a condition, of one value of the columns to agree in, in order."""

    rows: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)  # of the first of them; the rest has no time


class Neighbours:
    """Looks for what a rule wants before or after an exchange."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._met: dict[int, dict[str, _Met] | None] = {}  # by the identity of a sequence

    def any(self, sequence: RuleSequence, row: Mapping[str, Any], *, earlier: bool) -> bool:
        """Whether an exchange that meets the sequence's condition lies before (or after) `row` in its time."""
        if sequence.least_s is not None and not isinstance(row["started_at"], datetime):
            return False
        if id(sequence) not in self._met:
            self._met[id(sequence)] = self._of_all(sequence)
        known = self._met[id(sequence)]
        if known is None:
            return self._asked(sequence, row, earlier=earlier)
        met = known.get(_same(row[column] for column in sequence.same))
        return met is not None and _lies(met, sequence, row, earlier=earlier)

    def _of_all(self, sequence: RuleSequence) -> dict[str, _Met] | None:
        """What meets the condition anywhere; None where too many messages would have to be opened for that."""
        base = self._frame.exchanges
        if _places(sequence.when):
            narrowed = _narrowed(base, sequence.when).select(pl.len()).collect().item()
            if narrowed > _PLACE_ROWS:
                return None
        rows = matching(base, compile_condition(sequence.when), sequence.when)
        found: dict[str, _Met] = {}
        columns = ["row", "started_at", *sequence.same]
        for row, at, *same in self._frame.take(rows, columns).iter_rows():
            met = found.setdefault(_same(same), _Met())
            met.rows.append(row)
            if at is not None:
                met.times.append(at)
        return found

    def _asked(self, sequence: RuleSequence, row: Mapping[str, Any], *, earlier: bool) -> bool:
        at, number = row["started_at"], row["row"]
        side = pl.col("row") < number if earlier else pl.col("row") > number
        for column in sequence.same:
            side &= pl.col(column).eq_missing(pl.lit(row[column], dtype=self._frame.schema[column]))
        if sequence.within_s is not None and isinstance(at, datetime):
            span = timedelta(seconds=sequence.within_s)
            side &= pl.col("started_at").is_between(at - span, at + span)
        if sequence.least_s is not None:
            side &= (pl.col("started_at") - at).abs() >= timedelta(seconds=sequence.least_s)
        base = self._frame.exchanges.filter(side)
        return len(matching(base, compile_condition(sequence.when), sequence.when)) > 0


def _same(values: Iterable[object]) -> str:
    return repr(list(values))


def _lies(met: _Met, sequence: RuleSequence, row: Mapping[str, Any], *, earlier: bool) -> bool:
    at, number, times = row["started_at"], row["row"], met.times
    start = 0 if earlier else bisect_right(met.rows, number)
    end = bisect_left(met.rows, number) if earlier else len(met.rows)
    if sequence.within_s is not None and isinstance(at, datetime):
        span = timedelta(seconds=sequence.within_s)
        start, end = max(start, bisect_left(times, at - span)), min(end, bisect_right(times, at + span))
    if sequence.least_s is None:
        return start < end
    end = min(end, len(times))
    least = timedelta(seconds=sequence.least_s)
    return start < end and max(abs(times[start] - at), abs(times[end - 1] - at)) >= least
