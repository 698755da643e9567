"""Which answers of status 2xx must be read closely: patterns on the raw text, derived from a pack's own envelopes.

They err only towards reading: a key counts as suspicious unless every occurrence shows a value that the envelope itself
calls fine. A test that no pattern can stand for is taken to hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.facts import Test
from openclaw_forensics.platforms.message import TEXT_LIMIT
from openclaw_forensics.platforms.model import Envelope, Pack

Filter = Callable[[pl.Series], pl.Series]  # body texts -> suspicious or not
_QUOTES = r"[\\\"'\]]{0,4}"
_END = r"\s*(?:[,}\])&;\s]|$)"


@dataclass(frozen=True, slots=True)
class _Clause:
    """Tests that must all be suspicious, the cheapest first."""

    path: str | None
    filters: tuple[Filter, ...]


class Suspicion:
    """The clauses of one pack."""

    def __init__(self, pack: Pack) -> None:
        self.clauses = [clause for envelope in pack.platform.envelope for clause in _clauses(envelope)]

    def rows(self, bodies: pl.Series, paths: pl.Series) -> pl.Series:
        """The positions whose body must be parsed, ascending."""
        found: list[pl.Series] = []
        recorded = bodies.is_not_null().arg_true()
        for clause in self.clauses:
            rows = recorded
            if clause.path is not None:
                rows = rows.filter(paths[rows].str.contains(clause.path).fill_null(True))
            for each in clause.filters:
                rows = rows.filter(each(bodies[rows])) if len(rows) else rows
            found.append(rows)
        if not found:
            return pl.Series([], dtype=pl.UInt32)
        return pl.concat(found).unique().sort()


def _clauses(envelope: Envelope) -> Iterable[_Clause]:
    when = [f for test in envelope.when if (f := _filter(test))]
    for group in envelope.failed_when:
        filters = [f for test in group if (f := _filter(test))]
        yield _Clause(envelope.path, (*filters, *when))
    for items in envelope.item_failures:
        container = _key_of(items.items)
        inside = [_filter(test) for test in items.failed_when]
        filters = [] if container is None else [_contains(container)]
        if all(inside):
            filters.append(_any_of([f for f in inside if f]))
        yield _Clause(envelope.path, (*filters, *when))


def _any_of(filters: list[Filter]) -> Filter:
    def test(texts: pl.Series) -> pl.Series:
        hit = pl.Series([False] * len(texts), dtype=pl.Boolean)
        for each in filters:
            hit = hit | each(texts)
        return hit

    return test


def _contains(literal: str) -> Filter:
    return lambda texts: texts.str.contains(literal, literal=True)


def _matches(pattern: str) -> Filter:
    return lambda texts: texts.str.slice(0, TEXT_LIMIT).str.contains(pattern)


def _key_of(place: str) -> str | None:
    """The name that stands in the text wherever this place has a value: its last named step."""
    parsed = places.parse(place)
    if parsed.side != "response":
        return None
    if parsed.kind == "json":
        named = [t for t in jsonpointer.pointer(parsed.argument) if t != "*" and not t.isdecimal()]
    elif parsed.kind == "xml":
        named = [s for s in parsed.argument.split("/") if s != "*" and not s.startswith("@")]
    else:
        return None
    return named[-1] if named and re.fullmatch(r"[\w.$@-]+", named[-1], re.ASCII) else None


def _filter(test: Test) -> Filter | None:
    """A pattern that is found wherever the test holds; None where there is none."""
    parsed = places.parse(test.place)
    if parsed.side != "response" or test.exists is False:
        return None
    if parsed.kind == "text":
        return _matches(parsed.argument)
    key = _key_of(test.place)
    if key is None or parsed.kind not in ("json", "xml"):
        return None
    head = _json_head(key) if parsed.kind == "json" else _xml_head(key)
    wanted = test.one_of if test.one_of is not None else None if test.equals is None else (test.equals,)
    if wanted is not None:
        if all(re.fullmatch(r"[\w .:-]+", value, re.ASCII) for value in wanted):
            return _matches_all(f"{head}{_value(wanted, parsed.kind)}")
        return _contains(key)
    fine = list(test.none_of or ())
    if test.re is not None and not re.search(test.re, ""):
        fine.append("")
    return _not_fine(key, head, fine, parsed.kind)


def _matches_all(pattern: str) -> Filter:
    return lambda texts: texts.str.contains(pattern)


def _json_head(key: str) -> str:
    edge = r"\b" if re.match(r"\w", key) else ""
    return rf"{edge}{re.escape(key)}{_QUOTES}\s*(?:=>|[:=])\s*"


def _xml_head(key: str) -> str:
    return rf"<(?:[\w.-]+:)?{re.escape(key)}(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[\s*)?"


def _value(values: Iterable[str], kind: str) -> str:
    options = "|".join(re.escape(value) for value in values)
    return rf"{_QUOTES}\s*(?:{options})" if kind == "json" else rf"(?:{options})"


def _not_fine(key: str, head: str, fine: Iterable[str], kind: str) -> Filter:
    """Texts with the key where some occurrence shows neither nothing nor one of the values that are fine."""
    if kind == "json":
        literals = "|".join(re.escape(v) for v in fine if v.strip())
        blank = rf"[\\]?(?:\"\s*[\\]?\"|'\s*[\\]?'){_END}|" if any(not v.strip() for v in fine) else ""
        quoted = rf"[\\]?[\"']?(?:{literals})[\\]?[\"']?{_END}|" if literals else ""
        sound = rf"{head}(?:{blank}{quoted}(?:null|None|nil){_END}|\[\s*\]|\{{\s*\}})"
    else:
        literals = "|".join(re.escape(v) for v in fine if v.strip())
        sound = rf"{head}(?:{literals})?\s*(?:\]\]>\s*)?</"

    def test(texts: pl.Series) -> pl.Series:
        named = texts.str.contains(key, literal=True)
        if not named.any():
            return named
        return named & (texts.str.count_matches(head) > texts.str.count_matches(sound))

    return test


def is_cheap(test: Test) -> bool:
    """Whether a pattern can stand for the test."""
    return _filter(test) is not None
