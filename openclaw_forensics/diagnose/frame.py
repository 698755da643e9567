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

from openclaw_forensics.exchanges import EXCHANGE_ORDER
from openclaw_forensics.table import Table, in_order
from openclaw_forensics.words import Text

# Ids, numbers and hashes in a path: the same call on another object has the same shape.
_SHAPE = r"/(?:[0-9][^/]*|[^/]*[0-9][^/]{7,}|[A-Za-z0-9_%.-]{24,})"

# A seed of this run: two combinations meet in one number by chance only, once in 10^13 captures.
_SEED = randbits(63)
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
    """Exchanges sorted by time and place, each with its position `row`; `failed` says which count as failing.

    `exchanges` is asked lazily: of a large capture it lies in files.
    """

    def __init__(self, exchanges: pl.DataFrame | Table, records: pl.DataFrame, beside: Beside | None = None) -> None:
        """`exchanges` are those of the contract, or a table of `marked` ones in order."""
        self.beside = beside or Beside()
        self.operation_names: Mapping[tuple[str, str], Text] = {}  # (platform, operation) -> what people call it
        if isinstance(exchanges, pl.DataFrame):
            exchanges = Table.of(marked(in_order(exchanges, EXCHANGE_ORDER)))
        self._table = exchanges
        self._held = exchanges.frame() if exchanges.in_memory else None
        self.exchanges: pl.LazyFrame = exchanges.lazy() if self._held is None else self._held.lazy()
        self.height, self.schema = exchanges.height, exchanges.schema
        self.records = in_order(records, RECORD_ORDER).with_row_index("row")

    def take(self, rows: pl.Series | Sequence[int], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """These rows, in the order given, with these columns or all."""
        places = rows if isinstance(rows, pl.Series) else pl.Series(rows, dtype=pl.Int64)
        if self._held is not None:
            return (self._held if columns is None else self._held.select(columns))[places]
        kept = None if columns is None else [c for c in columns if c != "row"]
        found = self._table.take(places, kept).with_columns(row=places.cast(pl.Int64))
        return found.select("row", pl.exclude("row")) if columns is None else found.select(columns)

    def among(self, condition: pl.Expr) -> pl.DataFrame:
        """All columns of the rows for which a condition is true."""
        return self.exchanges.filter(condition).collect()

    @cached_property
    def _combinations(self) -> pl.DataFrame:
        found = self.exchanges.group_by("combination").agg(pl.len().alias("count"), row=pl.col("row").first()).collect()
        return self.take(found["row"], ["combination", *FEW_VALUES]).with_columns(found["count"])

    def where(self, condition: pl.Expr) -> pl.LazyFrame:
        """The exchanges for which a condition over columns of `FEW_VALUES` alone is true."""
        found = self._combinations.filter(condition)
        if found.is_empty():
            return self.failed.clear().lazy()
        if found.height == self._combinations.height:
            return self.exchanges
        all_rows = self.failed.lazy() if found["failed"].all() else self.exchanges
        return all_rows.filter(pl.col("combination").is_in(found["combination"].to_list()))

    def count(self, condition: pl.Expr) -> int:
        """How many exchanges `where` finds."""
        return int(self._combinations.filter(condition)["count"].sum())

    @cached_property
    def failed(self) -> pl.DataFrame:
        """The failing exchanges, all columns: few beside the others, and asked most."""
        return self.among(pl.col("failed"))

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
        seed = randbits(63)
        marks: list[pl.DataFrame] = []
        for part in self._table.frames([*_KIND, "started_at"]):
            marks.append(part.select("started_at", kind=part.select(_KIND).hash_rows(seed=seed)))
        found = (
            pl.concat(marks)
            .with_row_index("row")
            .group_by("kind")
            .agg(rows=pl.col("row").cast(pl.Int64), first=pl.col("started_at").min(), last=pl.col("started_at").max())
            .sort(pl.col("rows").list.first())
        )
        named = self.take(found["rows"].list.first(), _KIND)
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
        times = self.started.drop_nulls()
        times = times if len(times) else self.records["at"]
        first, last = times.min(), times.max()
        return (first if isinstance(first, datetime) else None, last if isinstance(last, datetime) else None)

    def at(self, row: int) -> datetime | None:
        """Start time of a row."""
        failing = self.failing.get(row)
        value = self.started[row] if failing is None else failing["started_at"]
        return value if isinstance(value, datetime) else None

    def full(self, row: int) -> dict[str, Any]:
        """All columns of one row."""
        if row in self._place_failed:
            return self.failed.row(self._place_failed[row], named=True)
        return self.take([row]).row(0, named=True)

    def brief(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """The columns that questions need of these rows."""
        if all(row in self.failing for row in rows):
            return [self.failing[row] for row in rows]
        return self.take(rows, HOT).to_dicts()

    def between(self, first: datetime, last: datetime) -> pl.DataFrame:
        """The exchanges that began from `first` to `last`, both included: a slice, for all are sorted by time."""
        start, end = self.span(first, last)
        if self._held is not None:
            return self._held.slice(start, end - start)
        return self.take(pl.int_range(start, end, eager=True))

    def span(self, first: datetime, last: datetime) -> tuple[int, int]:
        """The rows that began from `first` to `last`: the first of them, and the one after the last."""
        times = self._times
        return bisect_left(times, _microseconds(first)), bisect_right(times, _microseconds(last))

    @cached_property
    def _times(self) -> pl.Series:
        return self.started.drop_nulls().dt.epoch("us").rechunk()

    @cached_property
    def started(self) -> pl.Series:
        """The start time of every row."""
        return self._table.column("started_at")

    @cached_property
    def _place_failed(self) -> dict[int, int]:
        return {row: place for place, row in enumerate(self.failed["row"])}

    def rows_of(self, column: str, values: Iterable[str | None]) -> dict[str, int]:
        """The last row of each of these ids that the frame holds."""
        wanted = sorted({v for v in values if v is not None})
        if not wanted:
            return {}
        hits = self.exchanges.filter(pl.col(column).is_in(wanted)).select(column, "row").collect()
        return dict(hits.iter_rows())

    def record(self, row: int) -> dict[str, Any]:
        """All columns of one record."""
        return self.records.row(row, named=True)


def _microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def marked(exchanges: pl.DataFrame) -> pl.DataFrame:
    """`exchanges` with what every question asks of a row: good, failed, operation_key and its combination."""
    unknown = pl.when(pl.col("operation").is_null())
    # Many logs hold bodies only: what a platform's pack reads no failure in is then a success.
    told = pl.col("platform").is_not_null() & (pl.col("answer_state") == "answered")
    told &= pl.col("response_body").is_not_null() & pl.col("transport_error").is_null()
    shape = unknown.then(pl.col("path")).str.replace_all(_SHAPE, "/{}")
    exchanges = exchanges.with_columns(
        good=pl.col("failure").is_null() & (pl.col("status") < 400).fill_null(told),
        failed=pl.col("failure").is_not_null() & ~pl.col("expected_outcome").fill_null(False)
        & (pl.col("direction") != "inbound"),
        operation_key=pl.coalesce(
            "operation",
            pl.concat_str([unknown.then(pl.col("method").fill_null("?")), shape], separator=" "),
            "client_class",
            pl.lit("?"),
        ),
    )  # fmt: skip
    return exchanges.with_columns(exchanges.select(FEW_VALUES).hash_rows(seed=_SEED).alias("combination"))


MEANWHILE = timedelta(minutes=15)  # how far apart two exchanges may be to say something about the same time
