"""Charles sessions saved as JSON (.chlsj): a list of transactions, bodies as text or base64.

Sample::

    [{"status": "COMPLETE", "method": "POST", "scheme": "https", "host": "api.example.com", "port": null,
      "actualPort": 443, "path": "/v1/orders", "query": null, "times": {"start": "2026-03-01T12:28:34.006+03:00", ...},
      "durations": {"total": 1236, ...}, "request": {"header": {...}, "body": {"text": "..."}}, "response": {...}}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.decode import EMPTY, NOT_RECORDED, Body, body_of, from_base64, text_of
from openclaw_forensics.ingest.har_model import header_pairs
from openclaw_forensics.ingest.inflate import compression_of
from openclaw_forensics.ingest.jsonlike import ESCAPE, Walker, without_surrogates
from openclaw_forensics.ingest.rows import Exchange, Half, Outcome, iso, part_of
from openclaw_forensics.ingest.sources import Source

LIMIT = 512 << 20  # bytes of one session file
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_ERRORS = ("errorMessage", "exceptionMessage", "exception", "failure", "error")

Fields = dict[str, Any]


class CharlesReader:
    """Charles JSON session."""

    name = "chlsj"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """A list of objects with Charles's own keys."""
        if not head.lstrip().startswith(b"[") or b'"status"' not in head:
            return NOT_MINE
        own = sum(
            key in head for key in (b'"protocolVersion"', b'"durations"', b'"times"', b'"actualPort"', b'"tunnel"')
        )
        return Sniff(95, "transactions of a Charles session", "Charles") if own >= 3 else NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """All transactions; tunnels that were opened are counted."""
        data = source.data(LIMIT)
        text = data.decode("utf-8", ESCAPE)
        begin = text.find("[") + 1
        walker = Walker(text[begin:], len(text[:begin].encode("utf-8", ESCAPE)), '{"status"')
        exchanges: list[Exchange] = []
        tunnels = messages = 0
        for number, value in enumerate(walker):
            fields = _fields(without_surrogates(value))
            if fields.get("tunnel") and fields.get("status") == "COMPLETE":
                tunnels += 1
            elif fields:
                exchanges.append(_exchange(number, fields))
            messages += len(_fields(fields.get("webSocketMessages"))) or 0
        problems = walker.problems
        if walker.cut:
            problems.append(Problem("truncated", "the file ends inside a transaction; those before it are used"))
        if tunnels:
            problems.append(Problem("filtered", f"{tunnels} tunnels are no exchanges"))
        size = source.size or len(data)
        yield part_of(exchanges, problems, Balance(size - walker.broken, problems=walker.broken), self.name, "Charles")


def _exchange(number: int, fields: Fields) -> Exchange:
    request, response = _fields(fields.get("request")), _fields(fields.get("response"))
    times, notes = _fields(fields.get("times")), str(fields.get("notes") or "")
    lost = "has not been captured" in notes
    status, took = response.get("status"), _number(_fields(fields.get("durations")).get("total"))
    return Exchange(
        locator=f"ptr:/{number}",
        method=_text(fields.get("method")),
        url=_url(fields),
        when=iso(_text(times.get("start")) or _text(times.get("requestBegin")), took),
        request=_half(request, fields, lost=lost),
        response=_half(response, fields, lost=lost),
        outcome=Outcome(int(status) if isinstance(status, int) else None, _error(fields, status)),
        client_address=_after_slash(fields.get("clientAddress")),
        server_address=_after_slash(fields.get("remoteAddress")),
        reason=notes[:300] if lost else None,
    )  # fmt: skip


def _half(message: Fields, fields: Fields, *, lost: bool) -> Half:
    headers = header_pairs(_fields(message.get("header")).get("headers"))
    body = NOT_RECORDED if lost or not message else _body(message, headers or [])
    return Half(headers, body, _text(fields.get("protocolVersion")))


def _body(message: Fields, headers: list[tuple[str, str]]) -> Body:
    body, size = message.get("body"), _number(_fields(message.get("sizes")).get("body"))
    nothing = EMPTY if size == 0 else NOT_RECORDED
    if not isinstance(body, dict):
        return nothing
    kind = _text(message.get("mimeType")) or ""
    if (encoded := _text(body.get("encoded"))) is not None:
        data = from_base64(encoded)
        if data is None:
            return Body(encoded, None, False, "undecodable", "said to be base64 and is not")
        return body_of(data, headers) if compression_of(data) else text_of(data, kind)
    text = _text(body.get("text"))
    if not text:
        return nothing
    return Body(text, None, "\ufffd" not in text, "recorded")


def _url(fields: Fields) -> str | None:
    host, scheme = _text(fields.get("host")), (_text(fields.get("scheme")) or "").lower()
    if not host:
        return None
    port = fields.get("port") or fields.get("actualPort")
    shown = f"[{host}]" if ":" in host else host
    if port and port != _PORTS.get(scheme):
        shown = f"{shown}:{port}"
    query = _text(fields.get("query"))
    return f"{scheme or 'http'}://{shown}{_text(fields.get('path')) or ''}{f'?{query}' if query else ''}"


def _error(fields: Fields, status: Any) -> str | None:
    said = next((text for key in _ERRORS if (text := _text(fields.get(key)))), None)
    if said or fields.get("status") in ("COMPLETE", None) or status:
        return said
    return str(fields["status"])


def _after_slash(value: Any) -> str | None:
    return str(value).rpartition("/")[2] or None if value else None


def _fields(value: Any) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    try:
        return float(value) if value is not None and not isinstance(value, bool) else None
    except (TypeError, ValueError):
        return None
