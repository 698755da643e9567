"""A source: one decompressed byte stream with a name, read in bounded blocks or as valid UTF-8 text cut at lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.api import CHUNK

HEAD = 64 << 10


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

    def head(self, size: int = HEAD) -> bytes:
        """The first `size` bytes of the decompressed stream."""
        with self.opener() as stream:
            return stream.read(size)

    def blocks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The decompressed bytes in order, as stored."""
        with self.opener() as stream:
            while block := stream.read(size):
                yield block

    def data(self, limit: int) -> bytes:
        """All bytes, at most `limit`; a longer stream is cut and leaves a `limit` problem."""
        with self.opener() as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            self.problems.append(Problem("limit", f"only the first {limit} bytes were read", offset=limit))
            return data[:limit]
        return data
