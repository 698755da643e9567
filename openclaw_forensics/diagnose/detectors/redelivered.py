"""Did a redelivered callback take effect again: the same call made after each delivery, or the database refusing it?

A second delivery is the platform's right. Only what our side did after it can show that it was not recognised.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.detectors.same_request import content, volatile_names
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.words import Text

Row = dict[str, object]
_MOST = 2_000  # redeliveries, and of each kind of trace, looked at
_TEXT = 4_000  # characters of a record's text
_VALUES = re.compile(r':\s*"?([A-Za-z0-9_.#-]{5,80})"?')


def processed_again(question: Question) -> list[Finding]:
    """Findings for events whose later delivery was processed like the first."""
    traces = _Traces(question)
    return [f for rows in _redelivered(question) if (f := traces.of_calls(rows) or traces.of_records(rows)) is not None]


def _redelivered(question: Question) -> list[list[Row]]:
    """Accepted deliveries of one event, in order, where there are several."""
    frame = question.frame
    accepted = frame.where((pl.col("direction") == "callback") & frame.is_good)
    table = accepted.filter(pl.col("object_id").is_not_null() & pl.col("started_at").is_not_null()).collect()
    repeated = table.filter(pl.len().over("platform", "operation", "object_id") > 1)
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in repeated.head(_MOST).to_dicts():
        groups[row["platform"], row["operation"], row["object_id"]].append(row)
    return [rows for rows in groups.values() if len(rows) > 1]


@dataclass
class _Traces:
    """What our side did after deliveries: calls that change something, and records."""

    question: Question

    @cached_property
    def _calls(self) -> list[tuple[datetime, Row]]:
        frame, writes = self.question.frame, _writes(self.question)
        table = frame.exchanges.filter(
            (pl.col("direction") == "out") & pl.col("operation").is_in(writes) & pl.col("started_at").is_not_null()
            & pl.col("step").is_in(self.question.words("steps")) & frame.is_good
        )  # fmt: skip
        return [(r["started_at"], r) for r in table.head(_MOST).collect().to_dicts()]

    @cached_property
    def _records(self) -> list[tuple[datetime, Row]]:
        return [(r["at"], r) for r in self.question.frame.records.drop_nulls("at").head(_MOST).to_dicts()]

    @cached_property
    def _volatile(self) -> frozenset[str]:
        known = self.question.knowledge
        return volatile_names(known.packs, known.everywhere, self.question.words("volatile"))

    def _after(self, rows: Sequence[Row], things: Sequence[tuple[datetime, Row]]) -> list[list[Row]]:
        """Per delivery what follows it within the time of processing and before the next delivery."""
        span = timedelta(seconds=self.question.number("processed_within_s"))
        starts = [t for r in rows if isinstance(t := r["started_at"], datetime)]
        times = [at for at, _ in things]
        ends = [min(a + span, b) for a, b in pairwise(starts)] + [starts[-1] + span]
        return [
            [r for _, r in things[bisect_left(times, a) : bisect_left(times, b)]]
            for a, b in zip(starts, ends, strict=True)
        ]

    def of_calls(self, rows: Sequence[Row]) -> Finding | None:
        """The same write, about this event, accepted after the first delivery and after a later one."""
        sent = [
            {text: r for r in calls if (text := content(r, self._volatile)) is not None and _names(text, rows[0])}
            for calls in self._after(rows, self._calls)
        ]
        for delivery, calls in zip(rows[1:], sent[1:], strict=True):
            for text, again in calls.items():
                if text in sent[0]:
                    shown = tuple(_number(r) for r in (rows[0], sent[0][text], delivery, again))
                    return self._finding(delivery, phrase("redelivery_calls"), shown, ())
        return None

    def of_records(self, rows: Sequence[Row]) -> Finding | None:
        """After a later delivery the database says that the same thing is there already."""
        pattern = re.compile("|".join(self.question.words("already_there")), re.IGNORECASE)
        for delivery, near in list(zip(rows, self._after(rows, self._records), strict=True))[1:]:
            for record in near:
                text = f"{record['message'] or ''}\n{record['exception'] or ''}"[:_TEXT]
                ours = record["exchange_id"] == delivery["exchange_id"] or _names(text, rows[0])
                if ours and pattern.search(text):
                    shown = (_number(rows[0]), _number(delivery))
                    return self._finding(delivery, phrase("redelivery_record"), shown, (_number(record),))
        return None

    def _finding(self, delivery: Row, text: Text, shown: tuple[int, ...], records: tuple[int, ...]) -> Finding:
        question = self.question
        return Finding(
            rule=question.rule.id, cause="webhook.duplicate_not_deduplicated",
            confidence=question.number("confidence_redelivery"), platform=_text(delivery["platform"]),
            shop=_text(delivery["shop"]), identity=_text(delivery["identity"]), affected=shown[-1:], records=records,
            because=(Because(text, shown, records),), sources=question.rule.source,
        )  # fmt: skip


def _writes(question: Question) -> list[str]:
    return [o.id for p in question.knowledge.packs.values() for o in p.operations if o.write]


def _names(text: str, delivery: Row) -> bool:
    """Whether the text repeats an id of the event: its own, or a value of its body that holds a digit."""
    held = [m for m in _VALUES.findall(str(delivery["request_body"] or "")[:20_000])[:500] if any(map(str.isdigit, m))]
    return any(value in text for value in (str(delivery["object_id"]), *held))


def _number(row: Row) -> int:
    return int(str(row["row"]))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
