"""Signatures recomputed: equal, unequal with the mistake that explains it, or not computable and why."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from openclaw_forensics.platforms import mistakes
from openclaw_forensics.platforms.digests import signature_of
from openclaw_forensics.platforms.model import PlaceMap
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.platforms.signing import Key, Verdict, schemes_for, verify
from openclaw_forensics.platforms.strings import Build
from tests.platforms.rows import message, pack

WHERE = PlaceMap(app=("request.query:app",), timestamp=("request.query:ts",), signature=("request.query:sign",))
URL = "https://api.acme.example/rest/orders?app=9&ts=17&b=2&a=x%20y"
STRING = "k/ordersax yapp9b2ts17k"


def scheme(**changes: Any) -> Scheme:
    base = {
        "id": "call",
        "algorithm": "hmac-sha256",
        "parts": ["key", "path", "params", "body?", "key"],
        "path_strip": "/rest",
        "params": {"exclude": ["sign"]},
    }
    return Scheme.model_validate(base | changes)


def mac(text: str, key: str = "k") -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def key(value: str = "k", place: int = 1, **others: Any) -> Key:
    return Key(place, "signing_key", value, **others)


def check(sign: str, *keys: Key, rule: Scheme | None = None, url: str = URL, **others: Any) -> Verdict:
    return verify(message(f"{url}&sign={sign}", **others), rule or scheme(), WHERE, keys)


def test_equal() -> None:
    verdict = check(mac(STRING), key())
    assert (verdict.result, verdict.fits, verdict.mistake) == ("equal", 1, None)
    assert verdict.string_to_sign == "{key}/ordersax yapp9b2ts17{key}"


def test_the_body_counts_where_there_is_one() -> None:
    body = '{"n":1}'
    sign = mac(STRING[:-1] + body + "k")
    assert check(sign, key(), method="POST", body=body, request_body_exact=True).result == "equal"
    assert check(sign, key(), method="POST", request_body_bytes=body.encode(), body="x").result == "equal"


def test_unequal_without_an_explanation() -> None:
    verdict = check("0" * 64, key())
    assert (verdict.result, verdict.mistake, verdict.tried) == ("unequal", None, (1,))


def test_keys_newest_first_and_named_by_place() -> None:
    keys = [key("old", 1, until=date(2025, 1, 1)), key("older", 2, until=date(2024, 1, 1)), key("new", 3)]
    verdict = check(mac(STRING.replace("k", "older"), "older"), *keys)
    assert (verdict.result, verdict.fits, verdict.tried) == ("equal", 2, (3, 1, 2))


@pytest.mark.parametrize(
    ("change", "result"),
    [({"app": "9"}, "equal"), ({"app": "8"}, "not_computable"), ({"shop": "5"}, "equal")],
)
def test_keys_of_another_app_are_not_tried(change: dict[str, str], result: str) -> None:
    assert check(mac(STRING), key(**change)).result == result


@pytest.mark.parametrize(
    ("change", "reason", "part"),
    [
        pytest.param({"sign": "***"}, "part_masked", "signature", id="signature-masked"),
        pytest.param({"url": "https://a.example/rest/x?app=***"}, "part_masked", "app", id="parameter-masked"),
        pytest.param({"body": "x", "request_body_exact": False}, "body_not_exact", "body", id="body-text-only"),
        pytest.param({"body": "x", "request_body_state": "truncated"}, "body_not_exact", "body", id="body-cut"),
        pytest.param({"body": "x", "request_body_state": "masked"}, "part_masked", "body", id="body-masked"),
        pytest.param({"request_body_state": "not_recorded"}, "part_not_recorded", "body", id="body-not-recorded"),
        pytest.param({"rule": scheme(parts=["request.header:N"])}, "part_absent", "request.header:N", id="part-absent"),
        pytest.param(
            {"rule": scheme(parts=["request.header:N"]), "request_headers_state": "not_recorded"},
            "part_not_recorded",
            "request.header:N",
            id="header-not-recorded",
        ),
        pytest.param({"rule": scheme(key="webhook_key")}, "no_key", "webhook_key", id="no-such-key"),
        pytest.param({"rule": scheme(key_encoding="hex")}, "key_unreadable", "key 1", id="key-is-no-hex"),
        pytest.param({"rule": scheme(placed=["request.header:S"])}, "no_signature", "signature", id="no-signature"),
    ],
)
def test_not_computable(change: dict[str, Any], reason: str, part: str) -> None:
    verdict = check(change.pop("sign", mac(STRING)), key(), **change)
    assert (verdict.result, verdict.reason, verdict.part) == ("not_computable", reason, part)


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        (mac(STRING).upper(), "encoding"),
        (base64.b64encode(bytes.fromhex(mac(STRING))).decode().replace("+", "%2B"), "encoding"),
        (mac("k\n/ordersax yapp9b2ts17k\n", "k\n"), "key_form"),
        (mac("k/rest/ordersax yapp9b2ts17k"), "path"),
        (mac("k/orders/ax yapp9b2ts17k"), "path"),
        (mac("k/ordersapp9ts17b2ax yk"), "order"),
        (mac("k/ordersax%20yapp9b2ts17k"), "escaping"),
        (mac("ordersax yapp9b2ts17k".replace("orders", "k")), "omission"),
        (hashlib.sha256(STRING.encode()).hexdigest(), "algorithm"),
    ],
)
def test_mistakes(sign: str, expected: str) -> None:
    assert check(sign, key()).mistake == expected


@pytest.mark.parametrize("sent", ['{"a": 1, "b": "é"}', '{"a":1,"b":"\\u00e9"}'])
def test_a_body_serialised_anew(sent: str) -> None:
    sign = mac(STRING[:-1] + '{"a":1,"b":"é"}' + "k")
    assert check(sign, key(), method="POST", body=sent, request_body_exact=True).mistake == "body"


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len(set(mistakes.names())) == len(mistakes.names()) == 10


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"parts": ["app", "lit:|", "timestamp"], "join": ""}, "9|17"),
        ({"parts": ["method", "host", "path"], "join": "\n"}, "GET\napi.acme.example\n/orders"),
        ({"parts": ["url"]}, URL),
        (
            {"parts": ["params"], "params": {"pair": "{name}={value}", "join": "&", "percent_encode": True}},
            "a=x%20y&app=9&b=2&ts=17",
        ),
        ({"parts": ["params"], "params": {"sort": "none", "pair": "{value}", "join": ","}}, "9,17,2,x y"),
        ({"parts": ["request.query:none?", "request.query:b"]}, "2"),
    ],
)
def test_strings(changes: dict[str, Any], expected: str) -> None:
    assert Build(message(URL), scheme(**changes), WHERE, b"k").string() == expected.encode()


def test_parameters_of_a_json_body() -> None:
    body = '{"b":{"c":[1, 2.50]},"a":"x","n":null,"t":true,"sign":"s"}'
    rule = scheme(parts=["params"], params={"origins": ["json"], "exclude": ["sign"]})
    built = Build(message(URL, method="POST", body=body), rule, WHERE, b"k")
    assert built.string() == b'axb{"c":[1,2.50]}ttrue'


def test_a_digest_of_the_body() -> None:
    rule = scheme(parts=["body_digest:sha256:base64"])
    built = Build(message(URL, body="x", request_body_exact=True), rule, WHERE, b"k")
    assert built.string() == base64.b64encode(hashlib.sha256(b"x").digest())


def test_a_key_with_a_suffix_from_the_signature() -> None:
    """A random part stands before the signature and belongs to the key."""
    rule = scheme(
        parts=["lit:v"],
        encoding="base64-of-hex",
        key_suffix_re="^(.{5})",
        prefix_re="^(.{5})",
        placed=["request.header:S"],
    )
    sent = "r4nd5" + base64.b64encode(mac("v", "kr4nd5").encode()).decode()
    assert verify(message(URL, request={"S": sent}), rule, WHERE, [key()]).result == "equal"


PRIVATE = {
    "rsa-sha256": rsa.generate_private_key(65537, 2048),
    "ecdsa-sha256": ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def _signed(algorithm: str, text: bytes) -> bytes:
    private: Any = PRIVATE[algorithm]
    match algorithm:
        case "rsa-sha256":
            return private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        case "ecdsa-sha256":
            return private.sign(text, ec.ECDSA(hashes.SHA256()))
    return private.sign(text)


@pytest.mark.parametrize("algorithm", sorted(PRIVATE))
@pytest.mark.parametrize("text", [b"v", b"w"], ids=["right", "wrong"])
def test_key_pairs(algorithm: str, text: bytes) -> None:
    rule = scheme(parts=["lit:v"], algorithm=algorithm, encoding="base64", placed=["request.header:S"])
    public = (
        PRIVATE[algorithm]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    sent = message(URL, request={"S": base64.b64encode(_signed(algorithm, text)).decode()})
    assert verify(sent, rule, WHERE, [key(public.decode())]).result == ("equal" if text == b"v" else "unequal")
    assert verify(sent, rule, WHERE, [key("no pem")]).reason == "key_unreadable"


# docs.aws.amazon.com, Signature Version 4 test suite (get-vanilla-query-order-key-case, post-x-www-form-urlencoded).
AWS = {
    "query": (
        "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        "GET",
        {"Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z"},
        None,
        "host;x-amz-date",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "form": (
        "https://example.amazonaws.com/",
        "POST",
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Host": "example.amazonaws.com",
            "X-Amz-Date": "20150830T123600Z",
        },
        "Param1=value1",
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


@pytest.mark.parametrize("case", sorted(AWS))
@pytest.mark.parametrize("secret", ["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "another"])
def test_sigv4(case: str, secret: str) -> None:
    url, method, headers, body, signed, signature = AWS[case]
    scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    headers = headers | {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature={signature}"
    }
    rule = scheme(
        algorithm="aws4-hmac-sha256", placed=["request.header:Authorization"], placed_re="Signature=([0-9a-f]+)"
    )
    sent = message(url, method=method, request=headers, body=body, request_body_exact=True)
    assert verify(sent, rule, WHERE, [key(secret)]).result == ("equal" if secret.startswith("wJ") else "unequal")


def test_sigv4_presigned() -> None:
    """The example of docs.aws.amazon.com, sigv4-query-string-auth."""
    url = (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    rule = scheme(algorithm="aws4-hmac-sha256", placed=["request.query:X-Amz-Signature"])
    sent = message(url, request={"Host": "examplebucket.s3.amazonaws.com"})
    assert verify(sent, rule, WHERE, [key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")]).result == "equal"


def test_sigv4_without_its_parts() -> None:
    rule = scheme(algorithm="aws4-hmac-sha256")
    assert check("a" * 64, key(), rule=rule).reason == "part_absent"
    assert (
        check("a" * 64, key(), rule=rule, request_headers=None, request_headers_state="not_recorded").reason
        == "part_not_recorded"
    )


def test_the_scheme_of_an_operation() -> None:
    acme = pack(
        schemes=[
            {"id": "push", "use": "callback", "algorithm": "md5"},
            {"id": "token", "operations": ["token.*"], "algorithm": "md5"},
            {"id": "all", "algorithm": "md5"},
        ]
    )
    found = [schemes_for(acme, "call", name, message(URL)) for name in ("token.refresh", "orders.get", None)]
    assert [[s.id for s in some] for some in found] == [["token"], ["all"], ["all"]]
    assert [s.id for s in schemes_for(acme, "callback", "webhook", message(URL))] == ["push"]
    assert schemes_for(pack(), "call", None, message(URL)) == ()


def test_the_key_never_shows() -> None:
    verdict = check("0" * 64, key("very-secret"))
    assert "very-secret" not in repr(verdict)
    assert "very-secret" not in repr(key("very-secret"))


def test_signatures_of_plain_hashes() -> None:
    rule = scheme(algorithm="md5", parts=["lit:a", "key"], encoding="HEX")
    assert signature_of(Build(message(URL), rule, WHERE, b"k")) == hashlib.md5(b"ak").hexdigest().upper()
