"""The tests that a catalogue row brings of its own, on failing exchanges.

Most failures meet none of them. So each row first asks of all failures at once which may pass, by patterns on texts and
by what was recorded at all; only these are opened and tested part by part.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.platforms.facts import Test
from openclaw_forensics.platforms.message import TEXT_LIMIT, Message
from openclaw_forensics.platforms.model import ErrorRow
from openclaw_forensics.platforms.places import all_hold, parse

Row = dict[str, Any]
_PARTS = ["request_headers", "response_headers", "request_body", "response_body"]


class OwnTests:
    """Judges the tests of catalogue rows on the failures of one frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._failures = frame.exchanges.lazy().filter("failed").select("row", *_PARTS).collect()
        self._candidates: dict[int, frozenset[int]] = {}  # by the identity of a catalogue row: failures it may fit
        self._opened: tuple[int, Message] | None = None  # the exchange at hand is asked many things in a row

    def hold(self, entry: ErrorRow, row: Row) -> bool:
        """Whether all tests of `entry` are true of a failing exchange."""
        number = row["row"]
        if id(entry) not in self._candidates:
            may = self._failures.lazy().filter(*map(_may_hold, entry.tests)).select("row").collect()
            self._candidates[id(entry)] = frozenset(may["row"])
        if number not in self._candidates[id(entry)]:
            return False
        if self._opened is None or self._opened[0] != number:
            self._opened = (number, Message(self._frame.full(number)))
        return all_hold(entry.tests, self._opened[1]) is True


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
