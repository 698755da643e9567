"""Rows of a table file with their places: CSV with quoted line breaks, workbooks, HTML or XML saved as `.xls`."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, ZipError

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.sources import Source

MAX_RECORD_LINES = 5000  # of one quoted CSV record
MAX_RECORD = 4 << 20  # characters of one CSV record
MAX_CELLS = 500  # of one row
MAX_BOOK = 256 << 20  # bytes of a workbook file
MAX_UNPACKED = 1 << 30  # bytes of the sheets inside
MAX_RATIO = 500
_BLOCK = 4 << 20

Cells = list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` and `last` are lines of a text file; `sheet` and `number` a place in a workbook, from 1."""

    cells: Cells
    size: int = 0  # bytes in the text that was given
    line: int | None = None
    last: int | None = None
    sheet: str | None = None
    number: int = 0

    @property
    def locator(self) -> str:
        """Where it stands, as the frames say it."""
        if self.sheet is None:
            return f"lines:{self.line}-{self.last}"
        return f"ptr:/{self.sheet.replace('~', '~0').replace('/', '~1')}/{self.number}"


class _TooLong(Exception):
    """A record that its quote never closed."""


def csv_rows(source: Source, delimiter: str, problems: list[Problem]) -> Iterator[Row]:
    """The rows of a CSV file in order. A quote that never closes costs its own line only, and is a problem."""
    csv.field_size_limit(MAX_RECORD)
    lines = _Lines(source, problems)
    while True:
        taken: list[tuple[int, str]] = []
        try:
            cells = next(csv.reader(lines.supply(taken), delimiter=delimiter), None)
            unclosed = len(taken) > 1 and not _sound([text for _, text in taken], delimiter)
        except (_TooLong, csv.Error):
            cells, unclosed = [], True
        if not taken:
            return
        if unclosed:
            problems.append(Problem("malformed", "the quotes of this line do not close as they should", taken[0][0]))
            lines.give_back(taken[1:])
            taken = taken[:1]
            cells = taken[0][1].rstrip("\r\n").split(delimiter)
        size = sum(len(text.encode()) for _, text in taken)
        yield Row((cells or [])[:MAX_CELLS], size, taken[0][0], taken[-1][0])


def _sound(lines: list[str], delimiter: str) -> bool:
    """Whether a record of several lines keeps the rules of quoting, so that it has not swallowed its neighbours."""
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


class _Lines:
    """The lines of a source with their numbers, some of which may be given back."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self._back: deque[tuple[int, str]] = deque()
        self._lines = self._read(source, problems)

    @staticmethod
    def _read(source: Source, problems: list[Problem]) -> Iterator[tuple[int, str]]:
        for chunk in source.text(_BLOCK):
            problems += chunk.problems
            pieces = chunk.data.decode().split("\n")
            last = pieces.pop()
            number = chunk.line
            for piece in pieces:
                yield number, piece + "\n"
                number += 1
            if last:
                yield number, last

    def supply(self, taken: list[tuple[int, str]]) -> Iterator[str]:
        """The next lines, each noted in `taken`; raises _TooLong when one record takes too many."""
        size = 0
        while True:
            item = self._back.popleft() if self._back else next(self._lines, None)
            if item is None:
                return
            taken.append(item)
            size += len(item[1])
            if len(taken) > 1 and (len(taken) > MAX_RECORD_LINES or size > MAX_RECORD):
                raise _TooLong
            yield item[1].replace("\0", "")

    def give_back(self, items: list[tuple[int, str]]) -> None:
        """Put lines back in front."""
        self._back.extendleft(reversed(items))


def book_rows(data: bytes, problems: list[Problem]) -> Iterator[Row]:
    """The rows of all sheets of a workbook (XLSX, XLS, XLSB, ODS)."""
    if not _bounded(data, problems):
        return
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError:
        problems.append(Problem("encrypted", "the workbook is protected by a password; save it without one"))
        return
    except (CalamineError, ZipError, OSError, ValueError) as error:
        problems.append(Problem("unreadable", f"the workbook cannot be opened: {str(error)[:200]}"))
        return
    for name in book.sheet_names:
        try:
            sheet = book.get_sheet_by_name(name)
            first = (sheet.start or (0, 0))[0]
            for number, cells in enumerate(sheet.to_python(skip_empty_area=True), first + 1):
                yield Row([_cell(value) for value in cells[:MAX_CELLS]], sheet=name, number=number)
        except (CalamineError, ZipError, OSError, ValueError) as error:
            problems.append(Problem("malformed", f"sheet {name[:60]!r} cannot be read: {str(error)[:200]}"))


def _bounded(data: bytes, problems: list[Problem]) -> bool:
    """Whether a workbook that is an archive unpacks to a bearable size."""
    if not data.startswith(b"PK"):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        problems.append(Problem("unreadable", f"the workbook is no sound archive: {str(error)[:200]}"))
        return False
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(len(data), 1):
        problems.append(Problem("limit", f"the workbook would unpack to {unpacked} bytes"))
        return False
    return True


def _cell(value: object) -> str:
    """A workbook's cell as text: whole numbers without ".0", dates in ISO."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        return str(value.total_seconds())
    return str(value)


_ROW = ("tr", "row", "ss:row")
_CELL = ("td", "th", "cell", "ss:cell")
_SHEET = ("worksheet", "ss:worksheet")


class _Tables(HTMLParser):
    """Collects the rows of all tables of a page, or of all sheets of an XML spreadsheet, whose marks are alike."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[Row] = []
        self._row: Cells | None = None
        self._text: list[str] | None = None
        self._sheet: str | None = None
        self._number = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ROW:
            self._close_row()
            self._row = []
            self._number = max(self._number + 1, _place(attrs))
        elif tag in _CELL and self._row is not None:
            self._close_cell()
            self._row += [""] * (min(_place(attrs), MAX_CELLS) - 1 - len(self._row))
            self._text = []
        elif tag == "br" and self._text is not None:
            self._text.append("\n")
        elif tag in _SHEET:
            self._sheet, self._number = dict(attrs).get("ss:name") or "", 0

    def handle_endtag(self, tag: str) -> None:
        if tag in _CELL:
            self._close_cell()
        elif tag in _ROW or tag == "table":
            self._close_row()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _close_cell(self) -> None:
        if self._text is not None and self._row is not None and len(self._row) < MAX_CELLS:
            self._row.append("".join(self._text).strip())
        self._text = None

    def _close_row(self) -> None:
        self._close_cell()
        if self._row:
            line = self.getpos()[0]
            self.rows.append(Row(self._row, line=line, last=line, sheet=self._sheet, number=self._number))
        self._row = None


def _place(attrs: list[tuple[str, str | None]]) -> int:
    """The number that a row or cell of an XML spreadsheet gives itself behind empty ones, else 0."""
    number = dict(attrs).get("ss:index") or ""
    return int(number) if number.isdecimal() and len(number) < 8 else 0


def html_rows(text: str) -> list[Row]:
    """The rows of the tables in an HTML page or an XML spreadsheet (2003), as web exports save them as `.xls`."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    return parser.rows
