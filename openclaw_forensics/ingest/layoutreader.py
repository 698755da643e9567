"""A reader of one program's access log whose line layout is fixed: patterns, and how its columns are prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from openclaw_forensics.exchanges import READ_COLUMNS, Direction, empty
from openclaw_forensics.ingest.accesslog_frame import Origin, exchanges_of
from openclaw_forensics.ingest.accesslog_layout import Layout
from openclaw_forensics.ingest.accesslog_lines import STAMPED_PREFIX, by_pattern, lines_of
from openclaw_forensics.ingest.accesslog_parts import finish
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.sources import Source


def unchanged(raw: pl.DataFrame) -> pl.DataFrame:
    """The raw columns as they are."""
    return raw


class LayoutReader:
    """Reads lines by fixed layouts, tried in order."""

    def __init__(
        self,
        name: str,
        layouts: tuple[Layout, ...],
        *,
        direction: Direction = "inbound",
        prepare: Callable[[pl.DataFrame], pl.DataFrame] = unchanged,
    ) -> None:
        self.name, self.layouts, self.direction, self.prepare = name, layouts, direction, prepare

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Sure when most of the first lines have the layout."""
        lines = lines_of(head.decode("utf-8", "ignore").encode(), 1)
        lines = lines.head(max(lines.height - 1, 1)).filter(pl.col("text").str.strip_chars() != "").head(200)
        if not lines.height:
            return NOT_MINE
        matched, _ = by_pattern(lines, [*self._behind_prefix()])
        share = sum(item.raw.height for item in matched) / lines.height
        return (
            Sniff(round(50 + 47 * share), f"{share:.0%} of the first lines are {self.name}'s")
            if share >= 0.4
            else NOT_MINE
        )

    def _behind_prefix(self) -> list[Layout]:
        return [layout.wrapped(STAMPED_PREFIX) for layout in self.layouts]

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order."""
        layouts = [*self.layouts, *self._behind_prefix()]
        for chunk in source.text(CHUNK):
            lines = lines_of(chunk.data, chunk.line)
            matched, left = by_pattern(lines, layouts)
            frames = []
            for item in matched:
                origin = Origin(
                    source.path,
                    self.name,
                    item.layout.writer,
                    direction=self.direction,
                    stamp_at_end=item.layout.stamp_at_end,
                )
                if item.raw.height:
                    frames.append(exchanges_of(self.prepare(item.raw), origin))
            frame = pl.concat(frames).sort("line") if frames else empty(READ_COLUMNS)
            yield finish(source.path, frame, lines, left, problems=chunk.problems, writer=self.layouts[0].writer)
