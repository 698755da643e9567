"""Recomputes a request's signature from the scheme that its pack declares, with the keys that the user gave.

One engine for all schemes: build the string, digest it, encode it, compare. A result is a verdict, never an exception:
what could not be computed says which part is to blame. Keys are tried newest first and named by their place only.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from openclaw_forensics.platforms import places
from openclaw_forensics.platforms.digests import signature_of, string_of
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.mistakes import find_mistake
from openclaw_forensics.platforms.model import Pack, PlaceMap, Scheme
from openclaw_forensics.platforms.strings import Build, NotComputableError, Reason

MAX_SHOWN = 4_000  # characters of a string to sign that are shown


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the user. `place` is its position in the file, 1-based; the value is never shown."""

    place: int
    kind: str  # signing_key, webhook_key, client_secret
    value: str = dataclasses.field(repr=False)
    encoding: Literal["text", "hex", "base64"] | None = None  # None: as the scheme says
    app: str | None = None
    shop: str | None = None
    until: date | None = None  # an older version's last day

    def newest_first(self) -> tuple[bool, int, int]:
        """Order in which keys are tried."""
        return (self.until is not None, -(self.until.toordinal() if self.until else 0), self.place)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What recomputing says. `fits` is the place of the key that gives the sent signature."""

    scheme: str
    result: Literal["equal", "unequal", "not_computable"]
    reason: Reason | None = None
    part: str | None = None  # the part that `reason` is about
    string_to_sign: str | None = None  # with a placeholder in place of the key
    fits: int | None = None
    tried: tuple[int, ...] = ()
    mistake: str | None = None  # a usual mistake that gives the sent signature; see `mistakes`


def scheme_for(pack: Pack, use: Literal["call", "callback"], operation: str | None) -> Scheme | None:
    """The scheme of this operation: the first that names it, else the first for all operations."""
    fitting = [s for s in pack.schemes if s.use == use]
    named = [s for s in fitting if operation and any(fnmatchcase(operation, glob) for glob in s.operations)]
    return next(iter([*named, *(s for s in fitting if not s.operations)]), None)


def verify(message: Message, scheme: Scheme, where: PlaceMap, keys: Sequence[Key]) -> Verdict:
    """Compare the sent signature with the one that each fitting key gives."""
    try:
        sent = sent_signature(message, scheme, where)
    except NotComputableError as error:
        return Verdict(scheme.id, "not_computable", error.reason, error.part)
    chosen = _fitting(keys, scheme, message, where)
    if not chosen:
        return Verdict(scheme.id, "not_computable", "no_key", scheme.key, _shown(message, scheme, where, None))
    tried: list[int] = []
    builds: list[Build] = []
    problem = NotComputableError("no_key", scheme.key)
    for key in chosen:
        try:
            build = Build(message, scheme, where, key_bytes(key, scheme, sent), key.app)
            tried.append(key.place)
            if accepts(build, sent):
                return Verdict(
                    scheme.id, "equal", None, None, _shown(message, scheme, where, key), key.place, tuple(tried)
                )
            builds.append(build)
        except NotComputableError as error:
            problem = error
    if not builds:
        return Verdict(scheme.id, "not_computable", problem.reason, problem.part, None, None, tuple(tried))
    mistake = next((m for b in builds if (m := find_mistake(b, sent)) is not None), None)
    shown = _shown(message, scheme, where, chosen[0])
    return Verdict(scheme.id, "unequal", None, None, shown, None, tuple(tried), mistake)


def sent_signature(message: Message, scheme: Scheme, where: PlaceMap) -> str:
    """The signature as sent. Raises NotComputableError."""
    placed = scheme.placed or where.signature
    value = places.value(placed, message)
    if value is None:
        unknown = places.state(placed, message) == "unknown"
        raise NotComputableError("part_not_recorded" if unknown else "no_signature", "signature")
    if is_masked(value):
        raise NotComputableError("part_masked", "signature")
    if scheme.placed_re is None:
        return value.strip()
    match = re.search(scheme.placed_re, value[:8192])
    if match is None:
        raise NotComputableError("no_signature", "signature")
    return match[1] if match.re.groups else match[0]


def key_bytes(key: Key, scheme: Scheme, sent: str) -> bytes:
    """The key's bytes. Raises NotComputableError."""
    encoding = key.encoding if key.encoding not in (None, "text") else scheme.key_encoding
    try:
        if encoding == "hex":
            value = bytes.fromhex(key.value)
        elif encoding == "base64":
            value = base64.b64decode(key.value, validate=True)
        else:
            value = key.value.encode()
    except (ValueError, binascii.Error) as error:
        raise NotComputableError("key_unreadable", f"key {key.place}") from error
    if scheme.key_suffix_re is not None and (found := re.search(scheme.key_suffix_re, sent[:1024])):
        value += (found[1] if found.re.groups else found[0]).encode()
    return value


def accepts(build: Build, sent: str) -> bool:
    """Whether the build's signature is the sent one. Raises NotComputableError."""
    if build.scheme.algorithm in ("rsa-sha256", "ecdsa-sha256", "ed25519"):
        from openclaw_forensics.platforms.publickeys import verifies

        return verifies(build.scheme.algorithm, build.key, string_of(build), _decoded(sent, build.scheme))
    return hmac.compare_digest(signature_of(build, sent).encode(), sent.encode("utf-8", "replace"))


def _decoded(sent: str, scheme: Scheme) -> bytes:
    try:
        return base64.b64decode(sent, validate=True) if scheme.encoding == "base64" else bytes.fromhex(sent)
    except (ValueError, binascii.Error):
        return b""


def _fitting(keys: Iterable[Key], scheme: Scheme, message: Message, where: PlaceMap) -> list[Key]:
    """Keys of the scheme's kind, for this app and shop where the file names them, newest first."""
    app, shop = places.value(where.app, message), places.value(where.shop, message)
    return sorted(
        (
            key
            for key in keys
            if key.kind == scheme.key and key.app in (None, app or key.app) and key.shop in (None, shop or key.shop)
        ),
        key=Key.newest_first,
    )


def _shown(message: Message, scheme: Scheme, where: PlaceMap, key: Key | None) -> str | None:
    """The string to sign without the key, None where it cannot be built."""
    build = Build(message, scheme, where, b"", key.app if key else None, shown=True)
    try:
        return string_of(build).decode("utf-8", "replace")[:MAX_SHOWN]
    except NotComputableError:
        return None
