"""Netty's LoggingHandler and reactor-netty's wiretap: what went over a connection, as text or as a hex dump.

    [4c1e7b3f-1, L:/10.0.0.4:51544 - R:api.example.com/203.0.113.1:443] WRITE: 83B POST /order HTTP/1.1
    host: api.example.com
    …
    [id: 0x4c1e7b3f, L:/10.0.0.4:51544 - R:/203.0.113.1:443] READ: 3B
             +-------------------------------------------------+
             |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
    +--------+-------------------------------------------------+----------------+
    |00000000| 7b 7d 0a                                        |{}.             |

A request that is read, and not written, reached us. Source: netty.io, `LoggingHandler`; projectreactor.io, "Wire
Logger".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from openclaw_forensics.ingest.calls_blocks import http_body, http_message

Call = dict[str, Any]
MARK = "] WRITE: "  # every call has one; the rows of its connection are found by ROWS
ROWS = r"^\[(?:id: )?(?:0x)?[0-9a-f]{8}"
_EVENT = re.compile(
    r"^\[(?:id: )?((?:0x)?[0-9a-f]{8})(?:-\d+)?(?:, L:\S+ [-!] R:(\S+?))?\] "
    r"(?:(WRITE|READ|RECEIVED): \d+B ?|EXCEPTION: ([^\n]*))"
)
_HEX = re.compile(r"^\|[0-9a-f]{8}\| ((?:[0-9a-f]{2} ){1,16})", re.M)
_REQUEST = re.compile(r"([A-Z]+) (\S+) HTTP/([\d.]+)")
_STATUS = re.compile(r"HTTP/([\d.]+) (\d{3})")
MAX_FRAGMENT = 8 << 20  # bytes of one side of one call


@dataclass(slots=True)
class _Side:
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, raw: bytes) -> None:
        if self.size < MAX_FRAGMENT:
            self.parts.append(raw)
            self.size += len(raw)

    @property
    def data(self) -> bytes:
        return _with_line_ends(b"".join(self.parts))


@dataclass(slots=True)
class _Open:
    """A call in the making on one connection."""

    first: int
    inbound: bool
    remote: str
    last: int = 0
    error: str | None = None
    asked: _Side = field(default_factory=_Side)
    told: _Side = field(default_factory=_Side)


def wiretap(rows: Iterable[tuple[int, str]]) -> list[Call]:
    """The calls of a wiretap as pairs of a request and an answer fragment with a common key, from (row, text)."""
    open_: dict[str, _Open] = {}
    calls: list[Call] = []
    for row, text in rows:
        found = _EVENT.match(text)
        if not found:
            continue
        held = open_.get(found[1])
        if found[4] is not None:
            if held is not None:
                held.error, held.last = found[4], row
            continue
        raw, written = _raw(text[found.end() :]), found[3] == "WRITE"
        if _REQUEST.match(raw[:9000].decode("latin-1")) and (held is None or written != held.inbound):
            if held is not None:
                calls += _closed(found[1], held)
            held = open_[found[1]] = _Open(row, inbound=not written, remote=found[2] or "")
        if held is not None:
            (held.asked if written != held.inbound else held.told).add(raw)
            held.last = row
    for name, held in open_.items():
        calls += _closed(name, held)
    return calls


def _raw(shown: str) -> bytes:
    """The bytes that a record shows."""
    dump = _HEX.findall(shown)
    return bytes.fromhex("".join(dump)) if dump else shown.lstrip("\n").encode("utf-8", "replace")


def _with_line_ends(raw: bytes) -> bytes:
    """Bytes as sent: a log of text shows CR LF as a line's end like any other."""
    if b"\r\n" in raw:
        return raw
    head, border, body = raw.partition(b"\n\n")
    if b"chunked" in head.lower():
        body = body.replace(b"\n", b"\r\n")
    return head.replace(b"\n", b"\r\n") + (b"\r\n\r\n" + body if border else b"")


def _closed(name: str, held: _Open) -> list[Call]:
    head, headers, body = http_message(held.asked.data)
    line = _REQUEST.match(head)
    if not line or line[1] == "CONNECT":
        return []
    host = next((h["value"] for h in headers if h["name"].lower() == "host"), None)
    scheme = "https" if not held.inbound and held.remote.endswith(":443") else None
    key = f"{name}@{held.first}"
    common = {"writer": "wiretap", "key": key, "direction": "inbound" if held.inbound else "out"}
    whole = f"{scheme}://{host}{line[2]}" if scheme and host else None
    request: Call = common | {
        "row": held.first,
        "role": "request",
        "method": line[1],
        "version": line[3],
        "host": (host or "").split(":")[0].lower() or None,
        "scheme": scheme,
        "url": whole,
        "target": None if whole else line[2],
        "request_headers": headers,
    }
    request |= http_body("request", headers, body)
    head, headers, body = http_message(held.told.data)
    status = _STATUS.match(head)
    if status:
        answer = common | {"row": held.last, "role": "answer", "status": int(status[2]), "response_headers": headers}
        return [request, answer | http_body("response", headers, body)]
    if held.error:
        return [request, common | {"row": held.last, "role": "failure", "error": held.error}]
    return [request]
