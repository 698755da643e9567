"""A HAR cut into pieces of whole entries without parsing it: the way an entry begins is learnt from the first one.

A quote inside a JSON string is always escaped, so the literal `{"startedDateTime"` (or whatever the first entry begins
with, its white space included) stands at the beginning of an object only. Cuts are made there, a few megabytes apart.
A cut that falls inside an entry is noticed when the piece does not parse, and mended by whoever parses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openclaw_forensics.ingest.sources import Measured

PIECE = 4 << 20  # bytes
SEARCH_LIMIT = 64 << 20  # how far before the entries the rest of the document may reach
ENTRY_LIMIT = 512 << 20  # one entry; the longest string of the browsers' engine

_ENTRIES = re.compile(rb'"entries"\s*:\s*\[\s*')
_BARE_LIST = re.compile(rb"\s*\[\s*(?=\{)")
_OPENING = re.compile(rb'\{\s*"[^"\\]{1,64}"')


@dataclass(frozen=True, slots=True)
class Piece:
    """Some entries with the commas between them, behind one `[`. `offset` is that of the first entry in the stream."""

    list: bytes
    offset: int
    last: bool
    behind: bytes = b""  # the comma and white space that end it; `list` is closed by a `]` instead

    @property
    def data(self) -> bytes:
        """The bytes as they stand in the stream."""
        return self.list[1:] if self.last else self.list[1:-1] + self.behind


def joined(first: Piece, second: Piece) -> Piece:
    """Two pieces as one, because the cut between them was none between entries."""
    return _piece([first.data, second.data], first.offset, last=second.last)


def _piece(parts: Sequence[bytes | memoryview], offset: int, *, last: bool) -> Piece:
    """The parts put together, copied once."""
    if last:
        return Piece(b"".join((b"[", *parts)), offset, last)
    end = bytes(parts[-1][-4096:])
    behind = end[len(end.rstrip(b" \t\r\n,")) :]
    kept = parts[-1][: len(parts[-1]) - len(behind)]
    return Piece(b"".join((b"[", *parts[:-1], kept, b"]")), offset, last, behind)


class Splitter:
    """Cuts one stream. `before` holds what stood before the entries, the whole document when there are none."""

    def __init__(self, stream: Measured, start: int = 0) -> None:
        self._stream, self._offset = stream, start
        self.before = b""
        self.base = "/log/entries"  # JSON pointer of the list

    def pieces(self, size: int = PIECE) -> Iterator[Piece]:
        """The pieces in order; none when the document holds no list of entries."""
        buffer, begin = self._find_entries()
        if begin is None:
            self.before = buffer
            return
        self.before, buffer = buffer[:begin], buffer[begin:]
        self._offset += begin
        opening = _OPENING.match(buffer)
        literal = opening.group() if opening else None
        held = [buffer]
        while block := self._stream.read(size):
            cut = block.rfind(literal) if literal else -1
            if cut < 0 or sum(map(len, held)) < size // 2:
                held.append(block)
                if sum(map(len, held)) > ENTRY_LIMIT:
                    break
                continue
            yield self._piece([*held, memoryview(block)[:cut]], last=False)
            held = [block[cut:]]
        yield self._piece(held, last=True)

    def _piece(self, parts: Sequence[bytes | memoryview], *, last: bool) -> Piece:
        piece = _piece(parts, self._offset, last=last)
        self._offset += sum(map(len, parts))
        return piece

    def _find_entries(self) -> tuple[bytes, int | None]:
        buffer = self._stream.read(PIECE)
        if found := _BARE_LIST.match(buffer):
            self.base = ""
            return buffer, found.end()
        searched = 0
        while True:
            if found := _ENTRIES.search(buffer, searched):
                if b'"log"' not in buffer[: found.start()]:
                    self.base = "/entries"
                return buffer, found.end()
            searched = max(len(buffer) - 64, 0)
            block = self._stream.read(PIECE)
            if not block or len(buffer) > SEARCH_LIMIT:
                return buffer + block, None
            buffer += block
