"""HTTP/1 messages as raw bytes: first line, headers in order, body; bare LF and folded headers included."""

from __future__ import annotations

import re
from typing import NamedTuple

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_HEADERS = 2000
_REQUEST = re.compile(r"([A-Za-z][A-Za-z-]{0,30}) +(\S.*?)(?: +(HTTP/[\d.]{1,5}))?\s*$")
_STATUS = re.compile(r"(HTTP/[\d.]{1,5}) +(\d{3})\b")


class Message(NamedTuple):
    """One message taken apart."""

    first: str
    headers: list[tuple[str, str]]
    body: bytes


class RequestLine(NamedTuple):
    """Method, target as written, and version."""

    method: str | None
    target: str | None
    version: str | None


def message(data: bytes) -> Message | None:
    """A message from its bytes, None when there are none."""
    data = data.lstrip(b"\r\n")
    if not data:
        return None
    end = _HEAD_END.search(data)
    head, body = (data[: end.start()], data[end.end() :]) if end else (data.rstrip(b"\r\n"), b"")
    lines = text(head).split("\n", _HEADERS + 1)
    headers: list[tuple[str, str]] = []
    for line in lines[1 : _HEADERS + 1]:
        name, colon, value = line.rstrip("\r").partition(":")
        if line[:1] in (" ", "\t") and headers:
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
        elif colon:
            headers.append((name.strip(), value.strip()))
    return Message(lines[0].rstrip("\r"), headers, body)


def request_line(first: str) -> RequestLine:
    """A request's first line, taken apart as far as it goes."""
    found = _REQUEST.match(first[:65536])
    return RequestLine(*found.groups()) if found else RequestLine(None, None, None)


def status_line(first: str) -> tuple[int | None, str | None]:
    """Status and version of a response's first line."""
    found = _STATUS.match(first)
    return (int(found.group(2)), found.group(1)) if found else (None, None)


def absolute(target: str | None, headers: list[tuple[str, str]], scheme: str) -> str | None:
    """The absolute URL of a request's target, by its Host header where the target is a path alone."""
    if target is None or "://" in target.split("?", 1)[0] or not target.startswith("/"):
        return target
    host = next((value for name, value in headers if name.lower() == "host"), "")
    return f"{scheme}://{host}{target}" if host else target


def text(data: bytes) -> str:
    """Header bytes as text: UTF-8, else Latin-1 (RFC 9110, 5.5)."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
