r"""Access logs of AWS Application Load Balancers.

    https 2026-11-23T23:34:20.166351Z app/lb/50dc6c495c0c9188 203.0.113.7:2817 10.0.0.1:80 0.000 0.440 0.000 200 200
        1107 11912 "POST https://shop.example:443/hook?x=1 HTTP/1.1" "Push/1.0" … "Root=1-…" …

The first stamp is taken when the answer is made, the late one when the request came. A target status of "-" means that
the balancer itself answered: 460 the client left, 502 to 504 no sound answer of the target. Source: AWS, "Access logs
for your Application Load Balancer"; fields may be added behind.
"""

from __future__ import annotations

import polars as pl

from openclaw_forensics.ingest.accesslog_layout import Layout
from openclaw_forensics.ingest.accesslog_time import iso_times
from openclaw_forensics.ingest.layoutreader import LayoutReader

_Q = r'"((?:[^"\\]|\\.)*)"'
_NUMBER = r"(-?[\d.]+)"
LAYOUT = Layout(
    "alb",
    r"^(https?|h2|grpcs?|wss?) (\d{4}-\d\d-\d\dT[\d:.]+Z) \S+ (\S+?)(?::\d+)? (\S+) "
    rf"{_NUMBER} {_NUMBER} {_NUMBER} (\d{{3}}|-) (\d{{3}}|-) (?:-?\d+) (-?\d+) {_Q} {_Q}(?: (.*))?$",
    (
        "skip",
        "stamp_iso",
        "client",
        "server_address",
        "request_s",
        "target_s",
        "response_s",
        "status",
        "target_status",
        "skip",
        "request",
        "header:User-Agent",
        "rest",
    ),
    writer="aws-alb",
    stamp_at_end=False,
)
_TRACE = r'"(Root=[^";]+|Self=[^"]+)[^"]*"'
_CREATED = r"(\d{4}-\d\d-\d\dT[\d:.]+Z)"
_REASON = r'"(Auth\w*|Target\w*|Lambda\w*|WAF\w*|Elb\w*)"'


def prepared(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds start, duration and what the target answered."""
    created = iso_times(raw["rest"].fill_null("").str.extract(_CREATED))
    ended = iso_times(raw["stamp_iso"])
    shares = [pl.col(name).cast(pl.Float64, strict=False) for name in ("request_s", "target_s", "response_s")]
    known = [pl.when(share >= 0).then(share) for share in shares]
    # Where a share is -1 the balancer never got that far; the stamps still tell how long it waited.
    waited = pl.Series("waited", (ended - created).dt.total_microseconds() / 1e6)
    total = pl.when(pl.all_horizontal(share >= 0 for share in shares)).then(pl.sum_horizontal(known))
    target = pl.col("target_status")
    silent = (target == "-") & (pl.col("status") != "-")
    left = pl.lit("460: the client closed the connection before the balancer answered")
    itself = pl.format("the balancer answered {} itself: there is no answer of the target", "status")
    said = pl.when(pl.col("status") == "460").then(left).otherwise(itself)
    return raw.with_columns(
        duration_s=pl.coalesce(total, waited),
        stamp_time=pl.coalesce(
            created, ended - pl.coalesce(total, waited, pl.lit(0.0)).mul(1e6).cast(pl.Duration("us"))
        ),
        stamp_precise=pl.lit(value=True),
        trace_id=pl.col("rest").str.extract(_TRACE),
        transport_error_text=pl.when(silent & (pl.col("status").cast(pl.Int64, strict=False) >= 400)).then(said),
        server_address=pl.col("server_address").str.replace(r":\d+$", ""),
    ).drop("rest", "request_s", "target_s", "response_s", "target_status")


class AlbReader(LayoutReader):
    """AWS Application Load Balancer access logs."""

    def __init__(self) -> None:
        super().__init__("alb", (LAYOUT,), prepare=prepared)
