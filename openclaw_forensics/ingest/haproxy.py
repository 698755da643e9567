r"""HAProxy's HTTP log, with or without syslog's prefix.

    Feb  6 12:14:14 host haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109
        200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"

The stamp is taken when the request comes and tells no zone. The last of the five times is the whole, in milliseconds.
A termination state other than `--` says who broke the session off and where it stood; a status with `SC` or `<NOSRV>`
is the balancer's own. Source: HAProxy's configuration manual, "HTTP log format" and "Session state at disconnection".
"""

from __future__ import annotations

import polars as pl

from openclaw_forensics.ingest.accesslog_layout import Layout
from openclaw_forensics.ingest.layoutreader import LayoutReader

LAYOUT = Layout(
    "haproxy",
    r"^(?:\S*haproxy\[\d+\]: )?([0-9a-fA-F.:]+|unix):\d+ "
    r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] (\S+) \S+?/(\S+) -?\d+/-?\d+/-?\d+/-?\d+/\+?(-?\d+) "
    r'(-?\d{1,3}) \+?(?:\d+) \S+ \S+ (\S{4}) \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+ (?:\{.*\} )?"([^"]*)"?\s*$',
    ("client", "stamp", "skip", "server", "duration_ms", "status", "ended", "request"),
    writer="haproxy",
    stamp_at_end=False,
)
# The termination state's first two characters: who broke off, and in which phase.
_KINDS = (
    ("^SC", "connect"),  # the server refused the connection
    ("^s", "timeout"),  # the server was too slow, in whatever phase
    ("^S", "reset"),  # the server broke off while sending headers or data
    ("^P", "proxy"),  # the balancer refused the request, or the answer
    ("^[RILDUK]", "other"),  # the balancer's own resources, an internal error, a server marked down
)


def prepared(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds the stamp and what the termination state says of a missing or homemade answer."""
    ended, server = pl.col("ended"), pl.col("server")
    at = raw["stamp"].str.to_datetime("%d/%b/%Y:%H:%M:%S%.f", time_unit="ms", strict=False)
    kinds = [pl.when(ended.str.contains(pattern)).then(pl.lit(kind)) for pattern, kind in _KINDS]
    itself = server.str.starts_with("<") & (pl.col("status").cast(pl.Int64, strict=False) >= 500)
    said = pl.format("termination state {}, server {}", ended, server)
    return raw.with_columns(
        at.dt.strftime("%Y-%m-%dT%H:%M:%S%.3f").alias("stamp_iso"),
        stamp_precise=pl.lit(value=True),
        transport_error=pl.coalesce(kinds),
        transport_error_text=pl.when(~ended.str.starts_with("--") | itself).then(said),
        server_address=pl.when(~server.str.starts_with("<")).then(server),
    )


class HaproxyReader(LayoutReader):
    """HAProxy's HTTP log."""

    def __init__(self) -> None:
        super().__init__("haproxy", (LAYOUT,), prepare=prepared)
