"""The frame as the questions see it: sorted, numbered, with what counts as failed, and an index of what succeeded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from secrets import randbits
from typing import Any

import polars as pl

from openclaw_forensics.words import Text

# Ids, numbers and hashes in a path: the same call on another object has the same shape.
_SHAPE = r"/(?:[0-9][^/]*|[^/]*[0-9][^/]{7,}|[A-Za-z0-9_%.-]{24,})"

EXCHANGE_ORDER = ["started_at", "source_file", "line", "locator"]
_MOST_RUNS = 500  # in order by themselves, of which a frame is put together; more are sorted row by row
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RECORD_ORDER = ["at", "source_file", "line"]
HOT = [  # what questions ask of an exchange
    "row", "exchange_id", "direction", "source_file", "locator", "line", "writer", "started_at", "duration_ms",
    "method", "url", "host", "path", "status", "answer_state", "transport_error", "transport_error_text", "trace_id",
    "thread",
    "client_address", "server_address", "platform", "environment", "region", "identity", "app", "shop", "operation",
    "operation_key", "step", "object_id", "error_code", "error_subcode", "error_message", "error_fields", "request_id",
    "token", "refresh_token", "request_timestamp", "signature", "key_version", "item_failures", "failure",
    "request_body_state", "response_body_state", "request_headers_state", "response_headers_state", "client_class",
    "zone_basis", "time_quality",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Success:
    """Successes that share who, where and what: an interval and a count."""

    platform: str | None
    app: str | None
    shop: str | None
    identity: str | None
    token: str | None
    operation_key: str
    step: str | None
    region: str | None
    direction: str
    first: datetime | None
    last: datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What other shops of the same capture did, where one shop is looked at alone: contrasts need them."""

    successes: tuple[Success, ...] = ()
    failures: tuple[dict[str, Any], ...] = ()


# Columns of few values: what they decide is asked once per combination, not once per exchange.
FEW_VALUES = ("platform", "environment", "direction", "operation", "step", "method", "status", "good", "failed")

# Who did what, and how it went: exchanges that agree in all of it are one kind.
_KIND = (
    "source_file", "platform", "environment", "region", "app", "shop", "identity", "token", "direction", "operation",
    "operation_key", "step", "good", "failed",
)  # fmt: skip


class Frame:
    """Exchanges sorted by time and place, each with its position `row`; `failed` says which count as failing."""

    def __init__(self, exchanges: pl.DataFrame, records: pl.DataFrame, beside: Beside | None = None) -> None:
        self.beside = beside or Beside()
        self.operation_names: Mapping[tuple[str, str], Text] = {}  # (platform, operation) -> what people call it
        unknown = pl.when(pl.col("operation").is_null())
        shape = unknown.then(pl.col("path")).str.replace_all(_SHAPE, "/{}")
        good = pl.col("failure").is_null() & (pl.col("status") < 400)
        self.exchanges = (
            in_order(exchanges, EXCHANGE_ORDER)
            .with_row_index("row")
            .with_columns(
                pl.col("row").cast(pl.Int64),
                good=good,
                failed=pl.col("failure").is_not_null() & ~pl.col("expected_outcome").fill_null(False)
                & (pl.col("direction") != "inbound"),
                operation_key=pl.coalesce(
                    "operation",
                    pl.concat_str([unknown.then(pl.col("method").fill_null("?")), shape], separator=" "),
                    "client_class",
                    pl.lit("?"),
                ),
            )
        )  # fmt: skip
        # A hash with a seed of its own: two combinations meet in one number by chance only, once in 10^13 captures.
        combination = self.exchanges.select(FEW_VALUES).hash_rows(seed=randbits(63)).alias("combination")
        self.exchanges = self.exchanges.with_columns(combination)
        self.records = in_order(records, RECORD_ORDER).with_row_index("row")

    @cached_property
    def _combinations(self) -> pl.DataFrame:
        counted = self.exchanges["combination"].value_counts()
        named = self.exchanges.lazy().select("combination", "row").unique("combination", keep="any").collect()
        return self.exchanges[named["row"]].select("combination", *FEW_VALUES).join(counted, on="combination")

    def where(self, condition: pl.Expr) -> pl.LazyFrame:
        """The exchanges for which a condition over columns of `FEW_VALUES` alone is true."""
        found = self._combinations.filter(condition)
        if found.is_empty():
            return self.exchanges.clear().lazy()
        if found.height == self._combinations.height:
            return self.exchanges.lazy()
        all_rows = self.failed if found["failed"].all() else self.exchanges
        return all_rows.lazy().filter(pl.col("combination").is_in(found["combination"].to_list()))

    def count(self, condition: pl.Expr) -> int:
        """How many exchanges `where` finds."""
        return int(self._combinations.filter(condition)["count"].sum())

    @cached_property
    def failed(self) -> pl.DataFrame:
        """The failing exchanges, all columns: few beside the others, and asked most."""
        return self.exchanges.filter("failed")

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """The failing exchanges as dicts of the columns that questions need, in order."""
        return self.failed.select(HOT).to_dicts()

    @cached_property
    def failing(self) -> dict[int, dict[str, Any]]:
        """Failing exchanges by row."""
        return {r["row"]: r for r in self.failures}

    @cached_property
    def successes(self) -> list[Success]:
        """What succeeded (answered and not failed), aggregated."""
        keys = ["platform", "app", "shop", "identity", "token", "operation_key", "step", "region", "direction"]
        good = self.kinds.filter(self.is_good).group_by(keys, maintain_order=True)
        table = good.agg(pl.col("first").min(), pl.col("last").max(), count=pl.col("rows").list.len().sum())
        return [Success(**row) for row in table.to_dicts()]

    @cached_property
    def kinds(self) -> pl.DataFrame:
        """The exchanges by kind, by appearance: what names the kind, its `rows` in order, `first` and `last` time."""
        marks = self.exchanges.select(_KIND).hash_rows(seed=randbits(63)).alias("kind")
        found = (
            self.exchanges.select("row", "started_at", marks)
            .group_by("kind")
            .agg(rows="row", first=pl.col("started_at").min(), last=pl.col("started_at").max())
            .sort(pl.col("rows").list.first())
        )
        named = self.exchanges.select(_KIND)[found["rows"].list.first()]
        return named.with_columns(found["rows"], found["first"], found["last"])

    def rows_of_kinds(self, condition: pl.Expr) -> pl.Series:
        """The rows, in order, of the kinds for which a condition over what names them is true."""
        return self.kinds.filter(condition)["rows"].explode().drop_nulls().sort()

    @property
    def is_good(self) -> pl.Expr:
        """Answered well: a status below 400 and nothing wrong in the body."""
        return pl.col("good")

    @cached_property
    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """First and last start time."""
        times = self.exchanges["started_at"].drop_nulls()
        stamps = self.records["at"].drop_nulls()
        if times.is_empty():
            times = stamps
        if times.is_empty():
            return None, None
        first, last = times.min(), times.max()
        return (first if isinstance(first, datetime) else None, last if isinstance(last, datetime) else None)

    def at(self, row: int) -> datetime | None:
        """Start time of a row."""
        failing = self.failing.get(row)
        value = self.exchanges["started_at"][row] if failing is None else failing["started_at"]
        return value if isinstance(value, datetime) else None

    def full(self, row: int) -> dict[str, Any]:
        """All columns of one row."""
        return dict(zip(self.exchanges.columns, self.exchanges.row(row), strict=True))

    def brief(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """The columns that questions need of these rows."""
        if all(row in self.failing for row in rows):
            return [self.failing[row] for row in rows]
        return self.exchanges.select(HOT)[list(rows)].to_dicts()

    def between(self, first: datetime, last: datetime) -> pl.DataFrame:
        """The exchanges that began from `first` to `last`, both included: a slice, for all are sorted by time."""
        start, end = self.span(first, last)
        return self.exchanges.slice(start, end - start)

    def span(self, first: datetime, last: datetime) -> tuple[int, int]:
        """The rows that began from `first` to `last`: the first of them, and the one after the last."""
        times = self._times
        return bisect_left(times, _microseconds(first)), bisect_right(times, _microseconds(last))

    @cached_property
    def _times(self) -> pl.Series:
        return self.exchanges["started_at"].drop_nulls().dt.epoch("us").rechunk()

    def rows_of(self, column: str, values: Iterable[str | None]) -> dict[str, int]:
        """The last row of each of these ids that the frame holds."""
        wanted = sorted({v for v in values if v is not None})
        if not wanted:
            return {}
        hits = self.exchanges.lazy().filter(pl.col(column).is_in(wanted)).select(column, "row").collect()
        return dict(hits.iter_rows())

    def record(self, row: int) -> dict[str, Any]:
        """All columns of one record."""
        return self.records.row(row, named=True)


def _microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def in_order(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """`frame` sorted, nulls last; one that is sorted already, or but for a few runs, is not copied."""
    if frame.height < 2 or frame.select(_ascends(keys).slice(1).all()).item():
        return frame
    order = frame.select(pl.arg_sort_by(keys, nulls_last=True, maintain_order=True)).to_series()
    starts = [0, *(order.cast(pl.Int64).diff() != 1).arg_true()]
    if len(starts) > _MOST_RUNS:
        return frame[order]
    ends = [*starts[1:], frame.height]
    return pl.concat(frame.slice(order[a], b - a) for a, b in zip(starts, ends, strict=True))


def _ascends(keys: list[str]) -> pl.Expr:
    """Whether a row stands no lower than the one before it, by the first key that tells them apart."""
    here, before = pl.col(keys[0]), pl.col(keys[0]).shift(1)
    higher = (here > before).fill_null(here.is_null() & before.is_not_null())
    same = here.eq_missing(before)
    return higher | (same & _ascends(keys[1:]) if len(keys) > 1 else same)


MEANWHILE = timedelta(minutes=15)  # how far apart two exchanges may be to say something about the same time
