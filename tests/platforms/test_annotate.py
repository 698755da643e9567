"""Whole rows through the engine: every annotated column, in order, for calls, callbacks and strangers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from openclaw_forensics import exchanges as schema
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.masks import fingerprint
from tests.platforms.rows import KEY, frame, options, pack, packs, records, row

API = "https://api.acme.example"
ENVELOPE = {
    "id": "main",
    "code": ["response.json:/error"],
    "message": ["response.json:/msg"],
    "request_id": ["response.json:/rid"],
    "failed_when": [[{"place": "response.json:/error", "none_of": [""]}]],
}
ACME = pack(
    {
        "hosts": [{"pattern": "api.acme.example", "environment": "production"}],
        "places": {
            "app": ["request.query:app"],
            "shop": ["request.query:shop", "request.json:/shop"],
            "token": ["request.header:X-Token", "request.bearer"],
            "refresh_token": ["request.param:refresh_token"],
            "timestamp": ["request.query:ts"],
            "signature": ["request.query:sign"],
            "key_version": ["request.header:X-Key"],
            "object_id": ["request.query:order"],
        },
        "issued": {"access_token": ["response.json:/access_token"], "expires_in": ["response.json:/expires_in"]},
        "support": {"request_id": ["response.header:X-Rid"]},
        "envelope": [ENVELOPE],
        "regions": {"eu": ["DE", "FR"], "us": ["US"]},
        "region_places": ["request.query:site"],
        "sandbox_marks": [{"place": "request.query:app", "equals": "test"}],
    },
    operations=[
        {"id": "orders.get", "step": "order", "path": "/orders/{id}", "object_id": ["request.path:/orders/([^/]+)"]},
        {"id": "orders.list", "step": "order", "path": "/orders"},
        {"id": "token.refresh", "step": "token", "path": "/token", "grant": "refresh_token"},
    ],
    schemes=[{"id": "push", "use": "callback", "algorithm": "hmac-sha256", "placed": ["request.header:X-Acme-Sign"]}],
    webhooks={
        "recognise": [{"request_headers": ["X-Acme-Topic"]}],
        "topic_places": ["request.header:X-Acme-Topic"],
        "event_id": ["request.json:/event"],
        "shop": ["request.json:/shop"],
        "ack": {"status": [200], "body": "ok", "time_limit_s": 3},
        "topics": [{"id": "order.paid", "name": {"en": "paid", "zh": "付款"}}],
    },
)
ALL = packs(ACME)


def annotated(*rows: dict[str, Any], **told: Any) -> list[dict[str, Any]]:
    found, _ = annotate(frame(*rows), records(), ALL, options(**told))
    assert found.schema == schema.EXCHANGES
    return found.to_dicts()


def one(exchange: dict[str, Any], *names: str) -> tuple[Any, ...]:
    found = annotated(exchange)[0]
    return tuple(found[name] for name in names)


def test_identity_of_a_healthy_call() -> None:
    sent = {"x-token": "tok-1234", "X-Key": "2"}
    exchange = row(f"{API}/orders/77?app=9&shop=5&ts=17&sign=abcd%2B&site=FR", request=sent, response={"x-rid": "r1"})
    found = annotated(exchange)[0]
    assert {k: v for k, v in found.items() if k in schema.ANNOTATED_COLUMNS and v is not None} == {
        "platform": "acme",
        "environment": "production",
        "region": "eu",
        "app": "9",
        "shop": "5",
        "operation": "orders.get",
        "step": "order",
        "object_id": "77",
        "request_id": "r1",
        "token": fingerprint("tok-1234", KEY),
        "request_timestamp": "17",
        "signature": fingerprint("abcd+", KEY),
        "key_version": "2",
    }


def test_the_same_token_in_header_and_bearer_has_one_fingerprint() -> None:
    a, b = annotated(
        row(f"{API}/orders", request={"X-Token": "tok-1234"}),
        row(f"{API}/orders", request={"Authorization": "Bearer tok-1234"}),
    )
    assert a["token"] == b["token"] == fingerprint("tok-1234", KEY)


def test_masked_values_leave_no_trace() -> None:
    assert one(row(f"{API}/orders?shop=***", request={"X-Token": "***"}), "shop", "token") == (None, None)


def test_issued_tokens_and_the_refresh_token_presented() -> None:
    exchange = row(
        f"{API}/token", method="POST", body="refresh_token=rrrr1", answer='{"access_token":"aaaa1","expires_in":60}'
    )
    assert one(exchange, "operation", "refresh_token", "issued_tokens") == (
        "token.refresh",
        fingerprint("rrrr1", KEY),
        [{"kind": "access_token", "token": fingerprint("aaaa1", KEY), "expires_in_s": 60.0}],
    )


def test_a_sandbox_mark_tells_the_environment() -> None:
    assert one(row(f"{API}/orders?app=test"), "environment") == ("sandbox",)


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (row(f"{API}/orders", answer='{"error":"bad","msg":"no","rid":"r2"}'), ("body", "bad", "no", "r2")),
        (row(f"{API}/orders", answer='{"error":"","rid":"r2"}'), (None, None, None, None)),
        (row(f"{API}/orders", status=500, response={"X-Rid": "r1"}), ("status", None, None, "r1")),
        (row(f"{API}/orders", status=None, transport_error="dns"), ("transport", None, None, None)),
        (row(f"{API}/orders", status=None), ("no_answer", None, None, None)),
        (row(f"{API}/orders", status=None, answer_state="not_logged"), (None, None, None, None)),
        (
            row(f"{API}/orders", status=None, answer_state="answered", answer="{'error': 9, 'msg': 'x'}"),
            ("body", "9", "x", None),
        ),
        (row("https://x.example/y", status=500), ("status", None, None, None)),
        (row("https://x.example/y", status=500, direction="inbound"), (None, None, None, None)),
    ],
)
def test_failures(exchange: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    assert one(exchange, "failure", "error_code", "error_message", "request_id") == expected


def hook(status: int | None = 200, answer: str | None = "ok", **others: Any) -> dict[str, Any]:
    sent = {"X-Acme-Topic": "Order.Paid", "X-Acme-Sign": "sssssss1"}
    body = '{"event":"e1","shop":"5"}'
    return row("https://erp.example/in", method="POST", request=sent, body=body, status=status, answer=answer, **others)


def test_identity_of_a_callback() -> None:
    assert one(hook(), "direction", "platform", "operation", "step", "shop", "object_id", "signature", "failure") == (
        "callback", "acme", "webhook.order.paid", "webhook", "5", "e1", fingerprint("sssssss1", KEY), None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        pytest.param(hook(), None, id="sound"),
        pytest.param(hook(500), "ack", id="status"),
        pytest.param(hook(204), "ack", id="not-this-2xx"),
        pytest.param(hook(302), "ack", id="redirect"),
        pytest.param(hook(answer="no"), "ack", id="body"),
        pytest.param(hook(answer=None), "ack", id="empty-body"),
        pytest.param(hook(answer=None, response_body_state="not_recorded"), None, id="body-not-recorded"),
        pytest.param(hook(duration_ms=3500.0), "ack", id="late"),
        pytest.param(hook(duration_ms=2500.0), None, id="in-time"),
        pytest.param(hook(None, transport_error="reset"), "transport", id="transport"),
        pytest.param(hook(None), "no_answer", id="no-answer"),
    ],
)
def test_acknowledgements(exchange: dict[str, Any], expected: str | None) -> None:
    assert one(exchange, "failure") == (expected,)


def test_demands_that_nobody_enforces_are_no_failures() -> None:
    lax = ACME.webhooks.model_dump() | {"ack": {"status": [200], "body": "ok", "enforced": False}}  # type: ignore[union-attr]
    found, _ = annotate(frame(hook(204), hook(answer="no"), hook(500)), records(), packs(pack(webhooks=lax)), options())
    assert found["failure"].to_list() == [None, None, "ack"]


def test_a_callback_of_nobody_needs_any_2xx() -> None:
    rows = [row("https://erp.example/in", method="POST", status=s) for s in (204, 404)]
    assert [r["failure"] for r in annotated(*rows, receivers=("erp.example",))] == [None, "ack"]


def test_rows_of_many_kinds_keep_their_order() -> None:
    kinds = [
        row(f"{API}/orders?shop=1", started_at=datetime(2026, 1, 1, tzinfo=UTC)),
        row("https://x.example/"),
        hook(500),
        row(f"{API}/orders?shop=2", status=429, answer='{"error":"slow"}'),
        row("https://y.example/", direction="inbound"),
    ]
    found = annotated(*(kinds * 40))
    expected = [
        ("acme", "1", None),
        (None, None, None),
        ("acme", "5", "ack"),
        ("acme", "2", "status"),
        (None, None, None),
    ] * 40
    assert [(r["platform"], r["shop"], r["failure"]) for r in found] == expected


def test_nothing_in_nothing_out() -> None:
    found, logged = annotate(frame(), records(), ALL, options())
    assert (found.schema, found.height) == (schema.EXCHANGES, 0)
    assert (logged.schema, logged.height) == (schema.RECORDS, 0)


def test_annotating_twice_changes_nothing() -> None:
    rows = frame(row(f"{API}/orders?shop=1", status=500), hook(500), row("https://x.example/"))
    once, _ = annotate(rows, records(), ALL, options())
    twice, _ = annotate(once, records(), ALL, options())
    assert once.equals(twice)
