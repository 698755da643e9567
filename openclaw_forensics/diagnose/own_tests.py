"""The tests that a catalogue row brings of its own, on failing exchanges.

Most failures meet none of them. So each row first asks of all failures at once which may pass, by patterns on texts and
by what was recorded at all; only these are opened and tested part by part.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.platforms.facts import Test
from openclaw_forensics.platforms.message import COLUMNS, TEXT_LIMIT, Message
from openclaw_forensics.platforms.model import ErrorRow
from openclaw_forensics.platforms.places import all_hold, parse

Row = dict[str, Any]


class OwnTests:
    """Judges the tests of catalogue rows on the failures of one frame."""

    def __init__(self, frame: Frame) -> None:
        self._failures = frame.failed.select("row", *COLUMNS)
        self._place = {row: place for place, row in enumerate(self._failures["row"])}
        self._candidates: dict[int, frozenset[int]] = {}  # by the identity of a catalogue row: failures it may fit
        self._may_hold: dict[tuple[str, bool | None], pl.Series] = {}  # by place: many rows ask for the same
        self._opened: tuple[int, Message] | None = None  # the exchange at hand is asked many things in a row

    def hold(self, entry: ErrorRow, row: Row) -> bool:
        """Whether all tests of `entry` are true of a failing exchange."""
        number = row["row"]
        if id(entry) not in self._candidates:
            may = reduce(operator.and_, map(self._may, entry.tests))
            self._candidates[id(entry)] = frozenset(self._failures["row"].filter(may))
        if number not in self._candidates[id(entry)]:
            return False
        if self._opened is None or self._opened[0] != number:
            self._opened = (number, Message(self._failures.row(self._place[number], named=True)))
        return all_hold(entry.tests, self._opened[1]) is True

    def _may(self, test: Test) -> pl.Series:
        key = (test.place, test.exists)
        if key not in self._may_hold:
            found = self._failures.select(_may_hold(test)).to_series()
            self._may_hold[key] = found if len(found) == len(self._place) else found.new_from_index(0, len(self._place))
        return self._may_hold[key]


def _may_hold(test: Test) -> pl.Expr:
    """False only where the test cannot be true: it asks for a value in a part that does not hold any."""
    place = parse(test.place)
    if test.exists is False:
        return pl.lit(True)
    if place.kind == "header":
        return (pl.col(f"{place.side}_headers").list.len() > 0).fill_null(False)
    if place.kind == "text":
        body = pl.col(f"{place.side}_body")
        # The end of a text is not the same to both engines; a pattern that this one does not take gives null.
        at_end = "$" in place.argument
        found = body.is_not_null() if at_end else body.str.head(TEXT_LIMIT).str.contains(place.argument, strict=False)
        return found.fill_null(body.is_not_null())
    return pl.lit(True)
