r"""W3C extended logs: IIS, Azure, CloudFront and other writers whose `#Fields:` line names the columns.

    #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) sc-status time-taken
    2026-11-23 23:34:20 10.0.0.1 POST /hook x=1 443 203.0.113.7 Push/1.0 200 15

The fields may change within a file; the date may stand only in `#Date`; the zone is UTC unless `#GMT-Offset` says
otherwise. IIS writes blanks of a user agent as "+", the end of the request as its stamp and milliseconds as time-taken;
the standard says seconds, with decimals. A file without directives that begins as IIS's default fields do is read by
those. Source: W3C, "Extended Log File Format" (WD-logfile-960323); Microsoft, "W3C Logging".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from openclaw_forensics.exchanges import READ_COLUMNS, empty
from openclaw_forensics.ingest.accesslog_fields import REQUEST_HEADER, SKIP
from openclaw_forensics.ingest.accesslog_frame import Origin, exchanges_of
from openclaw_forensics.ingest.accesslog_lines import MAX_LINE, lines_of
from openclaw_forensics.ingest.accesslog_parts import finish
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.sources import Source, TextChunk

_ROLES = {
    "date": "date",
    "time": "time",
    "date-local": "date",
    "time-local": "time",
    "s-ip": "server_address",
    "cs-method": "method",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "cs-uri": "target",
    "s-port": "port",
    "c-ip": "client",
    "cs-host": "host",
    "x-host-header": "host",
    "sc-status": "status",
    "sc-substatus": "substatus",
    "sc-win32-status": "win32",
    "time-taken": "taken",
    "cs-version": "protocol",
    "cs-protocol": "scheme",
    "sc-bytes": "sent",
    "x-edge-request-id": "trace_id",
    "x-forwarded-for": "header:X-Forwarded-For",
}
_HEADER = re.compile(r"cs\(([\w-]{1,100})\)")
_DIRECTIVE = re.compile(r"^#\s*([\w-]+):?\s*(.*)$")
_MAX_FIELDS = 200
_HEADLESS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [0-9a-fA-F.:]+ [A-Z]{3,10} /\S* \S+ \d+ ")
_DEFAULT_FIELDS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status time-taken"
)
# Windows error codes that IIS logs for a connection; others tell about files and rights, not about the peer.
_WIN32 = {
    "64": "the peer closed the connection (64, network name no longer available)",
    "121": "timeout (121)",
    "995": "aborted (995)",
    "1236": "connection aborted (1236)",
    "1229": "no such connection (1229)",
}


@dataclass(slots=True)
class _State:
    """What the directives so far say."""

    fields: tuple[str, ...] = ()
    date: str | None = None
    offset: str = "+0000"
    software: str | None = None
    seen: set[str] = field(default_factory=set)

    def directive(self, text: str) -> None:
        """Take in one `#` line; comments behind `//` do not count."""
        match = _DIRECTIVE.match(text.split(" //", maxsplit=1)[0].rstrip())
        if match is None:
            return
        name, value = match[1].lower(), match[2].strip()
        if name == "fields":
            self.fields = tuple(value.split()[:_MAX_FIELDS])
        elif name in ("date", "start-date"):
            self.date = value[:10]
        elif name == "gmt-offset" and re.fullmatch(r"[+-]\d{4}", value):
            self.offset = value
        elif name == "software":
            self.software = value[:100]


class W3CReader:
    """W3C extended log files."""

    name = "w3c"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure by the `#Fields:` line."""
        match = re.search(rb"(?m)^#Fields:.*$", head)
        if match is None and _HEADLESS.match(head.decode("utf-8", "replace")):
            return Sniff(80, "lines as IIS writes them by default, without directives", "Microsoft IIS")
        if match and any(word in match[0] for word in (b"cs-", b"sc-", b"c-ip", b"cs(")):
            software = re.search(rb"(?m)^#Software: *(.{1,100}?) *(?://.*)?\r?$", head)
            return Sniff(
                97,
                "a #Fields: line with client and server columns",
                software and software[1].decode("utf-8", "replace"),
            )
        return Sniff(60, "a #Fields: line") if match else NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order."""
        state = _State()
        for chunk in source.text(CHUNK):
            yield _part(chunk, source.path, state)


def _part(chunk: TextChunk, path: str, state: _State) -> Part:
    lines = lines_of(chunk.data, chunk.line).with_columns(pl.col("text").str.strip_suffix("\r"))
    frames: list[pl.DataFrame] = []
    left: list[pl.DataFrame] = []
    hash_line = lines["text"].str.starts_with("#")
    blocks = lines.with_columns(hash_line.alias("directive"), hash_line.rle_id().alias("block"))
    for block in blocks.partition_by("block", maintain_order=True):
        if block["directive"][0]:
            for text in block["text"].head(_MAX_FIELDS):
                state.directive(text[:MAX_LINE])
            continue
        raw, rest = _rows(block.drop("directive", "block"), state)
        left.append(rest)
        if raw.height:
            frames.append(exchanges_of(raw, Origin(path, "w3c", state.software, escaped=False)))
    frame = pl.concat(frames) if frames else empty(READ_COLUMNS)
    unread = pl.concat(left) if left else lines.clear()
    part = finish(path, frame, lines, unread, problems=chunk.problems, writer=state.software)
    directives = int(lines.filter(hash_line)["size"].sum())
    return _with_directives(part, directives)


def _with_directives(part: Part, size: int) -> Part:
    """Directives are context of the exchanges where there are any, and otherwise nothing to us."""
    if part.exchanges.height or not size:
        return part
    balance = part.balance
    moved = {**balance.irrelevant, "directives without a request": balance.exchanges}
    return Part(
        part.exchanges,
        part.records,
        part.problems,
        type(balance)(0, balance.records, moved, balance.problems),
        part.writer,
    )


def _rows(lines: pl.DataFrame, state: _State) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Raw columns of lines under one set of fields, and the lines that do not fit them."""
    sample = lines.filter(pl.col("text") != "")["text"].head(1).to_list()
    if sample and not state.fields and _HEADLESS.match(sample[0]):
        state.fields = tuple(_DEFAULT_FIELDS.split())
    if not state.fields or not sample:
        return lines.clear(), lines
    separator = "\t" if "\t" in sample[0] else " "
    ragged = '"' in sample[0] or "  " in sample[0]
    values = _values(lines, separator, len(state.fields), ragged=ragged)
    usable = values.to_series(0).is_not_null() & (lines["size"] <= MAX_LINE)
    roles = _roles(state.fields)
    raw = values.select(pl.col(f"v{n}").alias(role) for n, role in roles.items())
    if not {"status", "path", "target", "method"} & set(raw.columns):
        return lines.clear(), lines
    raw = raw.insert_column(0, lines["line"]).filter(usable)
    return _prepared(raw, state), lines.filter(~usable)


def _values(lines: pl.DataFrame, separator: str, width: int, *, ragged: bool) -> pl.DataFrame:
    """The cells of each line, at most `width`; all null for a line with fewer than three."""
    if ragged:
        cells = lines["text"].str.extract_all(rf'"[^"]*"|[^{separator}"]+')
        columns = [cells.list.get(n, null_on_oob=True).str.strip_chars('"') for n in range(width)]
    else:
        parts = lines["text"].str.splitn(separator, width + 1).struct.unnest()
        columns = [parts.to_series(n) for n in range(width)]
    frame = pl.DataFrame([series.alias(f"v{n}") for n, series in enumerate(columns)])
    enough = frame.to_series(min(2, width - 1)).is_not_null()
    return frame.with_columns(pl.when(enough).then(pl.col("v0")).alias("v0"))


def _roles(fields: tuple[str, ...]) -> dict[int, str]:
    """Cell number to role; of two cells with one role the first counts."""
    found: dict[int, str] = {}
    for number, name in enumerate(fields):
        match = _HEADER.fullmatch(name)
        role = (REQUEST_HEADER + match[1] if match else None) or _ROLES.get(name.lower(), SKIP)
        role = "host" if role.lower() == "header:host" else role
        if role != SKIP and role not in found.values():
            found[number] = role
    return found


def _prepared(raw: pl.DataFrame, state: _State) -> pl.DataFrame:
    date = pl.col("date") if "date" in raw.columns else pl.lit(state.date, dtype=pl.String)
    clock = pl.col("time") if "time" in raw.columns else pl.lit(None, dtype=pl.String)
    zone = "Z" if state.offset == "+0000" else state.offset
    cloud = "cloudfront" in (state.software or "").lower() or "trace_id" in raw.columns
    plus = [name for name in raw.columns if name.startswith(REQUEST_HEADER)]
    raw = raw.with_columns(
        pl.format("{}T{}" + zone, date, clock).alias("stamp_iso"),
        *(pl.col(name).str.replace_all("%20" if cloud else "+", " ", literal=True).alias(name) for name in plus),
    )
    if "taken" in raw.columns:
        raw = raw.rename({"taken": _taken_role(raw["taken"], state.software)})
    return raw.with_columns(_said(raw)).drop("date", "time", "substatus", "win32", "sent", strict=False)


def _taken_role(taken: pl.Series, software: str | None) -> str:
    """Milliseconds from Microsoft's writers, seconds where decimals are written; else the unit is not known."""
    if taken.str.contains(".", literal=True).any() is True:
        return "duration_s"
    known = software is None or "microsoft" in software.lower() or "iis" in software.lower()
    return "duration_ms" if known else SKIP


def _said(raw: pl.DataFrame) -> list[pl.Expr]:
    """`transport_error_text` from the Windows status and the substatus, where they tell of a fault."""
    parts: list[pl.Expr] = []
    if "win32" in raw.columns:
        parts.append(pl.col("win32").replace_strict(_WIN32, default=None, return_dtype=pl.String))
    if {"substatus", "status"} <= set(raw.columns):
        failed = (pl.col("status").str.starts_with("4") | pl.col("status").str.starts_with("5")) & (
            pl.col("substatus") != "0"
        )
        parts.append(pl.when(failed).then(pl.format("substatus {}.{}", "status", "substatus")))
    if not parts:
        return []
    text = pl.concat_str(parts, separator=", ", ignore_nulls=True)
    return [pl.when(text != "").then(text).alias("transport_error_text")]
