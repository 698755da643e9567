"""Captured text laid out in lines, with the place of each value: white space is added, nothing else is touched.

Number literals, key order, duplicate keys and escapes stay as sent: a 20-digit order id must not become 1.23e19. Text
that stops being JSON half-way (cut by its source) is laid out as far as it goes; the rest follows as it stands.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_plus

_TOKEN = re.compile(r'\s+|"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+|"', re.DOTALL)
_FORM = re.compile(r"[\w.%\[\]+~-]{1,200}=[^\n<{]*")
_DEPTH = 64

Pointer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text; `start` is its place in the source, None for added white space."""

    text: str
    start: int | None


@dataclass(slots=True)
class Layout:
    """Lines of pieces, and where each pointer's value lies in the source: (start, end, line)."""

    lines: list[list[Piece]] = field(default_factory=lambda: [[]])
    spans: dict[Pointer, tuple[int, int, int]] = field(default_factory=dict)
    ends: dict[Pointer, int] = field(default_factory=dict)  # line of the bracket that closes an object or array
    formatted: bool = False

    def put(self, text: str, start: int | None) -> None:
        """Add a run to the current line."""
        if text:
            self.lines[-1].append(Piece(text, start))

    def rest(self, text: str, start: int) -> None:
        """Add text as it stands, with its own line ends."""
        for n, line in enumerate(text.split("\n")):
            if n:
                self.lines.append([])
            self.put(line.removesuffix("\r"), start)
            start += len(line) + 1


@lru_cache(maxsize=64)  # a page that proves too heavy is made again with less
def lay_out(text: str) -> Layout:
    """The layout of a body: JSON by its structure, a form by its fields, anything else by its own lines."""
    stripped = text.lstrip()
    if stripped[:1] in ("{", "["):
        return _Json(text).run()
    if "=" in text and _FORM.fullmatch(text):
        return fields(text, 0, "&")
    made = Layout()
    made.rest(text, 0)
    return made


def fields(text: str, start: int, separators: str) -> Layout:
    """One `name=value` on each line; a separator begins the line of what it introduces."""
    made = Layout(formatted=len(text) > start and any(c in text[start:] for c in separators))
    at = 0
    parts = re.split(f"(?=[{re.escape(separators)}])", text[start:])
    if start:
        made.put(text[:start], 0)
    for n, part in enumerate(p for p in parts if p):
        if n or start:
            made.lines.append([])
        made.put(part, start + at)
        name, equals, value = part.lstrip(separators).partition("=")
        if equals:
            end = start + at + len(part)
            made.spans.setdefault((unquote_plus(name),), (end - len(value), end, len(made.lines) - 1))
        at += len(part)
    return made


@dataclass(slots=True)
class _Open:
    pointer: Pointer
    array: bool
    key: str = ""
    index: int = 0
    awaits_key: bool = True

    def child(self) -> Pointer:
        return (*self.pointer, str(self.index) if self.array else self.key)


class _Json:
    def __init__(self, text: str) -> None:
        self.text, self.made, self.stack = text, Layout(formatted=True), list[_Open]()

    def run(self) -> Layout:
        # Taken one by one: each quote that is not closed is sought to the end of the text, and the first ends the work.
        tokens = (t for t in _TOKEN.finditer(self.text) if not t[0].isspace())
        sign = next(tokens, None)
        while sign is not None:
            after = next(tokens, None)
            following = after[0] if after is not None else ""
            if sign[0] == '"' or len(self.stack) > _DEPTH or not self._take(sign[0], sign.start(), following):
                self.made.rest(self.text[sign.start() :], sign.start())
                break
            sign = after
        return self.made

    def _newline(self) -> None:
        self.made.lines.append([])
        self.made.put("  " * len(self.stack), None)

    def _take(self, sign: str, start: int, following: str) -> bool:
        """Lay out one sign; False where it cannot stand here."""
        top = self.stack[-1] if self.stack else None
        if sign in "{[":
            pointer = top.child() if top else ()
            self.made.spans.setdefault(pointer, (start, start + 1, len(self.made.lines) - 1))
            self.made.put(sign, start)
            self.stack.append(_Open(pointer, sign == "["))
            if following not in ("}", "]"):
                self._newline()
            return True
        if top is None:
            return False
        if sign in "}]":
            return self._close(sign, start, top)
        if sign == ",":
            self.made.put(sign, start)
            top.index, top.awaits_key = top.index + 1, True
            self._newline()
        elif sign == ":":
            self.made.put(sign, start)
            self.made.put(" ", None)
            top.awaits_key = False
        else:
            self._value(sign, start, top)
        return True

    def _close(self, sign: str, start: int, top: _Open) -> bool:
        if top.array != (sign == "]"):
            return False
        self.stack.pop()
        previous = self.made.lines[-1][-1].text if self.made.lines[-1] else ""
        if previous not in ("{", "["):
            self._newline()
        self.made.ends.setdefault(top.pointer, len(self.made.lines) - 1)
        self.made.put(sign, start)
        return True

    def _value(self, sign: str, start: int, top: _Open) -> None:
        if not top.array and top.awaits_key:
            top.key = _key(sign)
        else:
            self.made.spans.setdefault(top.child(), (start, start + len(sign), len(self.made.lines) - 1))
        self.made.put(sign, start)


def _key(sign: str) -> str:
    try:
        return str(json.loads(sign, strict=False))
    except ValueError:
        return sign.strip('"')
