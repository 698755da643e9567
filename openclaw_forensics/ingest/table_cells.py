"""What spreadsheets do to values, undone or at least known: marks, serial dates, lost digits, cut cells."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

EXCEL_CELL = 32_767  # characters that one cell holds
# Lengths at which databases and exporters cut, in characters or bytes.
_USUAL_CUTS = frozenset(
    {255, 256, 500, 512, 1000, 1024, 2000, 2048, 4000, 4096, 5000, 8000, 10_000, 32_759, EXCEL_CELL, 65_535}
)
_FORMULA = re.compile(r'="(.*)"$', re.DOTALL)
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?(\d{2,3})$")
_SERIAL = re.compile(r"(?:[2-6]\d{4})(?:\.\d+)?$")
_MASKED = re.compile(r"\*{3,}|█{2,}|●{3,}")
_SHORT_US = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?=\D|$)")
_DATE_ONLY = re.compile(r"\d{4}[-/年.]\d{1,2}[-/月.]\d{1,2}日?$")
_NO_SECONDS = re.compile(r"(?<![\d:])\d{1,2}:\d\d(?:\s*[AaPp]\.?[Mm]\.?)?$")
_DURATION = re.compile(
    r"(-?\d+(?:\.\d+)?)\s*(ms|毫秒|msec|milliseconds?|us|µs|微秒|s|sec|seconds?|秒|min|分钟|分)?$", re.IGNORECASE
)
_UNITS = {
    "ms": 1.0,
    "毫秒": 1.0,
    "msec": 1.0,
    "us": 0.001,
    "µs": 0.001,
    "微秒": 0.001,
    "min": 60_000.0,
    "分": 60_000.0,
    "分钟": 60_000.0,
}
_EPOCH = datetime(1899, 12, 30)


def clean(cell: str) -> str:
    """A cell without what protects it from the spreadsheet: `="123"`, a leading apostrophe, a trailing TAB."""
    text = cell.strip(" \t\r\n\ufeff\u00a0")
    if match := _FORMULA.fullmatch(text):
        text = match[1].replace('""', '"')
    return text[1:] if text.startswith("'") and not text.endswith("'") else text


def lost_digits(text: str) -> bool:
    """Whether a number was written in scientific notation, so that an id in it is lossy beyond 15 digits."""
    match = _SCIENTIFIC.fullmatch(text)
    return bool(match) and int(match[1] if match else 0) >= 11


def masked(text: str) -> bool:
    """Whether parts of the text were replaced by stars or blocks."""
    return bool(_MASKED.search(text[:100_000]))


def closes(text: str) -> bool:
    """Whether a text that begins as JSON or XML also ends as it should; true for any other text."""
    start = text.lstrip()[:1]
    if start in ("{", "["):
        try:
            msgspec.json.decode(text.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return False
    return start != "<" or text.rstrip().endswith(">")


def cut(text: str, longest: int, times: int) -> bool:
    """Whether a body was cut on its way into the table: at a usual limit, or where several rows share one maximum.

    `longest` is the column's maximal length and `times` how many rows have it.
    """
    size = len(text)
    if size >= EXCEL_CELL:
        return True
    at_limit = size in _USUAL_CUTS or len(text.encode("utf-8", "replace")) in _USUAL_CUTS
    shared = size == longest and times > 1 and size >= 200
    marked = text.rstrip().endswith(("...", "…", "[truncated]", "(truncated)", "<skipped>"))
    return (at_limit or shared or marked) and not closes(text)


def day_first(stamps: list[str]) -> bool:
    """Whether stamps such as 13/2/2024 put the day first: some first number is over 12."""
    return any(int(match[1]) > 12 for stamp in stamps if (match := _SHORT_US.match(stamp)))


def stamp(text: str, *, day_before_month: bool) -> tuple[str, bool]:
    """A stamp in a form that can be read, and whether its seconds are lost."""
    if _SERIAL.fullmatch(text):
        seconds = round(float(text) * 86_400)
        return (_EPOCH + timedelta(seconds=seconds)).isoformat(sep=" "), "." not in text
    if _DATE_ONLY.fullmatch(text):
        numbers = re.findall(r"\d+", text)
        return f"{numbers[0]}-{numbers[1]:0>2}-{numbers[2]:0>2} 00:00:00", True
    if day_before_month and (match := _SHORT_US.match(text)):
        text = f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}{text[match.end() :]}"
    return text, bool(_NO_SECONDS.search(text))


def duration_ms(text: str, header: str) -> float | None:
    """Milliseconds of `31`, `31毫秒`, `0.031s`; without a unit the header's, else milliseconds."""
    match = _DURATION.fullmatch(text.replace(",", ""))
    if match is None or float(match[1]) < 0 or len(match[1]) > 15:
        return None
    unit = (match[2] or "").lower()
    if not unit:
        named = re.search(r"毫秒|ms|秒|(?<![a-z])s(?:ec|econds?)?(?![a-z])", header.lower())
        unit = named[0] if named else "ms"
    return round(float(match[1]) * _UNITS.get(unit, 1.0 if unit.startswith("milli") else 1000.0), 3)
