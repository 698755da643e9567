"""Did an older update overwrite a newer one: a lower stamp or version accepted after a higher, for one object?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.detectors.windows import moment, parameter, who
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.words import same

_MOST = 50_000  # writes looked at


@dataclass(frozen=True, slots=True)
class _Update:
    row: int
    raw: str
    value: float


def outdated(question: Question) -> Iterator[Finding]:
    """One finding per shop and operation."""
    found: dict[tuple[str, str, str], list[tuple[str, _Update, _Update, bool]]] = defaultdict(list)
    for (platform, whose, operation, thing), updates in _updates(question).items():
        for newer, older in _backwards(updates):
            healed = any(u.row > older.row and u.value >= newer.value for u in updates)
            found[platform, whose, operation].append((thing, newer, older, healed))
    for (platform, _, operation), cases in found.items():
        thing, newer, older, _ = cases[0]
        row = question.frame.full(older.row)
        text = phrase(
            "update_backwards", operation=same(operation), object=same(thing), newer=newer.raw, older=older.raw
        )
        yield Finding(
            rule=question.rule.id, cause="sync.out_of_order", confidence=question.number("confidence_order"),
            platform=platform, shop=None if row["shop"] is None else str(row["shop"]),
            identity=None if row["identity"] is None else str(row["identity"]),
            affected=tuple(o.row for _, _, o, _ in cases), because=(Because(text, (newer.row, older.row)),),
            signs=min(len(cases), 3), repaired=all(h for *_, h in cases), sources=question.rule.source,
        )  # fmt: skip


def _updates(question: Question) -> dict[tuple[str, str, str, str], list[_Update]]:
    """Accepted writes with a stamp or version, by object, in order."""
    frame = question.frame
    writes = [o.id for p in question.knowledge.packs.values() for o in p.operations if o.write]
    accepted = frame.where((pl.col("direction") == "out") & pl.col("operation").is_in(writes) & frame.is_good)
    table = accepted.filter(pl.col("object_id").is_not_null()).head(_MOST).collect()
    table = table.with_columns(stamp=parameter(question.words("stamp_names")), who=who()).filter(
        pl.col("stamp").is_not_null()
    )
    columns = ["platform", "who", "operation", "object_id", "row", "stamp"]
    found: dict[tuple[str, str, str, str], list[_Update]] = defaultdict(list)
    for platform, whose, operation, thing, row, stamp in table.select(columns).iter_rows():
        if (value := _value(stamp)) is not None:
            found[platform, whose, operation, thing].append(_Update(int(row), stamp[:60], value))
    return found


def _value(text: str) -> float | None:
    """A version as a number, a time as seconds; the two are far apart and never meet in one field."""
    when = moment(text)
    if when is not None:
        return (when.at - datetime(1970, 1, 1, tzinfo=when.at.tzinfo)).total_seconds()
    value = text.strip()
    return float(value) if value.isascii() and value.isdecimal() and len(value) <= 15 else None


def _backwards(updates: Sequence[_Update]) -> Iterator[tuple[_Update, _Update]]:
    """Each update that is older than one accepted before it, beside the newest of those."""
    newest: _Update | None = None
    for update in updates:
        if newest is not None and update.value < newest.value:
            yield newest, update
        elif newest is None or update.value > newest.value:
            newest = update
