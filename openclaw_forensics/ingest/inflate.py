"""Decompression in bounds of output, ratio and memory; a broken stream keeps what came before the break."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

import zstandard

from openclaw_forensics.errors import Problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Compression = Literal["gzip", "zlib", "deflate", "bzip2", "xz", "zstd"]

STEP = 1 << 20  # bytes of output asked for at a time
_INPUT = 64 << 10
_ZSTD_INPUT = 4 << 10  # its decoder cannot bound its output: 4 KiB of input make 128 MiB at the very worst
_MEMORY = 256 << 20  # for an xz dictionary or a zstd window
DECODE_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far one input may expand."""

    expanded: int = 64 << 30  # bytes of one decompressed stream, or of all members of an archive
    ratio: int = 1200  # deflate cannot exceed 1032; a log of one repeated line comes near
    ratio_from: int = 256 << 20  # bytes; less is harmless at any ratio
    members: int = 20_000
    depth: int = 2  # archives within archives


class Decoder(Protocol):
    """One compressed frame being decoded."""

    eof: bool
    unused: bytes
    wants_input: bool

    def feed(self, data: bytes, limit: int) -> bytes:
        """The next output, at most `limit` bytes where the codec can bound it. Raises one of DECODE_ERRORS."""
        ...


class _Deflate:
    def __init__(self, wbits: int) -> None:
        self._codec = zlib.decompressobj(wbits)
        self.eof, self.unused, self.wants_input = False, b"", True

    def feed(self, data: bytes, limit: int) -> bytes:
        out = self._codec.decompress(self._codec.unconsumed_tail + data, limit)
        self.eof, self.unused = self._codec.eof, self._codec.unused_data
        self.wants_input = not self._codec.unconsumed_tail and len(out) < limit
        return out


class _Blocks:
    """bzip2 and xz, which share an interface."""

    def __init__(self, codec: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._codec = codec
        self.eof, self.unused, self.wants_input = False, b"", True

    def feed(self, data: bytes, limit: int) -> bytes:
        out = self._codec.decompress(data, limit)
        self.eof, self.wants_input = self._codec.eof, self._codec.needs_input
        self.unused = self._codec.unused_data if self.eof else b""
        return out


class _Zstd:
    def __init__(self) -> None:
        self._codec = zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompressobj()
        self.eof, self.unused, self.wants_input = False, b"", True

    def feed(self, data: bytes, limit: int) -> bytes:
        out = self._codec.decompress(data) if data else b""
        self.eof, self.unused = self._codec.eof, self._codec.unused_data
        return out


def decoder(kind: Compression) -> Decoder:
    """A fresh decoder for one frame of `kind`; `deflate` is the bare stream without zlib's header."""
    if kind == "zstd":
        return _Zstd()
    if kind == "bzip2":
        return _Blocks(bz2.BZ2Decompressor())
    if kind == "xz":
        return _Blocks(lzma.LZMADecompressor(memlimit=_MEMORY))
    return _Deflate({"gzip": 31, "zlib": 15, "deflate": -15}[kind])


class Inflated(io.RawIOBase):
    """The decompressed bytes of `raw`. Nothing raises: what breaks is reported and ends the stream."""

    def __init__(self, raw: BinaryIO, kind: Compression, bounds: Bounds, report: Callable[[Problem], None]) -> None:
        self._raw, self._kind, self._bounds, self._report = raw, kind, bounds, report
        self._decoder = decoder(kind)
        self._ahead = b""  # input already read that belongs to the next frame
        self._input = _ZSTD_INPUT if kind == "zstd" else _INPUT
        self._pending, self._at = b"", 0
        self._consumed = self._produced = 0
        self._ended = False

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the compressed stream as well."""
        self._raw.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill some of `buffer`; 0 at the end, whether the stream ended well or not."""
        view = memoryview(buffer).cast("B")
        while self._at >= len(self._pending):
            if self._ended:
                return 0
            self._pending, self._at = self._next(), 0
        count = min(len(view), len(self._pending) - self._at)
        view[:count] = self._pending[self._at : self._at + count]
        self._at += count
        return count

    def _next(self) -> bytes:
        data = b""
        if self._decoder.wants_input:
            data, self._ahead = self._ahead or self._raw.read(self._input), b""
            self._consumed += len(data)
            if not data:
                return self._end("truncated", f"the {self._kind} stream ends in the middle; what came before is used")
        try:
            out = self._decoder.feed(data, STEP)
        except DECODE_ERRORS as exc:
            kind: Literal["truncated", "unreadable"] = "truncated" if self._produced else "unreadable"
            return self._end(kind, f"the {self._kind} stream is broken here: {exc}")
        self._produced += len(out)
        if self._decoder.eof:
            self._frame_ended()
        return self._bounded(out)

    def _frame_ended(self) -> None:
        """Go on with the next frame: rotated logs appended to each other, or one frame per record."""
        rest = self._decoder.unused.lstrip(b"\0") or self._raw.read(self._input).lstrip(b"\0")
        if rest and compression_of(rest) == self._kind:
            self._decoder, self._ahead = decoder(self._kind), rest
        elif rest:
            self._end("malformed", f"bytes after the end of the {self._kind} stream are left out")
        self._ended = not self._ahead

    def _bounded(self, out: bytes) -> bytes:
        bounds = self._bounds
        if self._produced > bounds.expanded:
            keep = len(out) - (self._produced - bounds.expanded)
            self._end("limit", f"expands to more than {bounds.expanded} bytes; the rest is left out")
            return out[: max(keep, 0)]
        if self._produced > bounds.ratio_from and self._produced > bounds.ratio * self._consumed:
            self._end("limit", f"expands more than {bounds.ratio} times; the rest is left out")
        return out

    def _end(self, kind: Literal["truncated", "unreadable", "limit", "malformed"], message: str) -> bytes:
        self._ended = True
        self._report(Problem(kind, message, offset=self._produced))
        return b""


def compression_of(head: bytes) -> Compression | None:
    """Which compression the first bytes show, if any."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\0"):
        return "xz"
    return "zlib" if head[:2] in (b"x\x01", b"x\x9c", b"x\xda") and _inflates(head) else None


def _inflates(head: bytes) -> bool:
    try:
        return bool(zlib.decompressobj().decompress(head, 64)) or len(head) < 16
    except zlib.error:
        return False


def inflate(data: bytes, kind: Compression, limit: int, ratio: int = 1200) -> tuple[bytes, str | None]:
    """All frames of a short compressed text, and why it is not whole: None, or what broke or which bound was met."""
    problems: list[Problem] = []
    bounds = Bounds(expanded=limit, ratio=ratio, ratio_from=1 << 20)
    with io.BufferedReader(Inflated(io.BytesIO(data), kind, bounds, problems.append)) as stream:
        out = stream.read()
    return out, problems[0].message if problems else None
