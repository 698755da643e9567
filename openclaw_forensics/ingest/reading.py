"""One file read: its parts with ids, what went wrong, and where each of its bytes went."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, conform
from openclaw_forensics.ingest.api import Balance, Part, ReadOptions
from openclaw_forensics.ingest.sniff import Identified, identify
from openclaw_forensics.ingest.sources import Source

UNACCOUNTED = "not accounted for"


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file as read. `sha256` and `bytes` are of the decompressed stream."""

    path: str
    sha256: str
    format: str | None
    writer: str | None
    bytes: int
    encoding: str | None
    series: str | None
    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]
    balance: Balance


class Reading:
    """A file being read part by part, so that a large one need not be held; `result` tells the rest at the end."""

    def __init__(
        self, source: Source, options: ReadOptions | None = None, forced: str | None = None, *, thorough: bool = False
    ) -> None:
        """`thorough` asks every reader for its score, which only a trial needs."""
        self.source, self._options = source, options or ReadOptions()
        self.identified: Identified = identify(source, forced, thorough=thorough)
        self._problems: list[Problem] = []
        self._balance = Balance()
        self._writer = self.identified.sniff.writer
        self._prefix = _prefix(source)

    def parts(self) -> Iterator[Part]:
        """The parts in order, conformed and with ids. Never raises for bad input."""
        reader = self.identified.reader
        if reader is None:
            message = "the file is empty" if not self.source.head(1) else "in no format known to this program"
            self._problems.append(Problem("unrecognised", message))
            self.source.digest()
            self._balance = Balance(problems=self.source.size or 0)
            return
        try:
            for part in reader.read(self.source, self._options):
                self._problems += part.problems
                self._balance = _sum(self._balance, part.balance)
                self._writer = part.writer or self._writer
                yield _finished(part, self.source.path, self._prefix, reader.name)
        except (Exception, pl.exceptions.PanicException) as exc:  # one file: the others are still read
            message = f"reading it as {reader.name} failed: {type(exc).__name__}: {exc}"
            self._problems.append(Problem("malformed", message[:500]))

    def result(self, parts: tuple[Part, ...] = ()) -> FileRead:
        """The account of the file, once `parts` is exhausted."""
        sha256 = self.source.digest()
        size = self.source.size or 0
        problems = [*self.source.problems, *(p for p in self._problems if p not in self.source.problems)]
        return FileRead(
            path=self.source.path,
            sha256=sha256,
            format=self.identified.reader.name if self.identified.reader else None,
            writer=self._writer,
            bytes=size,
            encoding=self.source.encoding,
            series=self.source.series,
            parts=parts,
            problems=tuple(problems),
            balance=_stored(self._balance, self.source, size),
        )


def read_source(source: Source, options: ReadOptions | None = None, forced: str | None = None) -> FileRead:
    """Read one file whole."""
    reading = Reading(source, options, forced)
    parts = tuple(reading.parts())
    return reading.result(parts)


def _prefix(source: Source) -> str:
    """Ten hex digits of path and beginning: stable while a log grows, and known before the file is read."""
    digest = hashlib.blake2b(source.path.encode(), digest_size=5)
    digest.update(b"\0" + source.head())
    return digest.hexdigest()


def _finished(part: Part, path: str, prefix: str, name: str) -> Part:
    """`part` with ids. A record's `exchange_id` arrives as the locator of its exchange in the same file."""
    exchanges = conform(part.exchanges, READ_COLUMNS).with_columns(
        pl.lit(path).alias("source_file"),
        _id("x" + prefix, part.exchanges).alias("exchange_id"),
        pl.col("format").fill_null(name),
        pl.col("writer").fill_null(pl.lit(part.writer, dtype=pl.String)),
    )
    records = conform(part.records, RECORDS).with_columns(
        pl.lit(path).alias("source_file"),
        _id("r" + prefix, part.records).alias("record_id"),
        pl.concat_str(pl.lit(f"x{prefix}-"), "exchange_id").alias("exchange_id"),
    )
    return replace(part, exchanges=exchanges, records=records)


def _id(prefix: str, frame: pl.DataFrame) -> pl.Expr:
    """Prefix and locator; rows that share a locator are told apart by their order."""
    plain = pl.concat_str(pl.lit(prefix + "-"), "locator")
    if "locator" not in frame.columns or frame["locator"].n_unique() == frame.height:
        return plain
    nth = pl.int_range(pl.len()).over("locator")
    return plain + pl.when(nth > 0).then(pl.concat_str(pl.lit("~"), nth)).otherwise(pl.lit(""))


def _sum(one: Balance, other: Balance) -> Balance:
    irrelevant = dict(one.irrelevant)
    for reason, size in other.irrelevant.items():
        irrelevant[reason] = irrelevant.get(reason, 0) + size
    return Balance(
        one.exchanges + other.exchanges, one.records + other.records, irrelevant, one.problems + other.problems
    )


def _stored(balance: Balance, source: Source, size: int) -> Balance:
    """`balance` in bytes as stored: readers of text count the UTF-8 that they were given."""
    left_out = dict(source.left_out)
    passed = size - sum(left_out.values())
    if source.given and source.given != passed:
        balance = _scaled(balance, passed / source.given)
    counted = balance.exchanges + balance.records + balance.problems + sum(balance.irrelevant.values())
    irrelevant = balance.irrelevant | {reason: balance.irrelevant.get(reason, 0) + n for reason, n in left_out.items()}
    missing = size - counted - sum(left_out.values())
    if missing and source.given and source.given != passed and abs(missing) <= len(irrelevant) + 3:
        return replace(balance, irrelevant=irrelevant, exchanges=balance.exchanges + missing)  # rounding
    return replace(balance, irrelevant=irrelevant | ({UNACCOUNTED: missing} if missing else {}))


def _scaled(balance: Balance, factor: float) -> Balance:
    irrelevant = {reason: round(size * factor) for reason, size in balance.irrelevant.items()}
    exchanges, records, problems = (round(n * factor) for n in (balance.exchanges, balance.records, balance.problems))
    return Balance(exchanges, records, irrelevant, problems)
