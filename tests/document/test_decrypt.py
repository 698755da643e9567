"""Encrypted bodies: each mode and place that is opened, what is left alone, how the document shows and hides it."""

from __future__ import annotations

import base64
import os
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7
from pydantic import SecretStr

from openclaw_forensics.analysis import Analysis, Capture
from openclaw_forensics.diagnose.frame import marked
from openclaw_forensics.document.decrypt import aes_keys, looks_encrypted, open_body
from openclaw_forensics.exchanges import RECORDS, empty
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.load import load
from openclaw_forensics.selection import select
from openclaw_forensics.settings import Secret, Settings
from openclaw_forensics.table import Table
from tests.link.rows import with_identity
from tests.platforms import rows as made

KEY, VECTOR = b"0123456789abcdef", b"an-initial-vecto"
PLAIN = '{"order":"70010001","quantity":12345678901234567890,"buyer_email":"anna@mail.example"}'


def padded(text):
    pad = PKCS7(128).padder()
    return pad.update(text.encode()) + pad.finalize()


def encrypt(mode, text=PLAIN, key=KEY):
    worker = Cipher(algorithms.AES(key), mode).encryptor()
    return worker.update(padded(text)) + worker.finalize()


def b64(data):
    return base64.b64encode(data).decode()


def keys(*, iv=VECTOR, key=KEY, encoding="text", platform="acme"):
    shown = {"text": key.decode("latin-1"), "hex": key.hex(), "base64": b64(key)}[encoding]
    given = [Secret(platform=platform, kind="aes_key", value=SecretStr(shown), encoding=encoding)]
    if iv is not None:
        given.append(Secret(platform=platform, kind="aes_iv", value=SecretStr(iv.decode())))
    return given


def opened(body, given=None):
    return open_body(body, aes_keys(given or keys(), made.pack()))


GCM = VECTOR[:12] + AESGCM(KEY).encrypt(VECTOR[:12], PLAIN.encode(), None)


@pytest.mark.parametrize(
    ("body", "given", "steps"),
    [
        pytest.param(b64(encrypt(modes.CBC(VECTOR))), keys(), ("base64", "aes-128-cbc", "json"), id="cbc"),
        pytest.param(encrypt(modes.CBC(VECTOR)).hex(), keys(), ("hex", "aes-128-cbc", "json"), id="hexadecimal"),
        pytest.param(b64(encrypt(modes.ECB())), keys(iv=None), ("base64", "aes-128-ecb", "json"), id="ecb"),
        pytest.param(
            b64(VECTOR + encrypt(modes.CBC(VECTOR))), keys(iv=None), ("base64", "aes-128-cbc", "json"),
            id="vector in front",
        ),
        pytest.param(b64(GCM), keys(iv=None), ("base64", "aes-128-gcm", "json"), id="gcm"),
        pytest.param(
            b64(encrypt(modes.CBC(VECTOR), key=KEY * 2)), keys(key=KEY * 2, encoding="hex"),
            ("base64", "aes-256-cbc", "json"), id="256 bits",
        ),
        pytest.param(
            b64(encrypt(modes.CBC(VECTOR))), keys(key=KEY + b"rest of a longer secret"),
            ("base64", "aes-128-cbc", "json"), id="the first bytes of a longer key",
        ),
        pytest.param(
            b64(encrypt(modes.CBC(VECTOR))), keys(encoding="base64"), ("base64", "aes-128-cbc", "json"),
            id="key in base64",
        ),
    ],
)  # fmt: skip
def test_a_body_is_opened(body, given, steps):
    result = opened(body, given)
    assert result is not None
    assert (result.text, result.steps, result.place) == (PLAIN, steps, 1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'{{"v":1.50,"data":"{b64(encrypt(modes.CBC(VECTOR)))}"}}', id="in JSON"),
        pytest.param(f"v=1.50&data={quote(b64(encrypt(modes.CBC(VECTOR))), safe='')}", id="in a form"),
    ],
)
def test_a_part_is_opened_and_numbers_keep_their_digits(body):
    result = opened(body)
    assert result is not None
    assert "12345678901234567890" in result.text
    assert "1.50" in result.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b64(encrypt(modes.CBC(VECTOR), key=b"another key here")), id="another key"),
        pytest.param(b64(encrypt(modes.CBC(VECTOR), "no JSON, just words")), id="no JSON"),
        pytest.param('{"order":"70010001"}', id="plain"),
        pytest.param("", id="empty"),
        pytest.param("A" * ((1 << 20) + 4), id="too long"),
        pytest.param('{"a":' * 500 + "1" + "}" * 500, id="deep"),
    ],
)
def test_what_is_left_alone(body):
    assert opened(body) is None


def test_keys_of_another_platform_are_not_tried():
    assert aes_keys(keys(platform="other"), made.pack()) == []


def test_a_key_that_cannot_be_read_is_no_key():
    broken = [Secret(platform="acme", kind="aes_key", value=SecretStr("zz"), encoding="hex")]
    assert aes_keys(broken, made.pack()) == []


@pytest.mark.parametrize(
    ("body", "encrypted"),
    [
        (b64(b"\xff" * 48), True), (b64(b"\xff" * 47), False), (b64(b"sixteen letters." * 3), False), ("oops", False),
        (None, False),
    ],
)  # fmt: skip
def test_what_looks_encrypted(body, encrypted):
    assert looks_encrypted(body) is encrypted


def document(data, secrets, body="eventData={}"):
    """The document of one callback of a platform that encrypts a form field, answered with an error."""
    packs = load()
    body = body.format(quote(b64(data), safe=""))
    row = made.row(
        "https://erp.example/hooks/shein", method="POST", direction="inbound", status=500, body=body,
        request={"x-lt-eventCode": "order_push"},
    ) | {"exchange_id": "x1", "source_file": "a.har", "locator": "flow:0", "format": "har"}  # fmt: skip
    settings = Settings(secrets=tuple(secrets))
    exchanges, records = annotate(made.frame(row), empty(RECORDS), packs, made.options())
    table = Table.of(marked(with_identity(exchanges)))
    capture = Capture(table, records, key=os.urandom(16))
    return Analysis(settings, packs, capture, select(table, records, settings)).result.exchanges[0]


def test_the_document_shows_what_was_opened_and_hides_what_is_personal():
    request = document(encrypt(modes.CBC(VECTOR)), keys(platform="shein")).request
    assert request.decoded is not None
    assert '"order": "70010001"' in request.decoded
    assert "anna@mail.example" not in request.decoded
    assert (request.decoded_by, request.decrypted_with) == (("base64", "aes-128-cbc", "json"), "secrets item 1")


def test_without_keys_nothing_is_opened():
    request = document(encrypt(modes.CBC(VECTOR)), []).request
    assert (request.decoded, request.decrypted_with) == (None, None)


def test_a_body_that_no_key_opens_is_marked():
    data = encrypt(modes.CBC(VECTOR), key=b"another key here")
    marks = document(data, keys(platform="shein"), b64(data)).marks
    assert [m.pointer for m in marks if "none of the 1 given keys" in m.why.en] == ["/request/body"]
