"""Which exchanges may be sightings of one and the same, found column by column before any row is looked at.

Two sightings agree in method, path, status and direction, come from different logs, and share a request id or overlap
in time. Of most captures of several files nearly nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import polars as pl

SLACK = timedelta(seconds=2)  # between clocks of two writers on one machine
Row = dict[str, object]

_SHOWN = ["exchange_id", "source_file", "line", "locator", "raw_stamp", "request_id", "host", "started_at",
          "duration_ms", "response_body_state", "request_body_state"]  # fmt: skip
_LINE = ["log", "raw_stamp", "thread", "trace_id", "request_id", "method", "url", "path", "status", "duration_ms"]
_TEXT = ["request_body", "response_body", "transport_error_text"]
_GROUP = ["method", "path", "status", "direction"]
COLUMNS = tuple(dict.fromkeys([*_SHOWN, *_GROUP, *_LINE[1:], *_TEXT]))  # that doubles are found by
PREVIEWED = ("source_file", *_GROUP, "raw_stamp", "thread", "request_id")


def suspects(parts: Iterable[pl.DataFrame], series: Mapping[str, str | None]) -> pl.Series:
    """Positions of the rows that may have a double in another log or, copied, in another file; too many at worst.

    The parts hold the columns `PREVIEWED`.
    """
    logs = {file: log for file, log in series.items() if log is not None}
    seen = [
        part.select(
            group=pl.struct("method", "path", "status", pl.col("direction") == "out").hash(),
            line=pl.struct("raw_stamp", "thread", "request_id", "path", "status").hash(),
            log=_log(part, logs).hash(),
            file=pl.col("source_file").hash(),
        )
        for part in parts
    ]
    rows = pl.concat(seen).with_row_index("row")
    files = rows["file"].n_unique()
    if files < 2:
        return rows["row"].clear()
    met = pl.col("log").n_unique().over("group") > 1
    copy = pl.col("file").n_unique().over("line") > 1 if files > rows["log"].n_unique() else pl.lit(False)
    return rows.filter(met | copy)["row"]


def may_meet(exchanges: pl.DataFrame, series: Mapping[str, str]) -> pl.DataFrame:
    """The rows that may have a partner in another log, in order: `group` (what a partner has in common with it), `log`,
    and what partners are judged by. A partner of a row that is left is left as well."""
    keys = exchanges.select(
        _log(exchanges, series), "method", "path", "status", pl.col("direction").eq_missing("out").alias("out")
    )
    keys = keys.with_row_index("row")
    rows = keys.select("row", "log", group=pl.col("row").first().over("method", "path", "status", "out"))
    shared = rows.filter(_several("log", "group"))
    taken = shared.select("group", "log").hstack(exchanges.select(_SHOWN)[shared["row"]])
    return taken.filter(_by_id(taken) | _by_time(taken)) if taken.height else taken


def copied(exchanges: pl.DataFrame, series: Mapping[str, str]) -> list[tuple[Row, Row]]:
    """(kept, dropped) of a line in two files of one series, as a copy beside the log that goes on leaves it:
    the same request id and stamp, or the same stamp to a fraction of a second, thread and text."""
    told = pl.col("raw_stamp").is_not_null() & pl.col("source_file").is_in(list(series))
    pieces = exchanges.filter(told & (pl.col("request_id").is_not_null() | pl.col("raw_stamp").str.contains(r"[.,]\d")))
    if pieces["source_file"].n_unique() < 2:
        return []
    text = pl.when(pl.col("request_id").is_null()).then(pl.struct(_TEXT).hash())
    lines = pieces.select("exchange_id", "source_file", "line", "locator", "raw_stamp", key=pl.struct(
        _log(pieces, series), *_LINE[1:], text.alias("text")
    ))  # fmt: skip
    # Twice in one file are two attempts: the second there is the same as the second here.
    lines = lines.with_columns(pl.struct("key", pl.int_range(pl.len()).over("key", "source_file")).alias("key"))
    lines = lines.filter(pl.col("key").is_duplicated()).with_columns(pl.col("key").rank("dense"))
    groups = lines.partition_by("key", maintain_order=True)
    return [(rows[0], row) for rows in (group.rows(named=True) for group in groups) for row in rows[1:]]


def _log(exchanges: pl.DataFrame, series: Mapping[str, str]) -> pl.Series:
    """The log that each row's file is, or is a piece of."""
    return exchanges["source_file"].replace({file: f"series:{log}" for file, log in series.items()}).rename("log")


def _several(name: str, *among: str) -> pl.Expr:
    return pl.col(name).min().over(among) != pl.col(name).max().over(among)


def _by_id(rows: pl.DataFrame) -> pl.Series:
    """Rows whose request id another log has as well."""
    known = pl.col("request_id").is_not_null()
    return rows.select(known & (_several("log", "group", "request_id"))).to_series()


def _by_time(rows: pl.DataFrame) -> pl.Series:
    """Rows that overlap in time with one of another log, and a few that do not.

    In the order of time, the next row of another log is the first of the next run of one log, and the latest end before
    this run is that of any row before it.
    """
    start = pl.col("started_at")
    spent = (pl.col("duration_ms") * 1000).ceil().cast(pl.Int64, strict=False).fill_null(0)
    timed = rows.select("group", "log", start, pl.duration(microseconds=spent).alias("spent")).with_row_index("i")
    timed = timed.filter(start.is_not_null()).sort("group", "started_at", maintain_order=True)
    if timed.is_empty():
        return pl.Series([False]).new_from_index(0, rows.height)
    timed = timed.with_columns(
        pl.struct("group", "log").rle_id().alias("run"),
        (start + pl.col("spent") + SLACK).alias("end"),
    )  # fmt: skip
    runs = timed.group_by("run", maintain_order=True).agg(
        pl.col("group").first(), start.first().alias("first"), pl.col("end").max().alias("last")
    )
    runs = runs.select(
        "run",
        pl.col("first").shift(-1).over("group").alias("next"),
        pl.col("last").cum_max().shift(1).over("group").alias("before"),
    )
    timed = timed.join(runs, on="run", how="left", maintain_order="left")
    meets = (pl.col("next") <= pl.col("end")) | (pl.col("before") >= start)
    return pl.Series([False]).new_from_index(0, rows.height).scatter(timed.filter(meets)["i"], True)
