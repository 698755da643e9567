"""The usual mistakes in signing: which one turns the right key into the signature that was sent.

A mistake that reproduces the signature proves the key right and the string wrong, and names the line to change.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator

from openclaw_forensics.platforms.digests import is_signature
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.strings import Build, with_scheme

Mistake = tuple[str, Callable[[Build], Iterator[Build]]]


def find_mistake(build: Build, sent: str) -> str | None:
    """The name of the first mistake that gives `sent`, None where none does."""
    if build.scheme.algorithm == "aws4-hmac-sha256":
        return None
    for name, variants in MISTAKES:
        if build.scheme.is_key_pair and name not in _OF_STRINGS:
            continue
        for variant in variants(build):
            try:
                if is_signature(variant, sent):
                    return name
            except NotComputableError:
                continue
    return None


def _encodings(build: Build) -> Iterator[Build]:
    for encoding in ("hex", "HEX", "base64"):
        if encoding != build.scheme.encoding:
            yield with_scheme(build, encoding=encoding)


def _algorithms(build: Build) -> Iterator[Build]:
    for algorithm in ("hmac-sha256", "hmac-sha1", "hmac-md5", "hmac-sha512", "sha256", "sha1", "md5"):
        if algorithm != build.scheme.algorithm:
            yield with_scheme(build, algorithm=algorithm)


def _keys(build: Build) -> Iterator[Build]:
    key = build.key
    texts = [key.strip(), key + b"\n", key + b"&"]
    with contextlib.suppress(ValueError):
        texts.append(bytes.fromhex(key.decode()))
    yield from (dataclasses.replace(build, key=each) for each in texts if each != key)


def _paths(build: Build) -> Iterator[Build]:
    path = build.message.get("path") or ""
    query = build.message.get("query")
    if build.scheme.path_strip:
        yield with_scheme(build, path_strip=None)
    others = {path.rstrip("/"), f"{path}/", path.removeprefix("/"), f"{path}?{query}"}
    if (at := path.find("/", 1)) > 0:
        others.add(path[at:])
    yield from (_with_row(build, path=other) for other in sorted(others - {path}))


def _orders(build: Build) -> Iterator[Build]:
    params = build.scheme.params
    yield with_scheme(build, params=params.model_copy(update={"sort": "none" if params.sort == "ascii" else "ascii"}))


def _escapes(build: Build) -> Iterator[Build]:
    params = build.scheme.params
    yield with_scheme(build, params=params.model_copy(update={"percent_encode": not params.percent_encode}))


def _exclusions(build: Build) -> Iterator[Build]:
    params = build.scheme.params
    yield from (
        with_scheme(build, params=params.model_copy(update={"exclude": tuple(e for e in params.exclude if e != name)}))
        for name in params.exclude
    )
    yield with_scheme(build, params=params.model_copy(update={"skip_empty": not params.skip_empty}))


def _omissions(build: Build) -> Iterator[Build]:
    parts = build.scheme.parts
    for index, part in enumerate(parts):
        if part != "key" and not part.startswith("lit:") and ":lit:" not in part and len(parts) > 1:
            yield with_scheme(build, parts=parts[:index] + parts[index + 1 :])


def _methods(build: Build) -> Iterator[Build]:
    method = build.message.get("method")
    if method:
        yield _with_row(build, method=method.lower())


def _bodies(build: Build) -> Iterator[Build]:
    yield _with_row(build, request_body_bytes=None, request_body_exact=False)  # a digest header is taken as sent
    text = build.message.text("request")
    try:
        tree = json.loads(text or "")
    except (ValueError, RecursionError):
        return
    for sort in (False, True):
        for separators in ((",", ":"), (", ", ": ")):
            for ascii_only in (True, False):
                other = json.dumps(tree, sort_keys=sort, separators=separators, ensure_ascii=ascii_only)
                if other != text:
                    yield _with_row(build, request_body=other, request_body_bytes=None, request_body_exact=True)


def _with_row(build: Build, **columns: object) -> Build:
    return dataclasses.replace(build, message=Message({**build.message.row, **columns}))


MISTAKES: tuple[Mistake, ...] = (
    ("encoding", _encodings),  # the right digest, written otherwise
    ("key_form", _keys),  # blanks around the key, or read as hexadecimal
    ("path", _paths),  # with or without prefix, slash or query
    ("order", _orders),  # parameters not sorted, or sorted where they must not be
    ("escaping", _escapes),  # parameters signed encoded, or decoded where they must not be
    ("parameters", _exclusions),  # a parameter signed that must be left out, or empty ones
    ("omission", _omissions),  # a part of the string left out
    ("method", _methods),
    ("body", _bodies),  # the body re-serialised between signing and sending
    ("algorithm", _algorithms),
)

# Mistakes in the string, not in digest or key: those that can be tried with a public key.
_OF_STRINGS = frozenset({"path", "order", "escaping", "parameters", "omission", "method", "body"})


def names() -> tuple[str, ...]:
    """All names that a verdict's `mistake` may have."""
    return tuple(name for name, _ in MISTAKES)
