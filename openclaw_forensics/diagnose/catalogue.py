"""Error catalogues against failing exchanges: each takes the most specific row of its pack, else of common/."""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from openclaw_forensics.diagnose.needles import may_match, needles
from openclaw_forensics.platforms.model import ErrorRow

Row = dict[str, Any]
FALLBACK = 2  # more than a status alone, less than any other row
_TEXT_BOUND = 4096  # characters of a message that patterns look at


@dataclass(frozen=True, slots=True)
class Match:
    """A catalogue row that fits an exchange; `rule` names it for reports."""

    rule: str
    entry: ErrorRow
    weight: int  # how specific


@dataclass(frozen=True, slots=True)
class Considered:
    """A catalogue row beside an exchange: which of its keys held."""

    rule: str
    entry: ErrorRow
    weight: int
    keys: dict[str, bool]


@dataclass(frozen=True, slots=True)
class _Prepared:
    rule: str
    entry: ErrorRow
    weight: int

    @property
    def status_alone(self) -> bool:
        """Whether it knows nothing but a status."""
        return self.weight <= 1 and self.entry.status is not None


class Catalogue:
    """The rows of one pack, by code."""

    def __init__(self, name: str, entries: Sequence[ErrorRow], holds: Callable[[ErrorRow, Row], bool]) -> None:
        """`holds(entry, row)` judges the entry's own `tests` on an exchange."""
        self._holds = holds
        self._by_code: dict[str, list[_Prepared]] = {}
        self._rest: list[_Prepared] = []
        worded = {e.code.lower() for e in entries if e.code is not None and e.match is not None}
        for number, entry in enumerate(entries):
            label = entry.code or (f"http-{entry.status}" if entry.status else f"row-{number}")
            prepared = _Prepared(
                f"{name}.{label}" + (f".{entry.subcode}" if entry.subcode else ""),
                entry,
                _weight(entry, worded),
            )
            if entry.code is not None and not _is_glob(entry.code):
                self._by_code.setdefault(entry.code.lower(), []).append(prepared)
            else:
                self._rest.append(prepared)
        self._memo: dict[tuple[object, ...], tuple[_Prepared, ...]] = {}

    def find(self, row: Row, specific: bool = False) -> Match | None:
        """The best row for a failing exchange; `specific` leaves out rows that know the status alone."""
        key = (
            row["error_code"], row["error_subcode"], row["status"], row["operation"], row["step"], specific,
            str(row["error_message"] or "")[:_TEXT_BOUND],
        )  # fmt: skip
        if key not in self._memo:
            self._memo[key] = self._fitting(row, specific)
        for candidate in self._memo[key]:
            if not candidate.entry.tests or self._holds(candidate.entry, row):
                return Match(candidate.rule, candidate.entry, candidate.weight)
        return None

    def considered(self, row: Row) -> Iterator[Considered]:
        """Every row of the exchange's code, and of the others those that fit, each with what held and what did not."""
        code = row["error_code"]
        keyed = self._by_code.get(str(code).lower(), []) if code is not None else []
        for candidate in [*keyed, *(c for c in self._rest if _fits(c, row))]:
            keys = dict(_judged(candidate, row))
            if candidate.entry.tests:
                keys["tests"] = all(keys.values()) and self._holds(candidate.entry, row)
            if any(keys.values()):
                yield Considered(candidate.rule, candidate.entry, candidate.weight, keys)

    def _fitting(self, row: Row, specific: bool) -> tuple[_Prepared, ...]:
        """Rows that fit but for their own tests, the most specific first, down to the first that has none."""
        code = row["error_code"]
        keyed = self._by_code.get(str(code).lower(), []) if code is not None else []
        fitting = [c for c in (*keyed, *self._rest) if not (specific and c.status_alone) and _fits(c, row)]
        fitting.sort(key=lambda c: -c.weight)  # stable: of equals the earlier row
        last = next((i for i, c in enumerate(fitting) if not c.entry.tests), len(fitting))
        return tuple(fitting[: last + 1])


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when first asked: a pack has hundreds of patterns, and an input meets few of them."""
    return re.compile(pattern, re.IGNORECASE)


_needles = functools.cache(needles)


def _found(pattern: str, text: str) -> bool:
    """Whether the pattern stands in the text: asked of a word first, because compiling takes longer than searching."""
    return may_match(text, _needles(pattern)) and _compiled(pattern).search(text) is not None


@functools.cache
def _glob(text: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(text), re.IGNORECASE)


def _is_glob(code: str) -> bool:
    return "*" in code


def _weight(entry: ErrorRow, worded: set[str]) -> int:
    """How specific: a pattern or an own test outweighs a status, an exact code a glob.

    A code that the pack itself tells apart by words (`worded`) means little alone: any row that knows the words wins.
    """
    if entry.fallback:
        return FALLBACK
    weight = 0
    if entry.code is not None:
        alone = entry.code.lower() in worded and not (entry.match or entry.subcode or entry.tests)
        weight += FALLBACK if alone else 3 if _is_glob(entry.code) else 4
    return (
        weight + 3 * (entry.subcode is not None) + 3 * (entry.match is not None) + 3 * bool(entry.tests)
        + 2 * (entry.operation is not None) + (entry.step is not None) + (entry.status is not None)
    )  # fmt: skip


def _fits(candidate: _Prepared, row: Row) -> bool:
    return all(held for _, held in _judged(candidate, row))


def _judged(candidate: _Prepared, row: Row) -> Iterator[tuple[str, bool]]:
    """Each key of the row but its own tests, the cheapest first, and whether the exchange meets it."""
    entry = candidate.entry
    if entry.status is not None:
        yield "status", row["status"] == entry.status
    if entry.step is not None:
        yield "step", row["step"] == entry.step
    if entry.code is not None:
        yield "code", _like(row["error_code"], entry.code)
    if entry.subcode is not None:
        yield "subcode", _like(row["error_subcode"], entry.subcode)
    if entry.operation is not None:
        yield "operation", fnmatch.fnmatchcase(str(row["operation"] or ""), entry.operation)
    if entry.match is not None:
        yield "match", any(_found(entry.match, t) for t in _texts(row))


def _like(value: object, wanted: str) -> bool:
    if value is None:
        return False
    text = str(value)
    return _glob(wanted).match(text) is not None if _is_glob(wanted) else text.lower() == wanted.lower()


def _texts(row: Row) -> Iterable[str]:
    for column in ("error_message", "error_subcode", "error_code"):
        if row[column]:
            yield str(row[column])[:_TEXT_BOUND]
