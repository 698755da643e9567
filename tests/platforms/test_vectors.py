"""Every public test vector of the shipped packs is reproduced, and what differs from it in one character is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from openclaw_forensics.platforms.digests import is_signature, signature_of, string_of
from openclaw_forensics.platforms.facts import RawMessage
from openclaw_forensics.platforms.lint import check_vector
from openclaw_forensics.platforms.load import PackSet, load
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.platforms.rawmessage import row_of
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.signature_model import SIMPLE_PARTS, Scheme, SchemeVector
from openclaw_forensics.platforms.signing import Key, Verdict, key_bytes, schemes_for, verify, verify_any
from openclaw_forensics.platforms.strings import _SIMPLE, Build

RULES = Path(__file__).parents[2] / "rules"
Case = tuple[str, str, int]


@cache
def packs() -> PackSet:
    return load([RULES], use_cache=False)


@cache
def pack(name: str) -> Pack:
    return packs().pack(name)


def schemes() -> list[tuple[str, str]]:
    return [(name, scheme.id) for name in packs().ids() for scheme in pack(name).schemes]


def vectors(*, signed: bool = False) -> list[Case]:
    return [
        (name, scheme, number)
        for name, scheme in schemes()
        for number, vector in enumerate(scheme_of(name, scheme).tests)
        if vector.signature is not None or not signed
    ]


def scheme_of(name: str, scheme: str) -> Scheme:
    return next(s for s in pack(name).schemes if s.id == scheme)


def carried() -> list[Case]:
    """Vectors whose message carries its signature, as all do but those of pages that print parameters alone."""
    found = []
    for case in vectors(signed=True):
        held, scheme, vector = of(case)
        message = Message(row_of(vector.request, vector.response))
        if verify(message, scheme, held.platform.places, ()).reason != "no_signature":
            found.append(case)
    return found


def of(case: Case) -> tuple[Pack, Scheme, SchemeVector]:
    name, scheme, number = case
    return pack(name), scheme_of(name, scheme), scheme_of(name, scheme).tests[number]


def build(case: Case, request: RawMessage | None = None, secret: str | None = None, sent: str | None = None) -> Build:
    held, scheme, vector = of(case)
    message = Message(row_of(request or vector.request, vector.response))
    given = Key(1, scheme.key, vector.secret if secret is None else secret)
    key = key_bytes(given, scheme, sent or vector.signature or "")
    return Build(message, scheme, held.platform.places, key, vector.app)


def accepted(case: Case, sent: str, request: RawMessage | None = None, secret: str | None = None) -> bool:
    try:
        return is_signature(build(case, request, secret, sent), sent)
    except NotComputableError:
        return False


def changed(text: str, at: int) -> str:
    return text[:at] + ("b" if text[at] != "b" else "c") + text[at + 1 :]


def variants(request: RawMessage) -> Iterator[RawMessage]:
    """The request with one character changed: in its path, its query, each header, its body."""
    url = request.url
    for at in (len(url) - 1, url.find("/", 9) + 1, url.find("=") + 1):
        if 8 < at < len(url):
            yield request.model_copy(update={"url": changed(url, at)})
    for name, value in request.headers.items():
        if value:
            headers = request.headers | {name: changed(value, len(value) // 2)}
            yield request.model_copy(update={"headers": headers})
    for at in range(1, len(request.body) - 1, max(1, len(request.body) // 100)):
        yield request.model_copy(update={"body": changed(request.body, at)})


ALL = pytest.mark.parametrize("case", vectors(), ids=lambda case: "-".join(map(str, case)))
SIGNED = pytest.mark.parametrize("case", vectors(signed=True), ids=lambda case: "-".join(map(str, case)))


@ALL
def test_vectors_are_reproduced(case: Case) -> None:
    assert check_vector(*of(case)) is None


@SIGNED
def test_another_signature_is_not_accepted(case: Case) -> None:
    signature = of(case)[2].signature or ""
    for at in (0, len(signature) // 2, len(signature) - 3):
        assert not accepted(case, changed(signature, at))


@SIGNED
def test_another_key_is_not_accepted(case: Case) -> None:
    _, scheme, vector = of(case)
    if scheme.key == "none":
        assert vector.secret == ""
        return
    at = len(vector.secret) // 2  # for a public key: inside its Base64
    assert not accepted(case, vector.signature or "", secret=changed(vector.secret, at))


@SIGNED
def test_another_request_is_not_accepted(case: Case) -> None:
    """Where one character changes the string to sign, the signature fits no more."""
    signature, right = of(case)[2].signature or "", string_of(build(case))
    differing = 0
    for request in variants(of(case)[2].request):
        try:
            differs = string_of(build(case, request)) != right
        except NotComputableError:
            continue
        differing += differs
        assert accepted(case, signature, request) is not differs
    assert differing


@pytest.mark.parametrize("case", carried(), ids=lambda case: "-".join(map(str, case)))
def test_the_scheme_is_found_and_verifies(case: Case) -> None:
    """From the message alone, as the diagnosis does it, wherever the vector carries its signature."""
    held, scheme, vector = of(case)
    message = Message(row_of(vector.request, vector.response))
    keys = [Key(1, scheme.key, vector.secret, app=vector.app)]
    verdict = verify(message, scheme, held.platform.places, keys)
    assert (verdict.result, verdict.fits) == ("equal", None if scheme.key == "none" else 1)
    operation = next(iter(scheme.operations), None)
    found = schemes_for(held, scheme.use, operation, message)
    assert (scheme.variant_of or scheme.id) == found[0].id
    assert verify_any(message, found, held.platform.places, keys).result == "equal"


@SIGNED
def test_no_mismatch_is_claimed_without_a_key(case: Case) -> None:
    held, scheme, vector = of(case)
    message = Message(row_of(vector.request, vector.response))
    unreadable = Key(1, scheme.key, "-----BEGIN PUBLIC KEY-----" if scheme.is_key_pair else "")
    for keys in ([], [unreadable] if scheme.is_key_pair else []):
        verdict: Verdict = verify(message, scheme, held.platform.places, keys)
        if scheme.key == "none":
            assert verdict.result == "equal"
        else:
            assert verdict.result == "not_computable"


def test_the_slip_of_a_plain_hash_is_named() -> None:
    """docs of a vector print sha256(...) where only an HMAC gives the value: the plain hash is told as that mistake."""
    case = ("lazada", "call", 0)
    held, scheme, vector = of(case)
    sent = hashlib.sha256(string_of(build(case))).hexdigest().upper()
    assert sent == "16D747DEB76796AE70BA583D811B74403F88153CF0D0183EF18CF4325D0A99B5"
    url = vector.request.url.replace(signature_of(build(case)), sent)
    message = Message(row_of(vector.request.model_copy(update={"url": url}), RawMessage()))
    keys = [Key(1, scheme.key, vector.secret)]
    assert verify(message, scheme, held.platform.places, keys).mistake == "algorithm"


def test_parts_that_a_scheme_may_name_can_be_built() -> None:
    assert _SIMPLE.keys() == SIMPLE_PARTS
