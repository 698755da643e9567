r"""Envoy's access log in its default text format, and Istio's, which has more columns.

    [2026-11-23T23:34:20.123Z] "POST /hook HTTP/1.1" 503 UF,URX 0 91 3 - "-" "Push/1.0" "req-id" "shop.example" "-"

The stamp is the request's start and the duration in milliseconds. `"- - -" 0` is a connection without a request.
Source: envoyproxy.io, "Access logging", command operators and response flags.
"""

from __future__ import annotations

import polars as pl

from openclaw_forensics.ingest.accesslog_layout import Layout
from openclaw_forensics.ingest.layoutreader import LayoutReader

_Q = r'"([^"]*)"'
_HEAD = r'^\[(\d{4}-\d\d-\d\dT[\d:.]+Z)\] "(\S+) (\S*) (\S+)" (\d+) (\S+) '
_TAIL = rf"(?:\d+|-) (\d+|-) (\d+|-) (?:\S+) {_Q} {_Q} {_Q} {_Q} {_Q}"
_ROLES = (
    "body_bytes",
    "duration_ms",
    "header:X-Forwarded-For",
    "header:User-Agent",
    "trace_id",
    "host",
    "server_address",
)
_FIRST = ("stamp_iso", "method", "target", "protocol", "status", "flags")
PLAIN = Layout("envoy", _HEAD + _TAIL + r"\s*$", _FIRST + _ROLES, writer="envoy", stamp_at_end=False)
ISTIO = Layout(
    "istio",
    _HEAD + r'(\S+) (\S+) "([^"]*)" ' + _TAIL + r" (\S+)(?: .*)?$",
    (*_FIRST, "details", "skip", "upstream_failure", *_ROLES, "cluster"),
    writer="envoy",
    stamp_at_end=False,
)
# Response flags that tell why there was no sound answer.
_FLAGS = {
    "UF": "connect",  # upstream connection failure
    "UH": "connect",  # no healthy upstream
    "NR": "other",  # no route
    "NC": "other",  # no cluster
    "UT": "timeout",  # upstream request timeout
    "SI": "timeout",  # stream idle timeout
    "DT": "timeout",  # request or stream duration limit
    "UC": "reset",  # upstream connection termination
    "UR": "reset",  # upstream remote reset
    "LR": "reset",  # connection local reset
    "UPE": "other",  # upstream protocol error
    "DPE": "other",  # downstream protocol error
    "UMSDR": "timeout",
}
_CLIENT_LEFT = r"(?:^|,)(?:DC|DR)(?:,|$)"  # downstream connection termination


def with_flags(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds what the response flags say: the transport error, its text, and whether an answer came."""
    flags = pl.col("flags").fill_null("-")
    kind = flags.str.split(",").list.first().replace_strict(_FLAGS, default=None, return_dtype=pl.String)
    extra = [pl.col(name) for name in ("upstream_failure", "details") if name in raw.columns]
    shown = [pl.when(~name.is_in(["-", ""])).then(name) for name in extra]
    text = pl.concat_str(pl.format("response flags {}", flags), *shown, separator=", ", ignore_nulls=True)
    left = flags.str.contains(_CLIENT_LEFT)
    return raw.with_columns(
        transport_error=kind,
        transport_error_text=pl.when(flags != "-").then(text),
        answer_state=pl.when(left).then(pl.lit("missing")),
    ).with_columns(_direction(raw))


def _direction(raw: pl.DataFrame) -> list[pl.Expr]:
    """Istio names the cluster: one outside the mesh is a call out."""
    if "cluster" not in raw.columns:
        return []
    cluster = pl.col("cluster")
    outside = cluster.str.starts_with("outbound|") & ~cluster.str.contains(r"\.svc\.[\w.]+$")
    passed = cluster.str.starts_with("PassthroughCluster")
    out = pl.when(outside | passed).then(pl.lit("out")).otherwise(pl.lit("inbound"))
    return [out.alias("direction")]


class EnvoyReader(LayoutReader):
    """Envoy's text access logs."""

    def __init__(self) -> None:
        super().__init__("envoy", (ISTIO, PLAIN), prepare=with_flags)
