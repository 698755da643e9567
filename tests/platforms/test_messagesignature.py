"""HTTP message signatures (RFC 9421): the signature base, the body behind Content-Digest, and slips that are told."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from openclaw_forensics.platforms.model import PlaceMap
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.platforms.signing import Key, Verdict, verify
from tests.platforms.rows import message

# The test key of RFC 9421, B.1.4.
PRIVATE = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
    "-----END PRIVATE KEY-----"
)
PUBLIC = (
    "-----BEGIN PUBLIC KEY-----MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=-----END PUBLIC KEY-----"
)
WHERE = PlaceMap(signature=("request.header:Signature",))
SCHEME = Scheme.model_validate(
    {
        "id": "message",
        "algorithm": "ed25519",
        "encoding": "base64",
        "parts": ["signature_base"],
        "placed_re": "=:([A-Za-z0-9+/=]+):",
    }
)
BODY = '{"hello": "world"}'


def digest(body: str) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}:"


def check(headers: dict[str, str], url: str = "https://example.com/foo?a=1", key: str = PUBLIC, **row: Any) -> Verdict:
    row = {"method": "POST", "body": BODY, "request_body_exact": True} | row
    return verify(message(url, request=headers, **row), SCHEME, WHERE, [Key(1, "signing_key", key)])


def signed(base: str, listed: str, **headers: str) -> dict[str, str]:
    key: Any = load_pem_private_key(PRIVATE.encode(), None)
    sent = base64.b64encode(key.sign(f'{base}\n"@signature-params": {listed}'.encode())).decode()
    return headers | {"Signature-Input": f"sig1={listed}", "Signature": f"sig1=:{sent}:"}


# RFC 9421, B.2.6.
RFC = {
    "Host": "example.com",
    "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "Content-Type": "application/json",
    "Content-Length": "18",
    "Signature-Input": 'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");'
    'created=1618884473;keyid="test-key-ed25519"',
    "Signature": "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
}


@pytest.mark.parametrize("key", [PUBLIC, PRIVATE], ids=["public", "private"])
def test_the_example_of_the_standard(key: str) -> None:
    assert check(RFC, "https://example.com/foo?param=Value&Pet=dog", key).result == "equal"


@pytest.mark.parametrize("name", ["Date", "Content-Type", "Content-Length"])
def test_every_covered_header_counts(name: str) -> None:
    changed = RFC | {name: f"{RFC[name][:-1]}x"}
    assert check(changed, "https://example.com/foo?param=Value&Pet=dog").result == "unequal"


@pytest.mark.parametrize(
    ("component", "line"),
    [
        ("@method", '"@method": POST'),
        ("@path", '"@path": /foo'),
        ("@query", '"@query": ?a=1'),
        ("@request-target", '"@request-target": /foo?a=1'),
        ("@target-uri", '"@target-uri": https://Example.com:443/foo?a=1'),
        ("@scheme", '"@scheme": https'),
        ("@authority", '"@authority": example.com'),
        ("x-two", '"x-two": 1, 2'),
    ],
)
def test_components(component: str, line: str) -> None:
    headers = signed(line, f'("{component}");created=1', **{"X-Two": " 1, 2 "})
    assert check(headers, "https://Example.com:443/foo?a=1").result == "equal"


def test_a_digest_of_another_body_is_a_mismatch_that_is_told() -> None:
    right = signed(f'"content-digest": {digest(BODY)}', '("content-digest")', **{"Content-Digest": digest(BODY)})
    assert check(right).result == "equal"
    verdict = check(right, body='{"hello":"world"}')
    assert (verdict.result, verdict.mistake) == ("unequal", "body")
    assert check(right, body='{"hello":"world"}', request_body_exact=False).result == "equal"


def test_a_query_signed_as_path_is_told() -> None:
    assert check(signed('"@path": /foo?a=1', '("@path")')).mistake == "path"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param({"Signature": RFC["Signature"]}, "part_absent", id="no-input"),
        pytest.param(RFC | {"Signature-Input": "sig1=?"}, "not_understood", id="input-unreadable"),
        pytest.param(signed("", '("date";sf)', Date="x"), "not_understood", id="component-parameter"),
        pytest.param(signed("", '("@status")'), "not_understood", id="component-unknown"),
        pytest.param(signed("", '("x-none")'), "part_absent", id="header-absent"),
    ],
)
def test_not_computable(headers: dict[str, str], reason: str) -> None:
    verdict = check(headers)
    assert (verdict.result, verdict.reason) == ("not_computable", reason)
