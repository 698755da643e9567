"""Reads values out of bodies that are no longer valid JSON: cut in the middle, or printed by a language's own dumper.

Understood as one tree, with one forgiving scanner: JSON that ends too soon, Python's repr, PHP's print_r, var_export
and var_dump-like arrays, Ruby's `=>`, Java's and JavaScript's `{key=value}` and `{key: value}`. A line of
`error=491, msg=text` pairs is read as one flat object. Linear in the text, bounded in length, depth and nodes.
"""

from __future__ import annotations

import re

LIMIT = 64 << 10  # characters looked at
MAX_DEPTH = 32
MAX_NODES = 5_000
MAX_STARTS = 5  # brackets tried as the beginning of a structure

Tree = dict[str, "Tree"] | list["Tree"] | str | None

_OPEN = re.compile(r"(?:(?:[Aa]rray|\w{1,40} Object)\s{0,200})?([({\[])")
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_SPACE = re.compile(r"[\s,;]*")
_PRINT_R_KEY = re.compile(r"\[([^\]\n]{1,200})\]\s?=>[ \t]*")
_QUOTED = re.compile(r"""[ubr]?(?:"((?:[^"\\]|\\.)*)("?)|'((?:[^'\\]|\\.)*)('?))""", re.DOTALL)
_SEPARATOR = re.compile(r"\s*(?:=>|:|=)\s*")
_BARE_KEY = re.compile(r":?[\w.$@-]{1,200}(?=\s*(?:=>|:|=))")
# A bare value ends at a bracket, a line's end, or a comma that is not the start of a sentence's next words.
_BARE = re.compile(r"[^,;{}\[\]()\n]*(?:[,;](?!\s*(?:[\w.$@-]{1,200}\s*(?:=>|=|:)|[\"'\[{]|$))[^,;{}\[\]()\n]*)*")
_ITEM = re.compile(r"[^,;{}\[\]()\n]*")
_LINE = re.compile(r"[^\n]*")
_PAIR = re.compile(r"(?<![\w.$@/?&-])([A-Za-z_][\w.-]{0,80})\s?[=:]\s?(?=\S)")
_CUT = re.compile(r"\s*(?:\(truncated\.{0,3}\)|\[truncated\]|\.{3}|…)?\s*$")
_NOTHING = frozenset({"null", "None", "nil", "NULL", "undefined", ""})


def read(text: str) -> Tree:
    """The tree that `text` shows, as far as it goes; None where nothing like a structure is found."""
    text = text[:LIMIT]
    if '\\"' in text and '{"' not in text:
        text = text.replace('\\"', '"')
    if text.lstrip().startswith("<"):
        return None
    at = 0
    for _ in range(MAX_STARTS):
        start = _OPEN.search(text, at)
        if not start:
            break
        tree, at = _Scanner(text).value(start.start(), 0)
        if _named(tree):
            return tree
    return _pairs(text)


def _named(tree: Tree) -> bool:
    """Whether the tree names anything; a bracket in a sentence does not."""
    if isinstance(tree, list):
        return any(map(_named, tree))
    return isinstance(tree, dict) and bool(tree)


def _pairs(text: str) -> Tree:
    """Flat `key=value, key=value` text."""
    found: dict[str, Tree] = {}
    heads = list(_PAIR.finditer(text))[:200]
    for head, following in zip(heads, [*heads[1:], None], strict=False):
        raw = text[head.end() : following.start() if following else len(text)].split("\n", 1)[0]
        found.setdefault(head[1], _scalar(raw.strip().rstrip(",;&").strip().strip("\"'")))
    return found or None


def _scalar(raw: str) -> str | None:
    raw = _CUT.sub("", raw).strip()
    if raw in _NOTHING:
        return None
    return raw.lower() if raw in {"True", "False"} else raw


def _unescape(raw: str) -> str:
    if "\\" not in raw:
        return raw
    short = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}

    def one(match: re.Match[str]) -> str:
        if match[1]:
            code = int(match[1], 16)
            return chr(code) if not 0xD800 <= code <= 0xDFFF else "\ufffd"
        return short.get(match[2], match[2])

    return re.sub(r"\\(?:[ux]([0-9a-fA-F]{4}|(?<=x)[0-9a-fA-F]{2})|(.))", one, raw, flags=re.DOTALL)


class _Scanner:
    """One pass over one text; positions go in and come out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.nodes = 0

    def value(self, at: int, depth: int, bare_word: re.Pattern[str] = _BARE) -> tuple[Tree, int]:
        """The value at `at` and the position after it."""
        self.nodes += 1
        if opened := _OPEN.match(self.text, at):
            if depth >= MAX_DEPTH:
                return None, len(self.text)
            return self.container(opened.end(), opened[1], depth + 1)
        if (quoted := _QUOTED.match(self.text, at)) and quoted.end() > at:
            closed = quoted[2] or quoted[4]
            raw = quoted[1] if quoted[1] is not None else quoted[3]
            return _unescape(raw if closed else _CUT.sub("", raw)), quoted.end()
        bare = bare_word.match(self.text, at)
        return (_scalar(bare[0]), bare.end()) if bare else (None, at)

    def container(self, at: int, opener: str, depth: int) -> tuple[Tree, int]:
        """The entries after an opening bracket, up to its closing one or the text's end."""
        named: dict[str, Tree] = {}
        listed: list[Tree] = []
        while self.nodes < MAX_NODES:
            start = at
            at = self.space(at)
            if at >= len(self.text):
                break
            if self.text[at] in "})]":
                at += self.text[at] == _CLOSING[opener]
                break
            key, after = self.key(at, opener)
            if key is None:
                item, at = self.value(at, depth, _ITEM if opener == "[" else _BARE)
                listed.append(item)
            elif opener == "(" and self.text[at] == "[":
                named[key], at = self.printed(after, depth)
            else:
                named[key], at = self.value(after, depth)
            if at <= start:
                at += 1
        return (named or listed), at

    def printed(self, at: int, depth: int) -> tuple[Tree, int]:
        """A value of print_r: a nested array, or the rest of its line."""
        if _OPEN.match(self.text, at):
            return self.value(at, depth)
        line = _LINE.match(self.text, at)
        return (_scalar(line[0]), line.end()) if line else (None, at)

    def key(self, at: int, opener: str) -> tuple[str | None, int]:
        """The key at `at` and the position of its value, or None where an item of a list begins."""
        if opener == "(" and (printed := _PRINT_R_KEY.match(self.text, at)):
            return printed[1], printed.end()
        quoted = _QUOTED.match(self.text, at)
        found = quoted if quoted and quoted.end() > at else _BARE_KEY.match(self.text, at)
        if not found or (opener == "[" and found is not quoted):
            return None, at
        separator = _SEPARATOR.match(self.text, found.end())
        if not separator:
            return None, at
        if found is quoted:
            return _unescape(quoted[1] if quoted[1] is not None else quoted[3]), separator.end()
        return found[0].lstrip(":"), separator.end()

    def space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at
