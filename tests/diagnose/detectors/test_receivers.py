"""Deliveries blocked in front of the receiver, ended for good, or reported by their sender; and what only looks so."""

from __future__ import annotations

import pytest

from openclaw_forensics.diagnose.detectors.sender_reports import is_private
from tests.diagnose.detectors.asked import API, at, call, capture, found
from tests.platforms.rows import row

BLOCKED, OFF, SLOW, LOST = (
    "webhook.blocked", "webhook.disabled_by_platform", "webhook.slow_ack", "webhook.unreachable",
)  # fmt: skip


def hit(minutes, status, agent="Go-http-client/2.0", path="/kick/webhook", address="203.0.113.40", **others):
    """A line of an access log: no bodies."""
    return row(
        None, method="POST", status=status, direction="inbound", request={"User-Agent": agent}, path=path,
        started_at=at(minutes), client_address=address, request_body_state="not_recorded",
        response_body_state="not_recorded", source_file="access.log", **others,
    )  # fmt: skip


CURL, HOOKS = "curl/8.5.0", "Acme-Hooks/1.0"
TOPIC = {"path": "/acme/in"}


@pytest.mark.parametrize(
    ("rows", "confidence", "affected"),
    [
        pytest.param(
            [hit(0, 200), hit(60, 403), hit(61, 403), hit(62, 401, CURL)], 0.85, (1, 2), id="before, and another client"
        ),
        pytest.param([hit(0, 200), hit(60, 403), hit(61, 403)], 0.6, (1, 2), id="before"),
        pytest.param(
            [hit(0, 200), hit(60, 401), hit(61, 401), hit(62, 200, CURL)], 0.85, (1, 2), id="login wall"
        ),
    ],
)  # fmt: skip
def test_a_wall_before_the_receiver(rows, confidence, affected):
    diagnosis = capture(rows)
    [root] = found(diagnosis, BLOCKED)
    assert (root.finding.confidence, root.finding.affected) == (pytest.approx(confidence), affected)
    assert root.judgement.party == "network"


def test_a_documented_sender_that_never_got_through_while_others_did():
    rows = [hit(n, 403, HOOKS, "/acme/webhook") for n in range(3)] + [hit(3, 200, CURL, "/acme/webhook")]
    [root] = found(capture(rows), BLOCKED)
    assert root.owned.direct == [0, 1, 2]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([hit(n, 403, "masscan") for n in range(3)] + [hit(4, 200)], id="a scanner"),
        pytest.param([hit(0, 200), hit(60, 401), hit(61, 401)], id="the receiver's own check"),
        pytest.param([hit(0, 200), hit(60, 403)], id="one refusal"),
        pytest.param([hit(0, 200), hit(1, 403), hit(2, 200), hit(3, 403)], id="now and then"),
        pytest.param([hit(0, 200), hit(60, 500), hit(61, 500)], id="the application failed"),
        pytest.param(
            [hit(0, 200), *(hit(60 + n, 403, response_body='{"error":"bad hmac"}') for n in range(3))], id="own words"
        ),
        pytest.param(
            [hit(n, 200, path="/shop/cart") for n in range(2)] + [hit(9, 403, path="/shop/cart")] * 2, id="shop"
        ),
    ],
)
def test_no_wall(rows):
    assert found(capture(rows), BLOCKED) == []


def test_a_wall_that_was_taken_down_is_a_warning():
    rows = [hit(0, 200), hit(60, 403), hit(61, 403), hit(90, 200), hit(91, 200)]
    [root] = found(capture(rows), BLOCKED)
    assert root.severity == "warning"


def failing(minutes):
    return hit(minutes, 500, HOOKS, "/acme/webhook")


def other(minutes):
    return hit(minutes, 200, CURL, "/health")


def test_deliveries_that_end_after_failures_are_told_beside_their_cause():
    rows = [failing(n) for n in range(6)] + [other(90 + n) for n in range(4)]
    [root] = found(capture(rows), "webhook.non_2xx")
    assert any("after five failures" in b.text.en for b in root.finding.because)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([failing(n) for n in range(6)], id="the log ends"),
        pytest.param([failing(n) for n in range(3)] + [other(90 + n) for n in range(4)], id="few"),
        pytest.param(
            [failing(n * 60) for n in range(6)] + [other(330 + n * 30) for n in range(6)], id="a slow rhythm"
        ),
    ],
)  # fmt: skip
def test_deliveries_that_may_come_again(rows):
    roots = found(capture(rows), "webhook.non_2xx")
    assert not any("after five failures" in b.text.en for r in roots for b in r.finding.because)


def report(minutes, ms=None, url="https://shop.example/pay/webhook", **others):
    others = {"status": None, "answer_state": "missing", "duration_ms": ms} | others
    return row(url, method="POST", started_at=at(minutes), response_body_state="not_recorded", **others)


def ok(minutes, url="https://shop.example/pay/webhook"):
    return row(url, method="POST", started_at=at(minutes), duration_ms=900.0)


SWITCHED = [{"record_id": "r", "source_file": "erp.har", "at": at(3), "message": "webhook#7 status: disabled"}]


@pytest.mark.parametrize(
    ("rows", "said", "cause", "party"),
    [
        pytest.param([report(0, 15000.0), report(1, 15000.0), ok(3)], (), SLOW, "undetermined", id="at the limit"),
        pytest.param([report(0, 40.0), report(1, 35.0)], (), LOST, "undetermined", id="at once"),
        pytest.param([report(0, transport_error="connect")] * 2, (), LOST, "undetermined", id="refused"),
        pytest.param([report(0, url="http://192.168.1.9/webhook", transport_error="connect")], (), LOST, "seller",
                     id="a private address"),
        pytest.param([report(0, url="http://10.0.0.9/orders/new", transport_error="other")], SWITCHED, LOST, "seller",
                     id="a private address that was switched off"),
        pytest.param([report(0, transport_error="dns")] * 2, (), LOST, "seller", id="a name that nobody knows"),
    ],
)  # fmt: skip
def test_what_a_sender_reports(rows, said, cause, party):
    [root] = found(capture(rows, said), cause)
    assert root.judgement.party == party


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([report(0, 15000.0, "https://oapi.dingtalk.com/robot/webhook")], id="a chat"),
        pytest.param([report(0, 15000.0, "https://wms.example/api/stock/push")], id="an ordinary call"),
        pytest.param([report(0, 30.0, "http://10.0.0.9/api/stock", transport_error="connect")], id="own network"),
        pytest.param([report(0)], id="no duration"),
        pytest.param([report(0, 15000.0, answer_state="open")], id="the capture ends"),
        pytest.param([call(0, f"{API}/orders?shop=1", status=None, duration_ms=15000.0)], id="a platform's operation"),
    ],
)
def test_calls_that_are_no_reports(rows):
    diagnosis = capture(rows)
    assert found(diagnosis, SLOW) + found(diagnosis, LOST) == []


@pytest.mark.parametrize(
    ("host", "private"),
    [("10.1.2.3", True), ("172.20.0.1", True), ("127.0.0.1", True), ("localhost", True), ("shop.lan", True),
     ("fd00::1", True), ("203.0.113.9", False), ("172.32.0.1", False), ("shop.example", False), ("2001:db8::1", False)],
)  # fmt: skip
def test_private_addresses(host, private):
    assert is_private(host) is private
