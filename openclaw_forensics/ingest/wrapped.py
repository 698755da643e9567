"""Logs of containers and collectors, read as what they hold: JSON lines behind any wrapping, lines that CRI cut.

2024-05-01T10:00:00.5Z stdout F {"level":"info","msg":"api call","url":"https://…","status":200}
May  1 10:00:00 host erp[811]: {"level":"error","msg":"token expired"}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from openclaw_forensics.ingest.api import NOT_MINE, Part, Reader, ReadOptions, Sniff
from openclaw_forensics.ingest.caddy import CaddyReader
from openclaw_forensics.ingest.jsonlines import JsonLinesReader
from openclaw_forensics.ingest.jsonlines_keys import flat_objects, learn_shape, load_keys, meanings, objects
from openclaw_forensics.ingest.lineformat import load_formats
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.textlog import TextLogReader
from openclaw_forensics.ingest.textlog_records import learn_layout
from openclaw_forensics.ingest.unwrapped import (
    WRAPPING,
    DockerLine,
    Take,
    Taken,
    Unwrapped,
    as_cri,
    bare,
    cri_line,
    joined,
    prefixed,
    timed_object,
)

LOOKED_AT = 200  # lines
_MOST = 0.9  # of the lines


class _Wrapping(NamedTuple):
    """How a file's lines are wrapped, what reads what is inside, and how sure that is."""

    take: Take
    show: Callable[[Taken], bytes]
    reader: Reader
    score: int
    called: str


class WrappedReader:
    """JSON lines behind docker's, Kubernetes', compose's or syslog's wrapping, and CRI's lines that were cut."""

    name = "wrapped"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """As sure as the reader of what is inside."""
        found = _wrapping(head, name)
        if found is None:
            return NOT_MINE
        return Sniff(found.score, f"{found.called} around {found.reader.name}", found.called)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The parts that the inner reader makes; the wrapping's bytes are counted apart."""
        found = _wrapping(source.text_head(), source.path) or _Wrapping(cri_line, as_cri, TextLogReader(), 0, "none")
        inner = Unwrapped(source, found.take, found.show)
        last: Part | None = None
        for part in found.reader.read(inner, options):  # type: ignore[arg-type]  # see Unwrapped
            if last is not None:
                yield last
            last = part
        around = source.given - inner.inner
        if last is None:
            return
        irrelevant = last.balance.irrelevant | ({WRAPPING: around} if around > 0 else {})
        exchanges = last.balance.exchanges + min(around, 0)
        yield replace(last, balance=replace(last.balance, irrelevant=irrelevant, exchanges=exchanges))


def _wrapping(head: bytes, name: str) -> _Wrapping | None:
    lines = [line for line in head.split(b"\n")[:LOOKED_AT] if line.strip()]
    if len(lines) > 1 and not head.endswith(b"\n"):
        lines.pop()  # it may be cut
    for called, take in _known(lines, head):
        if sum(take(line) is not None for line in lines) < _MOST * len(lines):
            continue
        texts = [text for text in joined(lines, take, bare) if text.strip()]
        held = [o for o in objects(texts) if o is not None]
        if held and len(held) >= _MOST * len(texts):
            return _of_objects(take, texts, held, name, called)
        if called == "cri":
            score = TextLogReader().sniff(head, name).score
            return _Wrapping(take, as_cri, TextLogReader(), score + 1, called) if score else None
    return None


def _known(lines: list[bytes], head: bytes) -> Iterator[tuple[str, Take]]:
    if not lines:
        return
    if lines[0].startswith(b'{"log":'):
        yield "docker", DockerLine(ended=any(b'\\n"' in line for line in lines))
    elif cri_line(lines[0]):
        yield "cri", cri_line
    elif not lines[0].startswith((b"{", b"[")):
        wrapper = learn_layout(head, load_formats()).wrapper
        if wrapper is not None:
            yield wrapper.format.name, prefixed(wrapper.python)


def _of_objects(take: Take, texts: list[bytes], held: list[dict[str, Any]], name: str, called: str) -> _Wrapping | None:
    """The reader of the objects inside; those without a time get the collector's."""
    inner = b"\n".join(texts) + b"\n"
    reader, score = max(
        ((reader, reader.sniff(inner, name).score) for reader in (JsonLinesReader(), CaddyReader())),
        key=lambda pair: pair[1],
    )
    columns = meanings(flat_objects(held, learn_shape(held, load_keys())), load_keys(), len(held)).columns
    timed = "time" in columns or isinstance(reader, CaddyReader)
    if timed and score < 60:  # an access log's keys, or none of a log's
        return None
    return _Wrapping(
        take, bare if timed else timed_object, reader, max(score, 61) + (30 if called == "docker" else 1), called
    )
