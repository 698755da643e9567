"""A source: one decompressed byte stream with a name, read in bounded blocks or as valid UTF-8 text cut at lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest import encodings

CHUNK = 8 << 20  # bytes; larger chunks are slower and take more memory
HEAD = 64 << 10
_HASH_BESIDE = 1 << 20  # bytes; hashing less costs less than telling another thread
LINE_LIMIT = 16 << 20  # bytes; what a longer line has beyond is left out


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Whole lines of valid UTF-8. `offset` is in bytes of the decompressed stream as stored, `line` 1-based."""

    data: bytes
    offset: int
    line: int
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Source:
    """One stream. `path` as shown to people: as given, "/" always, "a.zip!/b.log" inside an archive."""

    path: str
    opener: Callable[[], BinaryIO]  # a fresh decompressed stream each time
    size: int | None = None  # bytes of the decompressed stream, where known without reading
    encoding: str | None = None  # as detected or given; None: not looked at yet
    problems: list[Problem] = field(default_factory=list)
    series: str | None = None  # common name of a rotated series, whose sources come oldest first
    beside: tuple[str, ...] = ()  # names of the other files of the capture
    left_out: dict[str, int] = field(default_factory=dict)  # by reason: stored bytes that `text` did not pass on
    given: int = 0  # bytes of UTF-8 that `text` passed on
    sha256: str | None = None  # of the decompressed stream, once it was read to its end

    def open(self) -> Measured:
        """A fresh stream that is hashed and measured as it is read from start to end."""
        return Measured(self, self.opener())

    def head(self, size: int = HEAD) -> bytes:
        """The first `size` bytes of the decompressed stream."""
        with self.opener() as stream:
            return stream.read(size)

    def blocks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The decompressed bytes in order, as stored."""
        with self.open() as stream:
            while block := stream.read(size):
                yield block

    def data(self, limit: int) -> bytes:
        """All bytes, at most `limit`; a longer stream is cut and leaves a `limit` problem."""
        with self.open() as stream:
            data = stream.read(limit + 1)
            if len(data) <= limit:
                stream.read(1)  # reaching the end completes the digest
                return data
        self.report(Problem("limit", f"only the first {limit} bytes were read", offset=limit))
        return data[:limit]

    def digest(self) -> str:
        """The sha256 of the decompressed stream in hex; reads it only if nothing has read it to its end yet."""
        if self.sha256 is None:
            for _ in self.blocks():
                pass
        return self.sha256 or ""

    def report(self, problem: Problem) -> None:
        """Keep a problem of the stream itself, once however often the stream is opened."""
        if problem not in self.problems:
            self.problems.append(problem)

    def text(self, size: int = CHUNK) -> Iterator[TextChunk]:
        """The stream as valid UTF-8 in chunks of whole lines, about `size` bytes each; the last may lack its newline.

        CRLF is left as it is. Encodings are judged as `encodings` says; a line longer than LINE_LIMIT is cut.
        """
        self.left_out.clear()
        self.given = 0
        head = self.head()
        encoding, skip = encodings.by_mark(head)
        self.encoding = encoding = encoding or self.encoding or encodings.wide_without_mark(head) or "utf-8"
        if skip:
            self._leave_out("byte order mark", skip)
        chunks = _Chunks(self, encoding, skip)
        for chunk in chunks.read(size):
            self.given += len(chunk.data)
            yield chunk

    def text_head(self, size: int = HEAD) -> bytes:
        """The first bytes as a reader sees them: without a byte order mark, wide encodings as UTF-8."""
        head = self.head(size)
        encoding, skip = encodings.by_mark(head)
        encoding = encoding or encodings.wide_without_mark(head)
        if encoding in encodings.UNITS:
            usable = len(head) - (len(head) - skip) % encodings.UNITS[encoding]
            return head[skip:usable].decode(encoding, "replace").encode()
        return head[skip:]

    def _leave_out(self, reason: str, count: int) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + count


class Measured:
    """A stream that tells its source size and digest when it has been read to its end."""

    def __init__(self, source: Source, stream: BinaryIO) -> None:
        self._source, self._stream = source, stream
        self._hash = None if source.sha256 else hashlib.sha256()
        self._size = 0
        self._beside: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end of the stream."""
        data = self._stream.read(size)
        self._size += len(data)
        if self._hash is not None:
            self._update(self._hash, data)
            if len(data) < size:
                self._settle()
                self._source.sha256, self._source.size = self._hash.hexdigest(), self._size
                self._hash = None
        return data

    def _update(self, digest: hashlib._Hash, data: bytes) -> None:
        """Large blocks are hashed beside the work on them, which is a fifth of the time to read a plain log."""
        self._settle()
        if len(data) < _HASH_BESIDE:
            digest.update(data)
            return
        self._beside = self._beside or ThreadPoolExecutor(1, "digest")
        self._pending = self._beside.submit(digest.update, data)

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def __enter__(self) -> Measured:
        return self

    def __exit__(self, *_: object) -> None:
        self._settle()
        if self._beside is not None:
            self._beside.shutdown()
        self._stream.close()


class _Chunks:
    """Cuts one source's stream at newlines and makes each piece UTF-8."""

    def __init__(self, source: Source, encoding: str, skip: int) -> None:
        self.source, self.encoding, self.skip = source, encoding, skip
        self.unit = encodings.UNITS.get(encoding, 1)
        self.newline = "\n".encode(encoding)
        legacy = None if encoding == "utf-8" or self.unit > 1 else encoding
        self.repair = encodings.Repair(legacy)
        self.offset, self.line = skip, 1

    def read(self, size: int) -> Iterator[TextChunk]:
        """The chunks in order."""
        with self.source.open() as stream:
            stream.read(self.skip)
            rest = b""
            while block := stream.read(size):
                cut = block.rfind(b"\n") + 1 if self.unit == 1 else 0
                if cut:  # the usual case, with one copy of the block
                    yield self._chunk(b"".join((rest, memoryview(block)[:cut])), len(rest) + cut)
                    rest = block[cut:]
                    continue
                data = rest + block if rest else block
                cut = self._last_newline(data)
                if cut:
                    yield self._chunk(data[:cut], cut)
                    rest = data[cut:]
                elif len(data) > LINE_LIMIT:
                    kept, dropped, rest = self._cut_line(data, stream, size)
                    yield self._chunk(kept, len(kept) + dropped)
                else:
                    rest = data
            if rest:
                yield self._chunk(rest, len(rest))

    def _last_newline(self, data: bytes) -> int:
        """Where the last whole line of `data` ends, 0 when none does."""
        end = len(data)
        while (at := data.rfind(self.newline, 0, end)) >= 0:
            if at % self.unit == 0:
                return at + len(self.newline)
            end = at + len(self.newline) - 1
        return 0

    def _cut_line(self, data: bytes, stream: Measured, size: int) -> tuple[bytes, int, bytes]:
        """A line that is too long: what is kept of it, how many bytes are not, and what follows it."""
        kept, dropped, rest = data[:LINE_LIMIT], len(data) - LINE_LIMIT, b""
        if self.unit == 1:
            end = _character_end(kept)
            kept, dropped = kept[:end], dropped + LINE_LIMIT - end
        carry = data[len(data) - len(data) % self.unit :]
        while block := stream.read(size):
            block = carry + block
            at = self._first_newline(block)
            if at >= 0:
                dropped += at - len(carry)
                kept, rest = kept + self.newline, block[at + len(self.newline) :]
                break
            dropped += len(block) - len(carry)
            carry = block[len(block) - len(block) % self.unit :]
        message = f"a line of {len(kept) + dropped} bytes; only the first {LINE_LIMIT >> 20} MiB of it are used"
        self.source.report(Problem("limit", message, self.line, self.offset))
        self.source._leave_out("beyond the longest line", dropped)
        return kept, dropped, rest

    def _first_newline(self, data: bytes) -> int:
        at = data.find(self.newline)
        while at >= 0 and at % self.unit:
            at = data.find(self.newline, at + 1)
        return at

    def _chunk(self, data: bytes, stored: int) -> TextChunk:
        problems: list[Problem] = []
        text = data
        if self.unit > 1:
            text, problems = encodings.transcode(data, self.encoding, self.offset, self.line)
        elif self.encoding != "utf-8" or not encodings.is_utf8(data):
            text, problems = self.repair.lines(data, self.offset, self.line)
            if self.repair.legacy and self.source.encoding == "utf-8":
                self.source.encoding = self.repair.legacy
        chunk = TextChunk(text, self.offset, self.line, tuple(problems))
        self.offset += stored
        self.line += _newlines(text)
        return chunk


def _newlines(data: bytes) -> int:
    """How many there are; taking them out is three times as fast as counting."""
    return len(data) - len(data.replace(b"\n", b""))


def _character_end(data: bytes) -> int:
    """Where the last whole character of UTF-8 cut anywhere ends; the length when it is not UTF-8."""
    for back in range(1, min(5, len(data))):
        if data[-back] < 0x80:
            return len(data) - back + 1
        if data[-back] >= 0xC0:
            return len(data) - back
    return len(data)
