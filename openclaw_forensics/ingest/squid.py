r"""Squid's native access log: what our own systems asked for through the proxy.

    1795475660.123  456 10.0.0.5 TCP_MISS/200 1532 POST https://api.example.com/orders - HIER_DIRECT/203.0.113.7 -

The stamp is the end and the second column milliseconds. CONNECT is a tunnel, whose exchanges nobody sees: one that
stood is counted as filtered, one that could not be made is an exchange that failed. NONE/000 and an aborted fetch have
no answer. Source: wiki.squid-cache.org, "Squid LogFormat".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.accesslog_layout import Layout
from openclaw_forensics.ingest.api import Part, ReadOptions
from openclaw_forensics.ingest.layoutreader import LayoutReader
from openclaw_forensics.ingest.sources import Source

LAYOUT = Layout(
    "squid",
    r"^(\d{9,10}\.\d{3}) +(-?\d+) (\S+) ([A-Z_]+)/(\d{3}) (\d+) (\S+) (\S+) (?:\S+) [A-Z_]+/(\S+)(?: \S+)*\s*$",
    ("stamp_epoch", "duration_ms", "client", "result", "status", "skip", "method", "target", "server_address"),
    writer="squid",
)


def prepared(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds what the result code says of a fetch without an answer."""
    result = pl.col("result")
    aborted = result.str.contains("ABORTED")
    timed_out = result.str.contains("TIMEDOUT|TIMEOUT")
    tunnel = pl.col("method") == "CONNECT"
    refused = tunnel & pl.col("status").is_in(["403", "407"])
    unreached = tunnel & ~pl.col("status").is_in(["200", "000"])
    kind = (
        pl.when(timed_out)
        .then(pl.lit("timeout"))
        .when(refused)
        .then(pl.lit("proxy"))
        .when(unreached)
        .then(pl.lit("connect"))
        .when(pl.col("status") == "000")
        .then(pl.lit("other"))
    )
    return raw.with_columns(
        transport_error=pl.when(~aborted).then(kind),
        transport_error_text=pl.when(aborted | unreached | timed_out | (pl.col("status") == "000")).then(
            "squid: " + result
        ),
        answer_state=pl.when(aborted).then(pl.lit("cancelled")),
        # A tunnel names only host and port.
        host=pl.when(tunnel).then("target"),
        target=pl.when(~tunnel).then("target"),
    )


class SquidReader(LayoutReader):
    """Squid's native access log."""

    def __init__(self) -> None:
        super().__init__("squid", (LAYOUT,), direction="out", prepare=prepared)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order, tunnels that stood left out and counted."""
        for part in super().read(source, options):
            tunnel = (pl.col("method") == "CONNECT") & pl.col("transport_error").is_null()
            tunnels = part.exchanges.filter(tunnel)
            if not tunnels.height:
                yield part
                continue
            problem = Problem("filtered", f"{tunnels.height} CONNECT tunnels", tunnels["line"][0])
            yield replace(part, exchanges=part.exchanges.filter(~tunnel), problems=(*part.problems, problem))
