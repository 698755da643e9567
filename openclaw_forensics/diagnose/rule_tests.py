"""The tests beside the rules: rows that must hit, and rows that look alike and must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.conditions import keys_of
from openclaw_forensics.diagnose.load import EVERYWHERE, Loaded, load_rules
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.exchanges import EXCHANGES, RECORDS
from openclaw_forensics.platforms.load import load


def run_tests(extra: tuple[Path, ...] = ()) -> tuple[list[str], int]:
    """Failures in words, and how many tests ran."""
    packs = load(extra=extra)
    folders = [(name, f) for name in (EVERYWHERE, *packs.ids()) for f in packs.folders.get(name, ())]
    failures: list[str] = []
    count = 0
    for loaded in load_rules(folders):
        for number, test in enumerate(loaded.rule.test, 1):
            for wanted, rows in ((True, test.hit), (False, test.miss)):
                if rows is None:
                    continue
                count += 1
                got = hits(loaded, rows if isinstance(rows, list) else [rows])
                if got is not wanted:
                    word = "did not hit" if wanted else "hit a near miss"
                    failures.append(f"{loaded.path}: rule {loaded.rule.id}, test {number}: {word}")
    return failures, count


def hits(loaded: Loaded, rows: list[Mapping[str, object]] | list[dict[str, Any]]) -> bool:
    """Whether at least `at_least` of the rows meet the rule's condition."""
    table = pl.DataFrame([_row(loaded.rule, row) for row in rows], schema=_schema(loaded.rule), orient="row")
    return table.filter(loaded.when).height >= loaded.rule.at_least


def _places(rule: Rule) -> list[str]:
    return sorted({k.column for k in keys_of(rule.when_) if k.is_place})


def _schema(rule: Rule) -> dict[str, pl.DataType]:
    schema: dict[str, pl.DataType] = dict(EXCHANGES if rule.frame == "exchanges" else RECORDS)
    for place in _places(rule):
        schema |= {place: pl.String(), f"known:{place}": pl.Boolean()}
    return schema


def _row(rule: Rule, row: Mapping[str, object]) -> list[object]:
    """A test row in full: a place is given by its own name; null means that it was recorded and is absent."""
    return list(_cells(rule, row))


def _cells(rule: Rule, row: Mapping[str, object]) -> Iterator[object]:
    if unknown := row.keys() - _schema(rule).keys():
        raise KeyError(f"rule {rule.id}: its test names no column: {', '.join(sorted(unknown))}")
    for name in _schema(rule):
        if name.startswith("known:"):
            yield name[len("known:") :] in row
        else:
            value = row.get(name)
            if isinstance(value, str) and name in ("started_at", "at"):
                value = datetime.fromisoformat(value).astimezone(UTC)
            yield None if value == "" and "." in name else value
