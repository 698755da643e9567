"""Exchanges as the document shows them: bounded, with what was decoded, before anything is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from openclaw_forensics.diagnose.findings import Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.document.decrypt import AesKey, looks_encrypted, open_body
from openclaw_forensics.document.pretty import layout
from openclaw_forensics.result import ExchangeView, LanePath, Mark, Message, SourcePlace

BODY_LIMIT = 64 << 10  # characters of a body in the document
STACK_LIMIT = 16 << 10
URL_LIMIT = 8 << 10
HEADER_LIMIT = 200
Row = Mapping[str, Any]


def exchange_view(
    row: Row,
    *,
    failed: bool,
    root_cause: str | None,
    recovered: bool,
    attempt: int,
    stack: str | None,
    telling: Sequence[Telling],
    keys: Sequence[AesKey] = (),
) -> ExchangeView:
    """The view of one exchange; bodies are opened with the AES `keys` of its platform."""
    return ExchangeView(
        id=row["exchange_id"],
        platform=row["platform"],
        environment=row["environment"],
        app=row["app"],
        shop=row["shop"],
        client_address=row["client_address"],
        server_address=row["server_address"],
        operation=row["operation"],
        direction=row["direction"],
        at=row["started_at"],
        duration_ms=row["duration_ms"],
        attempt=attempt,
        method=row["method"],
        url=_url(row),
        status=row["status"],
        transport_error=row["transport_error"],
        transport_error_text=_cut(row["transport_error_text"], BODY_LIMIT),
        failed=failed,
        failure=row["failure"] if failed else None,
        root_cause=root_cause,
        recovered=recovered,
        error_code=row["error_code"],
        error_message=_cut(row["error_message"], 2000),
        request_id=row["request_id"],
        object_id=row["object_id"],
        path=lane_path(row, failed=failed),
        request=_message(row, "request", keys),
        response=_message(row, "response", keys),
        stack=_cut(stack, STACK_LIMIT),
        marks=(
            *(Mark(pointer=t.pointer, kind=t.kind, missing=t.missing, why=t.why) for t in telling),
            *_unopened(row, keys),
        ),
        sources=_sources(row),
    )


def _url(row: Row) -> str | None:
    if row["url"] is not None:
        return _cut(row["url"], URL_LIMIT)
    if row["path"] is None:
        return _cut(row["client_class"], URL_LIMIT)
    return _cut(row["path"] + (f"?{row['query']}" if row["query"] else ""), URL_LIMIT)


def lane_path(row: Row, *, failed: bool) -> LanePath:
    """Which sides a call reached, and where it broke."""
    incoming = row["direction"] != "out"
    source, target = ("platform", "receiver") if incoming else ("erp", "platform")
    broken = None
    if failed and row["transport_error"] in ("dns", "connect", "tls", "proxy", "reset"):
        broken = "network"
    elif failed and incoming:
        broken = "receiver"
    elif failed and row["status"] is not None:
        broken = "platform"
    elif failed:
        broken = "network"
    return LanePath(from_=source, to=target, broken_at=broken)


def _unopened(row: Row, keys: Sequence[AesKey]) -> Iterator[Mark]:
    """Bodies that look encrypted and that none of the keys opens."""
    for side in ("request", "response") if keys else ():
        if looks_encrypted(row[f"{side}_body"]) and open_body(row[f"{side}_body"], keys) is None:
            count = len({k.place for k in keys})
            yield Mark(pointer=f"/{side}/body", kind="telling", missing=False, why=phrase("decrypt_none", count=count))


def _message(row: Row, side: str, keys: Sequence[AesKey]) -> Message:
    headers, body = row[f"{side}_headers"], row[f"{side}_body"]
    state = row[f"{side}_body_state"] or "not_recorded"
    shown = _cut(body, BODY_LIMIT)
    cut_here = body is not None and shown is not None and len(shown) < len(body)
    opened = open_body(body, keys)
    decoded = layout(shown) if shown and not cut_here else None
    if opened is not None:
        text = opened.text[:BODY_LIMIT]
        decoded = layout(text) or text
    size = None if body is None else len(body.encode("utf-8", "replace"))
    return Message(
        headers=None if headers is None else tuple((h["name"], h["value"] or "") for h in headers[:HEADER_LIMIT]),
        headers_state=row[f"{side}_headers_state"] or "not_recorded",
        body=shown,
        body_state=state,
        body_size=size,
        truncated_by="report" if cut_here else "source" if state == "truncated" else None,
        state_reason=row["state_reason"],
        decoded=decoded if decoded != shown else None,
        decoded_by=opened.steps if opened else ("json",) if decoded is not None and decoded != shown else (),
        decrypted_with=f"secrets item {opened.place}" if opened else None,
    )


def _sources(row: Row) -> tuple[SourcePlace, ...]:
    own = SourcePlace(file=row["source_file"], line=row["line"], locator=row["locator"], raw_stamp=row["raw_stamp"])
    others = row["also_seen"] or ()
    return (own, *(SourcePlace(**place) for place in others))


def _cut(text: str | None, limit: int) -> str | None:
    return None if text is None else text[:limit]


def by_time(row: Row) -> tuple[float, int]:
    """Sort key: time, then position; exchanges without a time come last."""
    at = row["started_at"]
    return (at.timestamp() if isinstance(at, datetime) else float("inf"), row["row"])
