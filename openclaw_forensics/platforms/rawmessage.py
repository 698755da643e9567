"""Short forms of exchanges, as tests in packs write them, as rows of the exchanges frame."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from openclaw_forensics.platforms.facts import RawMessage


def row_of(request: RawMessage, response: RawMessage) -> dict[str, Any]:
    """A fully recorded exchange; a url without a host is a path, an empty one no target."""
    try:
        parts = urlsplit(request.url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    return {
        "direction": "out",
        "method": request.method,
        "url": request.url or None,
        "host": host,
        "path": (parts.path or "/") if request.url else None,
        "query": parts.query or None,
        **_part("request", request),
        **_part("response", response),
        "status": response.status,
        "answer_state": "answered",
    }


def _part(side: str, message: RawMessage) -> dict[str, Any]:
    return {
        f"{side}_headers": [{"name": name, "value": value} for name, value in message.headers.items()],
        f"{side}_headers_state": "recorded",
        f"{side}_body": message.body or None,
        f"{side}_body_state": "recorded" if message.body else "empty",
        f"{side}_body_exact": True,
    }
