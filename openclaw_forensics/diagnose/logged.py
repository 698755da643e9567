"""Conditions over log records: what a rule says of one column is asked of its distinct values, of all rules at once.

The same exception is logged again and again, and each rule lists many words for it.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce

import polars as pl

from openclaw_forensics.diagnose.conditions import compile_condition, parse_key
from openclaw_forensics.diagnose.rule import Condition

_Part = tuple[str, str]  # a key of a condition, and its value as text


class Logged:
    """Answers conditions over the records of one capture."""

    def __init__(self, records: pl.DataFrame, conditions: Iterable[Condition]) -> None:
        """`conditions`: all that will be asked."""
        self._height = records.height
        self._answers: dict[_Part, pl.Series] = {}
        self._places: dict[str, pl.Series] = {}  # of each record's value among the distinct ones
        by_column: dict[str, dict[_Part, pl.Expr]] = defaultdict(dict)
        for name, value in (part for condition in conditions for part in _parts(condition)):
            asked = compile_condition({name: value}, "records")
            by_column[parse_key(name).column][name, repr(value)] = asked
        for column, parts in by_column.items():
            distinct = records.select(pl.col(column).unique())
            places = distinct.with_row_index("place")
            self._places[column] = records.select(column).join(
                places, on=column, how="left", nulls_equal=True, maintain_order="left"
            )["place"]
            asked_of = distinct.select(e.alias(str(n)) for n, e in enumerate(parts.values()))
            self._answers |= dict(zip(parts, asked_of, strict=True))

    def hold(self, condition: Condition) -> pl.Series:
        """The condition, true, false or null, for each record."""
        parts = [self._part(n, v) for n, v in condition.items()]
        return reduce(operator.and_, parts) if parts else pl.repeat(True, self._height, dtype=pl.Boolean, eager=True)

    def _part(self, name: str, value: object) -> pl.Series:
        tables = [value] if isinstance(value, dict) else value
        if name in ("all", "any", "not") and isinstance(tables, list):
            held = [self.hold(table) for table in tables]
            if name == "not":
                return ~held[0]
            return reduce(operator.and_ if name == "all" else operator.or_, held)
        return self._answers[name, repr(value)].gather(self._places[parse_key(name).column])


def _parts(condition: Condition) -> Iterator[tuple[str, object]]:
    """Every key with its value, nested ones included."""
    for name, value in condition.items():
        if name in ("all", "any", "not"):
            for table in [value] if isinstance(value, dict) else value if isinstance(value, list) else ():
                yield from _parts(table)
        else:
            yield name, value
