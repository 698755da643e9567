"""Pieces of a HAR parsed: all entries of a piece at once, and one by one where something is wrong in it."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.encodings import is_utf8
from openclaw_forensics.ingest.har_model import DECODER, Entry, lenient
from openclaw_forensics.ingest.har_split import Piece, joined
from openclaw_forensics.ingest.jsonlike import ESCAPE, JSON, Walker, space_end, without_surrogates

_MERGE_LIMIT = 256 << 20  # bytes of pieces put together again because an entry was cut


@dataclass(slots=True)
class Parsed:
    """The entries of a piece with the number of each, and the bytes by where they went."""

    entries: list[Entry]
    numbers: list[int]
    used: int = 0
    structure: int = 0
    broken: int = 0
    problems: list[Problem] = field(default_factory=list)


class Parser:
    """Parses a file's pieces in order."""

    def __init__(self) -> None:
        self._next = 0
        self._ended = False  # the list of entries is closed
        self.found_list = False
        self.after = ""  # what stands behind it

    def parse(self, pieces: Iterator[Piece]) -> Iterator[Parsed]:
        """The entries piece by piece. A piece that ends inside an entry is joined with the next."""
        held: Piece | None = None
        for piece in pieces:
            self.found_list = True
            whole = joined(held, piece) if held else piece
            parsed = self._fast(whole) or self._slowly(whole)
            held = whole if parsed is None else None
            if parsed:
                yield parsed

    def _fast(self, piece: Piece) -> Parsed | None:
        if self._ended:
            return Parsed([], [], structure=len(piece.data))
        listed, tail = piece.list, b""
        if piece.last:
            data = piece.data
            if (end := _list_end(data)) is None:
                return None
            listed, tail = b"[%b]" % data[:end].rstrip(b" \t\r\n,"), data[end:]
        try:
            entries = _decoded(listed)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        if not all(entry.request and entry.request.url for entry in entries):
            return None
        if tail:
            self._close(tail.decode("utf-8", ESCAPE))
        size = len(data) if piece.last else len(listed) - 2 + len(piece.behind)
        return Parsed(entries, self._numbers(len(entries)), used=size - len(tail), structure=len(tail))

    def _slowly(self, piece: Piece) -> Parsed | None:
        """Entry by entry; None when the piece ends inside an entry and more is to come."""
        data = piece.data
        text = data.decode("utf-8", ESCAPE)
        opening = re.match(r'\s*(\{\s*"[^"\\]{1,64}")', text)
        walker = Walker(text, piece.offset, opening.group(1) if opening else None, last=piece.last)
        parsed = Parsed([], [])
        first = self._next
        for number, value in enumerate(walker, first):
            entry = lenient(without_surrogates(value)) if isinstance(value, dict) else None
            if entry:
                parsed.entries.append(entry)
                parsed.numbers.append(number)
            elif value is not None:
                walker.complain("malformed", f"entry {number} holds no request; it is left out", walker.start)
            self._next = number + 1
        if walker.cut and not piece.last and len(data) < _MERGE_LIMIT:
            self._next = first
            return None
        if walker.cut:
            message = f"the file ends inside entry {self._next}; the entries before it are used"
            walker.complain("truncated" if piece.last else "malformed", message, walker.start)
        elif piece.last and walker.closed is None:
            walker.complain(
                "truncated", "the file ends before its list of entries does; all of them are used", len(text)
            )
        if not is_utf8(data):
            walker.complain("undecodable", "bytes that are not UTF-8 are shown as U+FFFD", 0)
        if walker.closed is not None:
            self._close(text[walker.closed :])
        parsed.problems = walker.problems
        parsed.structure = len(self.after.encode("utf-8", ESCAPE)) if walker.closed is not None else 0
        parsed.broken = walker.broken
        parsed.used = len(data) - parsed.structure - parsed.broken
        return parsed

    def _close(self, after: str) -> None:
        self._ended, self.after = True, after

    def _numbers(self, count: int) -> list[int]:
        first, self._next = self._next, self._next + count
        return list(range(first, self._next))


def _decoded(listed: bytes) -> list[Entry]:
    """The entries of a JSON list. Raises msgspec's errors.

    The garbage collector rests meanwhile: it would look through ten thousands of new lists that hold no cycles.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return DECODER.decode(listed)
    finally:
        if collecting:
            gc.enable()


def _list_end(data: bytes) -> int | None:
    """Where the list of entries is closed in the file's last piece; None when that cannot be told quickly."""
    opening = re.match(rb'\s*(\{\s*"[^"\\]{1,64}")', data)
    if opening is None:
        return len(data) - len(data.lstrip()) if data.lstrip().startswith(b"]") else None
    at = data.rfind(opening.group(1))
    try:
        text = data[at:].decode()
        place = 0
        while True:
            _, place = JSON.raw_decode(text, place)
            place = space_end(text, place)
            if text[place : place + 1] == "]":
                return at + len(text[:place].encode())
    except (ValueError, RecursionError):
        return None
