"""The two frames everything is asked of: `exchanges`, one row per attempt, and `records`, log lines that are none.

Times are UTC in microseconds by the capture's own clock, durations milliseconds. Names follow OpenTelemetry's HTTP
conventions in short form. A stamp without a zone is stored as if it were UTC with `zone_basis` "assumed"; `link`
moves it when the zone is given or inferred. What was not recorded is not absent: each part of a message has a state.
"""

from __future__ import annotations

from typing import Literal, get_args

import polars as pl

Direction = Literal["out", "callback", "inbound"]
PartState = Literal["recorded", "empty", "masked", "truncated", "reconstructed", "undecodable", "not_recorded"]
TransportError = Literal["dns", "connect", "tls", "reset", "timeout", "proxy", "other"]
TimeQuality = Literal["exact", "second", "derived", "missing"]
ZoneBasis = Literal["given", "inferred", "assumed"]
# Whether an answer was to be expected: `missing` is a failure, the others without a status are none.
# `not_logged`: this writer logs no answers; `cancelled`: by the client itself; `open`: the capture ends too soon.
AnswerState = Literal["answered", "missing", "not_logged", "cancelled", "open"]

PART_STATES: tuple[str, ...] = get_args(PartState)
TRANSPORT_ERRORS: tuple[str, ...] = get_args(TransportError)

TIME = pl.Datetime("us", "UTC")
HEADERS = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
SOURCES = pl.List(pl.Struct({"file": pl.String, "line": pl.Int64, "locator": pl.String, "raw_stamp": pl.String}))
ITEM_FAILURES = pl.List(
    pl.Struct({"pointer": pl.String, "object_id": pl.String, "code": pl.String, "message": pl.String})
)

# What readers fill in.
READ_COLUMNS: dict[str, pl.DataType] = {
    "exchange_id": pl.String(),  # from content and place, stable; set when a file has been read
    "direction": pl.String(),  # Direction; readers say "out" or "inbound", annotation finds callbacks
    "source_file": pl.String(),  # path as given, "/" always, "a.zip!/b.log" inside an archive
    "locator": pl.String(),  # lines:12-40, bytes:a-b, ptr:/log/entries/3, flow:7
    "line": pl.Int64(),  # first line, 1-based in the decompressed stream, null where the format has none
    "format": pl.String(),  # the reader's name
    "writer": pl.String(),  # the program that wrote the capture, where known
    "started_at": TIME,
    "raw_stamp": pl.String(),  # the stamp as written
    "time_quality": pl.String(),  # TimeQuality
    "zone_basis": pl.String(),  # ZoneBasis
    "duration_ms": pl.Float64(),
    "method": pl.String(),  # upper case
    "url": pl.String(),  # absolute where known, as written
    "scheme": pl.String(),
    "host": pl.String(),  # lower case, without port
    "port": pl.Int64(),
    "path": pl.String(),  # as written, percent-encoding kept
    "query": pl.String(),  # as written, without "?"
    "http_version": pl.String(),  # 1.0, 1.1, 2, 3
    "request_headers": HEADERS,  # order and repeats kept; null when not recorded
    "request_headers_state": pl.String(),  # PartState
    "request_body": pl.String(),
    "request_body_bytes": pl.Binary(),  # only where exact bytes are known and are not the UTF-8 of the text
    "request_body_exact": pl.Boolean(),  # a signature over the body may be recomputed
    "request_body_state": pl.String(),  # PartState
    "response_headers": HEADERS,
    "response_headers_state": pl.String(),
    "response_body": pl.String(),
    "response_body_bytes": pl.Binary(),
    "response_body_exact": pl.Boolean(),
    "response_body_state": pl.String(),
    "status": pl.Int64(),  # null when there was no answer, never 0 or -1
    "answer_state": pl.String(),  # AnswerState
    "transport_error": pl.String(),  # TransportError
    "transport_error_text": pl.String(),
    "trace_id": pl.String(),
    "thread": pl.String(),
    "client_class": pl.String(),  # a client library's class or operation name, where no URL tells the target
    "client_address": pl.String(),
    "server_address": pl.String(),
    # What the capture itself says beside HTTP, from an export's columns: platform, shop, order, outcome (ok, failed),
    # error_code, error_message. A hint to annotation, never a substitute for a body that is recorded.
    "labels": HEADERS,
    "state_reason": pl.String(),  # why a part is not recorded, masked or undecodable
    "also_seen": SOURCES,  # other places that show the same exchange
}

# What annotation adds, from the packs.
ANNOTATED_COLUMNS: dict[str, pl.DataType] = {
    "platform": pl.String(),
    "environment": pl.String(),
    "region": pl.String(),
    "identity": pl.String(),  # connected component of token, app and shop; set by link
    "app": pl.String(),
    "shop": pl.String(),
    "operation": pl.String(),
    "step": pl.String(),  # of the integration loop: token, order, stock, ship, tracking, webhook, …
    "object_id": pl.String(),
    "error_code": pl.String(),
    "error_subcode": pl.String(),
    "error_message": pl.String(),
    "error_fields": pl.List(pl.String),
    "request_id": pl.String(),
    "token": pl.String(),  # fingerprint of the credential, never its value
    "refresh_token": pl.String(),  # fingerprint of the refresh token that this exchange presents
    "issued_tokens": pl.List(pl.Struct({"kind": pl.String, "token": pl.String, "expires_in_s": pl.Float64})),
    "request_timestamp": pl.String(),  # as sent
    "signature": pl.String(),  # fingerprint
    "key_version": pl.String(),
    "item_failures": ITEM_FAILURES,
    "failure": pl.String(),  # transport, no_answer, status, body, ack; null where nothing failed
    "expected_outcome": pl.Boolean(),  # the pack declares this answer expected
}

EXCHANGES: dict[str, pl.DataType] = READ_COLUMNS | ANNOTATED_COLUMNS

EXCHANGE_ORDER = ("started_at", "source_file", "line", "locator")

RECORDS: dict[str, pl.DataType] = {
    "record_id": pl.String(),
    "source_file": pl.String(),
    "locator": pl.String(),
    "line": pl.Int64(),
    "at": TIME,
    "raw_stamp": pl.String(),
    "zone_basis": pl.String(),
    "level": pl.String(),  # upper case: DEBUG, INFO, WARN, ERROR, FATAL
    "logger": pl.String(),
    "thread": pl.String(),
    "trace_id": pl.String(),
    "message": pl.String(),
    "exception": pl.String(),  # the stack trace as written
    "exchange_id": pl.String(),  # null when it belongs to none
    "platform": pl.String(),  # by a pack's own marks in the text; set by annotation
}


def empty(schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """A frame of `schema` without rows."""
    return pl.DataFrame(schema=schema)


def conform(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """`frame` with exactly the columns of `schema`, in order: missing ones null, others cast.

    Raises polars' InvalidOperationError when a column cannot be cast; columns not in `schema` are dropped.
    """
    have = frame.schema
    return frame.select(
        (pl.col(name).cast(dtype) if have[name] != dtype else pl.col(name))
        if name in have
        else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


def frame_of(rows: list[dict[str, object]], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """A frame of `schema` from row dicts; missing keys are null, unknown keys raise KeyError."""
    for row in rows:
        if unknown := row.keys() - schema.keys():
            raise KeyError(f"not a column: {', '.join(sorted(unknown))}")
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema, strict=True)
