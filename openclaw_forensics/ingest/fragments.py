"""A fragment of a call, as one record tells it: a request, an answer, a whole exchange, or the failure of one."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.exchanges import HEADERS
from openclaw_forensics.ingest.quoted_parts import Call

FRAGMENT: dict[str, pl.DataType] = {
    "row": pl.UInt32(),  # of the record
    "role": pl.String(),  # request, answer, exchange, failure, ignore
    "writer": pl.String(),
    "direction": pl.String(),
    "library": pl.Boolean(),  # a library's own line inside a call that the client may log as well
    "answers": pl.Boolean(),  # an answer line is due
    "method": pl.String(),
    "url": pl.String(),
    "target": pl.String(),  # a path, where no whole URL is known
    "scheme": pl.String(),
    "host": pl.String(),
    "port": pl.Int64(),
    "status": pl.Int64(),
    "version": pl.String(),
    "ms": pl.Float64(),
    "error": pl.String(),
    "transport_error": pl.String(),
    "client": pl.String(),
    "key": pl.String(),  # pairs a request with its answer for certain
    "address": pl.String(),
    "request_headers": HEADERS,
    "request_body": pl.String(),
    "request_body_state": pl.String(),
    "response_headers": HEADERS,
    "response_body": pl.String(),
    "response_body_state": pl.String(),
    "state_reason": pl.String(),
}


def fragments_of(calls: list[Call]) -> pl.DataFrame:
    """A frame of FRAGMENT from dicts; text that is no valid UTF-8 is repaired."""
    defaults: Call = {"direction": "out", "library": False, "answers": True}
    rows = [defaults | {k: v for k, v in call.items() if v is not None} for call in calls]
    for row in rows:
        for name in ("error", "client", "request_body", "response_body", "url", "target"):
            if isinstance(text := row.get(name), str) and not text.isascii():
                row[name] = text.encode("utf-8", "replace").decode()
    return pl.DataFrame({n: [r.get(n) for r in rows] for n in FRAGMENT}, schema=FRAGMENT, strict=False)


def in_order(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """By that number; rows of one number as they come. Sorting the numbers alone is faster than sorting all columns."""
    if frame[column].is_sorted():
        return frame
    return frame[frame.select(pl.arg_sort_by(column, maintain_order=True)).to_series()]
