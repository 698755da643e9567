"""What a scheme may say beyond parts and digest: OAuth, forms, lengths, sealing, conditions, variants, key forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import ValidationError

from openclaw_forensics.platforms import multipart
from openclaw_forensics.platforms.digests import signature_of
from openclaw_forensics.platforms.model import PlaceMap
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.platforms.signing import Key, schemes_for, verify, verify_any
from openclaw_forensics.platforms.strings import Build
from tests.platforms.rows import message, pack

WHERE = PlaceMap(signature=("request.header:S",))


def scheme(**changes: Any) -> Scheme:
    return Scheme.model_validate({"id": "call", "algorithm": "md5"} | changes)


def string(url: str = "https://api.acme.example/a", *, rule: dict[str, Any], key: bytes = b"k", **others: Any) -> str:
    return Build(message(url, **others), scheme(**rule), WHERE, key).string().decode()


OAUTH = {
    "algorithm": "hmac-sha1",
    "encoding": "base64",
    "parts": ["method", "percent:base_url", "percent:params"],
    "join": "&",
    "params": {
        "origins": ["query", "form", "oauth"],
        "exclude": ["oauth_signature"],
        "sort": "encoded",
        "pair": "{name}={value}",
        "join": "&",
        "percent_encode": True,
    },
    "placed": ["request.oauth:oauth_signature"],
}


# OAuth Core 1.0, appendix A.5, whose key has a token's secret as well.
@pytest.mark.parametrize("transport", ["header", "query"])
@pytest.mark.parametrize(("secret", "result"), [("pfkkdhi9sl3r4s00", "equal"), ("pfkkdhi9sl3r4s01", "unequal")])
def test_oauth_with_a_token(transport: str, secret: str, result: str) -> None:
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
    sent = {
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_signature": "tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D",
        "oauth_timestamp": "1191242096",
        "oauth_nonce": "kllo9940pd9333jh",
        "oauth_version": "1.0",
    }
    header = "OAuth realm=x, " + ", ".join(f'{name}="{value}"' for name, value in sent.items())
    if transport == "query":
        url, header = f"{url}&{'&'.join(f'{name}={value}' for name, value in sent.items())}", "Basic x"
    request = message(url, request={"Authorization": header})
    key = Key(1, "signing_key", f"kd94hf93k423kf44&{secret}")
    assert verify(request, scheme(**OAUTH), WHERE, [key]).result == result


# RFC 5849, 3.4.1.2.
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://EXAMPLE.COM:80/r%20v/X?id=123", "http://example.com/r%20v/X"),
        ("https://www.example.net:8080/?q=1", "https://www.example.net:8080/"),
        ("https://user@example.com:443/a", "https://example.com/a"),
    ],
)
def test_base_url(url: str, expected: str) -> None:
    assert string(url, rule={"parts": ["base_url"]}) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["target"], "/a?b=2&a=x%20y"),
        (["query"], "b=2&a=x%20y"),
        (["query_sorted"], "a=x%20y&b=2"),
        (["percent:request.query:a"], "x%20y"),
        (["formencoded:request.query:a"], "x+y"),
        (["request.header:X ~ d=([0-9]+)"], "17"),
        (["request.header:Y? ~ d=([0-9]+)", "lit:|"], "|"),
        (["if:query:lit:?", "if:body:lit:!", "lit:~"], "?~"),
        (["body_digest:md5:HEX?", "method"], "GET"),
    ],
)
def test_parts(parts: list[str], expected: str) -> None:
    url = "https://api.acme.example/a?b=2&a=x%20y"
    assert string(url, rule={"parts": parts}, request={"X": "c=1, d=17"}) == expected


def test_parts_sorted_as_text() -> None:
    assert string(rule={"parts": ["lit:b", "lit:B", "lit:1"], "sort_parts": True}) == "1Bb"


@pytest.mark.parametrize("part", ["bodyy", "body_digest:crc32", "if:body", "if:nobody:lit:x", "request.cookie:a", ""])
def test_no_part_of_a_string(part: str) -> None:
    with pytest.raises(ValidationError):
        scheme(parts=[part])


def test_lengths_are_in_characters() -> None:
    params = {"origins": ["form"], "pair": "{name_length:02}-{name}:{value_length:04}-{value}", "join": ";"}
    assert string(rule={"parts": ["params"], "params": params}, body="k=%E8%AE%A2%E5%8D%95") == "01-k:0002-订单"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"origins": ["json"], "null": "null"}, "a1bnulltx"),
        ({"origins": ["json"]}, "a1tx"),
        ({"origins": ["query"], "repeat_join": ","}, "q1,2"),
        ({"origins": ["query"], "body_name": "body"}, 'body{"t":"x","a":1,"b":null}q1q2'),
        ({"origins": ["header"], "only": "^x-"}, "x-onevx-twow"),
    ],
)
def test_parameters(params: dict[str, Any], expected: str) -> None:
    built = string(
        "https://api.acme.example/a?q=1&q=2",
        rule={"parts": ["params"], "params": params},
        body='{"t":"x","a":1,"b":null}',
        request_body_exact=True,
        request={"X-Two": " w ", "X-One": "v", "Y": "z"},
    )
    assert built == expected


FORM = (
    '--B\r\nContent-Disposition: form-data; name="shop"\r\n\r\n7\r\n'
    '--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\nX: y\r\n\r\nx\r\ny\r\n--B--\r\n'
)


@pytest.mark.parametrize(
    ("files", "expected"),
    [("omit", "shop7"), ("md5", f"a.txt{hashlib.md5(b'x' + bytes([13, 10]) + b'y').hexdigest()}shop7")],
)
def test_multipart_forms(files: str, expected: str) -> None:
    rule = {"parts": ["params"], "params": {"origins": ["multipart"], "files": files}}
    sent = {"Content-Type": "multipart/form-data; boundary=B"}
    assert string(rule=rule, body=FORM, request_body_exact=True, request=sent) == expected
    with pytest.raises(NotComputableError, match="not_understood"):
        string(rule=rule, body=FORM[:-10], request_body_exact=True, request=sent)
    with pytest.raises(NotComputableError, match="body_not_exact"):
        string(rule=rule, body=FORM, request_body_exact=False, request=sent)


@pytest.mark.parametrize("body", [b"", b"--B", b"--B\r\n\r\n--B--", b"--B\r\nno head\r\n--B--", b"--B\r\n" * 3000])
def test_broken_multipart_forms(body: bytes) -> None:
    assert not multipart.fields(body, "multipart/form-data; boundary=B")
    assert multipart.fields(body, "text/plain") is None


def test_a_key_without_its_prefix_and_with_a_suffix() -> None:
    rule = scheme(algorithm="hmac-sha256", parts=["lit:v"], key_strip="whsec_", key_encoding="base64", key_suffix="&")
    sent = hmac.new(b"key&", b"v", hashlib.sha256).hexdigest()
    request = message("https://a.example/", request={"S": sent})
    for text in ("whsec_a2V5", "a2V5"):
        assert verify(request, rule, WHERE, [Key(1, "signing_key", text)]).result == "equal"


@pytest.mark.parametrize(("app", "result"), [("0123456789abcdef", "equal"), ("fedcba9876543210", "unequal")])
def test_a_digest_sealed_with_what_the_request_holds_needs_no_key(app: str, result: str) -> None:
    rule = scheme(key="none", encoding="HEX", parts=["lit:v"], sealed_with="request.query:app")
    sent = signature_of(Build(message("https://a.example/?app=0123456789abcdef"), rule, WHERE, b""))
    verdict = verify(message(f"https://a.example/?app={app}", request={"S": sent}), rule, WHERE, [])
    assert (verdict.result, verdict.tried, verdict.fits) == (result, (), None)


def test_a_seal_without_a_fitting_key_is_not_computable() -> None:
    rule = scheme(key="none", parts=["lit:v"], sealed_with="request.query:app")
    verdict = verify(message("https://a.example/?app=short", request={"S": "x"}), rule, WHERE, [])
    assert (verdict.result, verdict.reason) == ("not_computable", "key_unreadable")


def _public(private: Any, form: str) -> str:
    encoding = serialization.Encoding.DER if form == "der" else serialization.Encoding.PEM
    data: bytes = private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(data).decode() if form == "der" else data.decode().replace("\n", "")


RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("form", ["one line", "der"])
@pytest.mark.parametrize("algorithm", ["rsa-pss-sha256", "ecdsa-sha1"])
@pytest.mark.parametrize(("text", "result"), [(b"v", "equal"), (b"w", "unequal")])
def test_key_pairs(form: str, algorithm: str, text: bytes, result: str) -> None:
    if algorithm == "rsa-pss-sha256":
        private: Any = RSA
        made = RSA.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        private = EC
        made = EC.sign(text, ec.ECDSA(hashes.SHA1()))
    rule = scheme(algorithm=algorithm, encoding="base64", parts=["lit:v"])
    request = message("https://a.example/", request={"S": base64.b64encode(made).decode()})
    assert verify(request, rule, WHERE, [Key(1, "signing_key", _public(private, form))]).result == result
    other = EC if private is RSA else RSA
    assert verify(request, rule, WHERE, [Key(1, "signing_key", _public(other, form))]).reason == "key_unreadable"


def test_a_key_of_a_pair_is_no_shared_secret() -> None:
    request = message("https://a.example/", request={"S": "x"})
    key = Key(1, "signing_key", _public(EC, "one line"))
    assert verify(request, scheme(parts=["key"]), WHERE, [key]).reason == "key_unreadable"


def test_conditions_and_what_is_there_choose_the_scheme() -> None:
    sha1 = {"place": "request.query:method", "equals": "sha1"}
    acme = pack(
        {"places": {"signature": ["request.header:S"]}},
        schemes=[
            {"id": "sha1", "algorithm": "sha1", "when": [sha1]},
            {"id": "other-place", "algorithm": "md5", "placed": ["request.header:T"]},
            {"id": "md5", "algorithm": "md5"},
            {"id": "md5-upper", "algorithm": "md5", "encoding": "HEX", "variant_of": "md5"},
        ],
    )

    def chosen(url: str, **headers: str) -> list[str]:
        return [s.id for s in schemes_for(acme, "call", None, message(url, request=headers))]

    assert chosen("https://a.example/?method=sha1", S="x") == ["sha1"]
    assert chosen("https://a.example/?method=***", S="x") == ["md5", "md5-upper"]
    assert chosen("https://a.example/", T="x") == ["other-place"]
    assert chosen("https://a.example/", S="x") == ["md5", "md5-upper"]
    assert chosen("https://a.example/") == ["other-place"]


@pytest.mark.parametrize(
    ("sent", "result", "name"),
    [
        (hashlib.md5(b"vk").hexdigest(), "equal", "call"),
        (hashlib.md5(b"vk").hexdigest().upper(), "equal", "upper"),
        ("0" * 32, "unequal", "call"),
    ],
)
def test_any_variant_may_fit(sent: str, result: str, name: str) -> None:
    both = [scheme(parts=["lit:v", "key"]), scheme(id="upper", parts=["lit:v", "key"], encoding="HEX")]
    request = message("https://a.example/", request={"S": sent})
    verdict = verify_any(request, both, WHERE, [Key(1, "signing_key", "k")])
    assert (verdict.result, verdict.scheme) == (result, name)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (base64.b64encode(b'{"s":1}').decode(), "not_understood"),
        (base64.b64encode(b"\xff").decode(), "not_understood"),
        ("no base64", "not_understood"),
    ],
)
def test_a_signature_within_json_that_is_not_there(sent: str, reason: str) -> None:
    rule = scheme(parts=["lit:v"], placed_pointer="/s")
    verdict = verify(message("https://a.example/", request={"S": sent}), rule, WHERE, [Key(1, "signing_key", "k")])
    assert verdict.reason == reason


def test_any_of_several_signatures_may_fit() -> None:
    right = hashlib.md5(b"vk").hexdigest()
    rule = scheme(parts=["lit:v", "key"], placed_re="v1=([0-9a-f]{32})")
    for sent in (f"v1={'0' * 32},v1={right}", f"v1={right}"):
        request = message("https://a.example/", request={"S": sent})
        assert verify(request, rule, WHERE, [Key(1, "signing_key", "k")]).result == "equal"


def test_what_is_signed_decrypted_is_not_shown() -> None:

    key = b"0123456789abcdef"
    cipher = Cipher(algorithms.AES(key), modes.CBC(key)).encryptor()
    closed = base64.b64encode(cipher.update(b"buyer" + bytes([11] * 11)) + cipher.finalize()).decode()
    rule = scheme(
        algorithm="hmac-sha256",
        parts=["params"],
        params={"only": "^data$"},
        opened={"place": "request.json:/data", "name": "data"},
    )
    sent = hmac.new(key, b"databuyer", hashlib.sha256).hexdigest()
    request = message("https://a.example/", body=f'{{"data":"{closed}"}}', request={"S": sent})
    verdict = verify(request, rule, WHERE, [Key(1, "signing_key", key.decode())])
    assert (verdict.result, verdict.string_to_sign) == ("equal", "data{decrypted}")
    other = verify(request, rule, WHERE, [Key(1, "signing_key", "another key here")])
    assert (other.result, other.reason) == ("not_computable", "key_unreadable")
