"""What stands behind the usual columns of an access-log line: `rt=0.012 us="502"`, a bare time, forwarded addresses."""

from __future__ import annotations

import polars as pl

_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
# Names as they are chosen in `log_format` directives; each reads key=value, key: value and key="value".
_KEYED = {
    "duration_s": r'(?:^|[\s,;|"])(?:rt|rtime|reqtime|request_time|req_time)[=:] ?"?(\d+\.\d+)',
    "upstream_time": r'(?:^|[\s,;|])(?:urt|ut|upstream_response_time|upstream_time)[=:] ?"?([\d.,: -]*[\d-])',
    "upstream_status": r'(?:^|[\s,;|])(?:us|ustatus|upstream_status)[=:] ?"?([\d,: -]*[\d-])',
    "trace_id": r'(?:^|[\s,;|])(?:request_id|req_id|reqid|rid|trace_id|traceid)[=:] ?"?([\w-]+)',
    "host": r'(?:^|[\s,;|])(?:host|http_host)[=:] ?"?([\w.\-:]+)',
}
_BODY = rf'(?:^|[\s,;|])(?:body|request_body)="({_QUOTED})"'
_FORWARDED = r'^"([0-9a-fA-F.:]+(?:, ?[0-9a-fA-F.:]+)*)"'
# nginx writes times with three decimals; the first bare one is $request_time by custom.
_BARE = r'(?:^|[\s"])(\d+\.\d{3})(?:[\s"]|$)'
_FORWARDED_HEADER = "header:X-Forwarded-For"


def with_tail(raw: pl.DataFrame) -> pl.DataFrame:
    """`raw` with the columns that its `tail` tells, where it has any; a bare number is read only as nginx writes it."""
    if "tail" not in raw.columns:
        return raw
    tail = raw["tail"].fill_null("")
    if not (tail != "").any():
        return raw.drop("tail")
    found = pl.DataFrame({"tail": tail}).select(
        *(pl.col("tail").str.extract(pattern).alias(role) for role, pattern in _KEYED.items()),
        pl.col("tail").str.extract(_BODY).alias("request_body"),
        pl.col("tail").str.extract(_FORWARDED).alias(_FORWARDED_HEADER),
        pl.col("tail").str.extract(_BARE).alias("bare"),
    )
    found = found.with_columns(pl.coalesce("duration_s", "bare").alias("duration_s")).drop("bare")
    kept = [series for series in found if series.null_count() < series.len() and series.name not in raw.columns]
    return raw.drop("tail").with_columns(kept)
