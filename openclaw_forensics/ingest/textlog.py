"""Text logs of application software: any line format known as data, calls paired over lines and chunk borders.

    2024-05-01 10:00:00.120 INFO  [job-12] c.e.OrderClient - POST https://api.example.com/orders {"page":1}
    2024-05-01 10:00:00.744 INFO  [job-12] c.e.OrderClient - 200 {"code":0}

Chunks are cut at a record's first line and read by two threads; what stays open is carried over the border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.calls import read_calls
from openclaw_forensics.ingest.lineformat import fit_heads, load_formats
from openclaw_forensics.ingest.lineformat_model import FormatSet
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.stamps import Calendar
from openclaw_forensics.ingest.textlog_assembly import Assembly, Parsed
from openclaw_forensics.ingest.textlog_lane import Lane, learn_lane
from openclaw_forensics.ingest.textlog_records import Layout, last_head, learn_layout, split_records
from openclaw_forensics.ingest.textlog_rows import EVENT
from openclaw_forensics.ingest.years import calendar_of

T = TypeVar("T")
WORKERS = 2
LEARNT_FROM = 256 << 10  # bytes of a large file that teach its wordings
CHUNK = 16 << 20  # bytes read at once: every piece costs some hundred column operations, however small it is
MAX_CARRY = 32 << 20  # bytes of an unfinished record that are carried to the next chunk
_NOTED, _BELOW, _UNLEVELLED, _IGNORED, _CALLED = 1, 2, 3, 4, 5  # what a record is, in ascending force from _IGNORED on
# Of a structured log's lines the message is the least: what else they tell must be the same as well.
_TOLD = ("role", "method", "url", "target", "status", "ms", "error", "trace_id", "request_body", "response_body")
_REASONS = {
    _BELOW: "below WARN, no call in it",
    _UNLEVELLED: "no level, no call in it",
    _IGNORED: "a library's line beside a call",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of whole records."""

    data: bytes
    offset: int
    line: int
    problems: tuple[Problem, ...]
    last: bool


class TextLogReader:
    """Logs of application software, line by line."""

    name = "textlog"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """The share of lines that begin a record in a known layout; any text is read at the lowest score."""
        text = head.decode("utf-8", "replace")
        if not text.strip() or "\x00" in text:
            return NOT_MINE
        fit = fit_heads([line[:2000] for line in text.splitlines()[:400]], load_formats())
        if not fit.matched:
            if fit.wrapper is None:
                return Sniff(5, "text without a known line format")
            return Sniff(60, "every line has a prefix of a log collector", fit.wrapper.format.name)
        names = ", ".join(sorted(fit.hits, key=lambda n: (-fit.hits[n], n)))
        # Stack traces and bodies make up the rest of a good log.
        return Sniff(min(70, 25 + int(fit.share * 50)), f"{fit.share:.0%} of the lines begin like {names}", names)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The log's parts. Raises RuleError for a wrong format file, never for the log itself."""
        formats = load_formats(options.formats_dirs)
        layout = learn_layout(source.text_head(), formats, options.line_format)
        calendar = calendar_of(source)
        assembly = Assembly(source.path, self.name, layout.writer)
        pieces = cut_at_heads(source, layout)
        first = next(pieces)
        lane = None if first.last or layout.needs_order else first_lane(first, layout, formats)
        pieces = chain([first], pieces)
        if layout.needs_order:
            yield from (assembly.add(parse(piece, layout, formats, calendar)) for piece in pieces)
            return
        for parsed in ahead(lambda piece: parse(piece, layout, formats, replace(calendar), lane), pieces):
            yield assembly.add(parsed)


def cut_at_heads(source: Source, layout: Layout) -> Iterator[Piece]:
    """The text in pieces that begin at a record; the last one is whole, so that a small file is one piece."""
    carry, data, offset, line = b"", b"", 0, 1  # a piece begins with `carry`; `data` is cut when the next chunk is here
    problems: list[Problem] = []
    for chunk in source.text(CHUNK):
        if not data:
            offset, line = chunk.offset, chunk.line
        elif (cut := last_head(data, layout)) or len(carry) + len(data) >= MAX_CARRY:
            cut = cut or len(data)
            yield Piece(b"".join((carry, memoryview(data)[:cut])), offset, line, tuple(problems), last=False)
            problems = []
            offset += len(carry) + cut
            carry = data[cut:]
            line = chunk.line - carry.count(b"\n")
        else:
            carry += data
        data = chunk.data
        problems += chunk.problems
    yield Piece(carry + data, offset, line, tuple(problems), last=True)


def ahead(work: Callable[[T], Parsed], items: Iterable[T]) -> Iterator[Parsed]:
    """`work` done on each item a little ahead by a few threads: polars works outside the interpreter's lock.

    Results come in the items' order; a single item is done without a thread.
    """
    rest = iter(items)
    head = list(islice(rest, 2))
    if len(head) < 2:
        yield from map(work, head)
        return
    waiting: list[Future[Parsed]] = []
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for item in chain(head, rest):
            waiting.append(pool.submit(work, item))
            if len(waiting) > WORKERS:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def parse(piece: Piece, layout: Layout, formats: FormatSet, calendar: Calendar, lane: Lane | None = None) -> Parsed:
    """One piece: its records cut, its calls found."""
    records = split_records(piece.data, layout, offset=piece.offset, line=piece.line, calendar=calendar)
    last_at = last_time(records)
    short, size = pl.DataFrame(), 0
    if lane is not None:
        short, taken = lane.take(records)
        size = int(records["size"].filter(taken).sum())
        records = records.filter(~taken)
    calls = _calls(records, formats, lane)
    events, kept, balance = sort_out(records.with_row_index("row"), calls)
    balance = replace(balance, exchanges=balance.exchanges + size)
    return Parsed(events, kept, balance, piece.problems, piece.last, last_at, short)


def _calls(records: pl.DataFrame, formats: FormatSet, lane: Lane | None) -> pl.DataFrame:
    """The fragments of the records, those left out that are known to hold none."""
    asked = None if lane is None else lane.may_call(records)
    if asked is None or asked.all():
        return read_calls(records, formats.groups)
    calls = read_calls(records.filter(asked), formats.groups)
    return calls.with_columns(row=asked.arg_true().gather(calls["row"]))


def first_lane(piece: Piece, layout: Layout, formats: FormatSet) -> Lane | None:
    """The lane that the first records of a file teach."""
    data = piece.data[: piece.data.rfind(b"\n", 0, LEARNT_FROM) + 1]
    records = split_records(data, layout, offset=0, line=1, calendar=Calendar())
    return learn_lane(records, read_calls(records, formats.groups))


def sort_out(records: pl.DataFrame, calls: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, Balance]:
    """The events (textlog_rows.EVENT), the records of interest without a call, and where the bytes went.

    `records` are split_records' with `row`, `calls` fragments of them.
    """
    ignored = calls.filter(pl.col("role") == "ignore").select("row")
    noted = calls.filter(pl.col("role") == "record").select("row")
    calls = calls.filter(~pl.col("role").is_in(["ignore", "record"]))
    kept, balance = _weigh(records, calls.select("row"), ignored, noted)
    return _events(calls, records), kept, balance


def last_time(records: pl.DataFrame) -> datetime | None:
    """The latest time of any record."""
    latest = records["at"].max()
    return latest if isinstance(latest, datetime) else None


def _events(calls: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Fragments with their record's place and time; a line written twice counts once."""
    failed = pl.col("role").is_in(["failure", "answer"])
    events = calls.hstack(records.drop("row")[calls["row"]])  # a record's row is its position
    again = _again(events)
    events = events.filter(~again) if again.any() else events
    return events.with_columns(
        pl.when(failed).then("message").alias("message"), pl.when(failed).then("rest").alias("rest")
    ).match_to_schema(pl.Schema(EVENT), extra_columns="ignore")


def _again(events: pl.DataFrame) -> pl.Series:
    """Which lines were written twice: same stamp, thread and text; without fractions of a second only neighbours."""
    suspects = (
        events.select(
            "row", "raw_stamp", "thread", "logger", pl.struct("raw_stamp", "thread").is_duplicated().alias("twice")
        )
        .with_row_index("i")
        .filter(pl.col("twice") & pl.col("raw_stamp").is_not_null() & ~pl.col("row").is_duplicated())
    )
    flags = pl.Series([False]).new_from_index(0, events.height)
    if suspects.is_empty():
        return flags
    lines = events[suspects["i"]]
    same = pl.struct("raw_stamp", "thread", "logger", "message", "rest", *_TOLD)
    again = lines.select(
        (~same.is_first_distinct() & pl.col("raw_stamp").str.contains(r"[.,][0-9]"))
        | ((same == same.shift(1)).fill_null(False) & (pl.col("row") - pl.col("row").shift(1) == 1))
    ).to_series()
    return flags.scatter(suspects["i"].filter(again.fill_null(False)), True)


def _weigh(
    records: pl.DataFrame, called: pl.DataFrame, ignored: pl.DataFrame, noted: pl.DataFrame
) -> tuple[pl.DataFrame, Balance]:
    """The records of interest among those without a call, and where the bytes went."""
    kinds = pl.Series("kind", [0], dtype=pl.UInt8).new_from_index(0, records.height)
    for code, rows in ((_NOTED, noted), (_IGNORED, ignored), (_CALLED, called)):
        kinds = kinds.scatter(rows["row"], code) if rows.height else kinds
    records = records.hstack([kinds])
    stack = pl.col("rest").str.contains(r"(?:^|\n)\s*(?:at |#\d+ |File \"|Caused by: )").fill_null(False)
    grave = pl.col("level").is_in(["WARN", "ERROR", "FATAL"]).fill_null(False)
    records = records.with_columns(
        pl.when(pl.col("kind") >= _IGNORED)
        .then("kind")
        .when((pl.col("kind") == _NOTED) | grave | stack)
        .then(_NOTED)
        .when(pl.col("level").is_null())
        .then(_UNLEVELLED)
        .otherwise(_BELOW)
        .cast(pl.UInt8)
        .alias("kind")
    )
    sums: dict[int, int] = dict(records.group_by("kind").agg(pl.col("size").sum()).sort("kind").iter_rows())
    irrelevant = {reason: sums[code] for code, reason in _REASONS.items() if code in sums}
    kept = records.filter(pl.col("kind") == _NOTED).drop("kind")
    return kept, Balance(exchanges=sums.get(_CALLED, 0), records=sums.get(_NOTED, 0), irrelevant=irrelevant)
