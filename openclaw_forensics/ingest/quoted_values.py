"""Bodies as logs quote them: JSON at the start of a text, and the dumps of Python, PHP, Ruby, Java and Node.

JSON is kept as written. A dump loses types and quoting: it is rewritten as JSON and its state is `reconstructed`.
Everything is bounded: 512 KiB of text, depth 32, 20 000 values.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

LIMIT = 512 << 10
_DEPTH = 32
_VALUES = 20_000
_CUT = re.compile(r"\s*(?:\(truncated\.{3}\)|\[truncated\]|<skipped>|\.{3} ?\(\d+ (?:bytes|more)[^)]*\)|\.{3}$|…$)")
_MASK = re.compile(
    r"^[\"']?(?:\*{3,}|\[?(?i:redacted|masked|hidden|filtered|omitted)\]?|<(?i:hidden|redacted|masked)>|█+)[\"']?$"
)
_LABEL = re.compile(
    r"^[\s,;:：=>|)-]*(?:(?:(?:response|request)?_?(?:[Bb]ody|[Pp]ayload|[Dd]ata)|[Pp]arams?|json|content"
    r"|response|result|resp|req"
    r"|请求参数|请求体|参数|报文|返回结果|返回|响应|内容)[ ]?(?:[=:：]+|=>)\s*)?"
)
_TOKEN = re.compile(
    r"\s*(?:(?P<open>[{\[(])|(?P<str>b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<num>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s,}\])]|$)"
    r"|(?P<word>[^\s,{}\[\]()=:'\"]+))"
)
_WORDS: dict[str, Any] = {
    "None": None, "null": None, "nil": None, "NULL": None, "undefined": None, "True": True, "true": True,
    "False": False, "false": False,
}  # fmt: skip
_PRINT_R = re.compile(r"^(?:[\w\\]+ Object|Array)\s*\n\s*\(")
_ENTRY = re.compile(r"^\s*\[([^\]\n]*)\] => ?(.*)$")
_HEADER = re.compile(r"([A-Za-z][\w]*(?:-[\w]+)+)[=:] ?(\"[^\"]*\"|\S+)")
_DECODER = json.JSONDecoder()


class _TooMuch(ValueError):
    """A dump that is no value after all, or beyond the bounds."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body taken out of a text: what it says, its state, and what stood behind it."""

    text: str | None
    state: str
    rest: str = ""


ABSENT = Body(None, "not_recorded")


def read_body(text: str, *, label: bool = True) -> Body:
    """The body at the start of `text`, after a label such as `body=` where `label` allows it."""
    text = text[:LIMIT]
    start = _LABEL.match(text)
    text = (text[start.end() :] if label and start else text).strip()
    if not text:
        return ABSENT
    if _MASK.match(text):
        return Body(text, "masked")
    if text[0] in "{[":
        return _structured(text)
    if text[0] == "<" and text[:200].lstrip("<").strip():
        cut = _CUT.search(text)
        return Body(text[: cut.start()], "truncated", text[cut.end() :]) if cut else Body(text, "recorded")
    if text[0] in "\"'":
        return _quoted(text)
    if _PRINT_R.match(text):
        value = print_r(text)
        return (
            Body(json.dumps(value, ensure_ascii=False), "reconstructed")
            if value is not None
            else Body(text, "recorded")
        )
    return Body(None, "not_recorded", text)


def _structured(text: str) -> Body:
    try:
        _, end = _DECODER.raw_decode(text)
        return Body(text[:end], "recorded", text[end:])
    except (ValueError, RecursionError):
        pass
    if cut := _CUT.search(text):
        return Body(text[: cut.start()], "truncated", text[cut.end() :])
    try:
        value, end = dumped(text)
    except _TooMuch:
        return Body(text, "truncated" if text.count("{") > text.count("}") else "recorded")
    return Body(json.dumps(value, ensure_ascii=False), "reconstructed", text[end:])


def _quoted(text: str) -> Body:
    """A JSON text that was put in quotes once more, or a plain quoted string."""
    if text[0] == '"':
        try:
            value, end = _DECODER.raw_decode(text)
            if isinstance(value, str):
                return Body(value, "recorded", text[end:])
        except (ValueError, RecursionError):
            pass
    end = text.rfind(text[0])
    if end > 0:
        inner = text[1:end]
        return (
            Body(inner, "truncated", text[end + 1 :])
            if _CUT.search(inner[-40:])
            else Body(inner, "recorded", text[end + 1 :])
        )
    return Body(text[1:], "truncated")


def dumped(text: str) -> tuple[Any, int]:
    """A value in the notation of Python's repr, Node's inspect, Ruby's inspect or Java's toString, and its end.

    Raises ValueError when the text is none of them.
    """
    reader = _Dump(text[:LIMIT])
    value = reader.value(0)
    return value, reader.at


class _Dump:
    """One pass over a dump, bounded in depth and number of values."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.count = text, 0, 0

    def value(self, depth: int) -> Any:
        self.count += 1
        if depth > _DEPTH or self.count > _VALUES:
            raise _TooMuch("too deep or too long")
        found = _TOKEN.match(self.text, self.at)
        if not found:
            raise _TooMuch("no value")
        self.at = found.end()
        if found["open"]:
            return self.mapping(depth) if found["open"] == "{" else self.sequence(depth, found["open"])
        if found["str"] is not None:
            return _unquoted(found["str"])
        if found["num"] is not None:
            number = found["num"]
            return json.loads(number) if not re.match(r"-?0\d", number) else number
        return self.word(found["word"], depth)

    def word(self, word: str, depth: int) -> Any:
        if word in _WORDS:
            return _WORDS[word]
        if self.peek() == "{":  # a class's name before its fields: Order {id: 1}
            return self.value(depth + 1)
        return word + self.until_border()

    def until_border(self) -> str:
        """The rest of an unquoted value, up to the next separator."""
        found = re.compile(r"[^,{}\[\]()\n]*").match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found[0].rstrip()

    def peek(self) -> str:
        found = re.compile(r"\s*").match(self.text, self.at)
        at = found.end() if found else self.at
        return self.text[at : at + 1]

    def take(self, *marks: str) -> bool:
        found = re.compile(r"\s*").match(self.text, self.at)
        at = found.end() if found else self.at
        for mark in marks:
            if self.text.startswith(mark, at):
                self.at = at + len(mark)
                return True
        return False

    def mapping(self, depth: int) -> Any:
        result: dict[str, Any] = {}
        while not self.take("}"):
            key = self.key()
            if not self.take("=>", ":", "="):
                raise _TooMuch("no pair")
            result[key] = "" if self.peek() in {",", "}"} else self.value(depth + 1)
            self.take(",")
            if self.at >= len(self.text):
                raise _TooMuch("not closed")
        return result

    def key(self) -> str:
        found = re.compile(r"\s*:?(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([\w$.\-]+)|\[([^\]]*)\])").match(
            self.text, self.at
        )
        if not found:
            raise _TooMuch("no key")
        self.at = found.end()
        return next((g for g in found.groups() if g is not None), "")

    def sequence(self, depth: int, opened: str) -> Any:
        close = {"[": "]", "(": ")"}[opened]
        result: list[Any] = []
        while not self.take(close):
            result.append(self.value(depth + 1))
            self.take(",")
            if self.at >= len(self.text):
                raise _TooMuch("not closed")
        return result


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}


def _unquoted(literal: str) -> str:
    inner = literal.removeprefix("b")[1:-1]
    if "\\" not in inner:
        return inner
    return re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", _unescape, inner, flags=re.S)


def _unescape(found: re.Match[str]) -> str:
    body = found[1]
    if body[0] in "ux" and len(body) > 1:
        code = int(body[1:], 16)
        return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
    return _ESCAPES.get(body, body)


def print_r(text: str) -> Any:
    """PHP's print_r as dicts; None when it holds no entry. Names lose their class and visibility."""
    stack: list[dict[str, Any]] = [{}]
    pending: str | None = None
    for line in text[:LIMIT].splitlines()[:_VALUES]:
        entry = _ENTRY.match(line)
        if entry:
            name, value = entry[1].split(":")[0], entry[2].strip()
            pending = name if value == "Array" or value.endswith(" Object") else None
            if pending is None:
                stack[-1][name] = value
            else:
                stack[-1][name] = {}
        elif line.strip() == "(" and pending is not None and len(stack) < _DEPTH:
            stack.append(stack[-1][pending])
            pending = None
        elif line.strip() == ")" and len(stack) > 1:
            stack.pop()
    held = {name: value for name, value in stack[0].items() if value not in ({}, "")}
    if " Object" in text[:200] and len(held) == 1 and isinstance(only := next(iter(held.values())), dict):
        return only  # an answer object of a client library: what it holds is the answer
    return stack[0] or None


def headers_in(text: str) -> list[dict[str, str]] | None:
    """Header-like `Name-With-Dash=value` pairs in what follows a body."""
    pairs = [{"name": name, "value": value.strip('"')} for name, value in _HEADER.findall(text[:4000])]
    return pairs or None
