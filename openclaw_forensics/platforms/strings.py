"""The string to sign of a scheme, built from an exchange, or why it cannot be built."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openclaw_forensics.platforms import messagesignature, parameters, places
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import TEXT_LIMIT, Message
from openclaw_forensics.platforms.model import PlaceMap
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.signature_model import Scheme

MAX_SIGNED = 8 << 20  # bytes of a body that is signed


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
        parts = [self.part(part) for part in self.scheme.parts]
        return self.scheme.join.encode().join(sorted(parts) if self.scheme.sort_parts else parts)

    def part(self, part: str) -> bytes:
        """One part, as `signature_model` lists them. Raises NotComputableError."""
        if part.startswith("lit:"):
            return part[4:].encode()
        if part.startswith("if:"):
            _, condition, other = part.split(":", 2)
            return self.part(other) if self.part(f"{condition}?") else b""
        name, _, pattern = part.partition(" ~ ")
        wanted = name.removesuffix("?")
        try:
            value = self._part(wanted)
            return _first_group(pattern, value, wanted) if pattern else value
        except NotComputableError as error:
            if name != wanted and error.reason == "part_absent":
                return b""
            raise

    def _part(self, name: str) -> bytes:
        head, _, rest = name.partition(":")
        simple = _SIMPLE.get(name)
        if simple is not None:
            return simple(self)
        if head in _ENCODERS:
            return _ENCODERS[head](self.part(rest).decode("utf-8", "replace")).encode()
        if head == "body_digest":
            return _digest(self.body(), rest)
        return self.placed(name, (name,))

    def key_shown(self) -> bytes:
        """The key, or what stands for it."""
        return b"{key}" if self.shown else self.key

    def app_id(self) -> bytes:
        """The app of the key, else that of the request. Raises NotComputableError."""
        return self.app.encode() if self.app else self.placed("app", self.places.app)

    def column(self, name: str) -> bytes:
        """A column that every request has. Raises NotComputableError."""
        value = self.message.get(name)
        if value is None:
            raise NotComputableError("part_not_recorded", name)
        return value.encode("utf-8", "replace")

    def path(self) -> bytes:
        """The path without the scheme's prefix. Raises NotComputableError."""
        return self.column("path").removeprefix((self.scheme.path_strip or "").encode())

    def query(self) -> bytes:
        """The query as sent. Raises NotComputableError."""
        if self.message.query_seen() is not True:
            raise NotComputableError("part_not_recorded", "query")
        sent = self.message.get("query")
        if not sent:
            raise NotComputableError("part_absent", "query")
        return sent.encode("utf-8", "replace")

    def placed(self, name: str, where: tuple[str, ...]) -> bytes:
        """The value at the first of these places that holds one. Raises NotComputableError."""
        for place in where:
            found = places.find(place, self.message)
            if found.state == "present":
                if is_masked(found.values[0]):
                    raise NotComputableError("part_masked", name)
                return found.values[0].encode("utf-8", "replace")
        unknown = places.state(where, self.message) == "unknown"
        raise NotComputableError("part_not_recorded" if unknown else "part_absent", name)

    def body(self) -> bytes:
        """The exact bytes of the body. Raises NotComputableError."""
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

    def target(self) -> bytes:
        """Path and query, as in a request line (RFC 9112, 3.2.1). Raises NotComputableError."""
        query = self.part("query?")
        return self.path() + (b"?" + query if query else b"")


_SIMPLE: dict[str, Callable[[Build], bytes]] = {
    "key": Build.key_shown,
    "app": Build.app_id,
    "timestamp": lambda build: build.placed("timestamp", build.places.timestamp),
    "method": lambda build: build.column("method"),
    "url": lambda build: build.column("url"),
    "host": lambda build: build.column("host"),
    "path": Build.path,
    "query": Build.query,
    "query_sorted": lambda build: b"&".join(sorted(build.query().split(b"&"))),
    "target": Build.target,
    "base_url": lambda build: messagesignature.base_url(build.message).encode("utf-8", "replace"),
    "body": Build.body,
    "params": lambda build: parameters.text(build).encode("utf-8", "replace"),
    "signature_base": lambda build: messagesignature.signature_base(build).encode("utf-8", "replace"),
}


_ENCODERS: dict[str, Callable[[str], str]] = {
    "percent": parameters.percent,
    "formencoded": parameters.form_encoded,
}


def _first_group(pattern: str, value: bytes, name: str) -> bytes:
    match = re.search(pattern, value[:TEXT_LIMIT].decode("utf-8", "replace"))
    if match is None:
        raise NotComputableError("part_absent", name)
    return (match[1] if match.re.groups else match[0]).encode()


def _digest(body: bytes, rest: str) -> bytes:
    name, _, encoding = rest.partition(":")
    digest = hashlib.new(name, body, usedforsecurity=False).digest()
    if encoding == "base64":
        return base64.b64encode(digest)
    return (digest.hex().upper() if encoding == "HEX" else digest.hex()).encode()


def with_scheme(build: Build, **changes: Any) -> Build:
    """The same build under a scheme with other values."""
    return dataclasses.replace(build, scheme=build.scheme.model_copy(update=changes))
