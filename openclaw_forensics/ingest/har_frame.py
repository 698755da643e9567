"""HAR entries as rows of the exchanges frame, a whole piece at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import HEADERS, TIME
from openclaw_forensics.ingest.har_bodies import Side, request_bodies, response_bodies
from openclaw_forensics.ingest.har_model import Entry, Request, Response, header_pairs
from openclaw_forensics.ingest.neterrors import cancelled, transport_error
from openclaw_forensics.ingest.stamps import Calendar, read_stamps
from openclaw_forensics.ingest.urls import url_columns, version

_LOCAL = r"(?i)^(?:data|blob|about|file|javascript|[a-z-]*-extension|devtools|ws\+unix):"
_CREDENTIAL = r'(?i)"(?:authorization|cookie|proxy-authorization)"'
_NO_RESPONSE = Response()


@dataclass(slots=True)
class FileFacts:
    """What is known of the file beside its entries."""

    writer: str | None = None
    base: str = "/log/entries"
    sanitises: bool = False  # the writer leaves credentials out unless told otherwise
    credentials_seen: bool = False


def exchanges_of(
    entries: list[Entry], numbers: list[int], facts: FileFacts, side: Side
) -> tuple[pl.DataFrame, list[Problem]]:
    """The rows of `entries`, and what was left out or could not be read in them."""
    responses = [entry.response or _NO_RESPONSE for entry in entries]
    requests = [entry.request or Request() for entry in entries]
    columns: dict[str, tuple[list[Any], pl.DataType]] = {
        "number": (numbers, pl.Int64()),
        "raw_stamp": ([entry.startedDateTime for entry in entries], pl.String()),
        "duration_ms": ([entry.time for entry in entries], pl.Float64()),
        "method": ([request.method for request in requests], pl.String()),
        "url": ([request.url for request in requests], pl.String()),
        "request_version": ([request.httpVersion for request in requests], pl.String()),
        "response_version": ([response.httpVersion for response in responses], pl.String()),
        "status": ([response.status for response in responses], pl.Int64()),
        "error": ([_error(entry, response) for entry, response in zip(entries, responses, strict=True)], pl.String()),
        "server_address": ([entry.serverIPAddress for entry in entries], pl.String()),
    }
    raw = pl.DataFrame([pl.Series(name, values, dtype) for name, (values, dtype) in columns.items()])
    sent, got = (_json_column([side.headers for side in sides]) for sides in (requests, responses))
    masked = facts.sanitises and not _credentials(sent, facts)
    frame = (
        raw.with_columns(
            *url_columns(raw["url"]),
            *_times(raw["raw_stamp"]),
            *_headers(sent, got),
            *_prefixed(request_bodies(entries, side), "request"),
            *_prefixed(response_bodies(entries, side), "response"),
        )
        .with_columns(_answer(facts))
        .with_columns(_states(masked=masked))
    )
    kept = frame.filter(~_local(), ~_tunnel())
    return kept, [*_left_out(frame, entries), *_unread_times(frame)]


def _times(stamps: pl.Series) -> list[pl.Series]:
    quick = stamps.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_zone="UTC", time_unit="us")
    at = quick.cast(TIME)
    quality = pl.DataFrame({"stamp": stamps, "at": at}).select(
        pl.when(pl.col("at").is_null()).then(pl.lit("missing"))
        .when(pl.col("stamp").str.contains(r":\d\d[.,]\d")).then(pl.lit("exact"))
        .otherwise(pl.lit("second"))
    ).to_series()  # fmt: skip
    basis = pl.Series(["given"], dtype=pl.String).new_from_index(0, stamps.len())
    if at.null_count():
        slow = read_stamps(stamps, Calendar())
        lost = at.is_null()
        at = slow["at"].zip_with(lost, at)
        quality = slow["time_quality"].zip_with(lost, quality)
        basis = slow["zone_basis"].zip_with(lost, basis)
    return [at.alias("started_at"), quality.alias("time_quality"), basis.alias("zone_basis")]


def _json_column(raws: list[msgspec.Raw]) -> pl.Series:
    return pl.Series([bytes(raw) or None for raw in raws], dtype=pl.Binary).cast(pl.String)


def _headers(sent: pl.Series, got: pl.Series) -> list[pl.Series]:
    """Both sides' headers from JSON, side by side; pseudo-headers of HTTP/2 off, whatever shape the writer chose."""
    columns = pl.DataFrame({"request_headers": sent, "response_headers": got})
    text = pl.all()
    usual = text.is_null() | text.str.contains('"name"', literal=True) | (text.str.len_bytes() < 8)
    checks = columns.select(usual.all(), text.str.contains(r'"\s*:\s*":').any().name.suffix(":pseudo")).row(
        0, named=True
    )
    name = pl.element().struct.field("name")
    try:
        if not all(checks[side] for side in columns.columns):
            raise pl.exceptions.ComputeError("an unusual shape")
        decoded = columns.select(text.str.json_decode(HEADERS))
    except pl.exceptions.PolarsError:
        decoded = columns.select(
            pl.Series(side.name, [_slow_headers(text) for text in side], dtype=HEADERS) for side in columns
        )
    real = {
        side: pl.col(side).list.filter(~name.str.starts_with(":").fill_null(False))
        if checks[f"{side}:pseudo"]
        else pl.col(side)
        for side in columns.columns
    }
    return decoded.select(
        pl.when(kept.list.len() > 0).then(kept).alias(side) for side, kept in real.items()
    ).get_columns()


def _slow_headers(text: str | None) -> list[dict[str, str]] | None:
    try:
        pairs = header_pairs(orjson.loads(text)) if text else None
    except orjson.JSONDecodeError:
        return None
    return None if pairs is None else [{"name": name, "value": value} for name, value in pairs]


def _credentials(sent: pl.Series, facts: FileFacts) -> bool:
    facts.credentials_seen = facts.credentials_seen or bool(sent.str.contains(_CREDENTIAL).any())
    return facts.credentials_seen


def _error(entry: Entry, response: Response) -> str | None:
    for value in (response.error, entry.error, response.failure, response.charles):
        if value and value not in ("COMPLETE", "RECEIVING_RESPONSE_BODY"):
            return (value if isinstance(value, str) else _error_text(value))[:4000]
    return None


def _error_text(value: Any) -> str:
    if isinstance(value, dict):
        parts = [str(part) for key in ("msg", "message", "error", "errorText", "code") if (part := value.get(key))]
        return ": ".join(parts) or str(value)
    return str(value)


def _prefixed(bodies: pl.DataFrame, side: str) -> list[pl.Series]:
    names = {"text": "body", "bytes": "body_bytes", "exact": "body_exact", "state": "body_state", "reason": "reason"}
    return [bodies[name].alias(f"{side}_{new}") for name, new in names.items()]


def _answer(facts: FileFacts) -> list[pl.Expr]:
    """Status and what became of the answer. Writers say 0, -1 or null for none."""
    status = pl.when(pl.col("status").is_between(100, 999)).then("status")
    gave_up = pl.col("error").map_elements(cancelled, return_dtype=pl.Boolean, skip_nulls=True).fill_null(False)
    kind = pl.col("error").map_elements(transport_error, return_dtype=pl.String, skip_nulls=True)
    lost = status.is_null()
    return [
        status.alias("status"),
        pl.when(~lost).then(pl.lit("answered")).when(gave_up).then(pl.lit("cancelled"))
        .otherwise(pl.lit("missing")).alias("answer_state"),
        pl.when(lost).then(kind).alias("transport_error"),
        pl.col("error").alias("transport_error_text"),
        pl.when(pl.col("duration_ms").is_finite(), pl.col("duration_ms") >= 0).then("duration_ms").alias("duration_ms"),
        pl.col("method").str.to_uppercase().alias("method"),
        pl.coalesce(version("response_version"), version("request_version")).alias("http_version"),
        pl.concat_str(pl.lit(f"ptr:{facts.base}/"), pl.col("number").cast(pl.String)).alias("locator"),
        pl.lit("out").alias("direction"),
        pl.lit("har").alias("format"),
        pl.lit(facts.writer, dtype=pl.String).alias("writer"),
        pl.col("server_address").str.strip_chars("[] ").replace("", None).alias("server_address"),
    ]  # fmt: skip


def _states(*, masked: bool) -> list[pl.Expr]:
    sent, got = pl.col("request_headers").is_not_null(), pl.col("response_headers").is_not_null()
    said = "the browser leaves credentials out of this export"
    cached = pl.col("status").is_not_null() & ~got & pl.col("http_version").is_null()
    return [
        pl.when(~sent).then(pl.lit("not_recorded")).otherwise(pl.lit("masked" if masked else "recorded"))
        .alias("request_headers_state"),
        pl.when(got).then(pl.lit("recorded")).otherwise(pl.lit("not_recorded")).alias("response_headers_state"),
        pl.coalesce(
            pl.col("request_reason"), pl.col("response_reason"),
            pl.when(cached).then(pl.lit("answered from the client's own cache, or blocked by it")),
            pl.when(sent & pl.lit(masked)).then(pl.lit(said)),
        ).alias("state_reason"),
    ]  # fmt: skip


def _local() -> pl.Expr:
    return pl.col("url").str.contains(_LOCAL).fill_null(False)


def _tunnel() -> pl.Expr:
    """A tunnel that was opened; one that was refused is an exchange with the proxy."""
    return ((pl.col("method") == "CONNECT") & pl.col("status").is_between(200, 299)).fill_null(False)


def _left_out(frame: pl.DataFrame, entries: list[Entry]) -> list[Problem]:
    counts = frame.select(_local().sum().alias("local"), _tunnel().sum().alias("tunnels")).row(0)
    messages = sum(_count(entry.messages) for entry in entries if entry.messages)
    said = (
        (counts[0], "requests that never left the browser (data:, blob:, extensions)"),
        (counts[1], "tunnels"),
        (messages, "web socket messages"),
    )
    return [Problem("filtered", f"{count} {what} are no exchanges") for count, what in said if count]


def _count(raw: msgspec.Raw) -> int:
    try:
        listed = orjson.loads(bytes(raw))
    except orjson.JSONDecodeError:
        return 0
    return len(listed) if isinstance(listed, list) else 0


def _unread_times(frame: pl.DataFrame) -> list[Problem]:
    lost = frame.filter(pl.col("started_at").is_null())
    if lost.is_empty():
        return []
    first = lost["locator"][0]
    return [Problem("time", f"{lost.height} entries have no readable start time, the first is {first}")]
