"""Callbacks that our side turned away, with the reason in a log beside the access log.

The access log tells the status alone; the error log of the server in front names its filter, the application's log its
check. Both print the path, and their clocks are one machine's, so that the stamps agree but for whole quarters of an
hour: such logs print no zone. Where only the front's error log was given, its lines alone show it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling

Row = dict[str, Any]
_MOST = 1000  # records looked at
_QUARTER_S = 900
_PATH = re.compile(r"/[A-Za-z]")
_LEAST_PATH = 2  # "/" stands in every line


def detect(question: Question) -> Answer:
    """A finding per platform and shop whose refused callbacks the front's log speaks of."""
    if not question.frame.height:
        lone = _lone(question)
        return Answer([lone] if lone else [], len(lone.records) if lone else 0)
    rows = [r for r in question.frame.failures if r["direction"] == "callback" and (r["status"] or 0) >= 400]
    denied = _denied(question) if rows else []
    if not denied:
        return Answer([], 0)
    groups: dict[tuple[object, object], list[tuple[Row, int]]] = {}
    for row in rows:
        record = next((d["row"] for d in denied if _speaks_of(question, d, row)), None)
        if record is not None:
            groups.setdefault((row["platform"], row["shop"]), []).append((row, record))
    return Answer([_finding(question, found) for found in groups.values()], len(rows))


def _denied(question: Question) -> list[Row]:
    pattern = "|".join(f"(?:{words})" for words in question.words("denied_words"))
    words = pl.concat_str("message", "exception", separator="\n", ignore_nulls=True)
    named = question.frame.records.filter(pl.col("at").is_not_null() & words.str.contains(pattern))
    rows = named.head(_MOST).select("row", "at", "message", "exchange_id").to_dicts()
    numbers = question.frame.rows_of("exchange_id", (r["exchange_id"] for r in rows if r["exchange_id"] is not None))
    for row in rows:  # the path of the delivery that the record was written for
        number = numbers.get(row["exchange_id"])
        row["path"] = None if number is None else question.frame.full(number)["path"]
    return rows


def _lone(question: Question) -> Finding | None:
    """The refusals of deliveries in a capture that holds nothing but the front's log."""
    if not question.words("lone_words"):
        return None
    denied = pl.Series([d["row"] for d in _denied(question)], dtype=question.frame.records["row"].dtype)
    receiver = "|".join(f"(?:{words})" for words in question.words("lone_words"))
    told = question.frame.records.filter(
        pl.col("row").is_in(denied.implode()) & pl.col("message").str.contains(receiver)
    )
    if told.is_empty():
        return None
    rule, records, named = question.rule, tuple(told["row"]), told["platform"]
    return Finding(
        rule=rule.id, cause=rule.cause, confidence=question.number("confidence"), platform=_text(named[0]),
        shop=None, identity=None, records=records, because=(Because(rule.why, (), records[:3]),),
        alternatives=rule.alternatives, sources=rule.source,
    )  # fmt: skip


def _speaks_of(question: Question, record: Row, row: Row) -> bool:
    if record["exchange_id"] is not None and record["exchange_id"] == row["exchange_id"]:
        return True
    path, at = row["path"], row["started_at"]
    if not isinstance(path, str) or len(path) < _LEAST_PATH or not isinstance(at, datetime):
        return False
    rest = abs((record["at"] - at).total_seconds()) % _QUARTER_S
    if min(rest, _QUARTER_S - rest) > question.number("apart_s"):
        return False
    if record["path"] is not None:
        return bool(record["path"] == path)
    message = str(record["message"])
    # Writers of structured logs keep the path in a field of its own.
    return path in message or (bool(question.number("unnamed")) and not _PATH.search(message))


def _finding(question: Question, found: list[tuple[Row, int]]) -> Finding:
    first, rule = found[0][0], question.rule
    numbers = tuple(r["row"] for r, _ in found)
    return Finding(
        rule=rule.id, cause=rule.cause, confidence=question.number("confidence"),
        platform=_text(first["platform"]), shop=_text(first["shop"]), identity=_text(first["identity"]), rows=numbers,
        because=(Because(rule.why, numbers[:3], tuple(dict.fromkeys(record for _, record in found))[:3]),),
        telling=tuple(Telling(n, "/response/status", rule.title) for n in numbers[:3]),
        alternatives=rule.alternatives, sources=rule.source,
    )  # fmt: skip


def _text(value: object) -> str | None:
    return None if value is None else str(value)
