"""The string to sign of a scheme, built from an exchange, or why it cannot be built."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote_plus

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import PlaceMap, Scheme, SchemeParams

Reason = Literal[
    "no_signature",  # the request carries none
    "part_absent",  # a part that the scheme needs is not in the request
    "part_not_recorded",
    "part_masked",
    "body_not_exact",  # the text is known, its bytes are not
    "no_key",  # no key of this kind was given
    "key_unreadable",  # the key is not of the declared encoding or form
]
UNRESERVED = "-_.~"  # RFC 3986, 2.3, beside letters and digits
MAX_SIGNED = 8 << 20  # bytes of a body that is signed


class NotComputableError(Exception):
    """The string cannot be built; `reason` and the part that is to blame."""

    def __init__(self, reason: Reason, part: str) -> None:
        super().__init__(f"{reason}: {part}")
        self.reason: Reason = reason
        self.part = part


@dataclass(frozen=True, slots=True)
class Build:
    """What a string is built from; `key` and `app` belong to the key that is tried."""

    message: Message
    scheme: Scheme
    places: PlaceMap
    key: bytes
    app: str | None = None
    shown: bool = False  # with a placeholder in place of the key

    def string(self) -> bytes:
        """The bytes to sign. Raises NotComputableError."""
        return self.scheme.join.encode().join(self.part(part) for part in self.scheme.parts)

    def part(self, part: str) -> bytes:
        """One part. Raises NotComputableError."""
        name = part.removesuffix("?") if not part.startswith("lit:") else part
        try:
            return self._part(name)
        except NotComputableError as error:
            if name != part and error.reason == "part_absent":
                return b""
            raise

    def _part(self, name: str) -> bytes:
        head, _, rest = name.partition(":")
        if head == "lit":
            return rest.encode()
        if name == "key":
            return b"{key}" if self.shown else self.key
        simple: dict[str, Callable[[], bytes]] = {
            "app": self._app,
            "method": lambda: self._column("method"),
            "path": lambda: _strip(self._column("path"), self.scheme.path_strip),
            "url": lambda: self._column("url"),
            "host": lambda: self._column("host"),
            "body": self._body,
            "params": self._params,
            "timestamp": lambda: self._places("timestamp", self.places.timestamp),
        }
        if head == "body_digest":
            return _digest(self._body(), rest)
        return simple[name]() if name in simple else self._places(name, (name,))

    def _app(self) -> bytes:
        return self.app.encode() if self.app else self._places("app", self.places.app)

    def _column(self, name: str) -> bytes:
        value = self.message.get(name)
        if value is None:
            raise NotComputableError("part_not_recorded", name)
        return value.encode("utf-8", "replace")

    def _places(self, name: str, where: tuple[str, ...]) -> bytes:
        for place in where:
            found = places.find(place, self.message)
            if found.state == "present":
                if is_masked(found.values[0]):
                    raise NotComputableError("part_masked", name)
                return found.values[0].encode("utf-8", "replace")
        unknown = places.state(where, self.message) == "unknown"
        raise NotComputableError("part_not_recorded" if unknown else "part_absent", name)

    def _body(self) -> bytes:
        row = self.message.row
        exact: bytes | None = row.get("request_body_bytes")
        if exact is not None:
            return exact[:MAX_SIGNED]
        text, state = self.message.text("request"), row.get("request_body_state")
        if state == "empty" or (text in (None, "") and state == "recorded"):
            raise NotComputableError("part_absent", "body")
        if text is None or state in ("not_recorded", "undecodable"):
            raise NotComputableError("part_not_recorded", "body")
        if state == "masked":
            raise NotComputableError("part_masked", "body")
        if state in ("truncated", "reconstructed") or row.get("request_body_exact") is not True:
            raise NotComputableError("body_not_exact", "body")
        return text.encode("utf-8", "replace")[:MAX_SIGNED]

    def _params(self) -> bytes:
        rule = self.scheme.params
        pairs = [(n, v) for origin in rule.origins for n, v in _pairs(self.message, origin) if n not in rule.exclude]
        if rule.skip_empty:
            pairs = [(n, v) for n, v in pairs if v]
        for name, value in pairs:
            if is_masked(value):
                raise NotComputableError("part_masked", name)
        if rule.sort == "ascii":
            pairs.sort(key=lambda pair: (pair[0].encode(), pair[1].encode()))
        return joined(pairs, rule).encode("utf-8", "replace")


def joined(pairs: list[tuple[str, str]], rule: SchemeParams) -> str:
    """Parameters as they stand in the string."""
    safe = (lambda s: quote(s, safe=UNRESERVED)) if rule.percent_encode else str
    form = rule.pair.replace("{name}", "\0n").replace("{value}", "\0v")
    return rule.join.join(form.replace("\0n", safe(n)).replace("\0v", safe(v)) for n, v in pairs)


def _pairs(message: Message, origin: str) -> Iterator[tuple[str, str]]:
    """Decoded parameters in the order sent. Raises NotComputableError where they were not recorded in full."""
    if origin == "query":
        if message.query_seen() is not True:
            raise NotComputableError("part_not_recorded", "query")
        yield from _split(message.get("query") or "")
        return
    if message.seen("request", "body") is not True:
        raise NotComputableError("part_not_recorded", "body")
    if origin == "form":
        yield from ((name, value) for name, found in message.form().items() for value in found)
        return
    tree: Any = message.json("request")[1]
    if isinstance(tree, dict):
        yield from ((name, text) for name, value in tree.items() if (text := jsonpointer.text_of(value)) is not None)


def _split(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            yield unquote_plus(name), unquote_plus(value)


def _strip(path: bytes, prefix: str | None) -> bytes:
    return path.removeprefix(prefix.encode()) if prefix else path


def _digest(body: bytes, rest: str) -> bytes:
    name, _, encoding = rest.partition(":")
    digest = hashlib.new(name, body, usedforsecurity=False).digest()
    return base64.b64encode(digest) if encoding == "base64" else digest.hex().encode()


def with_scheme(build: Build, **changes: Any) -> Build:
    """The same build under a scheme with other values."""
    return dataclasses.replace(build, scheme=build.scheme.model_copy(update=changes))
