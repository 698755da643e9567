"""HTTP Archives (HAR 1.1 and 1.2), from any writer: browsers, proxies, clients, tests.

Sample::

    {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "entries": [
      {"startedDateTime": "2026-03-01T10:00:00.000Z", "time": 12.3, "request": {...}, "response": {...}}]}}

Nothing but a request is demanded of an entry. The label 1.1 or 1.2 is not believed, sizes are checks and not truths.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, conform, empty
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.encodings import UNITS, by_mark
from openclaw_forensics.ingest.har_bodies import Side
from openclaw_forensics.ingest.har_frame import FileFacts, exchanges_of
from openclaw_forensics.ingest.har_model import lenient
from openclaw_forensics.ingest.har_parse import Parsed, Parser
from openclaw_forensics.ingest.har_split import Splitter
from openclaw_forensics.ingest.inflate import DECODE_ERRORS
from openclaw_forensics.ingest.jsonlike import ESCAPE, without_surrogates
from openclaw_forensics.ingest.sources import Source

SIDE_LIMIT = 64 << 20  # bytes of one body beside a zipped HAR
HAR_LIMIT = 1 << 30  # bytes of a HAR inside a zip, or in a wide encoding

_LOG = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
_ENTRIES = re.compile(rb'"entries"\s*:\s*\[')
_WRAPPED = re.compile(rb"\s*[A-Za-z_$][\w.$]{0,100}\s*\(\s*\{")
_NAMES = tuple(re.compile(rb'"%b"\s*:\s*(\{[^{}]{0,2000}\})' % key) for key in (b"creator", b"browser"))
_SIDE_NAME = re.compile(rb"[0-9a-f]{20,}(?:\.\w+)?$")
_SANITISERS = ("WebInspector",)  # since Chromium 130 the export without credentials is the default


class HarReader:
    """HTTP Archive."""

    name = "har"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """A JSON document with a log of entries, one bare entry, or a zip of a HAR and its bodies."""
        if head.startswith(b"PK\x03\x04"):
            return _sniff_zip(head)
        named = name.lower().endswith((".har", ".har.gz", ".zhar"))
        if _WRAPPED.match(head) and b'"log"' in head:
            return Sniff(85, "a HAR wrapped in a function call")
        if not head.lstrip().startswith((b"{", b"[")):
            return NOT_MINE
        if _LOG.match(head) and (_ENTRIES.search(head) or b'"creator"' in head or b'"pages"' in head):
            return Sniff(95 if _ENTRIES.search(head) or named else 70, "a log of entries", _writer(head))
        if b'"startedDateTime"' in head and b'"request"' in head and b'"log"' not in head:
            return Sniff(75, "entries of an HTTP Archive", _writer(head))
        return Sniff(40, "named .har") if named and _LOG.match(head) else NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The exchanges, a few megabytes of the file at a time."""
        head = source.head()
        if _WRAPPED.match(head):
            advice = "a HAR wrapped in a function call; remove the call around it and save the JSON alone"
            yield _only(Problem("unsupported", advice), irrelevant={"unsupported": _measure(source)})
        elif head.startswith(b"PK\x03\x04"):
            yield from _read_zip(source)
        elif by_mark(head)[0] in UNITS:
            data = b"".join(chunk.data for chunk in source.text())
            yield from _read(io.BytesIO(data), len(data), lambda _: None)
        else:
            skip = by_mark(head)[1]
            with source.open() as stream:
                stream.read(skip)
                if skip:
                    yield _only(irrelevant={"byte order mark": skip})
                yield from _read(stream, skip, lambda _: None)


def _read(stream: Any, start: int, side: Side) -> Iterator[Part]:
    splitter, parser = Splitter(stream, start), Parser()
    facts = FileFacts()
    for parsed in parser.parse(splitter.pieces()):
        if facts.writer is None:
            facts.base, facts.writer = splitter.base, _writer(splitter.before)
            facts.sanitises = (facts.writer or "").startswith(_SANITISERS)
        yield _part(parsed, facts, side)
    structure = {"document structure": len(splitter.before)}
    if parser.found_list:
        yield _only(irrelevant=structure, writer=_writer(parser.after.encode("utf-8", ESCAPE)))
    else:
        yield _single(splitter.before, side)


def _part(parsed: Parsed, facts: FileFacts, side: Side) -> Part:
    balance = Balance(
        parsed.used, 0, {"document structure": parsed.structure} if parsed.structure else {}, parsed.broken
    )
    if not parsed.entries:
        return _only(*parsed.problems, balance=balance)
    frame, problems = exchanges_of(parsed.entries, parsed.numbers, facts, side)
    return Part(
        conform(frame, READ_COLUMNS), empty(RECORDS), (*parsed.problems, *problems), balance, writer=facts.writer
    )


def _single(data: bytes, side: Side) -> Part:
    """A document without a list of entries: one bare entry, or no HAR after all."""
    try:
        value = without_surrogates(json.loads(data.decode("utf-8", "replace"), strict=False))
    except (ValueError, RecursionError):
        problem = Problem("malformed", "the document is broken before its first entry", offset=0)
        return _only(problem, balance=Balance(problems=len(data)))
    entry = lenient(value) if isinstance(value, dict) else None
    if entry is None:
        problem = Problem("malformed", "the document has no entries", offset=0)
        return _only(problem, balance=Balance(problems=len(data)))
    frame, problems = exchanges_of([entry], [0], FileFacts(base=""), side)
    return Part(conform(frame, READ_COLUMNS), empty(RECORDS), tuple(problems), Balance(exchanges=len(data)))


def _sniff_zip(head: bytes) -> Sniff:
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if name.lower().endswith(b".har") or _SIDE_NAME.match(name):
        return Sniff(80, "a zip of a HAR and the bodies beside it")
    return NOT_MINE


def _read_zip(source: Source) -> Iterator[Part]:
    size = _measure(source)
    try:
        with source.opener() as stream, zipfile.ZipFile(stream) as archive:
            har = next(name for name in archive.namelist() if name.lower().endswith(".har"))
            with archive.open(har) as member:
                data = member.read(HAR_LIMIT)

            def side(name: str) -> bytes | None:
                return _member(archive, name)

            for part in _read(io.BytesIO(data), 0, side):
                yield Part(part.exchanges, part.records, part.problems, writer=part.writer)
        yield _only(balance=Balance(exchanges=size))
    except (StopIteration, zipfile.BadZipFile, RuntimeError, NotImplementedError, *DECODE_ERRORS) as exc:
        problem = Problem("unreadable", f"the zipped HAR cannot be read: {exc or 'it holds no .har'}")
        yield _only(problem, balance=Balance(problems=size))


def _member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """A file of the archive by its exact name; nothing outside can be reached."""
    try:
        info = archive.getinfo(name)
        with archive.open(info) as member:
            return member.read(SIDE_LIMIT)
    except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError, *DECODE_ERRORS):
        return None


def _only(
    *problems: Problem,
    irrelevant: dict[str, int] | None = None,
    balance: Balance | None = None,
    writer: str | None = None,
) -> Part:
    return Part(
        empty(READ_COLUMNS), empty(RECORDS), problems, balance or Balance(irrelevant=irrelevant or {}), writer=writer
    )


def _measure(source: Source) -> int:
    source.digest()
    return source.size or 0


def _writer(text: bytes) -> str | None:
    """Name and version of the creator, as the document states them."""
    for found in (match for pattern in _NAMES for match in pattern.finditer(text)):
        try:
            stated = json.loads(found.group(1).decode("utf-8", "replace"))
        except ValueError:
            continue
        words = [str(stated.get(key, "")).strip() for key in ("name", "version")]
        if words[0]:
            return " ".join(word for word in words if word)[:200]
    return None
