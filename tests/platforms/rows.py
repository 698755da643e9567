"""Short forms for the tests of this area: rows of the exchanges frame, and a small made-up platform."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import polars as pl

from openclaw_forensics import exchanges as schema
from openclaw_forensics.platforms.load import Head, PackSet
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Operation, Pack, Platform, Webhooks
from openclaw_forensics.platforms.options import AnnotateOptions
from openclaw_forensics.platforms.signature_model import Scheme

KEY = b"a key of sixteen"


def row(
    url: str | None = None,
    *,
    method: str = "GET",
    request: dict[str, str] | None = None,
    body: str | None = None,
    status: int | None = 200,
    response: dict[str, str] | None = None,
    answer: str | None = None,
    direction: str = "out",
    **others: Any,
) -> dict[str, Any]:
    """A recorded exchange; `request` and `response` are headers, `body` and `answer` the bodies."""
    parts = urlsplit(url) if url else None
    base: dict[str, Any] = {
        "direction": direction,
        "method": method,
        "url": url,
        "host": parts.hostname if parts else None,
        "path": parts.path if parts else None,
        "query": (parts.query or None) if parts else None,
        "request_headers": _headers(request),
        "request_headers_state": "recorded",
        "request_body": body,
        "request_body_state": "recorded" if body else "empty",
        "response_headers": _headers(response),
        "response_headers_state": "recorded",
        "response_body": answer,
        "response_body_state": "recorded" if answer else "empty",
        "status": status,
        "answer_state": "answered" if status else "missing",
    }
    return base | others


def _headers(pairs: dict[str, str] | None) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in (pairs or {}).items()]


def message(*args: Any, **others: Any) -> Message:
    return Message(row(*args, **others))


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return schema.frame_of(list(rows), schema.EXCHANGES)


def records(*rows: dict[str, Any]) -> pl.DataFrame:
    return schema.frame_of(list(rows), schema.RECORDS)


def options(**others: Any) -> AnnotateOptions:
    return AnnotateOptions(key=KEY, **others)


def pack(
    platform: dict[str, Any] | None = None,
    *,
    operations: list[dict[str, Any]] | None = None,
    schemes: list[dict[str, Any]] | None = None,
    webhooks: dict[str, Any] | None = None,
) -> Pack:
    """A made-up platform, `acme` unless named otherwise."""
    head = {"id": "acme", "kind": "marketplace", "name": {"en": "Acme", "zh": "艾克"}} | (platform or {})
    return Pack(
        platform=Platform.model_validate(head),
        operations=tuple(Operation.model_validate(op | _named(op)) for op in operations or []),
        schemes=tuple(Scheme.model_validate(scheme) for scheme in schemes or []),
        webhooks=None if webhooks is None else Webhooks.model_validate(webhooks),
    )


def _named(operation: dict[str, Any]) -> dict[str, Any]:
    return {} if "name" in operation else {"name": {"en": operation["id"], "zh": operation["id"]}}


def packs(*members: Pack) -> PackSet:
    """A set of just these packs and an empty common one."""
    common = pack({"id": "common", "kind": "common"})
    found = PackSet({}, {}).with_pack(common)
    for member in members:
        found = found.with_pack(member)
    return found


def heads(*members: Pack) -> dict[str, Head]:
    return {member.platform.id: Head(member.platform, member.webhooks) for member in members}
