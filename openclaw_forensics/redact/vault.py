"""Pseudonyms: the kind and an ordinal by first appearance, so that one secret is recognisably one and tells nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote_plus

OPEN, CLOSE = "\ue000", "\ue001"  # stand around a pseudonym while a text is worked on; never in a finished one
PERSONAL = frozenset({"name", "phone", "address", "email", "tax_id", "personal"})
CUT = 100  # characters from which a value may be the beginning of a longer one
LEAST = 8  # characters; shorter values are hidden where they stand and not searched for
_WORD = re.compile(r"^[A-Za-z]+$|^[\u3400-\u9fff]+$")
_DIGITS = re.compile(r"^\d{1,7}$")
_STANDS_FOR = re.compile(rf"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_BATCH = 400


class Vault:
    """Every hidden value of one document with its pseudonym."""

    def __init__(self, prefixes: tuple[str, ...] = ()) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._counts: Counter[str] = Counter()
        self._searched: dict[str, str] = {}
        self._finder: list[re.Pattern[str]] | None = None
        self._prefixes = prefixes
        self.lengths: dict[str, int] = {}
        self.hidden: Counter[str] = Counter()

    def name(self, kind: str, value: str) -> str:
        """The pseudonym of a value, new at its first appearance."""
        known = self._searched.get(value)
        if known is not None:
            return known
        key = (kind, value)
        if key not in self._names:
            self._counts[kind] += 1
            self._names[key] = f"{kind}#{self._counts[kind]}"
            self.lengths[self._names[key]] = len(value)
            if kind in PERSONAL or not re.search(r"\s", value):  # a sentence is no credential
                self._remember(value, self._names[key])
        return self._names[key]

    def _remember(self, value: str, name: str) -> None:
        plain = unquote_plus(value) if "%" in value else value
        for form in {value, plain}:
            if len(form) >= LEAST and not _WORD.match(form) and not _DIGITS.match(form):
                for written in {form, quote(form, safe=""), quote_plus(form), form.replace("/", "\\/")}:
                    self._searched.setdefault(written, name)
                self._finder = None

    def whole(self, value: str) -> str:
        """The known value that a long text is the beginning of, else the text: a cut secret keeps its pseudonym."""
        if len(value) < CUT:
            return value
        return next((known for known in self._searched if known.startswith(value)), value)

    def hide(self, kind: str, value: str) -> str:
        """What stands in place of a value, between marks; a prefix that tells a token's kind is kept."""
        name = self.name(kind, value)
        self.hidden[name.partition("#")[0]] += 1
        kept = next((p for p in self._prefixes if value.startswith(p) and len(value) > len(p)), "")
        return f"{kept}{OPEN}{name}{CLOSE}"

    def values(self) -> Iterator[tuple[str, str]]:
        """`(value, pseudonym)` of everything that is searched for."""
        yield from self._searched.items()

    def replace_known(self, text: str) -> str:
        """Hide every known value wherever it stands in `text`."""
        for finder in self._finders():
            if finder.search(text):
                text = finder.sub(lambda m: self.hide("secret", m[0]), text)
        return text

    def _finders(self) -> list[re.Pattern[str]]:
        if self._finder is None:
            ordered = sorted(self._searched, key=lambda v: (-len(v), v))
            self._finder = [
                re.compile("|".join(map(re.escape, ordered[i : i + _BATCH]))) for i in range(0, len(ordered), _BATCH)
            ]
        return self._finder


def scrub(text: str) -> str:
    """A captured text without our own marks."""
    return text.replace(OPEN, "\ufffd").replace(CLOSE, "\ufffd")


def finish(text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """`text` without marks, and where each pseudonym stands in it: `(start, end, name)`."""
    places: list[tuple[int, int, str]] = []
    if OPEN not in text:
        return text, places
    out: list[str] = []
    done = length = 0
    for match in _STANDS_FOR.finditer(text):
        out.append(text[done : match.start()])
        length += match.start() - done
        places.append((length, length + len(match[1]), match[1]))
        out.append(match[1])
        length += len(match[1])
        done = match.end()
    out.append(text[done:])
    return "".join(out), places
