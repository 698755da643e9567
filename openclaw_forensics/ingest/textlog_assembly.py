"""Events of consecutive pieces put together: pairs made, doubles dropped, what is open carried to the next piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import RECORDS, empty
from openclaw_forensics.ingest.api import Balance, Part
from openclaw_forensics.ingest.pairing import merge_parts, pair
from openclaw_forensics.ingest.textlog_context import NEAR, drop_library, merge_envelopes, record_rows, settle
from openclaw_forensics.ingest.textlog_rows import CALL, EVENT, by_line, joined, single, to_exchanges, whole

MAX_OPEN = 20_000  # requests without an answer that wait for the end of the file
MAX_HELD = 4000  # calls kept back at a border
OPEN_AT_END = timedelta(seconds=120)
_OWNER = ["logger", "writer"]
_NOTE = ["line", "end", "at", "raw_stamp", "zone_basis", "level", "logger", "thread", "trace_id", "message", "rest"]
_FRAMES = r"(?:^|\n)\s*(?:at |#\d+ |File \"|Caused by: )"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one piece of a file holds, before anything is paired."""

    events: pl.DataFrame  # textlog_rows.EVENT
    records: pl.DataFrame  # of interest, without a call
    balance: Balance
    problems: tuple[Problem, ...]
    last: bool  # of the file
    last_at: datetime | None  # the latest time of any record
    calls: pl.DataFrame = field(default_factory=pl.DataFrame)  # ready ones, of CALL without its empty columns


class Assembly:
    """One file's calls in the making."""

    def __init__(self, path: str, name: str, writer: str) -> None:
        self.path, self.name, self.writer = path, name, writer
        self.open = pl.DataFrame(schema=EVENT)
        self.held = pl.DataFrame(schema=CALL)  # calls that the next piece may still speak of
        self.answering: set[tuple[str | None, str | None]] = set()
        self.last_at: datetime | None = None

    def add(self, piece: Parsed) -> Part:
        """The part that a piece completes. The last one closes the file: what is still open has got no answer."""
        self.last_at = max((t for t in (piece.last_at, self.last_at) if t is not None), default=None)
        events, last = piece.events, piece.last
        events = merge_parts(events)
        alone = single(events.filter(pl.col("role") == "exchange"))
        halves = pl.concat([self.open, events.filter(pl.col("role") != "exchange")])
        pairs, open_, left = pair(halves)
        pairs = pairs.sort("q")  # in the order of the file, rows are gathered several times as fast
        asked, answered = halves[pairs["q"]], halves[pairs["a"]]
        made = whole([joined(asked, answered), piece.calls], CALL)
        self.answering |= set(made.select(_OWNER).unique().rows()) if made.height else set()
        calls = merge_envelopes(drop_library(by_line(whole([self.held, alone, made], CALL))))
        self.open = by_line(halves[open_["i"]])
        calls, notes = self._context(
            calls, halves[left["i"]].sort("line"), answered.filter(pl.col("role") == "failure"), piece.records
        )
        calls = calls if last else self._hold(calls)
        gone = self._unanswered(last=last)
        calls = by_line(whole([calls, gone], CALL)) if gone.height else calls
        return Part(to_exchanges(calls, self.path, self.name), notes, piece.problems, piece.balance, self.writer)

    def _context(
        self, calls: pl.DataFrame, left: pl.DataFrame, closing: pl.DataFrame, records: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Lay what is left to the calls it belongs to; records with their links."""
        if left.is_empty() and closing.is_empty() and records.is_empty():
            return calls, empty(RECORDS)
        settled = settle(left, calls)
        calls = settled.calls
        if settled.own.height:
            calls = by_line(whole([calls, single(settled.own)], CALL))
        # A failure that is told by a call needs a record only for the stack that it brings.
        failures = pl.concat([left, closing]).filter(pl.col("rest").str.contains(_FRAMES).fill_null(False))
        notes = pl.concat([f.select(_NOTE) for f in (records, failures, settled.bare)])
        notes = notes.unique("line", keep="first", maintain_order=True).sort("line")
        return calls, record_rows(notes, calls, self.path)

    def _hold(self, calls: pl.DataFrame) -> pl.DataFrame:
        """Keep back the calls that ended just before the piece did; returns the others."""
        if calls.is_empty() or self.last_at is None:
            return calls
        fresh = (pl.col("end_at") >= self.last_at - NEAR).fill_null(False)
        late = calls.select(fresh & (pl.int_range(pl.len()) >= pl.len() - MAX_HELD)).to_series()
        self.held = calls.filter(late)
        return calls.filter(~late)

    def _unanswered(self, *, last: bool) -> pl.DataFrame:
        """Requests whose answer never came: all of them at the end, the oldest ones when too many wait."""
        surplus = self.open.height if last else max(0, self.open.height - MAX_OPEN)
        if not surplus:
            return pl.DataFrame(schema=CALL)
        gone, self.open = self.open.head(surplus), self.open.slice(surplus)
        logged = [owner in self.answering for owner in gone.select(_OWNER).rows()]
        ends = self.last_at
        fresh = (pl.col("at") > ends - OPEN_AT_END) if last and ends is not None else pl.lit(False)
        return single(gone).with_columns(
            pl.when(~pl.col("answers") | ~pl.Series(logged, dtype=pl.Boolean)).then(pl.lit("not_logged"))
            .when(fresh.fill_null(False)).then(pl.lit("open"))
            .otherwise(pl.lit("missing")).alias("answer_state")
        )  # fmt: skip
