"""A fixed set of JSON pointers read from many bodies: typed and skipping all else, or carefully where a body differs.

The typed reader takes text, whole numbers of 64 bits and truth values; anything else (a fraction, an object, broken or
nested JSON) sends that one body through `places`, so that the result is the same for every body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.message import Message

_Leaf = str | int | bool | None
_Row = tuple[str | None, ...]


class JsonReader:
    """Reads `pointers` (without `*`): most of them typed, the rest only from bodies that hold their first name."""

    def __init__(self, pointers: Sequence[str]) -> None:
        self.pointers = tuple(pointers)
        typed, careful = _divided(self.pointers)
        self._order = [(typed + careful).index(p) for p in self.pointers]
        self._typed = _Typed(typed) if typed else None
        self._careful = _Careful(careful) if careful else None

    def read(self, bodies: pl.Series) -> list[list[str | None]]:
        """One list per pointer, each as long as `bodies`."""
        texts = bodies.to_list()
        columns = [
            *(self._typed.read(texts) if self._typed else ()),
            *(self._careful.read(texts) if self._careful else ()),
        ]
        return [columns[place] for place in self._order]


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


def _below(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return longer[: len(shorter)] == shorter


class _Careful:
    """Pointers that are looked up one by one, in bodies where the first name of any of them stands."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        heads = {path[0] for name in names if (path := jsonpointer.pointer(name))}
        self._always = any(not jsonpointer.pointer(name) or jsonpointer.pointer(name)[0].isdecimal() for name in names)
        self._heads = tuple(f'"{head}"' for head in sorted(heads))
        self._nothing: _Row = (None,) * len(self._names)

    def read(self, texts: Sequence[str | None]) -> list[list[str | None]]:
        rows = [_carefully(text, self._names) if text and self._may_hold(text) else self._nothing for text in texts]
        return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in self._names]

    def _may_hold(self, text: str) -> bool:
        return self._always or "\\" in text or any(head in text for head in self._heads)


class _Typed:
    """Pointers that one structure holds."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        paths = [jsonpointer.pointer(name) for name in names]
        self._decoder = msgspec.json.Decoder(_structure(paths))
        self._take: Callable[[Any], Any] = attrgetter(*(".".join(map(_field, path)) for path in paths))
        self._nothing: _Row = (None,) * len(self._names)

    def read(self, texts: Sequence[str | None]) -> list[list[str | None]]:
        decode, take, single = self._decoder.decode, self._take, len(self._names) == 1
        nothing: Any = None if single else self._nothing
        found: list[Any] = []
        for text in texts:
            if text is None or (text[:1] == "[" and text[-1:] == "]"):  # a name has no place in an array
                found.append(nothing)
                continue
            try:
                found.append(take(decode(text)))
            except (msgspec.MsgspecError, AttributeError, TypeError, RecursionError):
                row = _carefully(text, self._names)
                found.append(row[0] if single else row)
        columns = [found] if single else list(zip(*found, strict=True))
        return [[v if v.__class__ is str or v is None else _text(v) for v in column] for column in columns] or [
            [] for _ in self._names
        ]


def _carefully(text: str, names: Sequence[str]) -> _Row:
    message = Message({"response_body": text})
    found = (places.find(f"response.json:{name}", message).values for name in names)
    return tuple([held[0] if held else None for held in found])


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _field(token: str) -> str:
    return "f" + token.encode().hex()


def _structure(paths: Sequence[tuple[str, ...]]) -> Any:
    """A Struct type with just the fields on these paths."""
    heads: dict[str, list[tuple[str, ...]]] = {}
    for path in paths:
        heads.setdefault(path[0], []).append(path[1:])
    fields: list[tuple[str, Any, Any]] = []
    for head, rests in heads.items():
        inner = [rest for rest in rests if rest]
        if inner:
            kind = _structure(inner)
            fields.append((_field(head), kind | None, msgspec.field(default_factory=kind)))
        else:
            fields.append((_field(head), _Leaf, None))
    return msgspec.defstruct("Wanted", fields, rename={_field(head): head for head in heads}, gc=False)
