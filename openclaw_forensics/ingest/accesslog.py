r"""nginx's and Apache's access logs, in any layout, as rows of inbound exchanges.

    203.0.113.7 - - [23/Nov/2026:23:34:20 +0000] "POST /hook?x=1 HTTP/1.1" 200 7 "-" "Push/1.0" rt=0.012
    {"time":"2026-11-23T23:34:20+00:00","remote_addr":"203.0.113.7","method":"POST","uri":"/hook?x=1","status":200}

The layout is the one given, one that a configuration in the same folder declares, or the known one that reads most of
the first lines. Every line is a row, whatever was asked. Lines of the servers' error logs between them are records.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, empty
from openclaw_forensics.ingest import accesslog_json
from openclaw_forensics.ingest.accesslog_frame import Origin, exchanges_of
from openclaw_forensics.ingest.accesslog_layout import CLF, KNOWN, Layout, directives, given
from openclaw_forensics.ingest.accesslog_lines import STAMPED_PREFIX, by_csv, by_pattern, choose, lines_of, unwrapped
from openclaw_forensics.ingest.accesslog_parts import finish
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.envoy import with_flags
from openclaw_forensics.ingest.sources import Source, TextChunk

_CONF_FILES, _CONF_BYTES = 20, 256 << 10
_ENOUGH = 0.3  # of the first lines
_FIRST = 256 << 10  # bytes that decide on the layout


class AccessLogReader:
    """Access logs of web servers as lines or JSON."""

    name = "accesslog"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure when most of the first lines read as an access log's."""
        lines = _sample(head)
        if not lines.height:
            return NOT_MINE
        if lines["text"][0].startswith("{"):
            found = accesslog_json.is_access(lines["text"].head(20).to_list())
            return Sniff(88, "JSON lines with an access log's keys") if found else NOT_MINE
        for layout, called in [(CLF.wrapped(STAMPED_PREFIX), CLF.name), *((own, own.name) for own in _declared(name))]:
            share = int(lines["text"].str.contains(layout.pattern).sum() or 0) / lines.height
            if share >= _ENOUGH:
                return Sniff(round(60 + 35 * share), f"{share:.0%} of the first lines read as {called}")
        return NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order."""
        state: _Lines | _Json | None = None
        for chunk in source.text(CHUNK):
            state = state or _begin(chunk, source, options, self.name)
            yield state.part(chunk)


def _sample(head: bytes) -> pl.DataFrame:
    text = head.decode("utf-8", "ignore").encode()
    lines = lines_of(text, 1)
    lines = lines.head(max(lines.height - 1, 1))  # the last one may be cut
    lines, _ = unwrapped(lines)
    return lines.filter(pl.col("text").str.strip_chars() != "").head(200)


def _begin(chunk: TextChunk, source: Source, options: ReadOptions, name: str) -> _Lines | _Json:
    start = chunk.data[: chunk.data.rfind(b"\n", 0, _FIRST) + 1] or chunk.data
    lines, _ = unwrapped(lines_of(start, chunk.line))
    lines = lines.filter(pl.col("text").str.strip_chars() != "")
    first = lines["text"].head(20).to_list()
    if not options.log_format and first and first[0].startswith("{") and accesslog_json.is_access(first):
        return _Json(source.path, name, lines["text"].head(200).to_list())
    return _Lines(source.path, name, _layouts(lines, source, options))


def _layouts(lines: pl.DataFrame, source: Source, options: ReadOptions) -> list[Layout]:
    if options.log_format:
        forced = given(options.log_format)
        return [*choose(lines, forced), CLF] if lines.height else forced
    return choose(lines, [*_declared(source.path), *KNOWN]) if lines.height else [CLF]


def _declared(path: str) -> list[Layout]:
    """Layouts of the configuration files in the log's own folder."""
    folder = Path(path).parent
    if "!/" in path or path == "-" or not Path(path).is_file():
        return []
    found: list[Layout] = []
    for conf in sorted(folder.glob("*.conf"))[:_CONF_FILES]:
        try:
            with conf.open("rb") as stream:
                found += directives(stream.read(_CONF_BYTES).decode("utf-8", "replace"))
        except OSError:
            continue
    return found


class _Lines:
    """Reading line by line with layouts."""

    def __init__(self, path: str, name: str, layouts: list[Layout]) -> None:
        self.path, self.name, self.layouts = path, name, layouts

    def part(self, chunk: TextChunk) -> Part:
        """What one chunk holds."""
        layout = self.layouts[0]
        raw = by_csv(chunk.data, chunk.line, layout)
        if raw is not None:
            frame = exchanges_of(raw, self._origin(layout, raw, chunk))
            return Part(frame, empty(RECORDS), chunk.problems, Balance(exchanges=len(chunk.data)), layout.writer)
        lines, _ = unwrapped(lines_of(chunk.data, chunk.line))
        matched, left = by_pattern(lines, self.layouts)
        frames = [
            exchanges_of(item.raw, self._origin(item.layout, item.raw, chunk)) for item in matched if item.raw.height
        ]
        frame = pl.concat(frames).sort("line") if frames else empty(READ_COLUMNS)
        return finish(self.path, frame, lines, left, problems=chunk.problems, writer=layout.writer)

    def _origin(self, layout: Layout, raw: pl.DataFrame, chunk: TextChunk) -> Origin:
        # A time that the line's tail tells in nginx's notation is nginx's, and so is the stamp.
        at_end = layout.stamp_at_end or (layout.tail and raw["tail"].str.contains(r"\d\.\d{3}").any() is True)
        return Origin(self.path, self.name, layout.writer, stamp_at_end=at_end, escaped=b"\\" in chunk.data)


class _Json:
    """Reading JSON lines."""

    def __init__(self, path: str, name: str, first: list[str]) -> None:
        self.path, self.name = path, name
        self.keys = accesslog_json.keys_of(first)
        # Envoy alone logs flags and stamps the beginning; its duration is in milliseconds.
        self.envoy = "flags" in self.keys.values()
        nano = "duration_ns" in self.keys.values()
        unit = "duration_ms" if self.envoy else "duration_ns" if nano else "duration_s"
        held = {key: role for key, role in self.keys.items() if role != "duration_ns"}
        self.keys = {key: unit if role == "duration_s" else role for key, role in held.items()}
        stamped = next((key.lower() for key, role in self.keys.items() if role == "stamp"), "")
        self.stamp_at_end = not self.envoy and "start" not in stamped

    def part(self, chunk: TextChunk) -> Part:
        """What one chunk holds."""
        lines, docker = unwrapped(lines_of(chunk.data, chunk.line))
        raw, left = accesslog_json.raw_of(None if docker else chunk.data, lines, self.keys)
        writer = "envoy" if self.envoy else None
        origin = Origin(self.path, self.name, writer, stamp_at_end=self.stamp_at_end, escaped=False)
        if self.envoy:
            raw = with_flags(raw)
        frame = exchanges_of(raw, origin) if raw.height else empty(READ_COLUMNS)
        return finish(self.path, frame, lines, left, problems=chunk.problems, writer=writer)
