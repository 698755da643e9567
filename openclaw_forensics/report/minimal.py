"""The smallest request that shows a problem: method, address, and only the headers and fields that matter."""

from __future__ import annotations

from openclaw_forensics.report.visible import one_line, visible
from openclaw_forensics.result import ExchangeView, Hidden, Message

_TELLING_HEADERS = {"content-type", "accept", "user-agent", "host", "content-encoding"}


def place(pointer: str) -> tuple[str, ...]:
    """The parts of an RFC 6901 pointer, without the leading side of the exchange."""
    parts = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
    return tuple(parts[1:] if parts[:1] in (["request"], ["response"]) else parts)


def hidden_in(message: Message, part: str, name: str | None = None, index: int | None = None) -> list[Hidden]:
    """What is hidden in one part ("body", "decoded", "headers"); a header is named by its index or its name."""
    found = []
    for item in message.hidden:
        where = place(item.pointer)
        if where[:1] != (part,):
            continue
        wanted = {str(index), (name or "").lower()}
        if part != "headers" or (len(where) > 1 and where[1].lower() in wanted):
            found.append(item)
    return found


def placeholders(text: str, hidden: list[Hidden]) -> str:
    """`text` with each pseudonym as <access_token#1>; only where the text says what `hidden` says."""
    spans = sorted(
        {(h.start, h.end, h.name) for h in hidden if h.start is not None and h.end is not None}, reverse=True
    )
    for start, end, name in spans:
        if text[start:end] == name:
            text = f"{text[:start]}<{name}>{text[end:]}"
    return text


def minimal_headers(exchange: ExchangeView) -> list[tuple[str, str]]:
    """The headers that a reader needs: those that carry a secret, are marked, or say what the body is."""
    marked = {
        place(m.pointer)[1].lower() for m in exchange.marks if len(place(m.pointer)) > 1 and "/headers/" in m.pointer
    }
    kept = []
    for index, (name, value) in enumerate(exchange.request.headers or ()):
        secret = hidden_in(exchange.request, "headers", name, index)
        if secret or name.lower() in _TELLING_HEADERS | marked:
            kept.append((one_line(name), one_line(placeholders(value, secret))))
    return kept


def minimal_body(exchange: ExchangeView, limit: int) -> str:
    """The request body with placeholders, cut to `limit` characters and said so."""
    request = exchange.request
    part = "decoded" if request.decoded else "body"
    text = visible(placeholders(request.decoded or request.body or "", hidden_in(request, part)))
    return text if len(text) <= limit else f"{text[:limit]}…"
