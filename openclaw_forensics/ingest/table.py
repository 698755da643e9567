r"""Exports of an ERP's "API log" page: CSV, workbook, HTML table or XML spreadsheet, one row per exchange.

    请求时间,平台,店铺,接口名称,请求地址,请求参数,返回结果,状态码,耗时,是否成功
    2024-05-01 08:03:11,…,s1,订单,https://api.example.com/o,"{""page"":1}","{""code"":0}",200,31,成功

Columns are known by their names in `rules/formats/columns.toml`; a title above the header is skipped. What
spreadsheets destroy is undone where it can be and marked where not (`table_cells`). A row without a target or an
outcome is a record.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, empty, frame_of
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.stamps import Calendar, date_in_name, read_stamps
from openclaw_forensics.ingest.table_cells import clean, day_first, stamp
from openclaw_forensics.ingest.table_exchange import Longest, Values, exchange, record
from openclaw_forensics.ingest.table_header import SEARCHED, Header, delimiter_of, find
from openclaw_forensics.ingest.table_rows import MAX_BOOK, Row, book_rows, csv_rows, html_rows

ROWS = 5000  # of one part
REMEMBERED = 2_000_000  # rows, by which repeated ones are known
MAX_HTML = 64 << 20  # bytes
_TITLE = "rows above the header"
_BLANK = "blank row"
_REPEATED = "row repeated by overlapping pages"
_NAME = re.compile(r"\.(?:xlsx|xlsm|xls|xlsb|ods)$", re.IGNORECASE)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(rb"^\s*(?:<!doctype html|<html|<table|<meta|<head)", re.IGNORECASE)
_XML = re.compile(rb"^\s*(?:\xef\xbb\xbf)?<\?xml .{0,2000}urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL)


class TableReader:
    """Tables exported from a log page."""

    name = "table"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure when a row names enough columns that a log page has."""
        if kind := _book_kind(head, name):
            return Sniff(75, f"a workbook ({kind})")
        text = _decoded(head)
        if text.lstrip().startswith(("{", "[{", "#separator")):  # the last is Zeek's
            return NOT_MINE
        if _marked_up(head):
            found = find([row for row in html_rows(text) if row.cells])
            return Sniff(80, f"a table in HTML or XML with {len(found[1].roles)} known columns") if found else NOT_MINE
        known = delimiter_of(text)
        return Sniff(min(70 + 4 * known[1], 92), f"a header row with {known[1]} known columns") if known else NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order."""
        head = source.head()
        problems: list[Problem] = []
        if _book_kind(head, source.path):
            data = source.data(MAX_BOOK)
            yield from _whole(book_rows(data, problems), len(data), source.path, problems)
        elif _marked_up(head):
            data = source.data(MAX_HTML)
            yield from _whole(html_rows(_decoded(data)), len(data), source.path, problems)
        else:
            known = delimiter_of(_decoded(source.text_head()))
            rows = csv_rows(source, known[0] if known else ",", problems)
            yield from _Table(source.path, problems).parts(rows)


def _marked_up(head: bytes) -> bool:
    return bool(_HTML.match(head) or _XML.match(head))


def _book_kind(head: bytes, name: str) -> str | None:
    if head.startswith(_OLE) and _NAME.search(name):
        return "XLS"
    if head.startswith(b"PK\x03\x04") and (_NAME.search(name) or b"xl/workbook" in head or b"xl/worksheets" in head):
        return "XLSX"
    return None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4:
            return data[: error.start].decode("utf-8-sig", "replace")
    return data.decode("gb18030", "replace")


def _whole(rows: Iterable[Row], size: int, path: str, problems: list[Problem]) -> Iterator[Part]:
    """The parts of a file whose rows have no bytes of their own: each row is given its share."""
    listed = list(rows)
    if not listed:
        yield Part(empty(READ_COLUMNS), empty(RECORDS), tuple(problems), Balance(problems=size))
        return
    share = size // len(listed)
    extra = size - share * len(listed)
    weighed = [
        Row(row.cells, share + (extra if n == 0 else 0), row.line, row.last, row.sheet, row.number)
        for n, row in enumerate(listed)
    ]
    table = _Table(path, problems)
    for _, sheet in _by_sheet(weighed):
        yield from table.parts(iter(sheet))


def _by_sheet(rows: list[Row]) -> Iterator[tuple[str | None, list[Row]]]:
    names = list(dict.fromkeys(row.sheet for row in rows))
    for name in names:
        yield name, [row for row in rows if row.sheet == name]


class _Table:
    """Rows to parts, one header at a time."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        self.calendar = Calendar(day=date_in_name(path))
        self.seen: set[int] = set()

    def parts(self, rows: Iterator[Row]) -> Iterator[Part]:
        """The parts of one table."""
        first = list(islice(rows, SEARCHED))
        found = find(first)
        if found is None:
            rest = sum(row.size for row in rows)
            size = sum(row.size for row in first) + rest
            yield self._part([], [], {"a sheet without a header that is known": size} if size else {})
            return
        index, header = found
        above = sum(row.size for row in first[: index + 1])
        batch, left_out = first[index + 1 :], {_TITLE: above}
        while True:
            batch += islice(rows, ROWS - len(batch))
            if not batch and not left_out:
                return
            yield self._batch(batch, header, left_out)
            batch, left_out = [], {}

    def _batch(self, rows: list[Row], header: Header, left_out: dict[str, int]) -> Part:
        kept: list[tuple[Row, Values]] = []
        for row in rows:
            reason = self._dropped(row, header)
            if reason:
                left_out[reason] = left_out.get(reason, 0) + row.size
                continue
            kept.append((row, _values(row, header)))
        longest = _longest(kept)
        found: list[tuple[Row, Values, dict[str, object]]] = []
        others: list[tuple[Row, Values, dict[str, object]]] = []
        for row, values in kept:
            told = exchange(row, values, header, longest)
            target = others if told is None else found
            target.append((row, values, record(row, values, header) if told is None else told))
        return self._part(found, others, left_out)

    def _dropped(self, row: Row, header: Header) -> str | None:
        if not any(cell.strip() for cell in row.cells):
            return _BLANK
        if tuple(row.cells) == header.cells:
            return "header repeated"
        key = hash(tuple(row.cells))
        if header.has("time") and key in self.seen:
            return _REPEATED
        if len(self.seen) < REMEMBERED:
            self.seen.add(key)
        return None

    def _part(
        self,
        found: list[tuple[Row, Values, dict[str, object]]],
        others: list[tuple[Row, Values, dict[str, object]]],
        left_out: dict[str, int],
    ) -> Part:
        exchanges = frame_of([told for _, _, told in found], READ_COLUMNS)
        records = frame_of([told for _, _, told in others], RECORDS)
        exchanges = _with_times(exchanges, [values for _, values, _ in found], self.calendar)
        times = _times([values for _, values, _ in others], self.calendar)
        stated = {"source_file": pl.lit(self.path), "format": pl.lit("table")}
        problems, self.problems[:] = tuple(self.problems), []
        return Part(
            exchanges.with_columns(**stated),
            records.with_columns(
                times["at"], times["raw_stamp"], times["zone_basis"], source_file=stated["source_file"]
            ),
            problems,
            Balance(sum(row.size for row, _, _ in found), sum(row.size for row, _, _ in others), left_out),
        )


def _values(row: Row, header: Header) -> Values:
    return {role: clean(row.cells[index]) for index, role in header.roles.items() if index < len(row.cells)}


def _longest(rows: list[tuple[Row, Values]]) -> Longest:
    """For each body column its maximal length and how many rows have it."""
    found: Longest = {}
    for role in ("request_body", "response_body"):
        lengths = Counter(len(values.get(role, "")) for _, values in rows)
        longest = max(lengths, default=0)
        found[role] = (longest, lengths[longest])
    return found


def _times(rows: list[Values], calendar: Calendar) -> pl.DataFrame:
    """`at`, `raw_stamp`, `time_quality`, `zone_basis` and `ended` of rows."""
    written = [values.get("time", "") for values in rows]
    ends = [values.get("end_time", "") for values in rows]
    day_before_month = day_first(written)
    forms = [stamp(text, day_before_month=day_before_month) for text in written]
    ended = [stamp(text, day_before_month=day_before_month)[0] for text in ends]
    frame = read_stamps(pl.Series("raw", [text for text, _ in forms], dtype=pl.String), calendar)
    ended_at = read_stamps(pl.Series("raw", ended, dtype=pl.String), calendar)["at"]
    coarse = pl.Series("coarse", [lost for _, lost in forms], dtype=pl.Boolean)
    raw_stamp = pl.Series(
        "raw_stamp", [text or end or None for text, end in zip(written, ends, strict=True)], dtype=pl.String
    )
    return frame.with_columns(raw_stamp, ended_at.alias("ended"), coarse).with_columns(
        time_quality=pl.when(pl.col("coarse") & pl.col("at").is_not_null())
        .then(pl.lit("derived"))
        .otherwise(pl.col("time_quality"))
    )


def _with_times(exchanges: pl.DataFrame, rows: list[Values], calendar: Calendar) -> pl.DataFrame:
    """Start and duration, either of which may have to come from the end."""
    times = _times(rows, calendar)
    frame = exchanges.with_columns(
        times["at"].alias("started_at"), times["raw_stamp"], times["time_quality"], times["zone_basis"], times["ended"]
    )
    span = (pl.col("ended") - pl.col("started_at")).dt.total_microseconds() / 1000
    took = pl.coalesce("duration_ms", pl.when(span.is_between(0, 86_400_000)).then(span))
    back = (pl.col("duration_ms").fill_null(0) * 1000).cast(pl.Int64).cast(pl.Duration("us"))
    return frame.with_columns(
        duration_ms=took,
        time_quality=pl.when(pl.col("started_at").is_null() & pl.col("ended").is_not_null())
        .then(pl.lit("derived"))
        .otherwise(pl.col("time_quality")),
        started_at=pl.coalesce("started_at", pl.col("ended") - back),
    ).drop("ended")
