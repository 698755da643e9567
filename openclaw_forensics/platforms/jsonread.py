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
    """Reads `pointers` (without `*`)."""

    def __init__(self, pointers: Sequence[str]) -> None:
        self.pointers = tuple(pointers)
        paths = [jsonpointer.pointer(p) for p in pointers]
        plain = all(path and not any(token.isdecimal() for token in path) for path in paths)
        self.objects_only = plain
        apart = not any(a != b and b[: len(a)] == a for a in paths for b in paths)
        self.decoder = msgspec.json.Decoder(_structure(paths)) if plain and apart else None
        self.take: Callable[[Any], Any] = attrgetter(*(".".join(map(_field, path)) for path in paths)) if plain else id
        self.nothing: _Row = (None,) * len(self.pointers)

    def read(self, bodies: pl.Series) -> list[list[str | None]]:
        """One list per pointer, each as long as `bodies`."""
        if self.decoder is None:
            rows = [self._carefully(text) for text in bodies.to_list()]
            return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in self.pointers]
        decode, take, single = self.decoder.decode, self.take, len(self.pointers) == 1
        found: list[Any] = []
        for text in bodies.to_list():
            try:
                found.append(take(decode(text)))
            except (msgspec.MsgspecError, AttributeError, TypeError, RecursionError):
                row = self._carefully(text)
                found.append(row[0] if single else row)
        columns = [found] if single else list(zip(*found, strict=True))
        return [[v if v.__class__ is str or v is None else _text(v) for v in column] for column in columns] or [
            [] for _ in self.pointers
        ]

    def _carefully(self, text: str | None) -> _Row:
        if text is None or (self.objects_only and text[:1] == "[" and text[-1:] == "]"):
            return self.nothing  # a name has no place in an array
        message = Message({"response_body": text})
        found = (places.find(f"response.json:{p}", message).values for p in self.pointers)
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
