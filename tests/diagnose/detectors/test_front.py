"""Callbacks that our side refused, with the reason in the log beside the access log; and what that leaves open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.diagnose.detectors.asked import at, capture, found
from tests.platforms.rows import row

BLOCKED = "webhook.blocked"


def hit(minutes, status, path="/acme/webhook"):
    """A line of an access log."""
    return row(
        None, method="POST", status=status, direction="inbound", request={"User-Agent": "Acme-Hooks/1.0"}, path=path,
        started_at=at(minutes), request_body_state="not_recorded", response_body_state="not_recorded",
        source_file="access.log",
    )  # fmt: skip


def said(minutes, message, zone_h=0):
    """A line of an error log, which prints no zone."""
    return {"at": at(minutes) + timedelta(hours=zone_h), "level": "ERROR", "logger": "nginx", "message": message}


MODSEC = '*1 ModSecurity: Access denied with code 403 (phase 2). [uri "/acme/webhook"]'
RULE = '*2 access forbidden by rule, client: 203.0.113.7, request: "POST /acme/webhook HTTP/1.1"'
LIMIT = '*3 limiting requests, excess: 20.1 by zone "in", request: "POST /acme/webhook HTTP/1.1"'


@pytest.mark.parametrize(
    ("status", "message", "zone_h"),
    [(403, MODSEC, 0), (403, MODSEC, 8), (403, RULE, 0), (503, LIMIT, 0)],
    ids=["modsecurity", "another zone", "access rule", "rate limit"],
)
def test_the_front_refused(status, message, zone_h):
    records = [said(0, message, zone_h), said(5, message, zone_h)]
    [root] = found(capture([hit(0, status), hit(5, status)], records), BLOCKED)
    assert root.judgement.party == "network"
    assert len(root.owned.direct) == 2


@pytest.mark.parametrize(
    "message",
    [
        '*1 ModSecurity: Access denied with code 403 (phase 2). [uri "/wp-login.php"]',
        '*4 upstream prematurely closed connection, request: "POST /acme/webhook HTTP/1.1"',
    ],
    ids=["another path", "another error"],
)
def test_what_the_front_did_not_refuse(message):
    diagnosis = capture([hit(0, 500), hit(5, 500)], [said(0, message), said(5, message)])
    assert not found(diagnosis, BLOCKED)


@pytest.mark.parametrize(
    ("message", "roots"),
    [(RULE, 1), (RULE.replace("POST /acme/webhook", "GET /.env"), 0), (RULE.replace("forbidden by", "follows"), 0)],
    ids=["a delivery", "a scan", "no refusal"],
)
def test_the_fronts_log_alone(message, roots):
    held = found(capture([], [said(0, message), said(5, message)]), BLOCKED)
    assert [(r.judgement.party, len(r.owned.finding.records)) for r in held] == [("network", 2)] * roots


SIGNED = 'level=warning msg="signature mismatch" path=/acme/webhook want=9b77 got=3f0c'
SEALED = "POST /acme/webhook: decrypt error: cipher: message authentication failed"


@pytest.mark.parametrize(
    ("status", "message", "zone_h", "cause"),
    [
        (401, SIGNED, 0, "webhook.signature_rejected"),
        (401, SIGNED.replace("signature mismatch", "验签失败"), 8, "webhook.signature_rejected"),
        (500, SEALED, 0, "crypto.body_encryption_failed"),
        (401, "signature mismatch", 0, "webhook.signature_rejected"),
    ],
    ids=["signature", "signature in Chinese, another zone", "decryption", "no path in a structured log"],
)
def test_the_applications_own_reason(status, message, zone_h, cause):
    records = [said(0, message, zone_h), said(5, message, zone_h)]
    [root] = found(capture([hit(0, status), hit(5, status)], records), cause)
    assert root.judgement.party == "erp"
    assert len(root.owned.direct) == 2


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, SIGNED.replace("/acme/webhook", "/orders/pull")), (200, SIGNED), (401, SIGNED.replace("mismatch", "ok"))],
    ids=["another path", "accepted all the same", "a sound check"],
)
def test_words_that_are_no_reason(status, message):
    records = [said(0, message), said(5, message)]
    assert not found(capture([hit(0, status), hit(5, status)], records), "webhook.signature_rejected")
