"""A large frame in parts of one schema: held in memory while it is small, in files of this run when it is not.

The files lie in a folder that only this user may read, and go with the last table that names them.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from tempfile import mkdtemp
from weakref import finalize

import polars as pl

HELD = 96 << 20  # bytes that are held in memory, as polars counts them; more goes to files
PART_ROWS = 32_768  # of a file: what is read again at once
_RECENT = 2  # parts that were read last and are kept
_MOST_RUNS = 500  # in order by themselves, of which a frame is put together; more are sorted row by row
_ROW = "row"


class Folder:
    """A folder for this user alone, which goes with its last user, at the latest with the process."""

    def __init__(self) -> None:
        self.path = mkdtemp(prefix="openclaw-forensics-")
        finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(slots=True)
class Table:
    """Rows in order. `parts` are one frame, or files of one each."""

    schema: Mapping[str, pl.DataType]
    parts: Sequence[pl.DataFrame | Path]
    heights: Sequence[int]
    folder: Folder | None = None  # lives as long as its tables
    _recent: OrderedDict[int, pl.DataFrame] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Table:
        """One frame, in memory."""
        return cls(dict(frame.schema), [frame], [frame.height])

    @property
    def height(self) -> int:
        """Rows."""
        return sum(self.heights)

    @property
    def in_memory(self) -> bool:
        """Whether nothing lies in files."""
        return self.folder is None

    def lazy(self) -> pl.LazyFrame:
        """All rows, with their position as `row` (Int64); files are read as far as a query asks."""
        if self.folder is None:
            return self.frame().lazy()
        files = [part for part in self.parts if isinstance(part, Path)]
        return pl.scan_parquet(files, row_index_name=_ROW, glob=False).with_columns(pl.col(_ROW).cast(pl.Int64))

    def frame(self) -> pl.DataFrame:
        """All rows in memory, with their position as `row`."""
        return pl.concat(self.frames()).with_row_index(_ROW).with_columns(pl.col(_ROW).cast(pl.Int64))

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The parts in order, with these columns or all."""
        for part in self.parts:
            yield self._frame_of(part, columns)

    def empty(self) -> pl.DataFrame:
        """A frame of the schema without rows."""
        return pl.DataFrame(schema=dict(self.schema))

    def column(self, name: str) -> pl.Series:
        """One column, whole."""
        return pl.concat(frame.to_series() for frame in self.frames([name]))

    def filter(self, condition: pl.Expr) -> Table:
        """The rows for which the condition is true."""
        spool = Spool(self.schema)
        for part in self.parts:  # of a file only the rows that are kept are read in full
            rows = pl.scan_parquet(part, glob=False) if isinstance(part, Path) else part.lazy()
            spool.add(rows.filter(condition).collect())
        return spool.table()

    def distinct(self, *columns: str) -> pl.DataFrame:
        """The combinations of values of these columns, in no order."""
        return self.lazy().select(columns).unique().collect()

    def take(self, rows: pl.Series, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows at these positions, in the order given."""
        if self.in_memory:
            return next(self.frames(columns))[rows]
        starts = pl.Series([0, *accumulate(self.heights)][:-1], dtype=pl.Int64)
        asked = pl.DataFrame({"at": rows.cast(pl.Int64)}).with_row_index("place")
        asked = asked.with_columns(part=starts.search_sorted(asked["at"], side="right").cast(pl.Int64) - 1)
        found: list[pl.DataFrame] = []
        places: list[pl.Series] = []
        for (number,), mine in sorted(asked.group_by("part", maintain_order=True), key=lambda g: g[0]):
            part = self._read(int(str(number)), columns)
            rows_here = part[mine["at"] - starts[int(str(number))]]
            found.append(compact(rows_here) if rows_here.height * 2 < part.height else rows_here)
            places.append(mine["place"])
        if not found:
            return self.empty().select(columns or pl.all())
        order = pl.concat(places).arg_sort()
        return pl.concat(found)[order] if len(found) > 1 else found[0]

    def _read(self, number: int, columns: Sequence[str] | None) -> pl.DataFrame:
        """One part; whole ones that were read last are kept."""
        if number in self._recent:
            self._recent.move_to_end(number)
            return self._recent[number] if columns is None else self._recent[number].select(columns)
        part = self._frame_of(self.parts[number], columns)
        if columns is None:
            while len(self._recent) >= _RECENT:
                self._recent.popitem(last=False)
            self._recent[number] = part
        return part

    @staticmethod
    def _frame_of(part: pl.DataFrame | Path, columns: Sequence[str] | None) -> pl.DataFrame:
        if isinstance(part, Path):
            return pl.read_parquet(part, columns=None if columns is None else list(columns), glob=False)
        return part if columns is None else part.select(columns)


class Spool:
    """A table in the making: frames are added in order; those that do not fit into memory go to files."""

    def __init__(self, schema: Mapping[str, pl.DataType], held: int | None = None) -> None:
        """`held` is how many bytes may stay in memory, `HELD` unless told."""
        self._schema, self._limit = schema, HELD if held is None else held
        self._parts: list[pl.DataFrame | Path] = []
        self._heights: list[int] = []
        self._size = 0
        self._folder: Folder | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows of the schema; columns that hold nothing may be missing."""
        if frame.is_empty():
            return
        self._heights.append(frame.height)
        if self._folder is not None:
            self._parts.append(self._written(frame, len(self._parts)))
            return
        frame, size = _folded(frame)
        self._parts.append(frame)
        self._size += size
        if self._size > self._limit:
            self._folder = Folder()
            for number, part in enumerate(self._parts):  # one after the other, so that each is let go at once
                if isinstance(part, pl.DataFrame):
                    self._parts[number] = self._written(part, number)

    def table(self) -> Table:
        """What was added. The spool is empty afterwards."""
        parts, heights, folder = self._parts, self._heights, self._folder
        self._parts, self._heights, self._size, self._folder = [], [], 0, None
        if folder is None:
            frames = [p for p in parts if isinstance(p, pl.DataFrame)]
            whole = self._whole(pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=self._schema))
            return Table(self._schema, [_folded(whole)[0]], [whole.height])
        return Table(self._schema, parts, heights, folder)

    def _written(self, frame: pl.DataFrame, number: int) -> Path:
        folder = self._folder
        if folder is None:
            raise RuntimeError("no folder to write to")
        path = Path(folder.path, f"{number:06}.parquet")
        self._whole(frame).write_parquet(path, compression="zstd", compression_level=1, statistics=False)
        return path

    def _whole(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.match_to_schema(pl.Schema(self._schema), missing_columns="insert")


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with texts of its own: those of rows that were taken or cut out hold on to all that they come from."""
    texts = [c.name for c in frame if c.dtype == pl.String and c.null_count() < c.len()]
    return frame.with_columns(pl.col(texts) + pl.lit("")) if texts else frame


def _folded(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """`frame`, and the bytes that it takes: text columns that hold one value throughout take none."""
    texts = [c for c in frame if c.dtype == pl.String and len(c) and c.null_count() == 0]
    constant = {c.name: pl.lit(c[0], dtype=pl.String) for c in texts if (c == c[0]).all()}
    size = sum(int(c.estimated_size()) for c in frame if c.name not in constant)
    return frame.with_columns(**constant), size


def in_order(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """`frame` sorted, nulls last; one that is sorted already, or but for a few runs, is not copied."""
    order = sorting(frame, keys)
    if order is None:
        return frame
    starts = [0, *(order.cast(pl.Int64).diff() != 1).arg_true()]
    if len(starts) > _MOST_RUNS:
        return frame[order]
    ends = [*starts[1:], frame.height]
    return pl.concat(frame.slice(order[a], b - a) for a, b in zip(starts, ends, strict=True))


def sorting(frame: pl.DataFrame, keys: Sequence[str]) -> pl.Series | None:
    """The positions of the rows in order, nulls last; None where they stand in it."""
    if frame.height < 2 or frame.select(_ascends(keys).slice(1).all()).item():
        return None
    return frame.select(pl.arg_sort_by(keys, nulls_last=True, maintain_order=True)).to_series()


def _ascends(keys: Sequence[str]) -> pl.Expr:
    """Whether a row stands no lower than the one before it, by the first key that tells them apart."""
    here, before = pl.col(keys[0]), pl.col(keys[0]).shift(1)
    higher = (here > before).fill_null(here.is_null() & before.is_not_null())
    same = here.eq_missing(before)
    return higher | (same & _ascends(keys[1:]) if len(keys) > 1 else same)
