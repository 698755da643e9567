"""What a reader of a capture format is: it says how sure it is that a file is its own, and turns it into parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.sources import CHUNK, Source

__all__ = ["CHUNK", "NOT_MINE", "Balance", "Part", "ReadOptions", "Reader", "Sniff"]


@dataclass(frozen=True, slots=True)
class Sniff:
    """How sure a reader is. `score` 0 (not mine) to 100 (certain); `reason` in English, shown by `formats try`."""

    score: int
    reason: str
    writer: str | None = None


NOT_MINE = Sniff(0, "no sign of this format")


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the bytes of one part went; the sum over a file's parts is the size of its decompressed stream."""

    exchanges: int = 0  # part of an exchange or context of one
    records: int = 0
    irrelevant: dict[str, int] = field(default_factory=dict)  # by stated reason
    problems: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A bounded piece of one file: frames of `exchanges.READ_COLUMNS` and `exchanges.RECORDS`, without ids."""

    exchanges: pl.DataFrame
    records: pl.DataFrame
    problems: tuple[Problem, ...] = ()
    balance: Balance = Balance()
    writer: str | None = None  # as learnt while reading


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader may be told."""

    formats_dirs: tuple[Path, ...] = ()  # the user's own line formats, before the shipped ones
    line_format: str | None = None  # force this line format
    log_format: str | None = None  # an nginx/Apache log_format directive as it stands in the configuration


class Reader(Protocol):
    """One capture format."""

    name: str  # as `--input-format` spells it

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Judge the first bytes (decompressed, at most 64 KiB) and the file's name. Must not raise."""
        ...

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """Yield the file's parts in order. Anything broken becomes a problem; never raises for bad input."""
        ...
