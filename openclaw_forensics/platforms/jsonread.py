"""A fixed set of JSON pointers read from many bodies: typed and skipping all else, or carefully where a body differs.

A body is only decoded if the last name of some pointer stands in it. The typed reader takes many bodies in one call and
keeps text, whole numbers and truth values; anything else (a fraction, an object, broken or nested JSON) sends that one
body through `places`, so that the result is the same for every body.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.message import FORM, Message, Side

_TOGETHER = 4096  # bodies decoded in one call
_PARTS = 8  # into so many it is divided where one of them is no JSON
MARKUP = r"^[\u{feff} \t\r\n]*<"  # how markup begins, in the syntax of polars
_ARRAY = msgspec.json.Decoder(msgspec.Raw)
_PLAIN = frozenset({str, type(None)})
_Column = list[str | None]
_Path = tuple[str, ...]


def may_hold(bodies: pl.Series, pointers: Sequence[str], side: Side) -> pl.Series:
    """Whether a body may have a value at any of the pointers, `*` allowed: their last name stands in it, or an escape.

    True of broken bodies as well, which are read tolerantly: no reading makes a name that is not written out. Markup
    holds nothing, nor does a request's form.
    """
    named = [[t for t in jsonpointer.pointer(p) if t != "*" and not t.isdecimal()] for p in pointers]
    names = sorted({path[-1] for path in named if path}) if all(named) else [""]
    hit = bodies.str.contains("|".join(["\\\\", *map(re.escape, names)])).fill_null(False)
    rows = hit.arg_true()
    if rows.is_empty():
        return hit
    other = f"{MARKUP}|{FORM}" if side == "request" else MARKUP
    return hit.scatter(rows, ~bodies[rows].str.contains(other))


@functools.lru_cache(maxsize=512)  # a structure takes long to make; packs ask for the same pointers again and again
def reader(pointers: tuple[str, ...], side: Side) -> JsonReader:
    """A reader of these pointers, `*` not allowed."""
    return JsonReader(pointers, side)


class JsonReader:
    """Reads pointers: most of them typed, the rest (below an array's index or another's value) one by one."""

    def __init__(self, pointers: tuple[str, ...], side: Side) -> None:
        self._side: Side = side
        self._typed, self._careful = _divided(pointers)
        self._decoder = msgspec.json.Decoder(_structure([jsonpointer.pointer(p) for p in self._typed]))

    def read(self, bodies: pl.Series) -> dict[str, pl.Series]:
        """One text column per pointer, each as long as `bodies`."""
        found: dict[str, pl.Series] = {}
        for names, read in ((self._typed, self._read_typed), (self._careful, self._read_carefully)):
            if names:
                rows = may_hold(bodies, names, self._side).arg_true()
                columns = read(bodies[rows]) if len(rows) else [[] for _ in names]
                found |= {n: _spread(values, rows, len(bodies)) for n, values in zip(names, columns, strict=True)}
        return found

    def _read_carefully(self, bodies: pl.Series) -> list[_Column]:
        rows = [_carefully(text, self._careful) for text in bodies.to_list()]
        return [list(column) for column in zip(*rows, strict=True)]

    def _read_typed(self, bodies: pl.Series) -> list[_Column]:
        nodes = self._nodes(bodies)
        doubtful = {row for row, node in enumerate(nodes) if node is None}
        columns = [_values(nodes, jsonpointer.pointer(name), doubtful) for name in self._typed]
        for row in sorted(doubtful):
            for column, value in zip(columns, _carefully(bodies[row], self._typed), strict=True):
                column[row] = value
        return columns

    def _nodes(self, bodies: pl.Series) -> list[Any]:
        """The structure of each body, None where it could not be read; no name is found in an array."""
        is_line = bodies.str.starts_with("{") & bodies.str.ends_with("}") & ~bodies.str.contains("\n", literal=True)
        if is_line.all():
            return self._lines(bodies)
        nodes: list[Any] = [None] * len(bodies)
        lines = is_line.arg_true()
        for row, node in zip(lines.to_list(), self._lines(bodies[lines]), strict=True):
            nodes[row] = node
        rest = (~is_line).arg_true()
        for row, text in zip(rest.to_list(), bodies[rest].to_list(), strict=True):
            try:
                nodes[row] = (_ARRAY if text[:1] == "[" else self._decoder).decode(text)
            except (msgspec.MsgspecError, RecursionError):
                nodes[row] = None
        return nodes

    def _lines(self, bodies: pl.Series, together: int = _TOGETHER) -> list[Any]:
        """As `_nodes`, for bodies without a line break that begin and end like an object."""
        nodes: list[Any] = []
        for start in range(0, len(bodies), together):
            part = bodies[start : start + together]
            try:
                read = self._decoder.decode_lines(part.str.join("\n")[0])
            except (msgspec.MsgspecError, RecursionError):
                read = []
            # Several objects in one body would shift the rows; none can take less than one.
            if len(read) != len(part):
                read = self._lines(part, max(1, len(part) // _PARTS)) if len(part) > 1 else [None]
            nodes += read
        return nodes


def _values(nodes: list[Any], path: _Path, doubtful: set[int]) -> list[Any]:
    """The values at the end of a path; rows where it takes more than reading off are added to `doubtful`."""
    for token in path:
        name = _field(token)
        kinds = set(map(type, nodes))
        if len(kinds) == 1 and issubclass(kinds.pop(), msgspec.Struct):
            nodes = [getattr(node, name) for node in nodes]
        else:
            doubtful |= {row for row, node in enumerate(nodes) if isinstance(node, str) and node[:1] in ("{", "[")}
            nodes = [getattr(node, name) if isinstance(node, msgspec.Struct) else None for node in nodes]
    if _PLAIN.issuperset(map(type, nodes)):
        return nodes
    doubtful |= {row for row, node in enumerate(nodes) if node is not None and not isinstance(node, str | int)}
    return [node if node is None or isinstance(node, str) else _text(node) for node in nodes]


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _spread(values: _Column, rows: pl.Series, height: int) -> pl.Series:
    found = pl.Series(values, dtype=pl.String)
    return (
        found
        if len(rows) == height
        else pl.Series([None], dtype=pl.String).new_from_index(0, height).scatter(rows, found)
    )


def _divided(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Pointers that one typed structure can hold, and the others: with an array index, or below another's value."""
    typed: list[str] = []
    careful: list[str] = []
    for name in names:
        path = jsonpointer.pointer(name)
        clash = any(_below(path, jsonpointer.pointer(other)) for other in typed)
        plain = bool(path) and not any(token.isdecimal() for token in path)
        (typed if plain and not clash else careful).append(name)
    return typed, careful


def _below(one: _Path, other: _Path) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return longer[: len(shorter)] == shorter


def _carefully(text: str, names: Sequence[str]) -> list[str | None]:
    message = Message({"response_body": text})
    found = (places.find(f"response.json:{name}", message).values for name in names)
    return [held[0] if held else None for held in found]


def _field(token: str) -> str:
    return "f" + token.encode().hex()


def _structure(paths: Sequence[_Path]) -> Any:
    """A Struct type with just the fields on these paths; what stands in place of an object on the way is kept."""
    heads: dict[str, list[_Path]] = {}
    for path in paths:
        heads.setdefault(path[0], []).append(path[1:])
    fields: list[tuple[str, Any, Any]] = []
    for head, rests in heads.items():
        inner = [rest for rest in rests if rest]
        kind = _structure(inner) | str | float | int | bool | list[msgspec.Raw] | None if inner else Any
        fields.append((_field(head), kind, None))
    return msgspec.defstruct("Wanted", fields, rename={_field(head): head for head in heads}, gc=False)
