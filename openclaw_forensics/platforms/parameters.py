"""The parameters of a string to sign: collected, decrypted where the scheme says so, sorted and joined."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote_plus

from openclaw_forensics.platforms import jsonpointer, multipart
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.signature_model import SchemeParams

if TYPE_CHECKING:
    from openclaw_forensics.platforms.strings import Build

UNRESERVED = "-_.~"  # RFC 3986, 2.3, beside letters and digits
Pair = tuple[str, str]
_SLOT = re.compile(r"\{(name|value)(_length)?(?::0([1-9]))?\}")


def text(build: Build) -> str:
    """The parameters as they stand in the string. Raises NotComputableError."""
    rule = build.scheme.params
    pairs = [pair for origin in rule.origins for pair in _pairs(build, origin)]
    if rule.body_name is not None:
        pairs.append((rule.body_name, build.part("body?").decode("utf-8", "replace")))
    if (opened := build.scheme.opened) is not None:
        value = "{decrypted}" if build.shown else _opened(build.part(opened.place), build.key)
        pairs.append((opened.name, value))
    kept = [
        (name, value)
        for name, value in pairs
        if name not in rule.exclude
        and (rule.only is None or re.search(rule.only, name[:1024]))
        and (value or not rule.skip_empty)
    ]
    for name, value in kept:
        if is_masked(value):
            raise NotComputableError("part_masked", name)
    return joined(kept if rule.repeat_join is None else _merged(kept, rule.repeat_join), rule)


def joined(pairs: list[Pair], rule: SchemeParams) -> str:
    """Parameters sorted and put together as the scheme says."""
    if rule.sort == "ascii":
        pairs = sorted(pairs, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    if rule.percent_encode:
        pairs = [(percent(name), percent(value)) for name, value in pairs]
    if rule.sort == "encoded":
        pairs = sorted(pairs)
    return rule.join.join(_written(pair, rule.pair) for pair in pairs)


def _merged(pairs: list[Pair], between: str) -> list[Pair]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return [(name, between.join(found)) for name, found in values.items()]


def form_encoded(value: str) -> str:
    """As in application/x-www-form-urlencoded (URL standard, 5.2)."""
    return quote_plus(value, safe="*-._").replace("~", "%7E")


def percent(value: str) -> str:
    """Percent-encoded (RFC 3986, 2.1)."""
    return quote(value, safe=UNRESERVED)


def _written(pair: Pair, form: str) -> str:
    values = {"name": pair[0], "value": pair[1]}

    def slot(match: re.Match[str]) -> str:
        value = values[match[1]]
        return f"{len(value):0{match[3] or 1}}" if match[2] else value

    return _SLOT.sub(slot, form)


def _pairs(build: Build, origin: str) -> Iterator[Pair]:
    """Decoded parameters in the order sent. Raises NotComputableError where they were not recorded in full."""
    message, rule = build.message, build.scheme.params
    if origin in ("header", "oauth"):
        if message.seen("request", "headers") is not True:
            raise NotComputableError("part_not_recorded", "headers")
        yield from message.oauth() if origin == "oauth" else _headers(message)
        return
    if origin == "query":
        if message.query_seen() is not True:
            raise NotComputableError("part_not_recorded", "query")
        yield from _split(message.get("query") or "")
        return
    if message.seen("request", "body") is not True:
        raise NotComputableError("part_not_recorded", "body")
    if origin == "form":
        yield from _form(message)
    elif origin == "multipart":
        yield from _multipart(build, rule)
    else:
        yield from _members(message.json("request")[1], rule)


def _form(message: Message) -> Iterator[Pair]:
    """Parameters of the body; a name without `=` is one as well where the content type says that this is a form."""
    declared = next(iter(message.headers("request").get("content-type", ())), "").lower()
    if declared.startswith("application/x-www-form-urlencoded"):
        yield from _split((message.text("request") or "").strip())
    else:
        yield from ((name, value) for name, found in message.form().items() for value in found)


def _headers(message: Message) -> Iterator[Pair]:
    yield from ((name, value.strip()) for name, found in message.headers("request").items() for value in found)


def _members(tree: Any, rule: SchemeParams) -> Iterator[Pair]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            written = rule.null if value is None else jsonpointer.text_of(value)
            if written is not None:
                yield name, written


def _multipart(build: Build, rule: SchemeParams) -> Iterator[Pair]:
    content_type = next(iter(build.message.headers("request").get("content-type", ())), "")
    if "multipart/form-data" not in content_type.lower():
        return
    fields = multipart.fields(build.part("body?"), content_type)
    if fields is None:
        raise NotComputableError("not_understood", "body")
    for field in fields:
        if field.filename is None:
            yield field.name, field.content.decode("utf-8", "replace")
        elif rule.files == "md5":
            yield field.filename, hashlib.md5(field.content, usedforsecurity=False).hexdigest()


def _split(query: str) -> Iterator[Pair]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            yield unquote_plus(name), unquote_plus(value)


def _opened(sent: bytes, key: bytes) -> str:
    from openclaw_forensics.platforms.blockcipher import decrypt_cbc

    try:
        return decrypt_cbc(base64.b64decode(sent, validate=True), key[:16]).decode("utf-8", "replace")
    except (ValueError, binascii.Error) as error:
        raise NotComputableError("key_unreadable", "encrypted value") from error
