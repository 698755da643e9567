"""Encrypted bodies opened with the keys that the user gave, so that a report shows what was really said.

AES in CBC, ECB and GCM over base64 or hexadecimal: a whole body, a form field, or a string inside JSON. It counts as
opened only when padding or tag fit and the result is JSON in UTF-8, which no wrong key yields by chance.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openclaw_forensics.platforms.load import fold
from openclaw_forensics.platforms.message import Digits, parse_json, parse_pairs
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.settings import Secret

if TYPE_CHECKING:  # at run time only where the user gave a key
    from cryptography.hazmat.primitives.ciphers import modes

MAX_TEXT = 1 << 20  # characters of an encrypted text
_MOST_LEAVES = 20  # texts tried per body
_MOST_KEYS = 8
_DEEPEST = 24
_BLOCK = 16  # bytes, FIPS 197
_NONCE, _TAG = 12, 16  # bytes, NIST SP 800-38D
_SIZES = (16, 24, 32)
_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class AesKey:
    """A key of the user's file with the vectors of its platform. `place` is 1-based; the value is never shown."""

    place: int
    key: bytes = field(repr=False)
    vectors: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a body says once decrypted."""

    text: str
    steps: tuple[str, ...]  # such as base64, aes-128-cbc, json
    place: int


def aes_keys(secrets: Sequence[Secret], pack: Pack) -> list[AesKey]:
    """The AES keys given for this platform. A key longer than AES takes is used by its first bytes as well."""
    names = {fold(n) for n in (pack.platform.id, *pack.platform.aliases)}
    ours = [(place, s) for place, s in enumerate(secrets, 1) if fold(s.platform) in names]
    vectors = tuple(v[:_BLOCK] for _, s in ours if s.kind == "aes_iv" and (v := _raw(s)) is not None)
    keys = []
    for place, secret in ours:
        value = _raw(secret) if secret.kind == "aes_key" else None
        if value is not None:
            sizes = [len(value)] if len(value) in _SIZES else [n for n in _SIZES if n < len(value)]
            keys += [AesKey(place, value[:n], vectors) for n in sizes]
    return keys[:_MOST_KEYS]


def _raw(secret: Secret) -> bytes | None:
    value = secret.value.get_secret_value()
    try:
        if secret.encoding == "hex":
            return bytes.fromhex(value)
        if secret.encoding == "base64":
            return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None
    return value.encode("utf-8", "replace")


def open_body(body: str | None, keys: Sequence[AesKey]) -> Opened | None:
    """The body decrypted, or with its encrypted parts replaced; None where no key opens anything."""
    if not body or not keys or len(body) > MAX_TEXT:
        return None
    whole = _open(body.strip().strip('"'), keys)
    if whole is not None:
        return whole[0]
    valid, tree = parse_json(body)
    root: Any = tree if valid else {n: v[0] for n, v in parse_pairs(body.strip()).items()}
    opener = _Opener(keys)
    shown = opener.walk(root, 0)
    if opener.first is None:
        return None
    return Opened(_dump(shown), opener.first.steps, opener.first.place)


def looks_encrypted(body: str | None) -> bool:
    """Whether the whole body is base64 or hexadecimal of full blocks that are no text."""
    data = next((d for _, d in _bytes(body.strip())), None) if body and len(body) <= MAX_TEXT else None
    if data is None or len(data) < 2 * _BLOCK or len(data) % _BLOCK:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


class _Opener:
    """Replaces encrypted strings in a tree, as far as a bounded number of tries goes."""

    def __init__(self, keys: Sequence[AesKey]) -> None:
        self._keys, self._left = keys, _MOST_LEAVES
        self.first: Opened | None = None

    def walk(self, node: Any, depth: int) -> Any:
        """The same tree with what could be opened."""
        if depth > _DEEPEST:
            return node
        if isinstance(node, dict):
            return {k: self.walk(v, depth + 1) for k, v in node.items()}
        if isinstance(node, list):
            return [self.walk(v, depth + 1) for v in node]
        return self._leaf(node) if isinstance(node, str) else node

    def _leaf(self, text: str) -> Any:
        if len(text) < 24 or self._left <= 0:
            return text
        self._left -= 1
        opened = _open(text, self._keys)
        if opened is None:
            return text
        self.first = self.first or opened[0]
        return opened[1]


def _open(text: str, keys: Iterable[AesKey]) -> tuple[Opened, Any] | None:
    for encoding, data in _bytes(text):
        for key in keys:
            for mode, plain in _plains(data, key):
                found = _json(plain)
                if found is not None:
                    steps = (encoding, f"aes-{len(key.key) * 8}-{mode}", "json")
                    return Opened(found[0], steps, key.place), found[1]
    return None


def _bytes(text: str) -> Iterator[tuple[str, bytes]]:
    """What the text may encode."""
    plain = "".join(text.split())
    if len(plain) % 2 == 0 and _HEX.fullmatch(plain):
        yield "hex", bytes.fromhex(plain)
    if _BASE64.fullmatch(plain):
        padded = plain.rstrip("=") + "=" * (-len(plain.rstrip("=")) % 4)
        try:
            yield "base64", base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
        except (ValueError, binascii.Error):
            return


def _plains(data: bytes, key: AesKey) -> Iterator[tuple[str, bytes]]:
    """What each mode makes of the data, where padding or tag fit."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(data) >= _BLOCK and len(data) % _BLOCK == 0:
        for vector in (*key.vectors, key.key[:_BLOCK], bytes(_BLOCK)):
            if len(vector) == _BLOCK:
                yield from _padded("cbc", key.key, modes.CBC(vector), data)
        if len(data) > _BLOCK:  # the vector in front
            yield from _padded("cbc", key.key, modes.CBC(data[:_BLOCK]), data[_BLOCK:])
        yield from _padded("ecb", key.key, modes.ECB(), data)  # noqa: S305 - reading what others encrypted
    for vector, rest in ((data[:_NONCE], data[_NONCE:]), *((v[:_NONCE], data) for v in key.vectors)):
        if len(vector) == _NONCE and len(rest) > _TAG:
            try:
                yield "gcm", AESGCM(key.key).decrypt(vector, rest, None)
            except InvalidTag:
                continue


def _padded(name: str, key: bytes, mode: modes.CBC | modes.ECB, data: bytes) -> Iterator[tuple[str, bytes]]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
    from cryptography.hazmat.primitives.padding import PKCS7

    worker = Cipher(algorithms.AES(key), mode).decryptor()
    unpad = PKCS7(_BLOCK * 8).unpadder()
    try:
        yield name, unpad.update(worker.update(data) + worker.finalize()) + unpad.finalize()
    except ValueError:
        return


def _dump(node: Any) -> str:
    """JSON that keeps a number's digits as they were written."""
    if isinstance(node, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_dump(v)}" for k, v in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_dump, node)) + "]"
    return str(node) if isinstance(node, Digits) else json.dumps(node, ensure_ascii=False)


def _json(plain: bytes) -> tuple[str, Any] | None:
    """The text and its value where the bytes are a JSON object or array in UTF-8."""
    try:
        text = plain.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    valid, value = parse_json(text) if text[:1] in ("{", "[") else (False, None)
    return (text, value) if valid else None
