r"""The error logs of nginx and Apache: records with a level, and what they say of client, request and upstream.

    2026/11/23 23:34:23 [error] 28050#28050: *5 upstream timed out (110: …) while reading response header from upstream,
        client: 203.0.113.7, server: , request: "POST /slow HTTP/1.1", upstream: "http://…", host: "…"
    [Tue Apr 04 06:28:08.605341 2017] [core:error] [pid 17962] [client 127.0.0.1:60444] AH00135: Invalid method …

Neither tells its zone. `peers` takes a record's message apart, so that a record finds its line in the access log by
second, client and request line.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, TIME, conform, empty
from openclaw_forensics.ingest.accesslog_lines import MAX_LINE, PREFIX, lines_of
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.sources import Source, TextChunk

NGINX = rf"^{PREFIX}(\d{{4}}/\d\d/\d\d \d\d:\d\d:\d\d) \[([a-z]+)\] (\d+#\d+): (.*)$"
APACHE = (
    rf"^{PREFIX}\[(\w{{3}} \w{{3}} +\d+ \d\d:\d\d:\d\d(?:\.\d+)? \d{{4}})\] \[(?:(\w*):)?([a-z0-9]+)\]"
    r"(?: \[pid (\d+)(?::tid (\d+))?\])? (.*)$"
)
_LEVELS = {
    "emerg": "FATAL",
    "alert": "FATAL",
    "crit": "FATAL",
    "error": "ERROR",
    "warn": "WARN",
    "notice": "INFO",
    "info": "INFO",
    "debug": "DEBUG",
}
_CONTINUED_LINES = 500  # of one record
_CLIENT = r"(?:, client: ([^,\s]+)|^\[client ([^\]\s]+)\])"


class ErrorLogReader:
    """Error logs of nginx and Apache."""

    name = "errorlog"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure when the first lines begin as an error log's do."""
        lines = lines_of(head.decode("utf-8", "ignore").encode(), 1).head(100)
        nginx, apache = (int(lines["text"].str.contains(pattern).sum() or 0) for pattern in (NGINX, APACHE))
        if not max(nginx, apache) or max(nginx, apache) * 5 < lines.height:
            return NOT_MINE
        writer = "nginx" if nginx >= apache else "apache"
        return Sniff(90, f"lines begin as {writer}'s error log does", writer)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order."""
        for chunk in source.text(CHUNK):
            yield _part(chunk, source.path)


def _part(chunk: TextChunk, path: str) -> Part:
    lines = lines_of(chunk.data, chunk.line)
    joined, before = _joined(lines)
    records, left = records_of(joined, path)
    lost = int(left["size"].sum()) + int(before["size"].sum())
    total = len(chunk.data)
    balance = Balance(records=total - lost, irrelevant={"no error log line": lost} if lost else {})
    writer = records["logger"][0] if records.height else None
    return Part(empty(READ_COLUMNS), records, chunk.problems, balance, str(writer).split(".")[0] if writer else None)


def _joined(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records with their continuation lines (what a FastCGI program wrote), and lines before the first record."""
    head = pl.col("text").str.contains(NGINX) | pl.col("text").str.contains(APACHE)
    numbered = lines.with_columns(head.alias("head")).with_columns(pl.col("head").cum_sum().alias("record"))
    grouped = (
        numbered.filter(pl.col("record") > 0)
        .group_by("record", maintain_order=True)
        .agg(
            pl.col("line").first(),
            pl.col("line").last().alias("last"),
            pl.col("text").head(_CONTINUED_LINES).str.join("\n"),
            pl.col("size").sum(),
        )
        .drop("record")
    )
    return grouped, numbered.filter(pl.col("record") == 0).drop("head", "record")


def records_of(lines: pl.DataFrame, path: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records of those lines that are an error log's, and the other lines."""
    if not lines.height:
        return empty(RECORDS), lines
    lines = lines if "last" in lines.columns else lines.with_columns(last=pl.col("line"))
    # A record's first line decides; what follows it goes into the message again below.
    parts = lines.with_columns(pl.col("text").str.splitn("\n", 2).struct.rename_fields(["first", "rest"])).unnest(
        "text"
    )
    short = pl.when(pl.col("size") <= MAX_LINE).then(pl.col("first")).otherwise(pl.col("first").str.head(MAX_LINE // 4))
    nginx = parts.select(short.str.extract_groups(NGINX)).to_series().struct.unnest()
    apache = parts.select(short.str.extract_groups(APACHE)).to_series().struct.unnest()
    is_nginx, is_apache = nginx.to_series(0).is_not_null(), apache.to_series(0).is_not_null()
    frames = [_nginx(nginx, parts, is_nginx), _apache(apache, parts, is_apache & ~is_nginx)]
    found = (
        pl.concat(frames)
        .sort("line")
        .with_columns(
            source_file=pl.lit(path),
            zone_basis=pl.lit("assumed"),
            locator=pl.format("lines:{}-{}", "line", "last"),
        )
    )
    return conform(found, RECORDS), lines.filter(~(is_nginx | is_apache))


def _nginx(groups: pl.DataFrame, parts: pl.DataFrame, hit: pl.Series) -> pl.DataFrame:
    stamp, level, thread, message = groups.iter_columns()
    times = stamp.str.to_datetime("%Y/%m/%d %H:%M:%S", time_unit="us", strict=False)
    found = {"raw_stamp": stamp, "at": times, "level": level, "thread": thread, "message": message}
    return _records(parts.with_columns(logger=pl.lit("nginx")), found, hit)


def _apache(groups: pl.DataFrame, parts: pl.DataFrame, hit: pl.Series) -> pl.DataFrame:
    stamp, module, level, process, thread, message = groups.iter_columns()
    plain = stamp.str.replace_all(r"\s+", " ")
    times = plain.str.to_datetime("%a %b %e %H:%M:%S%.f %Y", time_unit="us", strict=False)
    ids = pl.DataFrame({"process": process, "thread": thread})
    ids = ids.with_columns(both=pl.coalesce(pl.format("{}:{}", "process", "thread"), "process"))
    named = parts.with_columns(module.alias("module")).with_columns(
        logger=pl.concat_str(pl.lit("apache"), "module", separator=".", ignore_nulls=True)
    )
    found = {"raw_stamp": stamp, "at": times, "level": level, "thread": ids["both"], "message": message}
    return _records(named, found, hit)


def _records(parts: pl.DataFrame, found: dict[str, pl.Series], hit: pl.Series) -> pl.DataFrame:
    whole = pl.concat_str("message", "rest", separator="\n", ignore_nulls=True)
    return (
        parts.with_columns(series.alias(name) for name, series in found.items())
        .filter(hit)
        .select(
            "line",
            "last",
            "raw_stamp",
            "logger",
            "thread",
            at=pl.col("at").dt.replace_time_zone("UTC").cast(TIME),
            level=pl.col("level").replace_strict(_LEVELS, default="INFO", return_dtype=pl.String),
            message=whole,
        )
    )


def peers(messages: pl.Series) -> pl.DataFrame:
    """`client`, `request` (the request line), `upstream`, `host` and `connection` of error-log messages, else null."""
    text = pl.col("message")
    return pl.DataFrame({"message": messages}).select(
        client=pl.coalesce(text.str.extract(_CLIENT, 1), text.str.extract(_CLIENT, 2)),
        request=text.str.extract(r', request: "(.*?)"(?:, (?:upstream|host|referrer|subrequest): "|$)'),
        upstream=text.str.extract(r', upstream: "([^"]*)"'),
        host=text.str.extract(r', host: "([^"]*)"'),
        connection=text.str.extract(r"^\*(\d+) "),
    )
