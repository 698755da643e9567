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
from openclaw_forensics.ingest.har_model import Entry, Header, Request, Response
from openclaw_forensics.ingest.neterrors import cancelled, transport_error
from openclaw_forensics.ingest.stamps import Calendar, read_stamps
from openclaw_forensics.ingest.urls import url_columns, version

_LOCAL = r"(?i)^(?:data|blob|about|file|javascript|[a-z-]*-extension|devtools|ws\+unix):"
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")
_NO_REQUEST, _NO_RESPONSE = Request(), Response()


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
    requests = [entry.request or _NO_REQUEST for entry in entries]
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
    sent = _headers([request.headers for request in requests])
    masked = facts.sanitises and not _credentials(sent, facts)
    frame = (
        raw.with_columns(
            *url_columns(raw["url"]),
            *_times(raw["raw_stamp"]),
            _listed(sent, len(entries)).alias("request_headers"),
            _listed(_headers([response.headers for response in responses]), len(entries)).alias("response_headers"),
            *_prefixed(request_bodies(requests, raw["method"], side), "request"),
            *_prefixed(response_bodies(responses, raw["status"], raw["method"], side), "response"),
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


def _headers(headers: list[list[Header] | None]) -> pl.DataFrame:
    """One row per header line, with the number of its message; pseudo-headers of HTTP/2 are none."""
    listed = [lines or [] for lines in headers]
    flat = [line for lines in listed for line in lines]
    counts = pl.Series([len(lines) for lines in listed], dtype=pl.UInt32)
    message = pl.select(pl.int_range(len(listed), dtype=pl.UInt32).repeat_by(counts).explode()).to_series().drop_nulls()
    names = pl.Series([line.name for line in flat], dtype=pl.String)
    values = pl.Series([line.value for line in flat], dtype=pl.String)
    frame = pl.DataFrame({"message": message.set_sorted(), "name": names, "value": values})
    return frame.filter(~pl.col("name").str.starts_with(":"))


def _listed(headers: pl.DataFrame, messages: int) -> pl.Series:
    """The header lines as one list per message, null where there are none."""
    lists = headers.group_by("message", maintain_order=True).agg(pl.struct("name", "value").alias("lines"))
    every = pl.DataFrame({"message": pl.int_range(messages, dtype=pl.UInt32, eager=True)})
    return every.join(lists, on="message", how="left", maintain_order="left")["lines"].cast(HEADERS)


def _credentials(sent: pl.DataFrame, facts: FileFacts) -> bool:
    if not facts.credentials_seen:
        facts.credentials_seen = bool(sent["name"].str.to_lowercase().is_in(_CREDENTIALS).any())
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
