"""A condition judged row by row, as slowly and plainly as possible: what the compiled one must agree with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from openclaw_forensics.diagnose.conditions import parse_key

Row = Mapping[str, object]


def holds(condition: Mapping[str, object], row: Row) -> bool | None:
    """True, False, or None where it cannot be known."""
    return _all([_part(key, value, row) for key, value in condition.items()])


def _all(results: list[bool | None]) -> bool | None:
    return False if False in results else None if None in results else True


def _any(results: list[bool | None]) -> bool | None:
    return True if True in results else None if None in results else False


def _part(key: str, value: object, row: Row) -> bool | None:
    if key == "all":
        return _all([holds(c, row) for c in value])  # type: ignore[union-attr]
    if key == "any":
        return _any([holds(c, row) for c in value])  # type: ignore[union-attr]
    if key == "not":
        inner = holds(value, row)  # type: ignore[arg-type]
        return None if inner is None else not inner
    parsed = parse_key(key)
    column, operator, cased = parsed.column, parsed.operator, parsed.cased
    cell = row[column]
    if parsed.is_place and not row[f"known:{column}"]:
        return None
    if operator == "exists":
        return (cell is not None) == value
    values = value if isinstance(value, list) else [value]
    if isinstance(cell, list):
        return _any([_any([_one(operator, each, v, cased=cased) for each in cell] or [False]) for v in values])
    if parsed.is_place and cell is None:
        return False  # recorded, and holds nothing
    return _any([_one(operator, cell, v, cased=cased) for v in values])


def _one(operator: str, cell: object, wanted: object, *, cased: bool) -> bool | None:
    if cell is None:
        return None
    if operator in ("lt", "lte", "gt", "gte"):
        return _ordered(operator, cell, wanted)
    if isinstance(cell, bool) or (isinstance(cell, int | float) and isinstance(wanted, int | float)):
        return cell == wanted
    text, sought = str(cell), str(wanted)
    if operator == "re":
        return re.search(sought, text, 0 if cased else re.IGNORECASE) is not None
    if not cased:
        text, sought = text.lower(), sought.lower()
    return {
        "contains": sought in text,
        "startswith": text.startswith(sought),
        "endswith": text.endswith(sought),
    }.get(operator, text == sought)


def _ordered(operator: str, cell: object, wanted: object) -> bool | None:
    try:
        number = float(str(cell))
    except ValueError:
        return None
    limit = float(str(wanted))
    return {"lt": number < limit, "lte": number <= limit, "gt": number > limit, "gte": number >= limit}[operator]
