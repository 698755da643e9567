"""Raw columns of a web server's or proxy's log to rows of the exchanges frame.

A raw column's name is its role (see `accesslog_fields`); all are text as written, but for `line`. Nothing that the
log does not hold is filled in: bodies are `not_recorded` unless the log has them or says that none was sent, and the
headers part is `truncated` to those that the layout names.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from openclaw_forensics.exchanges import HEADERS, READ_COLUMNS, TIME, conform
from openclaw_forensics.ingest import headernames
from openclaw_forensics.ingest.accesslog_fields import REQUEST_HEADER, RESPONSE_HEADER
from openclaw_forensics.ingest.accesslog_request import split_request, split_target, unescape
from openclaw_forensics.ingest.accesslog_tail import with_tail
from openclaw_forensics.ingest.accesslog_time import with_times

# The peer hung up before an answer (nginx 499, AWS ALB 460), or the server closed without one (nginx 444).
NO_ANSWER_STATUS = (444, 460, 499)
_REFUSED = 400  # and above
_GATEWAY_ERRORS = 499  # and above: a server behind this one may be why
# What a server that reads only part of a body answers: what it logged of the body may be a part.
_PARTIAL_BODY = (400, 408, 413, 499)
_PRIVATE = (
    r"^(?:::ffff:)?(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)"
    r"|^(?:::ffff:)?100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^(?:::1$|f[cd]|fe80)"
)
_PUBLIC_V4 = r"(?:^|[\s,])((?:\d{1,3}\.){3}\d{1,3})"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is the same for all rows of one file and layout."""

    source_file: str
    format: str
    writer: str | None = None
    direction: str = "inbound"
    stamp_at_end: bool = True
    escaped: bool = True  # the server writes unsafe bytes as \\xNN


def exchanges_of(raw: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """One exchange per raw row, in the same order."""
    raw = _present(with_tail(raw))
    raw = split_target(split_request(raw))
    raw = unescape(raw) if origin.escaped else raw
    raw = with_times(raw, stamp_at_end=origin.stamp_at_end)
    raw = _answers(raw)
    sides = (("request_headers", REQUEST_HEADER), ("response_headers", RESPONSE_HEADER))
    raw = raw.with_columns(_headers(raw, kind).alias(name) for name, kind in sides if name not in raw.columns)
    place = pl.format("lines:{}-{}", "line", "line")
    frame = raw.with_columns(
        direction=pl.col("direction") if "direction" in raw.columns else pl.lit(origin.direction),
        source_file=pl.lit(origin.source_file),
        locator=pl.col("locator") if "locator" in raw.columns else place,
        format=pl.lit(origin.format),
        writer=pl.lit(origin.writer, dtype=pl.String),
        client_address=_client(raw),
        server_address=_known("server_address", raw),
        trace_id=_known("trace_id", raw),
        **{name: value for name, value in _states(raw).items() if name not in raw.columns or name == "request_body"},
    )
    return conform(frame, READ_COLUMNS)


def _known(name: str, raw: pl.DataFrame) -> pl.Expr:
    """A column's values, "-" and "" as null; null where the layout has no such column."""
    if name not in raw.columns:
        return pl.lit(None, dtype=pl.String)
    return pl.when(~pl.col(name).is_in(["-", ""])).then(pl.col(name))


def _present(raw: pl.DataFrame) -> pl.DataFrame:
    if "client_2" in raw.columns:
        raw = raw.with_columns(client=pl.coalesce("client", "client_2")).drop("client_2")
    return raw


def _answers(raw: pl.DataFrame) -> pl.DataFrame:
    """`status`, `answer_state` and, where something went wrong, what the log says of it."""
    code = pl.col("status").cast(pl.Int64, strict=False) if "status" in raw.columns else pl.lit(None, dtype=pl.Int64)
    silent = "missing" if "status" in raw.columns else "not_logged"
    raw = raw.with_columns(status=pl.when(code.is_between(100, 999)).then(code))
    unanswered = pl.col("status").is_null() | pl.col("status").is_in(NO_ANSWER_STATUS)
    given = [pl.col("answer_state")] if "answer_state" in raw.columns else []
    derived = pl.when(unanswered).then(pl.lit(silent)).otherwise(pl.lit("answered"))
    error = [pl.col("transport_error")] if "transport_error" in raw.columns else []
    text = [pl.col("transport_error_text")] if "transport_error_text" in raw.columns else []
    handshake = _tls_bytes(raw)
    said = pl.when(handshake).then(
        pl.lit("the request line is a TLS handshake (\\x16\\x03): TLS spoken to a plain port")
    )
    return raw.with_columns(
        answer_state=pl.coalesce(*given, derived),
        transport_error=pl.coalesce(*error, pl.when(handshake).then(pl.lit("tls"))),
        transport_error_text=pl.coalesce(*text, said, _front(raw), _upstream(raw)),
    )


def _front(raw: pl.DataFrame) -> pl.Expr:
    """That a firewall in front answered in the server's place, where the log has a column for it."""
    if "front_action" not in raw.columns:
        return pl.lit(None, dtype=pl.String)
    action = pl.col("front_action").str.to_lowercase()
    refused = action.is_in(headernames.refusals()) & (pl.col("status") >= _REFUSED)
    return pl.when(refused).then(pl.format(headernames.FRONT, action))


def _tls_bytes(raw: pl.DataFrame) -> pl.Expr:
    if "request" not in raw.columns:
        return pl.lit(value=False)
    return pl.col("request").str.starts_with("\\x16\\x03") | pl.col("request").str.starts_with("\x16\x03")


def _upstream(raw: pl.DataFrame) -> pl.Expr:
    """What the servers behind this one answered, where the answer was an error: one entry per server tried."""
    parts = [
        pl.when(_known(role, raw).is_not_null()).then(pl.format(f"{label} {{}}", _known(role, raw)))
        for role, label in (
            ("upstream_status", "upstream status"),
            ("upstream_time", "upstream seconds"),
            ("upstream_address", "upstream address"),
        )
        if role in raw.columns
    ]
    if not parts:
        return pl.lit(None, dtype=pl.String)
    joined = pl.concat_str(parts, separator=", ", ignore_nulls=True)
    return pl.when((pl.col("status") >= _GATEWAY_ERRORS) & (joined != "")).then(joined)


def _headers(raw: pl.DataFrame, kind: str) -> pl.Series:
    """The headers of one side as a list per row, in the layout's order; null where a row has none of them."""
    names = [name for name in raw.columns if name.startswith(kind)]
    if not names:
        return pl.Series(values=[None], dtype=HEADERS).new_from_index(0, raw.height)
    found = (
        raw.select(names)
        .with_row_index("row")
        .unpivot(index="row", on=names, variable_name="name")
        .filter(pl.col("value").is_not_null() & ~pl.col("value").is_in(["-", ""]))
        .with_columns(pl.col("name").str.strip_prefix(kind))
        .sort("row", maintain_order=True)
        .group_by("row", maintain_order=True)
        .agg(pl.struct("name", "value").alias("headers"))
    )
    return (
        raw.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
        .join(found, on="row", how="left", maintain_order="left")
        .get_column("headers")
        .cast(HEADERS)
    )


def _client(raw: pl.DataFrame) -> pl.Expr:
    """The peer's address; behind a balancer of our own (a private address) the first one that it was asked for."""
    client = _known("client", raw)
    forwarded = REQUEST_HEADER + "X-Forwarded-For"
    if forwarded not in raw.columns:
        return client
    first = _known(forwarded, raw).str.extract(_PUBLIC_V4)
    public = pl.when(~first.str.contains(_PRIVATE)).then(first)
    return pl.coalesce(pl.when(client.str.contains(_PRIVATE)).then(public), client)


def _states(raw: pl.DataFrame) -> dict[str, pl.Expr]:
    request_names = [name.removeprefix(REQUEST_HEADER) for name in raw.columns if name.startswith(REQUEST_HEADER)]
    response_names = [name for name in raw.columns if name.startswith(RESPONSE_HEADER)]
    body = _known("request_body", raw)
    sent = pl.col("body_bytes").is_in(["0", "-"]) if "body_bytes" in raw.columns else pl.lit(value=False)
    nothing = sent & (pl.col("answer_state") == "answered")
    holds = " and ".join(request_names) if len(request_names) < 3 else ", ".join(request_names)
    reason = f"the access log holds only {holds}" if request_names else "the access log holds no headers"
    return {
        "request_headers_state": pl.lit("truncated" if request_names else "not_recorded"),
        "response_headers_state": pl.lit("truncated" if response_names else "not_recorded"),
        "request_body": body,
        "request_body_state": pl.when(body.is_not_null()).then(pl.lit("recorded")).otherwise(pl.lit("not_recorded")),
        "request_body_exact": body.is_not_null() & ~pl.col("status").is_in(_PARTIAL_BODY).fill_null(value=True),
        "response_body_state": pl.when(nothing).then(pl.lit("empty")).otherwise(pl.lit("not_recorded")),
        "state_reason": pl.lit(reason),
    }


__all__ = ["NO_ANSWER_STATUS", "TIME", "Origin", "exchanges_of"]
