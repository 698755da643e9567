"""Which operation of its pack an exchange is: by path template, by a method parameter, or by a client's own name.

Work is done once per distinct shape of a path, so that a million order ids cost one match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.platforms import columns, conditions
from openclaw_forensics.platforms.model import Operation, Pack

# What generators of client code append to an operation's name, or no further letter.
_GENERATED = re.compile(r"(?:withhttpinfo|withresponse|async|request|call|response)*(?![0-9a-z])")
FEW_PATHS = 2_000  # distinct paths that are matched as they are
PATH = "api_path"  # the path as the platform sees it, an own gateway's prefix taken off


@dataclass(frozen=True, slots=True)
class _Compiled:
    index: int
    operation: Operation
    template: tuple[str | re.Pattern[str] | None, ...] | None  # segments; None stands for anything
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
        self.by_length: dict[int, list[_Compiled]] = {}
        for each in self.compiled:
            if each.template is not None and each.operation.parameter is None:
                self.by_length.setdefault(len(each.template), []).append(each)
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
            fitting = [c for c in named if path is None or c.template is None or self._fits(c, path)] or named
            if fitting:
                return [c.index for c in fitting]
        if path is None:
            return []
        segments = _split(path)
        found = [c for c in self._of_length(len(segments), segments) if _host_fits(c, host)]
        for length in range(len(segments) - 1, 2, -1):  # the same at the end of a longer path
            if found:
                break
            tail = ["", *segments[len(segments) - length + 1 :]]
            found = [c for c in self._of_length(length, tail) if c.literals >= 2 and _host_fits(c, host)]
        found = found or [c for c in self._below_base(segments) if _host_fits(c, host)]
        fitting = [c for c in found if not c.operation.method or method in (None, c.operation.method)]
        if not fitting and len(found) == 1:
            fitting = found  # the path is right and only the method is not
        most = max((c.literals for c in fitting), default=0)
        return [c.index for c in fitting if c.literals == most]

    def _of_length(self, length: int, segments: Sequence[str]) -> list[_Compiled]:
        return [c for c in self.by_length.get(length, ()) if c.template and _matches(c.template, segments)]

    def _below_base(self, segments: Sequence[str]) -> list[_Compiled]:
        """Operations whose template ends in this path: some clients log it without the base address's own."""
        found = []
        for length in range(len(segments) + 1, max(self.by_length, default=0) + 1):
            for each in self.by_length.get(length, ()):
                tail = (each.template or ())[length - len(segments) + 1 :]
                if sum(isinstance(s, str) for s in tail) >= 2 and _matches(("", *tail), segments):
                    found.append(each)
        return found

    def _fits(self, compiled: _Compiled, path: str) -> bool:
        segments = _split(path)
        template = compiled.template
        return template is not None and len(template) == len(segments) and _matches(template, segments)

    def by_name(self, text: str) -> int | None:
        """The operation whose id or alias stands as a word in a client's class or method name; the longest wins."""
        if text not in self._alias_hits:
            folded = text.casefold()
            self._alias_hits[text] = next((i for alias, i in self.aliases if _word_in(alias.casefold(), folded)), None)
        return self._alias_hits[text]


def _compile(index: int, operation: Operation) -> _Compiled:
    template = None if operation.path is None else tuple(map(_segment, _split(operation.path)))
    literals = sum(1 for s in _split(operation.path or "") if s and not s.startswith("{"))
    return _Compiled(index, operation, template, re.compile(operation.host) if operation.host else None, literals)


def _split(path: str) -> list[str]:
    return (path.rstrip("/") or "/").split("/")


def _segment(text: str) -> str | re.Pattern[str] | None:
    """One segment of a template: a literal, anything, or a pattern where braces are only a part of it."""
    if re.fullmatch(r"\{[^{}]*\}", text):
        return None
    pieces = re.split(r"\{[^{}]*\}", text)
    return text if len(pieces) == 1 else re.compile("[^/]+".join(map(re.escape, pieces)))


def _matches(template: tuple[str | re.Pattern[str] | None, ...], segments: Sequence[str]) -> bool:
    """Whether segments, as many as the template has, fit it; an empty segment is never an id."""
    for wanted, segment in zip(template, segments, strict=True):
        if isinstance(wanted, str):
            if wanted != segment:
                return False
        elif not segment or (wanted is not None and not wanted.fullmatch(segment)):
            return False
    return True


def _host_fits(compiled: _Compiled, host: str | None) -> bool:
    return compiled.host is None or host is None or compiled.host.search(host) is not None


def _word_in(word: str, text: str) -> bool:
    at = text.find(word) if len(word) >= 4 else -1
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(word) :]
        if not before.isalnum() and _GENERATED.match(after):
            return True
        at = text.find(word, at + 1)
    return False


def shapes(paths: pl.Series, literals: Iterable[str]) -> pl.Series:
    """Paths with every segment that carries a digit replaced, but for those that operations spell so themselves.

    Those are first given a name without digits: two plain passes are faster than one with groups.
    """
    kept = [f"/{literal}" for literal in literals]
    names = ["/\x01" + "".join(chr(ord("a") + int(d)) for d in str(number)) for number in range(len(kept))]
    named = paths.str.replace_many(kept, names) if kept else paths
    return named.str.replace_all("/[^/.]*[0-9%][^/.]*", "/~")


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
    parts: list[pl.Series] = [frame["method"], exemplars(frame[PATH], table.literal_segments)]
    if table.by_host:
        parts.append(frame["host"])
    if table.parameter:
        held = columns.evaluate(frame, table.parameter)
        chosen = pl.DataFrame([held[p].alias(str(i)) for i, p in enumerate(table.parameter)])
        parts.append(chosen.select(pl.coalesce(pl.all()).alias("parameter"))["parameter"])
    return pl.DataFrame(parts)


def exemplars(paths: pl.Series, literals: Iterable[str]) -> pl.Series:
    """Each path, or one of the same shape in its place where there are many."""
    paths = paths.alias("path")
    if paths.n_unique() <= FEW_PATHS:
        return paths
    table = pl.DataFrame({"path": paths, "shape": shapes(paths, literals)})
    examples = table.group_by("shape").agg(pl.col("path").min().alias("example"))
    return table.join(examples, on="shape", how="left", maintain_order="left")["example"].alias("path")


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
