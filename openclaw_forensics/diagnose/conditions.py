"""Conditions of a rule file, compiled to polars expressions that are true, false or unknown (null).

Kleene's three-valued logic is polars' own: null & false is false, null & true is null, not null is null. No text of a
rule file is ever interpreted: keys must be columns or places, modifiers are a closed set, patterns go to polars'
linear-time regex engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import polars as pl

from openclaw_forensics.exchanges import EXCHANGES, RECORDS

MODIFIERS = ("contains", "startswith", "endswith", "re", "in", "lt", "lte", "gt", "gte", "exists", "cased")
_PLACE = re.compile(r"^(request|response)\.")
_NUMERIC = (pl.Int64, pl.Float64)
_TAKEN: set[str] = set()  # patterns known to be ones for polars' engine


class ConditionError(ValueError):
    """A condition that does not compile; the caller adds file and rule."""


@dataclass(frozen=True, slots=True)
class Key:
    """`column|modifier|modifier`, taken apart."""

    column: str
    operator: str  # "eq", or a modifier
    cased: bool

    @property
    def is_place(self) -> bool:
        """Whether the column is a place in a message."""
        return bool(_PLACE.match(self.column))


def parse_key(text: str) -> Key:
    """Take a key apart. Raises ConditionError on an unknown modifier.

    A place may itself hold `|` (in a regex), so modifiers are only taken from the end.
    """
    column = text
    modifiers: list[str] = []
    while "|" in column:
        head, _, tail = column.rpartition("|")
        if tail not in MODIFIERS:
            if _PLACE.match(column):
                break
            raise ConditionError(f"unknown modifier {tail!r} in {text!r}; known: {', '.join(MODIFIERS)}")
        column, modifiers = head, [tail, *modifiers]
    operators = [m for m in modifiers if m != "cased"]
    if len(operators) > 1:
        raise ConditionError(f"{text!r} has more than one comparison")
    return Key(column, operators[0] if operators else "eq", "cased" in modifiers)


def keys_of(condition: Mapping[str, object]) -> Iterator[Key]:
    """Every key of a condition, nested ones included."""
    for name, value in condition.items():
        if name in ("all", "any"):
            for inner in _tables(name, value):
                yield from keys_of(inner)
        elif name == "not":
            yield from keys_of(_table(name, value))
        else:
            yield parse_key(name)


def take_patterns(condition: Mapping[str, object]) -> None:
    """Spare the patterns of a condition their check, which they passed at an earlier start."""
    for name, value in condition.items():
        if name in ("all", "any"):
            for inner in _tables(name, value):
                take_patterns(inner)
        elif name == "not":
            take_patterns(_table(name, value))
        elif (key := parse_key(name)).operator == "re":
            _TAKEN.update(_pattern(key, str(v)) for v in (value if isinstance(value, list) else [value]))


def compile_condition(condition: Mapping[str, object], frame: str = "exchanges") -> pl.Expr:
    """An expression over `frame` ("exchanges" or "records"), true, false or null per row.

    A place's value is expected in a column of the place's own name, and whether it could be known at all in
    `known:<place>`. Raises ConditionError for an unknown column, a modifier that does not fit, or a bad pattern.
    """
    schema = EXCHANGES if frame == "exchanges" else RECORDS
    parts = [_part(name, value, schema, frame) for name, value in condition.items()]
    return reduce(lambda a, b: a & b, parts, pl.lit(True))


def _part(name: str, value: object, schema: Mapping[str, pl.DataType], frame: str) -> pl.Expr:
    if name == "all":
        return reduce(lambda a, b: a & b, [compile_condition(t, frame) for t in _tables(name, value)], pl.lit(True))
    if name == "any":
        return reduce(lambda a, b: a | b, [compile_condition(t, frame) for t in _tables(name, value)], pl.lit(False))
    if name == "not":
        return ~compile_condition(_table(name, value), frame)
    key = parse_key(name)
    if key.is_place:
        known = pl.col(f"known:{key.column}")
        if key.operator == "exists":
            return pl.when(known).then(pl.col(key.column).is_not_null() == _bool(name, value)).otherwise(None)
        found = _values(name, key, value, pl.String())
        return pl.when(known).then(found.fill_null(False)).otherwise(None)
    if key.column not in schema:
        raise ConditionError(f"no column {key.column!r} in the frame of {frame}")
    if key.operator == "exists":
        return pl.col(key.column).is_not_null() == _bool(name, value)
    return _values(name, key, value, schema[key.column])


def _values(name: str, key: Key, value: object, dtype: pl.DataType) -> pl.Expr:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ConditionError(f"{name!r} has an empty list")
    tests = [_compare(name, key, v, dtype) for v in values]
    return reduce(lambda a, b: a | b, tests)


def _compare(name: str, key: Key, value: object, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(key.column)
    if isinstance(dtype, pl.List):
        return _in_list(name, key, value)
    if key.operator in ("lt", "lte", "gt", "gte"):
        return _ordered(name, key, value, column if dtype in _NUMERIC else column.cast(pl.Float64, strict=False))
    if isinstance(value, bool) and dtype == pl.Boolean:
        return column == value
    if dtype in _NUMERIC and isinstance(value, int | float) and key.operator in ("eq", "in"):
        return column == value
    if not isinstance(value, str | int | float):
        raise ConditionError(f"{name!r} cannot be compared with {value!r}")
    return _text(name, key, str(value), column if dtype == pl.String else column.cast(pl.String))


def _ordered(name: str, key: Key, value: object, column: pl.Expr) -> pl.Expr:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConditionError(f"{name!r} needs a number")
    operations: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "lt": lambda c: c < value,
        "lte": lambda c: c <= value,
        "gt": lambda c: c > value,
        "gte": lambda c: c >= value,
    }
    return operations[key.operator](column)


def _text(name: str, key: Key, value: str, column: pl.Expr) -> pl.Expr:
    if key.operator == "re":
        pattern = _pattern(key, value)
        check_pattern(name, pattern)
        return column.str.contains(pattern)
    if not key.cased:
        column, value = column.str.to_lowercase(), value.lower()
    match key.operator:
        case "contains":
            return column.str.contains(value, literal=True)
        case "startswith":
            return column.str.starts_with(value)
        case "endswith":
            return column.str.ends_with(value)
        case _:
            return column == value


def _in_list(name: str, key: Key, value: object) -> pl.Expr:
    if not isinstance(value, str) or key.operator not in ("eq", "in", "contains"):
        raise ConditionError(f"{name!r}: a list column takes text to look for")
    return pl.col(key.column).list.eval(_text(name, key, value, pl.element())).list.any()


def _pattern(key: Key, value: str) -> str:
    return value if key.cased else f"(?i){value}"


def check_pattern(name: str, pattern: str) -> None:
    """Raise ConditionError unless polars' engine takes the pattern."""
    if pattern in _TAKEN:
        return
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError as error:
        raise ConditionError(f"{name!r}: {str(error).splitlines()[0]}") from error
    _TAKEN.add(pattern)


def _tables(name: str, value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not value:
        raise ConditionError(f"{name!r} takes a list of tables")
    return [_table(name, item) for item in value]


def _table(name: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict) or not value:
        raise ConditionError(f"{name!r} takes a table")
    return value


def _bool(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConditionError(f"{name!r} takes true or false")
    return value
