"""logfmt: lines of key=value pairs, read by their keys as JSON lines are.

time=2026-05-01T23:29:21Z level=INFO msg="api call" method=GET url="https://…" status=200 duration_ms=45
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from openclaw_forensics.ingest.api import NOT_MINE, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.jsonlines import JsonLinesReader
from openclaw_forensics.ingest.sources import CHUNK, Source, TextChunk

_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]{0,80})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?:\s+|$)')
_QUOTED = msgspec.json.Decoder(str)
_NEEDED = ({"msg", "message"}, {"level", "lvl", "severity", "time", "ts", "t"})
_MOST = 0.8  # of the lines
LOOKED_AT = 100  # lines
MAX_LINE = 1 << 20  # characters


def pairs(line: str) -> dict[str, str] | None:
    """The pairs of a line, all of it; None when anything else stands in it. Of a key twice the first value counts."""
    found: dict[str, str] = {}
    at, end = 0, len(line)
    if end > MAX_LINE:
        return None
    while at < end:
        pair = _PAIR.match(line, at)
        if pair is None:
            return None
        value = pair[3] if pair[2] is None else _unquoted(pair[2])
        if value:
            found.setdefault(pair[1], value)
        at = pair.end()
    return found


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return _QUOTED.decode(f'"{text}"'.encode())
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text.replace('\\"', '"').replace("\\n", "\n")


class LogfmtReader:
    """Lines of key=value pairs."""

    name = "logfmt"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure when most lines are nothing but pairs, a message and a time or level among them."""
        lines = [line for line in head.decode("utf-8", "replace").splitlines()[:LOOKED_AT] if line.strip()]
        if len(lines) > 1 and not head.endswith(b"\n"):
            lines.pop()  # it may be cut
        held = [found for line in lines if (found := pairs(line.strip()))]
        good = [found for found in held if all(found.keys() & group for group in _NEEDED)]
        if not lines or len(good) < _MOST * len(lines):
            return NOT_MINE
        return Sniff(80, f"{len(good)} of {len(lines)} lines are pairs of a log's keys")

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The log's parts; lines that are no pairs are counted as problems."""
        inner = _AsObjects(source)
        yield from JsonLinesReader().read(inner, options)  # type: ignore[arg-type]  # it has the parts that are used
        source.given = inner.given  # shares of the objects' bytes are shares of the lines'


class _AsObjects:
    """The lines as JSON objects."""

    def __init__(self, source: Source) -> None:
        self.source, self.path, self.beside = source, source.path, source.beside
        self.given = 0

    def text_head(self) -> bytes:
        head = self.source.text_head()
        return self._objects(head[: head.rfind(b"\n") + 1] or head)

    def text(self, size: int = CHUNK) -> Iterator[TextChunk]:
        for chunk in self.source.text(size):
            data = self._objects(chunk.data)
            yield TextChunk(data, self.given, chunk.line, chunk.problems)
            self.given += len(data)

    def _objects(self, data: bytes) -> bytes:
        lines = data.decode("utf-8", "replace").split("\n")
        if not lines[-1]:
            lines.pop()
        return b"".join(self._object(line) + b"\n" for line in lines)

    def _object(self, line: str) -> bytes:
        found = pairs(line.strip())
        return line.encode("utf-8", "replace") if not found else msgspec.json.encode(found)
