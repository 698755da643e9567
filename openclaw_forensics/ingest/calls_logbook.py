"""Zalando's Logbook: one record per request and per answer, paired by an id, as HTTP text or as JSON.

    Outgoing Request: 2d66e4bc-9a0d        {"origin":"local","type":"request","correlation":"2d66e4bc",
    Remote: api.example.com                 "method":"POST","uri":"https://api.example.com/order",
    POST https://api.example.com/order HTTP/1.1            "headers":{"Accept":["*/*"]},"body":{"page":1}}

"Incoming" is said of what reaches the writer: an incoming request and its outgoing answer are the server's. Source:
github.com/zalando/logbook, README, "Formatting".
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from openclaw_forensics.ingest.quoted_json import as_headers, as_status

Call = dict[str, Any]
MARKS = ("Incoming Request: ", "Outgoing Request: ", "Incoming Response: ", "Outgoing Response: ", '{"origin":"')
WRITER = "Logbook"
_HEAD = re.compile(r"^(Incoming|Outgoing) (Request|Response): (\S{1,200})\n")
_REQUEST = re.compile(r"([A-Z]+) (\S+) HTTP/([\d.]+)$")
_ANSWER = re.compile(r"HTTP/([\d.]+) (\d{3})\b")
_DURATION = re.compile(r"^Duration: (\d+) ms$", re.M)


def logbook(text: str) -> Call | None:
    """The request or answer that a record of Logbook's holds, None where it is none."""
    return _json(text) if text.startswith('{"origin":"') else _http(text)


def _http(text: str) -> Call | None:
    found = _HEAD.match(text)
    if not found:
        return None
    head, _, body = text[found.end() :].partition("\n\n")
    asked = found[2] == "Request"
    lines = head.split("\n")
    pattern = _REQUEST if asked else _ANSWER
    at, line = next(((n, m) for n, text in enumerate(lines[:3]) if (m := pattern.match(text))), (0, None))
    if line is None:
        return None
    side = "request" if asked else "response"
    inbound = (found[1] == "Incoming") == asked
    call: Call = {"role": "request" if asked else "answer", "key": found[3], "direction": _direction(inbound)}
    if asked:
        call |= {"method": line[1], "url": line[2], "version": line[3]}
    else:
        call |= {"version": line[1], "status": int(line[2])}
        took = _DURATION.search(head)
        call |= {"ms": float(took[1])} if took else {}
    pairs = [header.partition(": ") for header in lines[at + 1 :] if ": " in header]
    call[f"{side}_headers"] = [{"name": name, "value": value} for name, _, value in pairs] or None
    return call | {"writer": WRITER} | _body(side, body)


class _Logged(msgspec.Struct):
    origin: str
    type: str
    correlation: str
    method: str | None = None
    uri: str | None = None
    status: int | None = None
    duration: float | None = None
    headers: msgspec.Raw = msgspec.Raw(b"null")
    body: msgspec.Raw = msgspec.Raw(b"")


_DECODER = msgspec.json.Decoder(_Logged)


def _json(text: str) -> Call | None:
    try:
        held = _DECODER.decode(text)
        headers = as_headers(held.headers)
        body = bytes(held.body).decode()
        body = msgspec.json.decode(body, type=str) if body.startswith('"') else body
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    asked = held.type == "request"
    side = "request" if asked else "response"
    call: Call = {
        "role": "request" if asked else "answer",
        "key": held.correlation,
        "writer": WRITER,
        "direction": _direction((held.origin == "remote") == asked),
        "method": held.method,
        "url": held.uri,
        "status": as_status(held.status),
        "ms": held.duration,
        f"{side}_headers": headers,
    }
    return call | _body(side, body) if asked or call["status"] else None


def _direction(inbound: bool) -> str:
    return "inbound" if inbound else "out"


def _body(side: str, text: str) -> Call:
    return {f"{side}_body": text, f"{side}_body_state": "recorded"} if text else {f"{side}_body_state": "empty"}
