r"""Caddy's access log in JSON: one object per request, with all request headers.

    {"level":"info","ts":1795475660.123,"logger":"http.log.access","msg":"handled request",
     "request":{"remote_ip":"203.0.113.7","proto":"HTTP/2.0","method":"POST","host":"shop.example","uri":"/hook","headers":{"User-Agent":["Push/1.0"]}},
     "duration":0.012,"size":7,"status":200,"resp_headers":{"Server":["Caddy"]}}

`ts` is written when the answer is done; `duration` is in seconds. Caddy blanks credentials as "REDACTED". Status 0
means that no answer was written. Other loggers' lines with a level are records. Source: caddyserver.com, "log".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import polars as pl

from openclaw_forensics.exchanges import HEADERS, READ_COLUMNS, RECORDS, empty, frame_of
from openclaw_forensics.ingest.accesslog_frame import Origin, exchanges_of
from openclaw_forensics.ingest.accesslog_lines import lines_of, unwrapped
from openclaw_forensics.ingest.accesslog_parts import finish
from openclaw_forensics.ingest.accesslog_time import epoch_times, iso_times
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.sources import Source, TextChunk

_HIDDEN = "REDACTED"
_SNIFFED = 200  # lines
_LEVELS = {"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "panic": "FATAL", "fatal": "FATAL"}
_Stamp = float | str | None


class _Request(msgspec.Struct):
    remote_ip: str | None = None
    client_ip: str | None = None
    remote_addr: str | None = None
    proto: str | None = None
    method: str | None = None
    host: str | None = None
    uri: str | None = None
    headers: dict[str, list[str]] | None = None
    tls: dict[str, object] | None = None


class _Entry(msgspec.Struct):
    level: str | None = None
    ts: _Stamp = None
    logger: str | None = None
    msg: str | None = None
    request: _Request | None = None
    duration: float | str | None = None
    status: int | None = None
    size: int | None = None
    resp_headers: dict[str, list[str]] | None = None
    error: str | None = None


_DECODER = msgspec.json.Decoder(_Entry)


class CaddyReader:
    """Caddy's JSON log."""

    name = "caddy"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure when one of the first lines has a request with headers, and a status."""
        lines, _ = unwrapped(lines_of(head.decode("utf-8", "ignore").encode(), 1).head(_SNIFFED))
        for text in lines["text"]:
            entry = _decode(text)
            if entry and entry.request and entry.request.uri is not None and entry.status is not None:
                return Sniff(95, "JSON lines with Caddy's request and status", "caddy")
        return NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order."""
        for chunk in source.text(CHUNK):
            yield _part(chunk, source.path)


def _decode(text: bytes | str) -> _Entry | None:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _part(chunk: TextChunk, path: str) -> Part:
    lines, _ = unwrapped(lines_of(chunk.data, chunk.line))
    requests: list[tuple[int, _Entry, _Request]] = []
    others: list[tuple[int, _Entry]] = []
    broken: list[bool] = []
    for line, text in zip(lines["line"], lines["text"], strict=True):
        entry = _decode(text)
        broken.append(entry is None)
        if entry and entry.request and entry.status is not None:
            requests.append((line, entry, entry.request))
        elif entry:
            others.append((line, entry))
    origin = Origin(path, "caddy", "caddy", escaped=False)
    frame = exchanges_of(_raw(requests), origin) if requests else empty(READ_COLUMNS)
    part = finish(
        path, frame, lines, lines.filter(pl.Series(broken, dtype=pl.Boolean)), problems=chunk.problems, writer="caddy"
    )
    return _with_records(part, _records(others, path), lines) if others else part


def _raw(rows: list[tuple[int, _Entry, _Request]]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {
        "line": [line for line, _, _ in rows],
        "stamp": [_number(entry.ts) for _, entry, _ in rows],
        "duration_s": [_number(entry.duration) for _, entry, _ in rows],
        "client": [_address(request) for _, _, request in rows],
        "protocol": [request.proto for _, _, request in rows],
        "method": [request.method for _, _, request in rows],
        "host": [request.host for _, _, request in rows],
        "target": [request.uri for _, _, request in rows],
        "scheme": ["https" if request.tls else "http" for _, _, request in rows],
        "status": [str(entry.status) for _, entry, _ in rows],
        "body_bytes": [None if entry.size is None else str(entry.size) for _, entry, _ in rows],
        "request_headers_state": [_state(request.headers) for _, _, request in rows],
        "response_headers_state": [_state(entry.resp_headers) for _, entry, _ in rows],
        "transport_error_text": [entry.error for _, entry, _ in rows],
    }
    schema = {name: pl.Int64() if name == "line" else pl.String() for name in columns}
    raw = pl.DataFrame(columns, schema=schema).with_columns(
        pl.Series("request_headers", [_headers(request.headers) for _, _, request in rows], dtype=HEADERS),
        pl.Series("response_headers", [_headers(entry.resp_headers) for _, entry, _ in rows], dtype=HEADERS),
        state_reason=pl.lit("Caddy blanks credentials and logs no bodies"),
        stamp_precise=pl.lit(value=True),
    )
    stamps = raw["stamp"]
    epoch = epoch_times(stamps)
    return raw.with_columns(stamp_time=epoch.zip_with(epoch.is_not_null(), iso_times(stamps.str.replace_all("/", "-"))))


def _number(value: _Stamp) -> str | None:
    return None if value is None else str(value)


def _address(request: _Request) -> str | None:
    address = request.client_ip or request.remote_ip
    return address or (request.remote_addr.rsplit(":", 1)[0] if request.remote_addr else None)


def _headers(headers: dict[str, list[str]] | None) -> list[dict[str, str]] | None:
    if headers is None:
        return None
    return [{"name": name, "value": value} for name, values in headers.items() for value in values]


def _state(headers: dict[str, list[str]] | None) -> str:
    if headers is None:
        return "not_recorded"
    return "masked" if any(_HIDDEN in values for values in headers.values()) else "recorded"


def _records(entries: list[tuple[int, _Entry]], path: str) -> pl.DataFrame:
    stamps = pl.Series("ts", [_number(entry.ts) for _, entry in entries], dtype=pl.String)
    epoch = epoch_times(stamps)
    times = epoch.zip_with(epoch.is_not_null(), iso_times(stamps.str.replace_all("/", "-")))
    rows: list[dict[str, object]] = [
        {
            "source_file": path,
            "locator": f"lines:{line}-{line}",
            "line": line,
            "raw_stamp": _number(entry.ts),
            "zone_basis": "given",
            "level": _LEVELS.get((entry.level or "").lower(), "INFO"),
            "logger": entry.logger,
            "message": ": ".join(text for text in (entry.msg, entry.error) if text),
        }
        for line, entry in entries
    ]
    return frame_of(rows, RECORDS).with_columns(times.alias("at"))


def _with_records(part: Part, records: pl.DataFrame, lines: pl.DataFrame) -> Part:
    size = int(lines.join(records, on="line", how="semi")["size"].sum())
    old = part.balance
    balance = Balance(old.exchanges - size, old.records + size, old.irrelevant, old.problems)
    both = pl.concat([part.records, records]).sort("line")
    return Part(part.exchanges, both, part.problems, balance, part.writer)
