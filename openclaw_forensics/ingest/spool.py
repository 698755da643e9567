"""A stream kept so that it can be read again and from anywhere: small ones in memory, others in a nameless file."""

from __future__ import annotations

import io
import tempfile
import threading
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_IN_MEMORY = 16 << 20  # bytes before it goes to an unnamed temporary file


class Spool:
    """A stream kept so that it can be read again and from anywhere; closed when nobody holds it any more."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed in __del__
        self._lock = threading.Lock()
        self.size, self.cut = 0, False
        while block := stream.read(1 << 20):
            block = block[: limit - self.size]
            self._file.write(block)
            self.size += len(block)
            if self.size >= limit:
                self.cut = bool(stream.read(1))
                break

    def __del__(self) -> None:
        self._file.close()

    def at(self, place: int, size: int) -> bytes:
        """Up to `size` bytes from `place` on."""
        with self._lock:
            self._file.seek(place)
            return self._file.read(size)

    def view(self, start: int = 0, size: int | None = None) -> BinaryIO:
        """A seekable stream over a stretch of the spool."""
        return io.BufferedReader(_View(self, start, self.size - start if size is None else size), 1 << 16)


class _View(io.RawIOBase):
    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self._spool, self._start, self._size, self._place = spool, start, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        self._place = place + (0, self._place, self._size)[whence]
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._spool.at(self._start + self._place, min(len(view), max(self._size - self._place, 0)))
        view[: len(data)] = data
        self._place += len(data)
        return len(data)
