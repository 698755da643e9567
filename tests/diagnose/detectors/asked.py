"""A small capture of a made-up platform, diagnosed with the shipped common rules: the start of each detector test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from openclaw_forensics.diagnose.diagnosis import Diagnosis, Root, diagnose
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import Knowledge
from openclaw_forensics.diagnose.load import load_rules
from openclaw_forensics.exchanges import RECORDS, empty
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.load import PackSet, load
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.settings import Secret
from tests.link.rows import with_identity
from tests.platforms import rows as made

START = datetime(2026, 3, 17, 6, tzinfo=UTC)
API, TEST = "https://api.acme.example", "https://sandbox.acme.example"
CODE = {"when": [], "code": ["response.json:/code"], "message": ["response.json:/message"]}


def acme(**head: Any) -> Pack:
    """The platform: orders are listed and shipped, stock is pushed, callbacks come with a header of its own."""
    platform = {
        "hosts": [
            {"pattern": "api.acme.example", "environment": "production"},
            {"pattern": "sandbox.acme.example", "environment": "sandbox"},
        ],
        "places": {
            "app": ["request.query:app"], "shop": ["request.query:shop"], "token": ["request.bearer"],
            "timestamp": ["request.query:ts"], "signature": ["request.query:sign"],
        },
        "envelope": [{"id": "plain", "code": ["response.json:/code"], "message": ["response.json:/message"]}],
    } | head  # fmt: skip
    operations = [
        {"id": "order.list", "method": "GET", "path": "/orders", "step": "order"},
        {"id": "order.search", "method": "POST", "path": "/orders/search", "step": "order"},
        {"id": "ship.create", "method": "POST", "path": "/shipments", "step": "ship", "write": True,
         "object_id": ["request.json:/order"]},
        {"id": "stock.update", "method": "POST", "path": "/stock", "step": "stock", "write": True,
         "object_id": ["request.json:/sku"]},
    ]  # fmt: skip
    webhooks = {
        "recognise": [{"request_headers": ["X-Acme-Topic"]}], "user_agents": ["^Acme-Hooks"],
        "topic_places": ["request.header:X-Acme-Topic"], "event_id": ["request.header:X-Acme-Event"],
        "disables_after": {"en": "after five failures", "zh": "连续失败五次后"},
    }  # fmt: skip
    schemes = [
        {"id": "call", "algorithm": "hmac-sha256", "parts": ["path", "timestamp"]},
        {"id": "hook", "use": "callback", "algorithm": "hmac-sha256", "encoding": "base64", "key": "webhook_key",
         "parts": ["body"], "placed": ["request.header:X-Acme-Hmac"]},
    ]  # fmt: skip
    return made.pack(platform, operations=operations, webhooks=webhooks, schemes=schemes)


@cache
def _shipped() -> tuple[PackSet, Any]:
    packs = load()
    return packs, load_rules([("common", f) for f in packs.folders["common"]])


def capture(
    rows: Iterable[dict[str, Any]], records: Sequence[dict[str, Any]] = (), *, pack: Pack | None = None,
    secrets: Sequence[Secret] = (),
) -> Diagnosis:  # fmt: skip
    """What the whole diagnosis says about these exchanges."""
    pack = pack or acme()
    shipped, rules = _shipped()
    raw = made.frame(*(_placed(r, n) for n, r in enumerate(rows)))
    said = made.records(*records) if records else empty(RECORDS)
    exchanges, noted = annotate(raw, said, shipped.with_pack(pack), made.options())
    frame = Frame(with_identity(exchanges), noted)
    return diagnose(frame, Knowledge({pack.platform.id: pack}, shipped.common, rules, secrets))


def _placed(row: dict[str, Any], number: int) -> dict[str, Any]:
    base = {
        "exchange_id": f"x{number}", "source_file": "erp.har", "locator": f"ptr:/log/entries/{number}", "line": number,
        "format": "har", "time_quality": "exact", "zone_basis": "given", "request_body_exact": True,
    }  # fmt: skip
    return base | row


def at(minutes: float) -> datetime:
    """Minutes after the start."""
    return START + timedelta(minutes=minutes)


def call(minutes: float, url: str, *, token: str | None = "token-of-shop-one", **others: Any) -> dict[str, Any]:
    """One call of the shop."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= others.pop("request", {})
    return made.row(url, request=headers, started_at=at(minutes), **others)


def found(diagnosis: Diagnosis, cause: str) -> list[Root]:
    """The roots of one cause."""
    return [r for r in diagnosis.roots if r.finding.cause == cause]
