"""Calls that a writer spreads over many records: headers and bodies of OkHttp and Feign, HttpClient's wire log.

OkHttp and Feign: what stands between a request (or answer) line and its END line in the same thread is its headers and,
after an empty line, its body. The wire log: fragments of bytes per connection, in which a request after an answer
begins the next call.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

Call = dict[str, Any]
WIRE_MARK = "http-outgoing-"
BLOCK_WRITERS = ("OkHttp", "Feign")
MAX_BODY = 8 << 20
_KEY = re.compile(r"^\[[^\]]+\] ")
_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+: ?")
_END = re.compile(r"^(?:\[[^\]]+\] )?(?:--+>|<--+) END \w+(?: \((.*)\))?")
_BEGIN = re.compile(r"^(?:\[[^\]]+\] )?(?:--+> [A-Z]+ |<--+ (?:\d{3}|HTTP))")
_OMITTED = re.compile(r"omitted|binary")


@dataclass(slots=True)
class _Block:
    row: int
    side: str
    headers: list[dict[str, str]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    in_body: bool = False
    note: str = ""


def between_marks(records: pl.DataFrame) -> tuple[dict[int, Call], set[int]]:
    """Headers and bodies of OkHttp's and Feign's blocks: fields by the row of their line, and the rows used up.

    `records` holds row, thread, message and rest of the records in file order.
    """
    ends = records["message"].str.contains(r"^(?:\[[^\]]+\] )?(?:--+>|<--+) END ")
    if not ends.any():
        return {}, set()
    threads = records.filter(ends)["thread"].unique().to_list()
    lanes = records.filter(pl.col("thread").is_in(threads, nulls_equal=True))
    open_: dict[str | None, _Block] = {}
    fields: dict[int, Call] = {}
    used: set[int] = set()
    for row, thread, message, rest in lanes.select("row", "thread", "message", "rest").iter_rows():
        block = open_.get(thread)
        if end := _END.match(message):
            if block is not None:
                block.note = end[1] or ""
                fields[block.row] = _fields(open_.pop(thread))
        elif _BEGIN.match(message):
            open_[thread] = _Block(row, "request" if "->" in message[:60].split("<")[0] else "response")
        elif block is not None:
            _take(block, message, rest)
            used.add(row)
    return fields, used


def _take(block: _Block, message: str, rest: str | None) -> None:
    text = _KEY.sub("", message)
    if not block.in_body and _HEADER.match(text) and not text.startswith(("{", "[")):
        name, _, value = text.partition(":")
        block.headers.append({"name": name, "value": value.strip()})
        text = ""
        if rest is None:
            return
    elif not block.in_body and not text.strip():
        block.in_body = True
        text = ""
    if text or rest:
        block.in_body = True
        block.body.append(text + (f"\n{rest}" if rest and text else rest or ""))


def _fields(block: _Block) -> Call:
    call: Call = {f"{block.side}_headers": block.headers or None}
    body = "\n".join(block.body)[:MAX_BODY].strip("\n")
    if body:
        call |= {f"{block.side}_body": body, f"{block.side}_body_state": "recorded"}
    elif _OMITTED.search(block.note):
        call |= {"state_reason": block.note}
    elif block.note.startswith("0-byte") or block.note == "":
        call |= {f"{block.side}_body_state": "empty"} if block.note else {}
    return call


_WIRE = re.compile(r"^(http-outgoing-\d+) (>>|<<) (?:\"(.*)\"|(.*))$", re.S)
_ESCAPE = re.compile(rb"\[(?:\\(r|n|t)|0x([0-9a-f]{2}|f{6}[0-9a-f]{2}))\]")
_ROUTE = re.compile(r"->(https?)://([\w.-]+)")


@dataclass(slots=True)
class _Connection:
    number: int = 0
    first: int = 0
    last: int = 0
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)


def wire(rows: Iterable[tuple[int, str]]) -> list[Call]:
    """The calls of a wire log as pairs of a request and an answer fragment with a common key; ordered by row."""
    connections: dict[str, _Connection] = {}
    schemes: dict[str, str] = {}
    calls: list[Call] = []
    for row, message in rows:
        for scheme, host in _ROUTE.findall(message[:2000]):
            schemes[host] = scheme
        found = _WIRE.match(message)
        if not found or found[3] is None:  # the headers logger repeats what the wire shows
            continue
        held = connections.setdefault(found[1], _Connection(first=row))
        raw = _ESCAPE.sub(_byte, found[3].encode("utf-8", "replace"))
        if found[2] == ">>" and held.received:
            calls += _closed(found[1], held, schemes)
            held.number, held.first, held.sent, held.received = held.number + 1, row, [], []
        (held.sent if found[2] == ">>" else held.received).append(raw)
        held.last = row
    for name, held in connections.items():
        calls += _closed(name, held, schemes)
    return calls


def _byte(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return {b"r": b"\r", b"n": b"\n", b"t": b"\t"}[found[1]]
    return bytes([int(found[2][-2:], 16)])


def _closed(name: str, held: _Connection, schemes: dict[str, str]) -> list[Call]:
    head, headers, body = http_message(b"".join(held.sent))
    line = re.match(r"([A-Z]+) (\S+) HTTP/([\d.]+)", head)
    if not line or line[1] == "CONNECT":
        return []
    host = next((h["value"] for h in headers if h["name"].lower() == "host"), None)
    scheme = schemes.get((host or "").split(":")[0])
    key = f"{name}#{held.number}@{held.first}"
    request: Call = {
        "row": held.first,
        "role": "request",
        "writer": "wire",
        "key": key,
        "method": line[1],
        "version": line[3],
        "host": (host or "").split(":")[0].lower() or None,
        "scheme": scheme,
        "request_headers": headers,
        "url": f"{scheme}://{host}{line[2]}" if scheme and host else None,
        "target": None if scheme and host else line[2],
    }
    request |= http_body("request", headers, body)
    head, headers, body = http_message(b"".join(held.received))
    status = re.match(r"HTTP/[\d.]+ (\d{3})", head)
    if not status:
        return [request]
    answer: Call = {"row": held.last, "role": "answer", "writer": "wire", "key": key, "status": int(status[1])}
    return [request, answer | {"response_headers": headers} | http_body("response", headers, body)]


def http_message(raw: bytes) -> tuple[str, list[dict[str, str]], bytes]:
    """The first line, the headers and the body of a message in HTTP/1.1's form."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    pairs = [line.partition(":") for line in lines[1:] if ":" in line]
    return lines[0], [{"name": n.strip(), "value": v.strip()} for n, _, v in pairs], body[:MAX_BODY]


def http_body(side: str, headers: list[dict[str, str]], body: bytes) -> Call:
    """A body and its state, as the headers say that it was sent: chunks joined, gzip undone."""
    named = {h["name"].lower(): h["value"].lower() for h in headers}
    if "chunked" in named.get("transfer-encoding", ""):
        body = _unchunked(body)
    if "gzip" in named.get("content-encoding", "") or body[:2] == b"\x1f\x8b":
        try:
            body = zlib.decompressobj(31).decompress(body, MAX_BODY)
        except zlib.error:
            return {f"{side}_body_state": "undecodable", "state_reason": "the logged bytes do not decompress"}
    if not body:
        return {f"{side}_body_state": "empty"}
    return {f"{side}_body": body.decode("utf-8", "replace"), f"{side}_body_state": "recorded"}


def _unchunked(body: bytes) -> bytes:
    out, at = [], 0
    while found := re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]{0,200}\r\n").match(body, at):
        size = int(found[1], 16)
        if size == 0:
            break
        out.append(body[found.end() : found.end() + size])
        at = found.end() + size + 2
    return b"".join(out) or body
