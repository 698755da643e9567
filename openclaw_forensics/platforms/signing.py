"""Recomputes a request's signature from the scheme that its pack declares, with the keys that the user gave.

One engine for all schemes: build the string, digest it, encode it, compare. A result is a verdict, never an exception:
what could not be computed says which part is to blame. Keys are tried newest first and named by their place only.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.digests import is_signature, string_of
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import Digits, Message, parse_json
from openclaw_forensics.platforms.mistakes import find_mistake
from openclaw_forensics.platforms.model import Pack, PlaceMap
from openclaw_forensics.platforms.reasons import NotComputableError, Reason
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.platforms.strings import Build

MAX_SHOWN = 4_000  # characters of a string to sign that are shown
MAX_SENT = 8  # signatures of one message that are compared


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the user. `place` is its position in the file, 1-based; the value is never shown."""

    place: int
    kind: str  # signing_key, webhook_key, client_secret, none
    value: str = dataclasses.field(repr=False)
    encoding: Literal["text", "hex", "base64"] | None = None  # None: as the scheme says
    app: str | None = None
    shop: str | None = None
    until: date | None = None  # an older version's last day

    def newest_first(self) -> tuple[bool, int, int]:
        """Order in which keys are tried."""
        return (self.until is not None, -(self.until.toordinal() if self.until else 0), self.place)


NO_KEY = Key(0, "none", "")  # for schemes in which no secret takes part


@dataclass(frozen=True, slots=True)
class Verdict:
    """What recomputing says. `fits` is the place of the key that gives the sent signature, None without a key.

    `unequal` always rests on a readable key of the scheme's kind, or on a scheme that has none.
    """

    scheme: str
    result: Literal["equal", "unequal", "not_computable"]
    reason: Reason | None = None
    part: str | None = None  # the part that `reason` is about
    string_to_sign: str | None = None  # with a placeholder in place of the key
    fits: int | None = None
    tried: tuple[int, ...] = ()
    mistake: str | None = None  # a usual mistake that gives the sent signature; see `mistakes`


def schemes_for(
    pack: Pack, use: Literal["call", "callback"], operation: str | None, message: Message
) -> tuple[Scheme, ...]:
    """The scheme of this message, and the other forms that the platform accepts in its place; empty where none fits.

    Those that name the operation go before those for all; among equals the first whose signature the message carries.
    """
    fitting = [
        s for s in pack.schemes if s.use == use and s.variant_of is None and places.all_hold(s.when, message) is True
    ]
    named = [s for s in fitting if operation and any(fnmatchcase(operation, glob) for glob in s.operations)]
    ranked = [*named, *(s for s in fitting if not s.operations)]
    signed = [s for s in ranked if places.value(s.placed or pack.platform.places.signature, message) is not None]
    if not ranked:
        return ()
    scheme = (signed or ranked)[0]
    return (scheme, *(s for s in pack.schemes if s.variant_of == scheme.id))


def verify_any(message: Message, schemes: Sequence[Scheme], where: PlaceMap, keys: Sequence[Key]) -> Verdict:
    """The verdict of the first of `schemes` that fits, else the first that is a mismatch, else the first."""
    verdicts = [verify(message, scheme, where, keys) for scheme in schemes]
    by_result = {verdict.result: verdict for verdict in reversed(verdicts)}
    return by_result.get("equal") or by_result.get("unequal") or verdicts[0]


def verify(message: Message, scheme: Scheme, where: PlaceMap, keys: Sequence[Key]) -> Verdict:
    """Compare the sent signature with the one that each fitting key gives."""
    try:
        sent = sent_signatures(message, scheme, where)
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
            build = Build(message, scheme, where, key_bytes(key, scheme, sent[0]), key.app)
            fits = any(is_signature(build, each) for each in sent)
        except NotComputableError as error:
            problem = error
            continue
        tried += [key.place] if key is not NO_KEY else []
        if fits:
            place = key.place if key is not NO_KEY else None
            return Verdict(scheme.id, "equal", None, None, _shown(message, scheme, where, key), place, tuple(tried))
        builds.append(build)
    if not builds:
        return Verdict(scheme.id, "not_computable", problem.reason, problem.part, None, None, tuple(tried))
    mistake = next((m for b in builds if (m := find_mistake(b, sent[0])) is not None), None)
    shown = _shown(message, scheme, where, chosen[0])
    return Verdict(scheme.id, "unequal", None, None, shown, None, tuple(tried), mistake)


def sent_signatures(message: Message, scheme: Scheme, where: PlaceMap) -> tuple[str, ...]:
    """The signatures as sent, one or several any of which may fit. Raises NotComputableError."""
    placed = scheme.placed or where.signature
    value = places.value(placed, message)
    if value is None:
        unknown = places.state(placed, message) == "unknown"
        raise NotComputableError("part_not_recorded" if unknown else "no_signature", "signature")
    if is_masked(value):
        raise NotComputableError("part_masked", "signature")
    if scheme.placed_pointer is not None:
        value = _within(value, scheme.placed_pointer)
    if scheme.placed_re is None:
        return (value.strip(),)
    matches = [m[1] if m.re.groups else m[0] for m in re.finditer(scheme.placed_re, value[:8192])]
    if not matches:
        raise NotComputableError("no_signature", "signature")
    return tuple(matches[:MAX_SENT])


def _within(value: str, pointer: str) -> str:
    """What Base64 of JSON holds at a pointer. Raises NotComputableError."""
    try:
        tree = parse_json(base64.b64decode(value.strip()[:65536], validate=True).decode())[1]
    except ValueError as error:  # binascii.Error and UnicodeDecodeError are such
        raise NotComputableError("not_understood", "signature") from error
    found = next((end for _, end in jsonpointer.nodes(tree, jsonpointer.pointer(pointer))), None)
    if not isinstance(found, str) or isinstance(found, Digits):
        raise NotComputableError("not_understood", "signature")
    return found


def key_bytes(key: Key, scheme: Scheme, sent: str = "") -> bytes:
    """The key's bytes. Raises NotComputableError."""
    text = key.value.removeprefix(scheme.key_strip or "")
    encoding = key.encoding if key.encoding not in (None, "text") else scheme.key_encoding
    try:
        if "-----BEGIN " in text and not scheme.is_key_pair:
            raise ValueError("a key of a pair is no shared secret")
        if encoding == "hex":
            value = bytes.fromhex(text)
        elif encoding == "base64":
            value = base64.b64decode(text, validate=True)
        else:
            value = text.encode()
    except ValueError as error:  # binascii.Error is one
        raise NotComputableError("key_unreadable", f"key {key.place}") from error
    if scheme.key_suffix_re is not None and (found := re.search(scheme.key_suffix_re, sent[:1024])):
        value += (found[1] if found.re.groups else found[0]).encode()
    return value + scheme.key_suffix.encode()


def _fitting(keys: Iterable[Key], scheme: Scheme, message: Message, where: PlaceMap) -> list[Key]:
    """Keys of the scheme's kind, for this app and shop where the file names them, newest first."""
    if scheme.key == "none":
        return [NO_KEY]
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
