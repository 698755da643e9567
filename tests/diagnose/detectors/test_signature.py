"""Signatures recomputed with given keys: the wrong key, the wrong string, a sound one, genuine callbacks refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import date

import pytest
from pydantic import SecretStr

from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.mistakes import names
from openclaw_forensics.platforms.model import ErrorRow
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.settings import Secret
from tests.diagnose.detectors.asked import API, acme, at, call, capture, found
from tests.platforms.rows import row

MISMATCH, WRONG, REJECTED = "sign.signature_mismatch", "sign.wrong_key", "webhook.signature_rejected"
ERRORS = (ErrorRow.model_validate({"code": "sign", "cause": MISMATCH, "confidence": 0.7}),)
NEW, OLD, ELSE = "the-newest-secret", "the-older-secret", "secret-of-another-app"


def key(value, kind="signing_key", **others):
    return Secret(platform="acme", kind=kind, value=SecretStr(value), **others)


KEYS = [key(OLD, until=date(2026, 1, 31)), key(NEW)]


def signed(secret, text="/orders1773727200", digest="sha256"):
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest()


def refused(sign, minutes=0, **others):
    url = f"{API}/orders?shop=1&app=a1&ts=1773727200&sign={sign}"
    return call(minutes, url, status=401, answer='{"code":"sign","message":"Wrong sign."}', **others)


def diagnosed(*rows, keys=KEYS):
    return capture(rows, pack=acme().model_copy(update={"errors": ERRORS}), secrets=keys)


def owner(diagnosis):
    """The one cause that owns the failures."""
    [root] = [r for r in diagnosis.roots if r.owned.direct]
    return root


@pytest.mark.parametrize(
    ("sign", "keys", "cause", "proof"),
    [
        pytest.param(signed(OLD), KEYS, WRONG, True, id="the older key"),
        pytest.param(signed(ELSE), [key(NEW, app="a1"), key(ELSE, app="a2")], WRONG, True, id="another app's key"),
        pytest.param(signed(NEW), KEYS, WRONG, False, id="sound"),
        pytest.param(signed("unknown"), KEYS, MISMATCH, False, id="none"),
        pytest.param(signed(NEW, digest="sha1"), KEYS, MISMATCH, True, id="a usual mistake"),
    ],
)
def test_a_refused_call(sign, keys, cause, proof):
    root = owner(diagnosed(refused(sign), keys=keys))
    assert (root.finding.cause, root.finding.proof) == (cause, proof)


def test_a_sound_signature_names_nobody():
    assert owner(diagnosed(refused(signed(NEW)))).judgement.party == "undetermined"


def test_an_older_key_is_no_wrong_key_while_it_was_good():
    keys = [key(OLD, until=date(2026, 12, 31)), key(NEW)]
    assert not any(r.finding.proof for r in diagnosed(refused(signed(OLD)), keys=keys).roots)


def test_the_string_to_sign_is_shown_without_the_key():
    root = owner(diagnosed(refused(signed("unknown"))))
    told = " ".join(b.text.en for b in root.finding.because)
    assert "/orders1773727200" in told
    assert NEW not in told


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        pytest.param([refused(signed("x"))], [], id="no keys"),
        pytest.param([refused(signed("x"))], [key(NEW, kind="webhook_key")], id="no key of this kind"),
        pytest.param([refused("********")], KEYS, id="masked"),
        pytest.param([call(0, f"{API}/orders?shop=1&ts=1773727200&sign={signed('x')}")], KEYS, id="accepted"),
    ],
)
def test_what_cannot_be_recomputed_says_nothing_new(rows, keys):
    diagnosis = diagnosed(*rows, keys=keys)
    assert not any("common.signature-check" in r.owned.rules for r in diagnosis.roots)


def keyless(sign):
    """A refused call on a platform whose signature takes in no secret."""
    scheme = Scheme.model_validate(
        {"id": "keyless", "algorithm": "md5", "key": "none", "parts": ["path"], "placed": ["request.query:sign"]}
    )
    pack = acme().model_copy(update={"errors": ERRORS, "schemes": (scheme,)})
    return capture([refused(sign)], pack=pack)


def test_a_mismatch_that_needs_no_key():
    root = owner(keyless(hashlib.md5(b"/orders/").hexdigest()[::-1]))
    assert root.finding.cause == MISMATCH
    assert any(b.text == phrase("signature_unequal_keyless") for b in root.finding.because)


def test_a_keyless_signature_that_is_right_says_nothing():
    diagnosis = keyless(hashlib.md5(b"/orders").hexdigest())
    assert not any("common.signature-check" in r.owned.rules for r in diagnosis.roots)


BODY = '{"order":"70010001"}'


def hook(secret, status=401, answer='{"error":"Invalid webhook signature"}', **others):
    mark = base64.b64encode(hmac.digest(secret.encode(), BODY.encode(), hashlib.sha256)).decode()
    headers = {"X-Acme-Topic": "order.paid", "X-Acme-Hmac": mark, "User-Agent": "Acme-Hooks/1"}
    return row(
        "https://erp.example/hooks/in", method="POST", direction="inbound", request=headers, body=BODY, status=status,
        answer=answer, started_at=at(0), **others,
    )  # fmt: skip


HOOK_KEYS = [key("hook-secret", kind="webhook_key")]


def test_a_genuine_callback_refused_by_the_receivers_check_is_proven():
    [root] = found(diagnosed(hook("hook-secret"), keys=HOOK_KEYS), REJECTED)
    assert (root.finding.proof, root.judgement.party) == (True, "erp")


def test_a_genuine_callback_refused_without_words():
    [root] = found(
        diagnosed(hook("hook-secret", answer=None, response_body_state="not_recorded"), keys=HOOK_KEYS), REJECTED
    )
    assert root.finding.confidence == pytest.approx(0.85)


@pytest.mark.parametrize(
    "delivery",
    [
        pytest.param(hook("forged"), id="forged"),
        pytest.param(hook("hook-secret", status=500, answer="oops"), id="the receiver failed"),
        pytest.param(hook("hook-secret", status=200, answer="ok"), id="accepted"),
    ],
)
def test_callbacks_without_proof(delivery):
    assert not any(r.finding.proof for r in diagnosed(delivery, keys=HOOK_KEYS).roots)


@pytest.mark.parametrize("name", names())
def test_every_mistake_has_its_sentence(name):
    assert phrase(f"signature_mistake_{name}").zh
