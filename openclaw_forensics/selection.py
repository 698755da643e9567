"""Which exchanges the question is about: a time, a shop, an order, an operation, a request id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from openclaw_forensics.settings import Settings
from openclaw_forensics.table import Table


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected frames, and what came nearest where a filter matched nothing."""

    exchanges: Table
    records: pl.DataFrame
    empty_filter: str | None = None
    nearest: tuple[str, ...] = ()


def select(exchanges: Table, records: pl.DataFrame, settings: Settings) -> Selection:
    """Apply the filters of `settings` one after the other."""
    chosen = exchanges
    for name, value, columns in (
        ("--shop", settings.shop, ("shop",)),
        ("--operation", settings.operation, ("operation",)),
        ("--request-id", settings.request_id, ("request_id", "trace_id")),
        ("--order", settings.order, ("object_id",)),
    ):
        if value is None:
            continue
        hits = chosen.filter(_holds(value, columns, texts=name == "--order"))
        if not hits.height:
            return Selection(hits, records.clear(), f"{name} {value}", _nearest(chosen, value, columns))
        chosen = hits
    chosen, records = _within(chosen, records, settings.since, settings.until)
    if settings.shop or settings.operation or settings.request_id or settings.order:
        records = records.filter(pl.col("exchange_id").is_in(chosen.column("exchange_id").implode()))
    return Selection(chosen, records)


def _holds(value: str, columns: tuple[str, ...], *, texts: bool) -> pl.Expr:
    hit = pl.any_horizontal(pl.col(c) == value for c in columns)
    if texts:  # an object is followed through paths and bodies as well
        for column in ("path", "query", "request_body", "response_body"):
            hit |= pl.col(column).str.contains(value, literal=True).fill_null(False)
    return hit.fill_null(False)


def _nearest(exchanges: Table, value: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    from rapidfuzz import process

    known = {str(v) for c in columns for v in exchanges.distinct(c).to_series().drop_nulls()}
    return tuple(match for match, _, _ in process.extract(value, sorted(known), limit=3, score_cutoff=40))


def _within(
    exchanges: Table, records: pl.DataFrame, since: datetime | None, until: datetime | None
) -> tuple[Table, pl.DataFrame]:
    for column, at in (("gt", since), ("lt", until)):
        if at is None:
            continue
        limit = at if at.tzinfo else at.replace(tzinfo=UTC)
        if column == "gt":
            exchanges = exchanges.filter(pl.col("started_at") >= limit)
            records = records.filter(pl.col("at") >= limit)
        else:
            exchanges = exchanges.filter(pl.col("started_at") <= limit)
            records = records.filter(pl.col("at") <= limit)
    return exchanges, records
