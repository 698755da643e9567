"""Bodies as they went over the wire become text: codings off, charset to Unicode, everything in bounds."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import NamedTuple

import brotli  # type: ignore[import-untyped]

from openclaw_forensics.exchanges import PartState
from openclaw_forensics.ingest.encodings import SAMPLE, by_mark, legacy_of
from openclaw_forensics.ingest.inflate import Compression, compression_of, inflate

BODY_LIMIT = 64 << 20  # bytes of one decoded body
RATIO = 1200
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)
_BINARY = re.compile(
    r"\s*(?:image|audio|video|font)/|\s*application/(?:octet-stream|pdf|zip|x-protobuf|protobuf|grpc|wasm|vnd\.ms-)",
    re.I,
)
_CODINGS: dict[str, Compression] = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")

Headers = Iterable[tuple[str, str]]


class Body(NamedTuple):
    """One body as the frame holds it: `bytes` only where they are known and are not the UTF-8 of the text."""

    text: str | None
    bytes: bytes | None
    exact: bool
    state: PartState
    reason: str | None = None


NOT_RECORDED = Body(None, None, False, "not_recorded")
EMPTY = Body("", None, True, "empty")


def body_of(data: bytes | None, headers: Headers, *, dechunk: bool = False) -> Body:
    """A body from its wire bytes (None: not recorded) and its message's headers.

    `dechunk` when the transfer coding may still be on, as raw captures leave it.
    """
    if data is None:
        return NOT_RECORDED
    if not data:
        return EMPTY
    fields = [(name.lower(), value) for name, value in headers]
    kind = _last(fields, "content-type")
    reason, truncated = None, False
    if dechunk and "chunked" in _last(fields, "transfer-encoding").lower():
        data, problem = unchunk(data)
        truncated, reason = problem is not None, problem
        if not data:
            return Body(None, None, False, "truncated", reason) if truncated else EMPTY
    content, problem = decode_content(data, _last(fields, "content-encoding"))
    if content is None:
        return Body(None, data, True, "undecodable", problem)
    body = text_of(content, kind)
    if truncated or problem:
        return body._replace(state="truncated", exact=False, reason=reason or problem)
    return body


def _last(fields: list[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in reversed(fields) if name == wanted), "")


def decode_content(data: bytes, coding: str) -> tuple[bytes | None, str | None]:
    """`data` without its content codings (RFC 9110, 8.4), last first.

    (None, why) when it does not decode; (bytes, why) when only its beginning does. Data that plainly is not in the
    coding its header names, because the writer took it off already, is passed on.
    """
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        if name in ("identity", "none", "aws-chunked"):
            continue
        out, problem = _one(data, name)
        if problem and not out:
            return (data, None) if _is_plain(data, name) else (None, f"the body is no {name} stream: {problem}")
        if problem:
            return out, f"the {name} stream of the body breaks off: {problem}"
        data = out
    return data, None


def _one(data: bytes, name: str) -> tuple[bytes, str | None]:
    if name in _CODINGS:
        if compression_of(data) != _CODINGS[name]:
            return b"", "it does not begin like one"
        return inflate(data, _CODINGS[name], BODY_LIMIT, RATIO)
    if name == "deflate":  # zlib by the standard, bare deflate by many servers
        out, problem = inflate(data, "zlib", BODY_LIMIT, RATIO)
        return (out, problem) if out or not problem else inflate(data, "deflate", BODY_LIMIT, RATIO)
    if name == "br":
        return _brotli(data)
    return b"", "unknown content coding"


def _brotli(data: bytes) -> tuple[bytes, str | None]:
    decoder, out = brotli.Decompressor(), bytearray()
    try:
        out += decoder.process(data, output_buffer_limit=1 << 20)
        while not decoder.is_finished():
            if len(out) > BODY_LIMIT or len(out) > max(RATIO * len(data), 1 << 20):
                return bytes(out[:BODY_LIMIT]), "it expands beyond the bound"
            more = decoder.process(b"", output_buffer_limit=1 << 20)
            if not more and decoder.can_accept_more_data():
                return bytes(out), "it ends in the middle"
            out += more
    except brotli.error as exc:
        return bytes(out), str(exc) or "not brotli"
    return bytes(out), None


def _is_plain(data: bytes, name: str) -> bool:
    """Text under a header that promises a compressed body."""
    if compression_of(data) is not None or (name not in ("gzip", "x-gzip", "deflate", "br", "zstd") and b"\0" in data):
        return False
    try:
        text = data[:4096].decode()
    except UnicodeDecodeError as exc:
        if exc.start < len(data[:4096]) - 4:
            return False
        text = data[: exc.start].decode()
    return all(character >= " " or character in "\t\r\n" for character in text)


def text_of(data: bytes, content_type: str = "") -> Body:
    """Decoded body bytes as text by the charset named, else UTF-8, else the likeliest legacy encoding."""
    if not data:
        return EMPTY
    if (found := _CHARSET.search(content_type)) and (charset := _codec(found.group(1))):
        try:
            text = data.decode(charset)
        except (LookupError, UnicodeError):
            pass
        else:
            return Body(text, None if _same(text, data) else data, True, "recorded")
    encoding, skip = by_mark(data)
    try:
        text = data[skip:].decode(encoding or "utf-8")
        if "\0" not in text or not _BINARY.match(content_type):
            return Body(text, data if skip or not _same(text, data) else None, True, "recorded")
    except UnicodeDecodeError:
        pass
    if _BINARY.match(content_type) or data.count(b"\0", 0, SAMPLE) > len(data[:SAMPLE]) // 50:
        return Body(None, data, True, "recorded", "binary")
    if legacy := legacy_of(data[:SAMPLE]):
        try:
            return Body(data.decode(legacy), data, True, "recorded", f"read as {legacy}")
        except UnicodeDecodeError:
            pass
    return Body(data.decode("utf-8", "replace"), data, True, "undecodable", "not text in any known encoding")


def _codec(charset: str) -> str | None:
    """The codec for a charset's name; the Chinese ones by their superset, and none that is no charset at all."""
    name = charset.lower().replace("_", "-")
    if name in ("gb2312", "gbk", "cp936"):
        return "gb18030"
    return None if name in ("punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined") else name


def _same(text: str, data: bytes) -> bool:
    return text.encode("utf-8", "surrogatepass") == data


def unchunk(data: bytes) -> tuple[bytes, str | None]:
    """The payload of a chunked message (RFC 9112, 7.1), and why it is not whole; bytes that are not chunked stay."""
    out: list[bytes] = []
    at = 0
    while found := _CHUNK_SIZE.match(data, at):
        size, start = int(found.group(1), 16), found.end()
        if size == 0:
            return b"".join(out), None
        out.append(data[start : start + size])
        if start + size > len(data):
            return b"".join(out), "the last chunk is cut"
        at = start + size
        at += 2 if data[at : at + 2] == b"\r\n" else data[at : at + 1] == b"\n"
    if not out:
        return data, None  # the writer took the coding off and left the header
    return b"".join(out), None if at >= len(data) else "a chunk's size is missing"


def from_base64(text: str) -> bytes | None:
    """The bytes of strict base64 (line breaks and missing padding allowed), None when it is not base64."""
    compact = "".join(text.split())
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
