"""Structured logs, one JSON object per line, whatever the emitter: its keys are recognised, not its name.

    {"@timestamp":"2024-05-01T10:00:00Z","level":"INFO","message":"call done","method":"GET","url":"https://…","status":200}

A record that holds a whole call is one; a message that is a line of a text log is read like one; docker's json-file
holds lines of another log.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.api import NOT_MINE, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.calls import read_calls
from openclaw_forensics.ingest.fragments import FRAGMENT
from openclaw_forensics.ingest.jsonlines_calls import call_rows, record_columns
from openclaw_forensics.ingest.jsonlines_keys import (
    Keys,
    Shape,
    flat,
    flat_objects,
    learn_shape,
    load_keys,
    meanings,
    objects,
    schema_of,
)  # fmt: skip
from openclaw_forensics.ingest.jsonlines_texts import plain, unheaded
from openclaw_forensics.ingest.lineformat import load_formats
from openclaw_forensics.ingest.lineformat_model import FormatSet
from openclaw_forensics.ingest.lines import text_lines
from openclaw_forensics.ingest.sources import Source, TextChunk
from openclaw_forensics.ingest.stamps import Calendar
from openclaw_forensics.ingest.textlog import CHUNK, TextLogReader, ahead, last_time, sort_out
from openclaw_forensics.ingest.textlog_assembly import Assembly, Parsed
from openclaw_forensics.ingest.textlog_records import Layout, learn_layout
from openclaw_forensics.ingest.unwrapped import WRAPPING, DockerLine, Unwrapped, as_cri
from openclaw_forensics.ingest.years import calendar_of

SAMPLES = 300
_WORDS = ("err", "error", "warn", "warning", "fatal", "critical", "severe")
_GRAVE = "|".join(  # literals only: these are sought many times as fast as classes of signs
    [f'"{spelt}"' for word in _WORDS for spelt in (word, word.upper(), word.title())]
    + [f":{blank}{number}{end}" for blank in ("", " ") for number in (50, 60) for end in (",", "}")]
    + [part for word in ("exception", "stack") for part in (word, word.title())]
)
NAMED_PROBLEMS = 20  # broken lines of one chunk that are named; the others are counted
_UNNAMED = re.compile(r"\(\?P<\w+>")
_DOCKER = frozenset({"log", "stream", "time"})
_ACCESS = frozenset({"remote_addr", "request_uri", "body_bytes_sent", "upstream_addr", "response_flags", "bytes_sent"})


class JsonLinesReader:
    """JSON-lines logs of any emitter."""

    name = "jsonlines"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """The share of the first lines that are objects with a log's keys."""
        lines = [line for line in head.split(b"\n")[:200] if line.strip()]
        if len(lines) > 1 and len(head) >= 60_000:
            lines = lines[:-1]  # the last one may be cut
        if not lines or not lines[0].lstrip().startswith(b"{"):
            return NOT_MINE
        held = [o for o in objects(lines) if o is not None]
        if len(held) * 2 < len(lines) or not held:
            return NOT_MINE
        if all(o.keys() >= _DOCKER for o in held):
            return Sniff(90, "docker's json-file", "docker")
        shape = learn_shape(held, load_keys())
        columns = meanings(flat_objects(held, shape), load_keys(), len(held))
        log = sum(c in columns.columns for c in ("time", "message", "level", "url", "status"))
        if log < 2:
            return Sniff(20, "JSON objects without a log's keys")
        if any(o.keys() & _ACCESS for o in held):
            return Sniff(45, "JSON objects of a proxy's access log")
        return Sniff(60 + 5 * log, f"{len(held)} of {len(lines)} lines are objects with a log's keys")

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The log's parts; lines that are no JSON objects are counted as problems."""
        keys = load_keys()
        first = [o for o in objects(source.text_head().split(b"\n")[:SAMPLES]) if o is not None]
        if first and all(o.keys() >= _DOCKER for o in first):
            yield from _docker(source, options)
            return
        formats = load_formats(options.formats_dirs)
        calendar = calendar_of(source)
        assembly = Assembly(source.path, self.name, "json lines")
        layout = _layout_inside(first, keys, formats)
        work = partial(_parse, first=first, keys=keys, formats=formats, calendar=calendar, layout=layout)
        for parsed in ahead(work, _marked(source.text(CHUNK))):
            yield assembly.add(parsed)


def _marked(chunks: Iterator[TextChunk]) -> Iterator[tuple[TextChunk, bool]]:
    """Each chunk with whether it is the last one."""
    waiting: TextChunk | None = None
    for chunk in chunks:
        if waiting is not None:
            yield waiting, False
        waiting = chunk
    if waiting is not None:
        yield waiting, True


def _parse(
    marked: tuple[TextChunk, bool],
    *,
    first: list[dict[str, Any]],
    keys: Keys,
    formats: FormatSet,
    calendar: Calendar,
    layout: Layout | None,
) -> Parsed:
    chunk, last = marked
    columns, lines, problems, broken = _columns(chunk, first, keys)
    columns = plain(columns, lines["text"])
    records = record_columns(columns, lines, calendar)
    records = records if layout is None else unheaded(records, layout, replace(calendar))
    calls = _all_calls(records, call_rows(columns, lines["text"]), formats)
    events, kept, balance = sort_out(records, calls)
    balance = replace(balance, problems=broken)
    return Parsed(events, kept, balance, (*chunk.problems, *problems), last, last_time(records))


def _layout_inside(first: list[dict[str, Any]], keys: Keys, formats: FormatSet) -> Layout | None:
    """The layout of messages that are lines of another log, of most of those in the first lines."""
    columns = meanings(flat_objects(first, learn_shape(first, keys)), keys, len(first))
    if "message" not in columns.columns or not first:
        return None
    texts = [text.partition("\n")[0] for text in columns["message"].drop_nulls().to_list()]
    layout = learn_layout("\n".join(texts).encode("utf-8", "replace"), formats)
    headed = sum(any(rule.python.match(text) for rule in layout.heads) for text in texts)
    return layout if headed * 2 > len(first) else None


def _all_calls(records: pl.DataFrame, whole: pl.DataFrame, formats: FormatSet) -> pl.DataFrame:
    """The fragments told by keys, and those in the words of the other records."""
    quiet = _ignored(formats)
    if quiet and whole.height:  # what a library says around a call is none, whatever keys it has
        said_of = records["message"].gather(whole["row"])
        whole = whole.filter(~said_of.str.contains(quiet).fill_null(False))
    keyed = pl.Series([False]).new_from_index(0, records.height).scatter(whole["row"], True)
    if keyed.all():
        return whole
    plain = records.filter(~keyed)
    said = read_calls(plain.drop("row"), formats.groups)
    if said.is_empty():
        return whole
    said = said.with_columns(plain["row"].gather(said["row"]).alias("row")).match_to_schema(pl.Schema(FRAGMENT))
    calls = pl.concat([whole, said])
    return calls[calls.select(pl.arg_sort_by("row", maintain_order=True)).to_series()]


def _ignored(formats: FormatSet) -> str:
    """A pattern of the messages that formats ignore whoever logs them."""
    rules = [rule for group in formats.groups for rule in group.rules if rule.form.role == "ignore"]
    return "|".join(f"(?:{_UNNAMED.sub('(?:', rule.pattern)})" for rule in rules if rule.form.logger is None)


def _shape_of(lines: pl.Series, first: list[dict[str, Any]], keys: Keys) -> Shape:
    """The shape of a chunk: its first lines, some on the way, and those of errors, whose keys are others."""
    grave = lines.str.contains(_GRAVE).arg_true().head(SAMPLES)
    spread = lines.gather_every(max(1, lines.len() // SAMPLES)).head(SAMPLES)
    chosen = pl.concat([lines.head(100), spread, lines.gather(grave)]).unique(maintain_order=True)
    held = objects(line.encode() for line in chosen)
    return learn_shape([*first[:100], *(o for o in held if o is not None)], keys)


def _columns(
    chunk: TextChunk, first: list[dict[str, Any]], keys: Keys
) -> tuple[pl.DataFrame, pl.DataFrame, list[Problem], int]:
    """The meanings of each line, the lines' places, what was broken and how many bytes that was."""
    data = chunk.data
    text = text_lines(data)
    ends = text.len()
    shape = _shape_of(text, first, keys)
    try:
        frame = pl.read_ndjson(io.BytesIO(data), schema=schema_of(shape)) if shape else pl.DataFrame()
    except (PolarsError, pl.exceptions.PanicException, OSError):
        frame = pl.DataFrame()
    if frame.height == ends and b"\r" not in data:
        lines = pl.DataFrame(
            {
                "line": pl.int_range(chunk.line, chunk.line + ends, eager=True),
                "size": (text.str.len_bytes() + 1).cast(pl.Int64),
                "text": text,
            }
        )
        if not data.endswith(b"\n"):
            lines[-1, "size"] -= 1
        return meanings(flat(frame, shape), keys, ends), lines, [], 0
    return _one_by_one(chunk, shape, keys)


def _one_by_one(chunk: TextChunk, shape: Shape, keys: Keys) -> tuple[pl.DataFrame, pl.DataFrame, list[Problem], int]:
    """The same, line by line, where one line broke the whole chunk."""
    raw = chunk.data.split(b"\n")
    if chunk.data.endswith(b"\n"):
        raw.pop()
    held = objects(raw)
    good = [(index, o) for index, o in enumerate(held) if o is not None]
    sizes = [len(line) + 1 for line in raw]
    if sizes and not chunk.data.endswith(b"\n"):
        sizes[-1] -= 1
    bad = [index for index, o in enumerate(held) if o is None and raw[index].strip()]
    problems = [
        Problem("malformed", "no JSON object on this line", line=chunk.line + index) for index in bad[:NAMED_PROBLEMS]
    ]
    if len(bad) > NAMED_PROBLEMS:
        problems.append(
            Problem("malformed", f"{len(bad) - NAMED_PROBLEMS} more lines without a JSON object", line=chunk.line)
        )
    lines = pl.DataFrame(
        {
            "line": [chunk.line + i for i, _ in good],
            "size": [sizes[i] for i, _ in good],
            "text": [raw[i].decode("utf-8", "replace") for i, _ in good],
        },
        schema={"line": pl.Int64, "size": pl.Int64, "text": pl.String},
    )
    columns = meanings(flat_objects([o for _, o in good], shape), keys, len(good))
    return columns, lines, problems, sum(sizes) - sum(sizes[i] for i, _ in good)


def _docker(source: Source, options: ReadOptions) -> Iterator[Part]:
    """The lines inside docker's json-file, read as the log they are."""
    ended = any(b'\\n"' in line for line in source.text_head().split(b"\n")[:SAMPLES])
    inner = Unwrapped(source, DockerLine(ended=ended), as_cri)
    parts = TextLogReader().read(inner, options)  # type: ignore[arg-type]  # it has the part of a Source that is used
    last: Part | None = None
    for part in parts:
        if last is not None:
            yield last
        last = part
    if last is None:
        return
    # The JSON around each line; a line that is no JSON at all is in it as well.
    around = {WRAPPING: source.given - inner.inner}
    yield replace(last, balance=replace(last.balance, irrelevant=last.balance.irrelevant | around), writer="docker")
