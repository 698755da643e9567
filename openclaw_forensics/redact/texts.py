"""Hides values in text of any kind: JSON, forms, XML, headers, dumps of other languages, and free text.

One pass finds names followed by a value in every notation; what a name says decides. Values under a name of personal
data are hidden with everything below them. A second pass finds what has a form of its own (tokens, e-mail, phones).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.redact.names import Names
from openclaw_forensics.redact.vault import LEAST, OPEN, Vault

_NAME = r"[A-Za-z0-9_\u4e00-\u9fff][\w.\-\u4e00-\u9fff]{0,79}"
# A quoted name (JSON, Python, PHP, JS; quotes may be escaped) with its separator.
_QUOTED = re.compile(rf"""(?P<q>\\{{0,7}}["'])(?P<name>{_NAME})(?P=q)\s{{0,20}}(?::|=>)\s{{0,20}}""")
_PHP = re.compile(rf"\[(?P<name>{_NAME})(?::[\w:]{{1,80}})?\]\s{{0,20}}=>\s{{0,20}}(?P<value>[^\n]{{1,4000}})")
_PAIR = re.compile(rf"(?<![\w.\-%])(?P<name>{_NAME})=(?P<value>[^&\s\"'<>;,)}}\]]{{1,8000}})")
_HEADER = re.compile(r"(?m)(?:^|[>|\[ ])(?P<name>[A-Za-z][A-Za-z0-9-]{2,60}):[ \t]{1,10}(?P<value>[^\r\n]{1,8000})")
_XML = re.compile(rf"<(?P<name>{_NAME})(?:\s[^<>]{{0,500}})?>(?P<value>[^<]{{1,8000}})</")
_SCALAR = re.compile(
    r"""(?P<string>\\{0,7}["'](?:[^"'\\]|\\.|(?<!\\)'(?=\w)){0,8000}?\\{0,7}["'])|(?P<bare>[^\s,}\]"']{1,200})"""
)
# The working directory, as environments and sudo's log lines give it (POSIX.1-2017, XBD 8.3): the name also stands for
# "password", so that only an upper-case name with an absolute path tells. No "+" and no "=": those are encodings.
_FOLDERS = frozenset({"PWD", "OLDPWD"})
_PART = r"[\w.@~-]{1,255}"
_FOLDER = re.compile(
    rf"""(?:(?:/{_PART}){{1,40}}/?|/|[A-Za-z]:[\\/]{{1,2}}(?:{_PART}[\\/]{{1,2}}){{0,40}}(?:{_PART})?)(?![^\s"',;)\]}}\\])"""
)
_LITERALS = frozenset({"null", "true", "false", "None", "True", "False", ""})
_DEEPEST = 40
_SPACED = frozenset({"authorization", "cookie"})  # kinds whose values hold blanks


class Texts:
    """Hides in texts with one set of names and one vault."""

    def __init__(self, names: Names, vault: Vault) -> None:
        self._names, self._vault = names, vault
        self._plain: set[str] = set()  # texts in which nothing tells of a secret: most are met again

    def hide(self, text: str) -> str:
        """`text` with marks where something was hidden."""
        if text in self._plain:
            return self._vault.replace_known(text)
        marked = self._told(text)
        if marked == text:
            self._plain.add(text)
        return self._vault.replace_known(marked)

    def _told(self, text: str) -> str:
        """Marks where a name or the value's own form tells; neither changes, so a text without any stays without."""
        text = self._quoted(text)
        for pattern in (_XML, _PHP, _PAIR, _HEADER):
            text = pattern.sub(self._named(headers=pattern is _HEADER, parameter=pattern is _PAIR), text)
        for kind, pattern in self._names.patterns:
            text = pattern.sub(self._formed(kind), text)
        return text

    def value(self, name: str, value: str) -> str:
        """A value whose name is known: a header, a parameter."""
        kind = self._names.kind(name)
        if kind is None or _is_folder(name, value):
            return self.hide(value)
        if kind == "authorization":
            scheme, _, rest = value.partition(" ")
            return f"{scheme} {self._put(kind, rest)}" if rest else self._put(kind, value)
        return self._put(kind, value)

    def at(self, pointer: str, value: str) -> str:
        """A value of a message whose place is known (RFC 6901): the outermost name on the way to it decides."""
        for part in pointer.split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            kind = self._names.kind(name)
            if kind is None and pointer.startswith("/url/") and len(value) >= LEAST:
                kind = self._names.kind(name, parameter=True)
            if kind is not None:
                whole = self._vault.whole(value)
                return self.value(name, whole) if kind == "authorization" else self._put(kind, whole)
        return self.hide(value)

    def _put(self, kind: str, value: str) -> str:
        if not value.strip() or value in _LITERALS or OPEN in value or is_masked(value):
            return value
        return self._vault.hide(kind, value)

    def _named(self, *, headers: bool, parameter: bool) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            kind = self._names.kind(match["name"], parameter=parameter, exact=headers)
            if kind is None or (headers and kind not in _SPACED and " " in match["value"].strip()):
                return match[0]  # a sentence after a colon is no credential
            if _is_folder(match["name"], match["value"]):
                return match[0]
            if parameter and self._names.kind(match["name"]) is None and len(match["value"]) < LEAST:
                return match[0]  # code=400 in a log line is a status
            start = match.start("value") - match.start()
            end = match.end("value") - match.start()
            value = match["value"].rstrip()
            hidden = self.value(match["name"], value) if self._names.kind(match["name"]) else self._put(kind, value)
            return match[0][:start] + hidden + match[0][end:]

        return replace

    def _formed(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            if OPEN in match[0]:
                return match[0]
            start, end = match.start(1) - match.start(), match.end(1) - match.start()
            return match[0][:start] + self._put(kind, match[1]) + match[0][end:]

        return replace

    def _quoted(self, text: str) -> str:
        """Values after quoted names; a container under such a name is hidden leaf by leaf."""
        out: list[str] = []
        done = 0
        for match in _QUOTED.finditer(text):
            if match.start() < done:
                continue
            kind = self._names.kind(match["name"])
            if kind is None or _is_folder(match["name"], text, match.end()):
                continue
            out.append(text[done : match.end()])
            done = self._after(text, match.end(), kind, out)
        out.append(text[done:])
        return "".join(out)

    def _after(self, text: str, place: int, kind: str, out: list[str]) -> int:
        if text[place : place + 1] in ("{", "["):
            return self._container(text, place, kind, out)
        scalar = _SCALAR.match(text, place)
        if scalar is None:
            return place
        out.append(self._scalar(scalar, kind))
        return scalar.end()

    def _scalar(self, scalar: re.Match[str], kind: str) -> str:
        raw = scalar[0]
        if scalar["bare"] is not None:
            return self._put(kind, raw)
        quote = re.match(r"\\{0,7}[\"']", raw)
        width = quote.end() if quote else 1
        return raw[:width] + self._put(kind, raw[width : len(raw) - width]) + raw[len(raw) - width :]

    def _container(self, text: str, place: int, kind: str, out: list[str]) -> int:
        """Every scalar up to the matching bracket, names left in place."""
        depth = 0
        while place < len(text):
            here = text[place]
            if here in "{[":
                depth += 1
            elif here in "}]":
                depth -= 1
            if here in "{}[],: \t\r\n":
                out.append(here)
                place += 1
                if depth <= 0 or depth > _DEEPEST:
                    return place
                continue
            scalar = _SCALAR.match(text, place)
            if scalar is None:
                out.append(here)
                place += 1
                continue
            is_name = re.match(r"\s{0,20}(?::|=>)", text[scalar.end() : scalar.end() + 24]) is not None
            out.append(scalar[0] if is_name else self._scalar(scalar, kind))
            place = scalar.end()
        return place


def _is_folder(name: str, text: str, place: int = 0) -> bool:
    """Whether an absolute path stands at `place` under a name of the working directory."""
    if name not in _FOLDERS:
        return False
    while place < len(text) and text[place] in "\\\"'":
        place += 1
    return _FOLDER.match(text, place) is not None
