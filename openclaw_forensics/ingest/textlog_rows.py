"""Paired fragments to rows of `exchanges.READ_COLUMNS`: address taken apart, states filled in, locators made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from openclaw_forensics.exchanges import READ_COLUMNS, conform
from openclaw_forensics.ingest.exceptions import family
from openclaw_forensics.ingest.fragments import FRAGMENT, in_order

_ORIGIN = r"^([a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*)"
_URL = r"^(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?:[^/@?#]*@)?(?P<host>\[[^\]]*\]|[^/:?#]*)(?::(?P<port>[0-9]{1,5}))?"
_DEFAULT_PORT = r"^(?:(https://[^/?#:]+):443|(http://[^/?#:]+):80)($|[/?#])"
_ANSWER_SIDE = (
    "status",
    "version",
    "error",
    "transport_error",
    "response_headers",
    "response_body",
    "response_body_state",
    "ms",
    "state_reason",
)
# What the answer tells where the request does not.
_EITHER_SIDE = (
    "method",
    "url",
    "target",
    "host",
    "port",
    "scheme",
    "client",
    "address",
    "trace_id",
    "thread",
    "request_body",
    "request_body_state",
    "request_headers",
)
PLACE = ("line", "end", "raw_stamp", "at", "time_quality", "zone_basis", "level", "logger", "thread", "trace_id")
EVENT: dict[str, pl.DataType] = FRAGMENT | {
    "line": pl.Int64(),
    "end": pl.Int64(),
    "raw_stamp": pl.String(),
    "at": READ_COLUMNS["started_at"],
    "time_quality": pl.String(),
    "zone_basis": pl.String(),
    "level": pl.String(),
    "logger": pl.String(),
    "thread": pl.String(),
    "trace_id": pl.String(),
    "message": pl.String(),  # of failures only
    "rest": pl.String(),
}
# A call in the making: an event with the time of its answer.
CALL: dict[str, pl.DataType] = EVENT | {"end_at": READ_COLUMNS["started_at"], "answer_state": pl.String()}

# Writers whose text shows the bytes as sent, but for undecodable ones.
_EXACT_WRITERS = ("OkHttp", "Feign", "wire", "axios", "http.client", "curl")


def by_line(frame: pl.DataFrame) -> pl.DataFrame:
    """In the order of the file; rows of one line as they come."""
    return in_order(frame, "line")


def packed(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the columns that hold nothing: most calls have a dozen of some forty."""
    return frame.select(c.name for c in frame if c.null_count() < c.len())


def whole(frames: Iterable[pl.DataFrame], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The rows of packed frames with all columns of `schema`."""
    filled = [frame for frame in map(packed, frames) if frame.height]
    frame = pl.concat(filled, how="diagonal") if filled else pl.DataFrame(schema=schema)
    return frame.match_to_schema(pl.Schema(schema), missing_columns="insert")


def joined(questions: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Requests and their answers, row by row, as CALL without its empty columns."""
    asked, told = packed(questions), packed(answers)
    both = asked.hstack([c.alias(f"a_{c.name}") for c in told])
    taken: dict[str, pl.Expr] = {}
    for name in EVENT:
        if name in ("message", "rest"):
            continue
        mine = pl.col(name) if name in asked.columns and name not in _ANSWER_SIDE else None
        theirs = pl.col(f"a_{name}") if name in told.columns and name in (*_ANSWER_SIDE, *_EITHER_SIDE) else None
        if mine is not None and theirs is not None:
            mine = pl.coalesce(mine, theirs) if asked[name].null_count() else mine
        if (value := theirs if mine is None else mine) is not None:
            taken[name] = value
    if "at" in asked.columns and "at" in told.columns:
        wait = (pl.col("a_at") - pl.col("at")).dt.total_microseconds() / 1000
        ms = pl.when(wait >= 0).then(wait)
        taken["ms"] = pl.coalesce(taken["ms"], ms) if "ms" in taken else ms
        taken["end_at"] = pl.col("a_at")
    if both.height:
        taken |= {"end": pl.max_horizontal("end", "a_end"), "role": pl.lit("exchange")}
    return both.select(**taken)


def single(events: pl.DataFrame) -> pl.DataFrame:
    """Events that are whole calls by themselves, as CALL: a line written at the end tells the start by its duration."""
    shifted = pl.col("at") - pl.duration(microseconds=(pl.col("ms").fill_null(0) * 1000).cast(pl.Int64))
    quality = pl.when(pl.col("library") & pl.col("ms").is_null() & pl.col("at").is_not_null()).then(pl.lit("derived"))
    return events.with_columns(
        pl.col("at").alias("end_at"),
        shifted.cast(READ_COLUMNS["started_at"]).alias("at"),
        quality.otherwise(pl.col("time_quality")).alias("time_quality"),
        pl.lit(None, dtype=pl.String).alias("answer_state"),
    ).match_to_schema(pl.Schema(CALL), extra_columns="ignore")


def with_errors(calls: pl.DataFrame) -> pl.DataFrame:
    """The transport error of those whose text tells one; a text without a family is `other` where no status came."""
    needed = calls["error"].is_not_null() & calls["transport_error"].is_null() & calls["status"].is_null()
    if not needed.any():
        return calls
    rows = needed.arg_true()
    kinds = [family(text) or "other" for text in calls["error"].gather(rows).to_list()]
    return calls.with_columns(calls["transport_error"].scatter(rows, kinds))


def to_exchanges(calls: pl.DataFrame, path: str, name: str) -> pl.DataFrame:
    """Rows of READ_COLUMNS for one file. `name` is the reader's."""
    calls = with_errors(calls)
    calls = _address(calls)
    answered = pl.col("status").is_not_null() | (
        pl.col("response_body").is_not_null() & pl.col("transport_error").is_null()
    )
    frame = calls.with_columns(
        pl.lit(path).alias("source_file"),
        locator(pl.col("line"), pl.col("end")).alias("locator"),
        pl.lit(name).alias("format"),
        pl.col("at").alias("started_at"),
        pl.col("time_quality").fill_null("missing"),
        pl.col("zone_basis").fill_null("assumed"),
        pl.col("ms").alias("duration_ms"),
        pl.col("method").str.to_uppercase(),
        pl.col("version").replace({"2.0": "2", "3.0": "3"}).alias("http_version"),
        pl.col("client").alias("client_class"),
        pl.col("address").alias("client_address"),
        pl.col("error").alias("transport_error_text"),
        pl.coalesce(pl.when(answered).then(pl.lit("answered")), pl.col("answer_state"), pl.lit("missing")).alias(
            "answer_state"
        ),
        *_part("request"),
        *_part("response"),
        *(
            (pl.col("writer").is_in(_EXACT_WRITERS) & (pl.col(f"{side}_body_state") == "recorded"))
            .fill_null(False)
            .alias(f"{side}_body_exact")
            for side in ("request", "response")
        ),
    )
    return conform(frame, READ_COLUMNS)


def locator(line: pl.Expr, end: pl.Expr) -> pl.Expr:
    """`lines:a-b`, or `lines:a` for a single line."""
    one = pl.format("lines:{}", line)
    return pl.when(end > line).then(pl.format("lines:{}-{}", line, end)).otherwise(one)


def _part(side: str) -> list[pl.Expr]:
    body, state = pl.col(f"{side}_body"), pl.col(f"{side}_body_state")
    return [
        pl.when(pl.col(f"{side}_headers").is_null())
        .then(pl.lit("not_recorded"))
        .otherwise(pl.lit("recorded"))
        .alias(f"{side}_headers_state"),
        pl.when(state.is_not_null() & body.is_not_null())
        .then(state)
        .when(body.is_not_null())
        .then(pl.lit("recorded"))
        .when(state == "empty")
        .then(state)
        .otherwise(pl.lit("not_recorded"))
        .alias(f"{side}_body_state"),
    ]


def _address(calls: pl.DataFrame) -> pl.DataFrame:
    """url, scheme, host, port, path and query from what the fragments hold."""
    url, target = calls["url"], calls["target"]
    whole_url = url.str.contains("://", literal=True).fill_null(False)
    if url.str.contains(_DEFAULT_PORT).any():
        url = url.str.replace(_DEFAULT_PORT, "$1$2$3")
    if not (whole_url.all() and target.null_count() == target.len()):
        url, target = _composed(url, target, whole_url)
    calls = calls.with_columns(url.alias("_url"), target.alias("_target"))
    parts = _parts(url, target)
    scheme = pl.coalesce(parts["scheme"], pl.col("scheme"), pl.when(pl.col("port") == 443).then(pl.lit("https")))
    calls = calls.with_columns(
        scheme.alias("scheme"),
        pl.coalesce(parts["host"], pl.col("host").str.to_lowercase()).alias("host"),
        parts["path"],
        parts["query"],
        pl.coalesce(parts["port"], pl.col("port")).alias("port"),
    )
    default = pl.when(pl.col("scheme") == "https").then(443).when(pl.col("scheme") == "http").then(80)
    port = pl.coalesce(pl.col("port"), pl.when(pl.col("host").is_not_null()).then(default)).cast(pl.Int64)
    calls = calls.with_columns(port.alias("port"))
    if url.null_count() == 0:
        return calls.with_columns(url.alias("url"))
    built = pl.when(pl.col("scheme").is_not_null() & pl.col("host").is_not_null() & pl.col("path").is_not_null()).then(
        pl.format("{}://{}{}", "scheme", "host", pl.coalesce("_target", "path"))
    )
    return calls.with_columns(pl.coalesce("_url", built, "_target").alias("url"))


def _composed(url: pl.Series, target: pl.Series, whole_url: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Whole URLs of base addresses and targets, and the targets; null where there is none."""
    base, path = pl.col("base"), pl.col("path")
    frame = pl.DataFrame({"base": url, "path": target, "whole": whole_url})
    frame = frame.with_columns(path=pl.coalesce(path, pl.when(~pl.col("whole")).then(base)))
    is_url = path.str.starts_with("http")
    composed = (
        pl.when(pl.col("whole") & path.is_not_null() & ~is_url)
        .then(base.str.strip_chars_end("/") + path)
        .when(is_url & path.is_not_null())
        .then(path)
        .when(pl.col("whole"))
        .then(base)
    )
    both = frame.select(composed.alias("url"), path)
    return both["url"], both["path"]


def _parts(url: pl.Series, target: pl.Series) -> pl.DataFrame:
    """scheme, host, port, path and query. Origins recur, so each distinct one is taken apart once."""
    origin = url.str.extract(_ORIGIN, 1).rename("origin")
    distinct = origin.unique(maintain_order=True).drop_nulls()
    pieces = distinct.str.extract_groups(_URL).struct.unnest()
    known = pl.DataFrame(
        {
            "origin": distinct,
            "scheme": pieces["scheme"].str.to_lowercase(),
            "host": pieces["host"].str.to_lowercase().replace("", None),
            "port": pieces["port"].cast(pl.Int64, strict=False),
        }
    )
    frame = pl.DataFrame({"origin": origin, "url": url, "target": target}).join(
        known, on="origin", how="left", maintain_order="left"
    )
    behind = pl.col("url").cast(pl.Binary).bin.slice(pl.col("origin").str.len_bytes()).cast(pl.String)
    named = pl.coalesce(behind, pl.when(pl.col("target").str.starts_with("/")).then("target"))
    place = frame.select(named.alias("place")).to_series()
    place = place.str.replace(r"#.*$", "") if place.str.contains("#", literal=True).any() else place
    frame = frame.with_columns(place.str.splitn("?", 2).alias("cut"))
    cut = pl.col("cut")
    path = cut.struct.field("field_0")
    return frame.select(
        "scheme",
        "host",
        "port",
        pl.when(path == "").then(pl.lit("/")).otherwise(path).alias("path"),
        cut.struct.field("field_1").alias("query"),
    )
