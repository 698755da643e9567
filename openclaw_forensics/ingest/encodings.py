"""Which encoding bytes are in, and how they become UTF-8: by mark, else UTF-8, else the likeliest legacy encoding.

One file may mix encodings (a log that two programs append to), so text is judged by chunk, then by line. A line that
is valid UTF-8 stays as it is; the others are read in the legacy encoding that the file's bad lines point to. What
decodes by nothing is repaired with U+FFFD and reported once per run of such lines.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from openclaw_forensics.errors import Problem

SAMPLE = 64 << 10  # bytes shown to the detector
# Longest first: the UTF-32 LE mark begins with the UTF-16 LE mark.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LEGACY = {"gb18030": "gb18030", "big5": "big5", "cp1252": "windows-1252", "latin_1": "latin-1"}
_PAIRS = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
# Bytes by their place in CJK UTF-8: L leads, T trails. Three such characters in a row are never seen in legacy text.
_PLACES = bytes(ord("L") if 0xE3 <= byte <= 0xEF else ord("T") if 0x80 <= byte <= 0xBF else 0 for byte in range(256))
_WIDE_RUN = b"LTT" * 3
_WIDE_CHARACTER = re.compile(rb"[\xe3-\xef][\x80-\xbf]{2}")  # CJK in UTF-8; a legacy pair seldom looks like this
UNITS = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}


def by_mark(head: bytes) -> tuple[str | None, int]:
    """The encoding that a byte order mark states and the mark's length, else (None, 0)."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return None, 0


def wide_without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark, told by zero bytes in every second place only; None when it is not that."""
    sample = head[: 4096 & ~1]
    if len(sample) < 8 or b"\0" not in sample:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.3 and even < half * 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.3 and odd < half * 0.02 else None


def is_utf8(data: bytes) -> bool:
    """Whether `data` is valid UTF-8; ten times as fast as decoding it."""
    if data.isascii():
        return True
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def legacy_of(sample: bytes) -> str | None:
    """The likeliest legacy encoding of bytes that are not UTF-8, None when no candidate decodes them."""
    from charset_normalizer import from_bytes  # slow to import, seldom needed

    sample = sample[:SAMPLE]
    best = from_bytes(sample, cp_isolation=list(_LEGACY)).best()
    name = best.encoding if best else None
    if name in ("gb18030", "big5"):
        return _chinese(sample)
    if name is None:
        name = next((candidate for candidate in ("gb18030", "big5", "cp1252") if _decodes(sample, candidate)), None)
    return _LEGACY.get(name) if name else None


def _chinese(sample: bytes) -> str:
    """GB18030 or Big5: which one's frequent characters the pairs are (GB 2312 level 1, Big5 level 1)."""
    pairs = _PAIRS.findall(sample)
    simplified = sum(0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
    traditional = sum(0xA4 <= pair[0] <= 0xC6 for pair in pairs)
    if not _decodes(sample, "gb18030"):
        return "big5" if _decodes(sample, "big5") else "gb18030"
    return "big5" if traditional > simplified and _decodes(sample, "big5") else "gb18030"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(data)  # a pair cut at the sample's end is no error
    except UnicodeDecodeError:
        return False
    return True


@dataclass(slots=True)
class Repair:
    """Turns chunks that are not UTF-8 into UTF-8, remembering the file's legacy encoding once it is known."""

    legacy: str | None = None
    mixed: bool = False  # lines of real UTF-8 beside legacy ones

    def lines(self, data: bytes, offset: int, line: int) -> tuple[bytes, list[Problem]]:
        """`data` as UTF-8, judged line by line. `offset` and `line` are the place of its first byte, for problems."""
        pieces = data.split(b"\n")
        if self.legacy is None:
            self.legacy = legacy_of(_bad_sample(pieces))
        if (text := self._all_legacy(data)) is not None:
            return text, []
        wide = [at for at, piece in enumerate(pieces) if not piece.isascii()]
        lengths = [len(piece) for piece in pieces]
        valid = {at: _as_utf8(pieces[at]) for at in wide}
        self.mixed = self.mixed or any(valid[at] is not None and _WIDE_CHARACTER.search(pieces[at]) for at in wide)
        repaired = [at for at in wide if not self._settle(pieces, at, valid[at])]
        return b"\n".join(pieces), _runs(repaired, lengths, offset, line)

    def _all_legacy(self, data: bytes) -> bytes | None:
        """The fast way: the whole chunk in the legacy encoding, unless a run of real UTF-8 stands in it."""
        if self.legacy is None or self.mixed or _WIDE_RUN in data.translate(_PLACES):
            return None
        try:
            return data.decode(self.legacy).encode()
        except UnicodeDecodeError:
            return None

    def _settle(self, pieces: list[bytes], at: int, valid: bytes | None) -> bool:
        """Put line `at` as UTF-8 in its place; False when bytes had to be replaced."""
        piece = pieces[at]
        if valid is not None and not self._accidental(piece):
            pieces[at] = valid
            return valid is piece
        if self.legacy:
            try:
                pieces[at] = piece.decode(self.legacy).encode()
            except UnicodeDecodeError:
                pass
            else:
                return True
        pieces[at] = piece.decode("utf-8", "replace").encode()
        return False

    def _accidental(self, piece: bytes) -> bool:
        """A legacy Chinese line that happens to be valid UTF-8 too: pairs only, in a file that has no real UTF-8."""
        return self.legacy in ("gb18030", "big5") and not self.mixed and not _WIDE_CHARACTER.search(piece)


def _bad_sample(pieces: list[bytes]) -> bytes:
    """The first lines that are not UTF-8, as many as the detector wants."""
    bad: list[bytes] = []
    size = 0
    for piece in pieces:
        if not piece.isascii() and _as_utf8(piece) is None:
            bad.append(piece[:SAMPLE])
            size += len(piece)
            if size >= SAMPLE:
                break
    return b"\n".join(bad)


def _as_utf8(piece: bytes) -> bytes | None:
    """The line itself when it is UTF-8, repaired when it is UTF-8 with a few bad bytes, None when it is not UTF-8."""
    try:
        piece.decode()
    except UnicodeDecodeError:
        text = piece.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = sum(character > "\x7f" for character in text) - bad
        return text.encode() if good > 2 * bad else None
    return piece


def _runs(repaired: list[int], lengths: list[int], offset: int, line: int) -> list[Problem]:
    """One problem per run of neighbouring repaired lines."""
    problems: list[Problem] = []
    starts = list(accumulate(lengths, lambda total, length: total + length + 1, initial=0))
    for first, last in _neighbours(repaired):
        count = "this line decodes" if first == last else f"these {last - first + 1} lines decode"
        message = f"{count} as no known encoding; bad bytes are shown as U+FFFD"
        problems.append(Problem("undecodable", message, line + first, offset + starts[first]))
    return problems


def _neighbours(numbers: list[int]) -> Iterator[tuple[int, int]]:
    first = last = -2
    for number in numbers:
        if number != last + 1:
            if last >= 0:
                yield first, last
            first = number
        last = number
    if last >= 0:
        yield first, last


def transcode(data: bytes, encoding: str, offset: int, line: int) -> tuple[bytes, list[Problem]]:
    """Whole code units of a wide encoding as UTF-8; unpaired surrogates and the like are repaired and reported."""
    try:
        return data.decode(encoding).encode(), []
    except UnicodeDecodeError as exc:
        text = data.decode(encoding, "replace")
        where = line + text[: exc.start // UNITS.get(encoding, 1)].count("\n")
        problem = Problem("undecodable", f"bytes that are no {encoding} are shown as U+FFFD", where, offset + exc.start)
        return text.encode(), [problem]
