"""One exchange as places see it: its parts parsed once, when first asked for.

Numbers in JSON keep their digits, text is free of lone surrogates, and every parse is bounded. A part that does not
parse as what it is asked for is None; the tolerant reading of broken bodies is kept apart from the exact one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import unquote, unquote_plus
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml import DefusedXmlException

from openclaw_forensics.platforms import tolerant

Side = Literal["request", "response"]
Json = dict[str, Any] | list[Any] | str | bool | None

TEXT_LIMIT = 64 << 10  # characters that a pattern on a body looks at
PARSE_LIMIT = 8 << 20  # characters of a body that is parsed
MAX_PAIRS = 2_000  # parameters read of a query or form
FORM = r"^[A-Za-z0-9_.\-%\[\]$]+="  # how a form-encoded body begins
_FORM = re.compile(FORM)
_SURROGATE = re.compile("[\ud800-\udfff]")
COLUMNS = (  # of an exchange, that places are read from
    "url", "host", "path", "query", "status", "request_headers", "request_headers_state", "request_body",
    "request_body_state", "response_headers", "response_headers_state", "response_body", "response_body_state",
)  # fmt: skip
_UNSEEN = frozenset({"not_recorded", "undecodable"})
_PARTIAL = frozenset({"masked", "truncated", "reconstructed"})


class Digits(str):
    """A JSON number as written."""

    __slots__ = ()


def clean(text: str) -> str:
    """`text` without lone surrogates, which no UTF-8 column can hold."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def parse_json(text: str) -> tuple[bool, Json]:
    """Whether `text` is JSON, and its value with numbers as `Digits`. JSON inside a JSON string is opened once."""
    body = text.lstrip("\ufeff \t\r\n")
    if not body or body[0] == "<" or len(body) > PARSE_LIMIT:
        return False, None
    try:
        value = _DECODER.decode(body.rstrip())
    except (ValueError, RecursionError):
        return False, None
    if isinstance(value, str) and not isinstance(value, Digits) and value[:1] in ("{", "["):
        inner, parsed = parse_json(value) if len(value) < len(text) else (False, None)
        return (True, parsed) if inner else (True, value)
    return True, value


_DECODER = json.JSONDecoder(parse_int=Digits, parse_float=Digits, parse_constant=Digits, strict=False)


def parse_xml(text: str) -> Element | None:
    """The root element, without entities or external references; None where `text` is no XML."""
    body = text.lstrip("\ufeff \t\r\n")
    if not body.startswith("<") or len(body) > PARSE_LIMIT or body[:9].lower() == "<!doctype" or body[:5] == "<html":
        return None
    try:
        root: Element = SafeTree.fromstring(body.encode("utf-8", "replace"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        try:  # a declaration that names another charset than the text now has
            root = SafeTree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", body), forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
            return None
    return root


def parse_pairs(text: str) -> dict[str, list[str]]:
    """Parameters of a query or form by decoded name, in order; a name without `=` is no parameter."""
    pairs: dict[str, list[str]] = {}
    for part in text.split("&", MAX_PAIRS)[:MAX_PAIRS]:
        name, equals, value = part.partition("=")
        if equals:
            pairs.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return pairs


class Message:
    """A row of the exchanges frame, its parts parsed lazily and once."""

    __slots__ = ("_parsed", "found", "row")

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self._parsed: dict[str, Any] = {}
        self.found: dict[str, Any] = {}  # what `places.find` found here, by place

    @classmethod
    def of_json(cls, side: Side, value: Any) -> Message:
        """A message whose only part is this JSON value, for places relative to an item."""
        message = cls({f"{side}_body": "", f"{side}_body_state": "recorded"})
        message._parsed[f"{side}.json"] = (True, value)
        return message

    def _once(self, key: str, make: Callable[[], Any]) -> Any:
        if key not in self._parsed:
            self._parsed[key] = make()
        return self._parsed[key]

    def get(self, column: str) -> str | None:
        """A text column; null and missing are None."""
        value: str | None = self.row.get(column)
        return value

    def text(self, side: Side) -> str | None:
        """The body's text."""
        return self.get(f"{side}_body")

    def seen(self, side: Side, part: Literal["headers", "body"]) -> bool | None:
        """Whether a part was recorded: True in full, None in part, False not at all."""
        state = self.row.get(f"{side}_{part}_state")
        if state is None:
            return self.row.get(f"{side}_{part}") is not None
        return False if state in _UNSEEN else None if state in _PARTIAL else True

    def query_seen(self) -> bool | None:
        """Whether the query was recorded: a writer that logs no headers may log the bare address as well."""
        if self.get("query"):
            return True
        if self.get("url") is None:
            return False
        return True if self.seen("request", "headers") else None

    def headers(self, side: Side) -> dict[str, list[str]]:
        """Header values by lower-case name, in order."""

        def make() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            pairs: Sequence[Mapping[str, str | None]] = self.row.get(f"{side}_headers") or ()
            for pair in pairs:
                found.setdefault((pair["name"] or "").lower(), []).append(pair["value"] or "")
            return found

        result: dict[str, list[str]] = self._once(f"{side}.headers", make)
        return result

    def query(self) -> dict[str, list[str]]:
        """Parameters of the address."""
        result: dict[str, list[str]] = self._once("query", lambda: parse_pairs(self.get("query") or ""))
        return result

    def form(self) -> dict[str, list[str]]:
        """Parameters of a form-encoded request body."""

        def make() -> dict[str, list[str]]:
            text = self.text("request") or ""
            return parse_pairs(text.strip()) if _FORM.match(text) else {}

        result: dict[str, list[str]] = self._once("form", make)
        return result

    def json(self, side: Side) -> tuple[bool, Json]:
        """Whether the body is JSON, and its value."""
        result: tuple[bool, Json] = self._once(f"{side}.json", lambda: parse_json(self.text(side) or ""))
        return result

    def tree(self, side: Side) -> tolerant.Tree:
        """What a body that is no valid JSON shows all the same."""
        result: tolerant.Tree = self._once(f"{side}.tree", lambda: tolerant.read(self.text(side) or ""))
        return result

    def xml(self, side: Side) -> Element | None:
        """The root element of an XML body."""
        result: Element | None = self._once(f"{side}.xml", lambda: parse_xml(self.text(side) or ""))
        return result

    def authorization(self, scheme: str) -> str | None:
        """What follows `scheme` in the Authorization header (RFC 9110, 11.6.2)."""
        for value in self.headers("request").get("authorization", ()):
            name, _, rest = value.strip().partition(" ")
            if name.lower() == scheme and rest.strip():
                return rest.strip()
        return None

    def oauth(self) -> list[tuple[str, str]]:
        """Decoded parameters of `Authorization: OAuth`, the realm left out (RFC 5849, 3.5.1)."""
        text = (self.authorization("oauth") or "")[:TEXT_LIMIT]
        pairs = (part.strip().partition("=") for part in text.split(","))
        found = [(unquote(name.strip()), unquote(value.strip().strip('"'))) for name, equals, value in pairs if equals]
        return [(name, value) for name, value in found if name.lower() != "realm"]

    def basic(self) -> tuple[str, str] | None:
        """User and password of Basic authentication (RFC 7617)."""
        value = self.authorization("basic")
        if value is None:
            return None
        try:
            user, colon, password = base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return None
        return (user, password) if colon else None
