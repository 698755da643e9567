"""One event sent twice, accepted or refused as there already; one key for two bodies; a redelivery done again."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms.model import ErrorRow
from tests.diagnose.detectors.asked import API, acme, at, call, capture, found
from tests.platforms.rows import row

TWICE, KEY, AGAIN = (
    "idempotency.duplicate_submission", "idempotency.key_reuse", "webhook.duplicate_not_deduplicated",
)  # fmt: skip
BODY = '{"order":"70010001","carrier":"DHL"}'
MASKED = '{"order":"70010001","carrier":"DHL","mobile":"138****0000"}'
ERRORS = (ErrorRow.model_validate({"code": "shipped", "cause": "business.state_conflict"}),)


def ship(minutes, body=BODY, **others):
    return call(minutes, f"{API}/shipments?shop=1&ts={minutes}", method="POST", body=body, **others)


def diagnosed(*rows, records=()):
    return capture(rows, records, pack=acme().model_copy(update={"errors": ERRORS}))


REFUSED = {"status": 409, "answer": '{"code":"shipped","message":"Already shipped"}'}


@pytest.mark.parametrize(
    ("rows", "confidence", "severity"),
    [
        pytest.param([ship(0, answer='{"id":"1"}'), ship(1, answer='{"id":"2"}')], 0.88, "error", id="two objects"),
        pytest.param([ship(0, answer='{"ok":true}'), ship(1, answer='{"ok":true}')], 0.6, "warning", id="accepted"),
        pytest.param([ship(0, status=None, transport_error="timeout"), ship(1)], 0.4, "info", id="unanswered"),
        pytest.param([ship(0), ship(1, **REFUSED)], 0.88, "error", id="refused"),
        pytest.param(
            [ship(0, status=None, transport_error="timeout"), ship(1, **REFUSED)], 0.88, "error", id="lost and refused"
        ),
        pytest.param(
            [ship(0, MASKED, status=None, transport_error="timeout"), ship(1, MASKED, **REFUSED)],
            0.88,
            "error",
            id="lost and refused, the receiver hidden in the log",
        ),
    ],
)
def test_one_event_sent_twice(rows, confidence, severity):
    [root] = found(diagnosed(*rows), TWICE)
    assert root.confidence == pytest.approx(confidence)
    assert (root.severity, root.judgement.party) == (severity, "erp")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([ship(0), ship(1, body='{"order":"7002","carrier":"DHL"}')], id="another order"),
        pytest.param([ship(0), ship(1, body='{"order":"70010001","carrier":"UPS"}')], id="another content"),
        pytest.param([ship(0, answer='{"id":"1"}'), ship(1, answer='{"id":"1"}')], id="the platform did it once"),
        pytest.param([ship(0, status=500), ship(1)], id="refused and retried"),
        pytest.param([ship(0), ship(3000)], id="two days later"),
        pytest.param(
            [ship(0, request_body_state="masked"), ship(1, request_body_state="masked")], id="bodies not recorded"
        ),
        pytest.param(
            [ship(0, request={"Idempotency-Key": "k1"}), ship(1, request={"Idempotency-Key": "k1"})], id="one key"
        ),
        pytest.param(
            [
                call(n, f"{API}/stock?shop=1", method="POST", body='{"sku":"A","quantity":5}')
                for n in (0, 5, 10)
            ],
            id="stock set again",
        ),
        pytest.param([ship(1, **REFUSED)], id="refused, and no first"),
        pytest.param(
            [ship(0, MASKED.replace("70010001", "70010002")), ship(1, MASKED, **REFUSED)], id="hidden, another order"
        ),
        pytest.param([ship(0, body='{"order":"70010001","carrier":"UPS"}'), ship(1, **REFUSED)], id="refused another"),
    ],
)  # fmt: skip
def test_two_events(rows):
    assert found(diagnosed(*rows), TWICE) == []


def test_one_key_for_two_bodies():
    rows = [
        ship(0, request={"Idempotency-Key": "k1"}),
        ship(1, body='{"order":"7002"}', request={"Idempotency-Key": "k1"}),
    ]
    [root] = found(diagnosed(*rows), KEY)
    assert root.finding.affected == (1,)


@pytest.mark.parametrize("keys", [("k1", "k2"), ("***", "***")], ids=["two keys", "masked"])
def test_two_bodies_with_keys_of_their_own(keys):
    rows = [
        ship(n, body=f'{{"order":"700{n}"}}', request={"Idempotency-Key": key}) for n, key in enumerate(keys)
    ]  # fmt: skip
    assert found(diagnosed(*rows), KEY) == []


def hook(minutes, event="evt-1", **others):
    headers = {"X-Acme-Topic": "order.paid", "X-Acme-Event": event, "User-Agent": "Acme-Hooks/1"}
    return row(
        "https://erp.example/hooks/in", method="POST", direction="inbound", request=headers,
        body='{"order":"70010001"}', started_at=at(minutes), **others,
    )  # fmt: skip


def record(minutes, message):
    return {"record_id": f"r{minutes}", "source_file": "erp.log", "at": at(minutes), "line": 1, "level": "ERROR",
            "message": message}  # fmt: skip


def test_a_redelivery_that_ships_again():
    rows = [hook(0), ship(0.1, answer='{"ok":1}'), hook(5), ship(5.1, answer='{"ok":1}')]
    [root] = found(diagnosed(*rows), AGAIN)
    assert root.finding.affected == (3,)


def test_a_redelivery_that_the_database_refuses():
    said = [record(5.1, "insert into orders failed: Duplicate entry '70010001' for key 'orders.PRIMARY'")]
    [root] = found(diagnosed(hook(0), hook(5), records=said), AGAIN)
    assert root.finding.records == (0,)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param([hook(0), ship(0.1), hook(5)], [], id="recognised"),
        pytest.param([hook(0), ship(0.1), hook(5, event="evt-2"), ship(5.1)], [], id="another event"),
        pytest.param([hook(0), hook(5)], [record(5.1, "Duplicate entry '9999' for key 'x'")], id="another order"),
        pytest.param([hook(0), hook(5)], [record(0.1, "Duplicate entry '70010001' for key 'x'")], id="at the first"),
    ],
)
def test_redeliveries_that_did_nothing(rows, said):
    assert found(diagnosed(*rows, records=said), AGAIN) == []
