"""Lines without what a log collector put around them: docker's json-file, Kubernetes' CRI, a prefix such as syslog's.

Each line of the source stays one line. What a container runtime cut is put together where its first piece stood, each
stream for itself; the lines of the other pieces are left empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.sources import CHUNK, Source, TextChunk

_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?: |$)")
_CUT = re.compile(rb"(?m)^\S{20,40} (?:stdout|stderr) P(?: |$)")
WRAPPING = "a log collector's wrapping"  # the reason for which its bytes are set aside
MAX_WAITING = 20_000  # lines that wait for the rest of one that was cut


class Taken(NamedTuple):
    """One line taken out of its wrapping."""

    stamp: bytes  # as the collector wrote it; empty when it wrote none
    stream: bytes  # pieces of one line belong to one stream
    whole: bool  # or its last piece
    text: bytes


Take = Callable[[bytes], Taken | None]  # None: the line is not wrapped


class _Docker(msgspec.Struct):
    log: str
    stream: str = "stdout"
    time: str = ""
    logtag: str | None = None
    kubernetes: dict[str, object] | None = None


class DockerLine:
    """Docker's json-file, also as shippers forward it. `ended`: whether whole lines keep their line end."""

    def __init__(self, *, ended: bool = True) -> None:
        self._decoder, self._ended = msgspec.json.Decoder(_Docker), ended

    def __call__(self, line: bytes) -> Taken | None:
        """The line inside."""
        try:
            held = self._decoder.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return None
        whole = held.logtag != "P" if held.logtag else held.log.endswith("\n") or not self._ended
        where = held.kubernetes or {}
        stream = f"{held.stream} {where.get('pod_name', '')} {where.get('container_name', '')}".rstrip()
        text = held.log.rstrip("\r\n").replace("\n", " ")
        stamp, key, inner = (part.encode("utf-8", "replace") for part in (held.time, stream, text))
        return Taken(stamp, key, whole, inner)


def cri_line(line: bytes) -> Taken | None:
    """A line of Kubernetes' CRI: time, stream, F or P, text."""
    found = _CRI.match(line)
    return None if found is None else Taken(found[1], found[2], found[3] == b"F", line[found.end() :])


def prefixed(pattern: re.Pattern[str]) -> Take:
    """Lines behind a prefix that `pattern` matches, with the group `stamp` where it has a time."""

    def take(line: bytes) -> Taken | None:
        found = pattern.match(line[:1024].decode("utf-8", "replace"))
        if found is None:
            return None
        stamp = found.groupdict().get("stamp") or ""
        return Taken(stamp.encode(), b"", True, line[len(found.group().encode()) :])

    return take


def as_cri(taken: Taken) -> bytes:
    """The line with its time and stream in front, as CRI writes it."""
    stamp = taken.stamp if b"." in taken.stamp else taken.stamp.replace(b"Z", b".0Z")  # Go leaves a zero fraction out
    return b"%s %s F %s" % (stamp, taken.stream.split(b" ", 1)[0], taken.text)


def bare(taken: Taken) -> bytes:
    """The line alone."""
    return taken.text


def timed_object(taken: Taken) -> bytes:
    """A JSON object that has no time of its own, with the collector's."""
    text = taken.text.lstrip()
    if not taken.stamp or not text.startswith(b'{"'):
        return taken.text
    return b'{"t":"%s",%s' % (taken.stamp, text[1:])


class Unwrapped:
    """A source as its lines were before they were wrapped: it has the parts of a Source that readers of text use."""

    def __init__(self, source: Source, take: Take, show: Callable[[Taken], bytes]) -> None:
        self.source, self.path, self.beside = source, source.path, source.beside
        self._take, self._show = take, show
        self.inner = 0  # bytes passed on

    def text_head(self) -> bytes:
        """The first lines."""
        whole = self.source.text_head().rpartition(b"\n")[0] or self.source.text_head()
        return b"\n".join(joined(whole.split(b"\n"), self._take, self._show)) + b"\n"

    def text(self, size: int = CHUNK) -> Iterator[TextChunk]:
        """The lines in chunks, as Source.text gives them."""
        joining = _Joining(self._take, self._show)
        line, offset = 1, 0
        problems: list[Problem] = []
        for chunk in self.source.text(size):
            problems += chunk.problems
            if self._as_it_is(chunk.data, joining):
                data = chunk.data
            else:
                lines = chunk.data.split(b"\n")
                if not lines[-1]:
                    lines.pop()
                data = b"".join(text + b"\n" for text in joining.add(lines))
            if not data:
                continue
            self.inner += len(data)
            yield TextChunk(data, offset, line, tuple(problems))
            line, offset, problems = line + data.count(b"\n"), offset + len(data), []
        rest = b"".join(text + b"\n" for text in joining.add([], last=True))
        if rest or problems:
            self.inner += len(rest)
            yield TextChunk(rest, offset, line, tuple(problems))

    def _as_it_is(self, data: bytes, joining: _Joining) -> bool:
        """CRI's lines are shown as they are where none was cut."""
        return self._take is cri_line and self._show is as_cri and not joining.waiting and not _CUT.search(data)


def joined(lines: list[bytes], take: Take, show: Callable[[Taken], bytes]) -> list[bytes]:
    """These lines unwrapped, and what was cut put together."""
    return _Joining(take, show).add(lines, last=True)


class _Joining:
    """Lines in the making: one whose rest is still to come keeps back those after it."""

    def __init__(self, take: Take, show: Callable[[Taken], bytes]) -> None:
        self._take, self._show = take, show
        self._lines: list[bytes | list[Taken]] = []
        self._open: dict[bytes, int] = {}

    @property
    def waiting(self) -> bool:
        return bool(self._lines)

    def add(self, lines: list[bytes], *, last: bool = False) -> list[bytes]:
        """The lines that are complete by now, in order; all when these are the `last`."""
        for line in lines:
            taken = self._take(line.removesuffix(b"\r"))
            if taken is None:
                self._lines.append(line)
                continue
            begun = self._open.pop(taken.stream, None)
            if begun is None:
                begun = len(self._lines)
                self._lines.append([taken])
            else:
                pieces = self._lines[begun]
                self._lines[begun] = [*pieces, taken] if isinstance(pieces, list) else [taken]
                self._lines.append(b"")
            if not taken.whole:
                self._open[taken.stream] = begun
        if last or len(self._lines) - min(self._open.values(), default=0) > MAX_WAITING:
            self._open.clear()
        ready = min(self._open.values(), default=len(self._lines))
        done, self._lines = self._lines[:ready], self._lines[ready:]
        self._open = {stream: at - ready for stream, at in self._open.items()}
        return [line if isinstance(line, bytes) else self._shown(line) for line in done]

    def _shown(self, pieces: list[Taken]) -> bytes:
        whole = pieces[0]._replace(text=b"".join(piece.text for piece in pieces))
        return self._show(whole)
