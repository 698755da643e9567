"""Which operation of its pack an exchange is: by path template, by a method parameter, or by a client's own name.

Work is done once per distinct shape of a path, so that a million order ids cost one match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.platforms import columns, conditions
from openclaw_forensics.platforms.model import Operation, Pack

FEW_PATHS = 2_000  # distinct paths that are matched as they are
PATH = "api_path"  # the path as the platform sees it, an own gateway's prefix taken off


@dataclass(frozen=True, slots=True)
class _Compiled:
    index: int
    operation: Operation
    whole: re.Pattern[str] | None
    tail: re.Pattern[str] | None  # the same at the end of a longer path
    host: re.Pattern[str] | None
    literals: int

    def order(self) -> tuple[int, int, int, int]:
        """Most specific first."""
        operation = self.operation
        return (operation.parameter is None, -self.literals, -len(operation.when), self.index)


class OperationTable:
    """The operations of one pack, ready to match."""

    def __init__(self, pack: Pack) -> None:
        self.operations = pack.operations
        self.parameter = pack.platform.places.operation
        self.compiled = sorted((_compile(i, op) for i, op in enumerate(pack.operations)), key=_Compiled.order)
        self.by_host = any(op.host for op in pack.operations)
        self.by_parameter: dict[str, list[_Compiled]] = {}
        for each in self.compiled:
            if each.operation.parameter is not None:
                for name in (each.operation.parameter, *each.operation.aliases):
                    self.by_parameter.setdefault(name.casefold(), []).append(each)
        self.by_path = [each for each in self.compiled if each.whole and each.operation.parameter is None]
        self.literal_segments = sorted(
            {s for op in pack.operations for s in (op.path or "").split("/") if re.search("[0-9%]", s) and "{" not in s}
        )
        self.aliases = sorted(
            ((a, i) for i, op in enumerate(pack.operations) for a in (*op.aliases, op.id)),
            key=lambda pair: (-len(pair[0]), pair[1]),
        )
        self._alias_hits: dict[str, int | None] = {}

    def candidates(self, method: str | None, path: str | None, host: str | None, parameter: str | None) -> list[int]:
        """Indices of the operations that this request may be, most specific first; `when` is left to the caller."""
        if parameter is not None:
            named = [c for c in self.by_parameter.get(parameter.strip().casefold(), ()) if _host_fits(c, host)]
            fitting = [c for c in named if path is None or c.whole is None or c.whole.match(path)] or named
            if fitting:
                return [c.index for c in fitting]
        if path is None:
            return []
        trimmed = path.rstrip("/") or "/"
        found = [c for c in self.by_path if c.whole and c.whole.match(trimmed) and _host_fits(c, host)]
        if not found:
            found = [c for c in self.by_path if c.tail and c.tail.search(trimmed) and _host_fits(c, host)]
        fitting = [c for c in found if not c.operation.method or method in (None, c.operation.method)]
        if not fitting and found and len({c.operation.path for c in found}) == 1 and len(found) == 1:
            fitting = found  # the path is right and only the method is not
        most = max((c.literals for c in fitting), default=0)
        return [c.index for c in fitting if c.literals == most]

    def by_name(self, text: str) -> int | None:
        """The operation whose id or alias stands as a word in a client's class or method name; the longest wins."""
        if text not in self._alias_hits:
            folded = text.casefold()
            self._alias_hits[text] = next((i for alias, i in self.aliases if _word_in(alias.casefold(), folded)), None)
        return self._alias_hits[text]


def _compile(index: int, operation: Operation) -> _Compiled:
    whole = tail = None
    literals = 0
    if operation.path is not None:
        pieces = [re.escape(piece) for piece in re.split(r"\{[^{}]*\}", operation.path.rstrip("/") or "/")]
        pattern = "[^/]+".join(pieces)
        literals = sum(1 for s in operation.path.split("/") if s and not s.startswith("{"))
        whole = re.compile(f"{pattern}$")
        tail = re.compile(f"(?<=[^/]){pattern}$") if literals >= 2 and pattern.startswith("/") else None
    host = re.compile(operation.host) if operation.host else None
    return _Compiled(index, operation, whole, tail, host, literals)


def _host_fits(compiled: _Compiled, host: str | None) -> bool:
    return compiled.host is None or host is None or compiled.host.search(host) is not None


def _word_in(word: str, text: str) -> bool:
    at = text.find(word) if len(word) >= 4 else -1
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(word) : at + len(word) + 1]
        if not (before.isalnum() or after.isalnum()):
            return True
        at = text.find(word, at + 1)
    return False


def shapes(paths: pl.Series, literals: Iterable[str]) -> pl.Series:
    """Paths with every segment that carries a digit replaced, but for those that operations spell so themselves."""
    segment = pl.element()
    kept = segment.is_in(list(literals)) | ~segment.str.contains("[0-9%]")
    replaced = segment.str.replace_all("[^.]*[0-9%][^.]*", "{}")
    joined = pl.col("path").str.split("/").list.eval(pl.when(kept).then(segment).otherwise(replaced)).list.join("/")
    return paths.alias("path").to_frame().select(joined)["path"]


def assign(frame: pl.DataFrame, table: OperationTable) -> pl.Series:
    """The index of each row's operation in the pack, null where none fits. All rows are of the table's platform."""
    keys = _keys(frame, table)
    names = [c for c in keys.columns if c != "row"]
    distinct = keys.select(names).unique(maintain_order=True)
    found = [
        tuple(table.candidates(r["method"], r["path"], r.get("host"), r.get("parameter")))
        for r in distinct.iter_rows(named=True)
    ]
    groups = {group: number for number, group in enumerate(dict.fromkeys(found))}
    numbered = distinct.with_columns(pl.Series("group", [groups[g] for g in found], dtype=pl.Int64))
    rows = keys.join(numbered, on=names, how="left", nulls_equal=True, maintain_order="left")["group"]
    chosen = pl.Series([g[0] if len(g) == 1 and not _has_when(table, g) else None for g in groups], dtype=pl.Int64)
    result = rows.replace_strict(list(range(len(groups))), chosen, default=None, return_dtype=pl.Int64)
    for group, number in groups.items():
        if group and (len(group) > 1 or _has_when(table, group)):
            where = (rows == number).arg_true()
            result = result.scatter(where, _by_tests(frame[where], table, group))
    return _by_client(frame, table, result)


def _keys(frame: pl.DataFrame, table: OperationTable) -> pl.DataFrame:
    parts: list[pl.Series] = [frame["method"], _exemplars(frame[PATH], table.literal_segments)]
    if table.by_host:
        parts.append(frame["host"])
    if table.parameter:
        held = columns.evaluate(frame, table.parameter)
        chosen = pl.DataFrame([held[p].alias(str(i)) for i, p in enumerate(table.parameter)])
        parts.append(chosen.select(pl.coalesce(pl.all()).alias("parameter"))["parameter"])
    return pl.DataFrame(parts)


def _exemplars(paths: pl.Series, literals: Iterable[str]) -> pl.Series:
    """Each path, or one of the same shape in its place where there are many."""
    distinct = paths.drop_nulls().unique()
    if len(distinct) <= FEW_PATHS:
        return paths.alias("path")
    table = pl.DataFrame({"path": distinct, "shape": shapes(distinct, literals)})
    exemplar = table.with_columns(pl.col("path").min().over("shape").alias("exemplar"))
    return paths.replace_strict(exemplar["path"], exemplar["exemplar"], default=None).alias("path")


def _has_when(table: OperationTable, group: tuple[int, ...]) -> bool:
    return any(table.operations[i].when for i in group)


def _by_tests(frame: pl.DataFrame, table: OperationTable, group: tuple[int, ...]) -> pl.Series:
    """The first operation of the group whose tests hold; one without tests is taken when none before holds."""
    choice = pl.Series("choice", [None] * frame.height, dtype=pl.Int64)
    for index in sorted(group, key=lambda i: not table.operations[i].when):
        holds = conditions.all_series(frame, table.operations[index].when).fill_null(False)
        choice = pl.select(
            pl.when(choice.is_null() & holds).then(pl.lit(index, dtype=pl.Int64)).otherwise(choice)
        ).to_series()
    return choice


def _by_client(frame: pl.DataFrame, table: OperationTable, result: pl.Series) -> pl.Series:
    where = (result.is_null() & frame["client_class"].is_not_null()).arg_true()
    if where.is_empty():
        return result
    return result.scatter(where, pl.Series([table.by_name(n) for n in frame["client_class"][where]], dtype=pl.Int64))
