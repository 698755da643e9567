"""What can be read, for `formats list`, and how one file is read, for `formats try`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from openclaw_forensics.errors import Problem, RuleError
from openclaw_forensics.exchanges import EXCHANGES, empty
from openclaw_forensics.ingest.api import Balance, ReadOptions, Sniff
from openclaw_forensics.ingest.lineformat import load_formats
from openclaw_forensics.ingest.reading import FileRead, Reading
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.textlog_records import Layout, begins_record, learn_layout
from openclaw_forensics.ingest.walk import Unreadable, walk
from openclaw_forensics.resources import rules_dir

FIRST = 5  # exchanges shown
_STRANGE = 10  # lines shown that nobody understood
_LOOKED_AT = 1 << 20  # bytes of text in which such lines are looked for
_LINES = re.compile(r"^lines:(\d+)(?:-(\d+))?$")

Provenance = Literal["real program", "public file", "from documentation"]


class _Capture(BaseModel):
    """One `[[capture]]` of rules/formats/captures.toml: writers by what the reader was tested on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    real: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    documented: tuple[str, ...] = ()


class CaptureFile(BaseModel):
    """rules/formats/captures.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capture: tuple[_Capture, ...]


class Entry(NamedTuple):
    """A format with the writers that it was tested on in one way."""

    name: str
    provenance: Provenance | None  # None: a group without writers of its own
    writers: tuple[str, ...]
    description: str


class Strange(NamedTuple):
    """A line that nobody understood."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Trial:
    """How one file is read. `exchanges` holds the first few only."""

    path: str
    format: str | None
    writer: str | None
    encoding: str | None
    scores: tuple[tuple[str, Sniff], ...]
    exchanges: pl.DataFrame
    exchange_count: int
    record_count: int
    problems: tuple[Problem, ...]
    strange: tuple[Strange, ...]
    balance: Balance
    bytes: int


def listed(dirs: Sequence[Path] = ()) -> Iterator[Entry]:
    """Every format: those with a reader of their own, then the line formats. Raises RuleError for a broken file."""
    for capture in _captures():
        ways: tuple[tuple[Provenance, tuple[str, ...]], ...] = (
            ("real program", capture.real),
            ("public file", capture.public),
            ("from documentation", capture.documented),
        )
        tested = [(way, writers) for way, writers in ways if writers]
        if not tested:
            yield Entry(capture.name, None, (), capture.description)
        for way, writers in tested:
            yield Entry(capture.name, way, writers, capture.description)
    for form in sorted(load_formats(tuple(dirs)).formats, key=lambda f: f.name):
        yield Entry(f"textlog/{form.name}", form.provenance, form.writers, form.description)


def _captures() -> tuple[_Capture, ...]:
    path = rules_dir() / "formats" / "captures.toml"
    try:
        return CaptureFile.model_validate(tomllib.loads(path.read_text("utf-8"))).capture
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise RuleError(str(path), str(error)) from error


def tried(path: str, dirs: Sequence[Path] = (), forced: str | None = None) -> Iterator[Trial | Unreadable]:
    """Read `path`, or each file in it, and tell how. Raises UsageError for an unknown `forced` format."""
    for source in walk([path]):
        yield source if isinstance(source, Unreadable) else _trial(source, tuple(dirs), forced)


def _trial(source: Source, dirs: tuple[Path, ...], forced: str | None) -> Trial:
    reading = Reading(source, ReadOptions(formats_dirs=dirs), forced, thorough=True)
    first = empty(EXCHANGES)
    exchanges = records = 0
    spans: list[tuple[int, int]] = []
    for part in reading.parts():
        if first.height < FIRST:
            first = pl.concat([first, part.exchanges.head(FIRST - first.height)], how="diagonal_relaxed")
        exchanges, records = exchanges + part.exchanges.height, records + part.records.height
        spans += [*_spans(part.exchanges), *_spans(part.records)]
    read = reading.result()
    return Trial(
        path=read.path,
        format=read.format,
        writer=read.writer,
        encoding=read.encoding,
        scores=tuple(reading.identified.scores),
        exchanges=first,
        exchange_count=exchanges,
        record_count=records,
        problems=read.problems,
        strange=tuple(islice(_strange(source, read, spans, dirs), _STRANGE)),
        balance=read.balance,
        bytes=read.bytes,
    )


def _spans(frame: pl.DataFrame) -> Iterator[tuple[int, int]]:
    for locator in frame["locator"].drop_nulls():
        if found := _LINES.match(locator):
            yield int(found[1]), int(found[2] or found[1])


def _strange(
    source: Source, read: FileRead, spans: Sequence[tuple[int, int]], dirs: tuple[Path, ...]
) -> Iterator[Strange]:
    """Lines with a problem; in a text log also those that begin no record and belong to no exchange or record."""
    wrong = {p.line: p.message for p in read.problems if p.line is not None}
    layout = learn_layout(source.text_head(), load_formats(dirs)) if read.format == "textlog" else None
    if not wrong and layout is None:
        return
    last = max((end for _, end in spans), default=0)
    taken = bytearray(last + 1)
    for start, end in spans:
        taken[start : end + 1] = b"\1" * (end + 1 - start)
    for number, line in _first_lines(source):
        text = line.decode("utf-8", "replace")
        if number in wrong:
            yield Strange(number, text, wrong[number])
        elif layout is not None and line.strip() and not any(taken[number : number + 1]) and not _begins(line, layout):
            yield Strange(number, text, "begins no record, belongs to no call")


def _begins(line: bytes, layout: Layout) -> bool:
    return bool(layout.heads) and begins_record(line, layout)


def _first_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    chunk = next(source.text(_LOOKED_AT), None)
    if chunk is not None:
        yield from enumerate(chunk.data.split(b"\n"), chunk.line)
