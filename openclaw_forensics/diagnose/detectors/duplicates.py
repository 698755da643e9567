"""Was one business event sent twice: accepted twice, refused as a duplicate, or processed again after a redelivery?

Two submissions are the same when operation, address and body agree but for what differs in every call. Setting a value
again (stock, price, PUT) is harmless and never counted. A body that was not recorded in full says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.detectors.redelivered import processed_again
from openclaw_forensics.diagnose.detectors.same_request import body_of, content, volatile_names
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import COLUMNS, Message
from openclaw_forensics.platforms.places import value
from openclaw_forensics.words import Text, same

Row = dict[str, object]
_MOST = 20_000  # submissions looked at
_USED = (
    "row", "started_at", "platform", "shop", "identity", "operation", "operation_key", "object_id", "step", "method",
    "failed", "failure", "transport_error", *COLUMNS,
)  # fmt: skip
_LOST = ("timeout", "reset", "other")  # the request may have arrived all the same


def detect(question: Question) -> Answer:
    """Same submissions, reused keys, and redeliveries that took effect again."""
    submissions = _submissions(question)
    findings = [
        *_twice(question, submissions),
        *_refused(question, submissions),
        *_keys(question, submissions),
        *processed_again(question),
    ]
    return Answer(findings, len(submissions))


def _submissions(question: Question) -> list[Row]:
    """Calls that change something: writes of the packs, and POSTs that no pack knows."""
    frame = question.frame
    writes = [o.id for p in question.knowledge.packs.values() for o in p.operations if o.write]
    unknown = pl.col("operation").is_null() & (pl.col("method") == "POST")
    changing = (pl.col("direction") == "out") & (pl.col("operation").is_in(writes) | unknown).fill_null(False)
    state = pl.col("request_body_state")
    kept = state.is_in(["recorded", "reconstructed"]) & pl.col("request_body").is_not_null()
    known = kept | (state == "empty")
    return frame.where(changing).filter(known).head(_MOST).select(_USED).collect().to_dicts()


def _number(row: Row) -> int:
    return int(str(row["row"]))


def _accepted(row: Row) -> bool:
    status = row["status"]
    return not row["failed"] and row["failure"] is None and isinstance(status, int) and status < 300


def _unanswered(row: Row) -> bool:
    """Sent, and no answer came back: it may have taken effect."""
    return bool(row["failed"]) and row["status"] is None and row["transport_error"] in (None, *_LOST)


def _same(question: Question, rows: Iterable[Row], *, masked: bool = False) -> Iterator[list[Row]]:
    """Submissions of one event, in order. `masked`: where the log hides parts of a body, its object stands for it."""
    volatile = volatile_names(question.knowledge.packs, question.knowledge.everywhere, question.words("volatile"))
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        text = content(row, volatile)
        if text is None and masked and row["object_id"] is not None:
            text = ""
        if text is not None:
            groups[(*_place(row), text)].append(row)
    return (g for g in groups.values() if len(g) > 1)


def _place(row: Row) -> tuple[object, ...]:
    """What submissions of one event have in common beside their content, and what is quickly compared of that."""
    who = row["shop"] if row["shop"] is not None else row["identity"]
    address = (row["method"] or "", row["host"] or "", row["path"])
    return (row["platform"], who, row["operation_key"], row["object_id"], *address)


def _near(question: Question, rows: list[Row]) -> list[Row]:
    """Without those of places in which no two are near enough in time to be compared."""
    most = timedelta(seconds=question.number("within_s"))
    places: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        places[_place(row)].append(row)
    near = {place for place, there in places.items() if any(_within(a, b, most) for a, b in pairwise(there))}
    return [row for row in rows if _place(row) in near]


def _within(first: Row, second: Row, most: timedelta) -> bool:
    a, b = first["started_at"], second["started_at"]
    return isinstance(a, datetime) and isinstance(b, datetime) and b - a <= most


def _pairs(question: Question, rows: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Each submission with the one before it, near enough in time to be the same event."""
    most = timedelta(seconds=question.number("within_s"))
    for first, second in pairwise(rows):
        if _within(first, second, most):
            yield first, second


def _twice(question: Question, submissions: list[Row]) -> list[Finding]:
    """Accepted twice; or unanswered and sent again without a key that makes the second harmless."""
    steps = question.words("steps")
    creating = [r for r in submissions if r["step"] in steps and r["method"] in (None, "POST") and _is_about(r)]
    findings = []
    for rows in _same(question, _near(question, [r for r in creating if _accepted(r) or _unanswered(r)])):
        for first, second in _pairs(question, rows):
            if not _accepted(second) or _keyed(question, first, second):
                continue
            if _accepted(first) and (made := _two_results(question, first, second)) is not None:
                name, sure = ("duplicate_made_two", "confidence_made_two") if made else ("duplicate_both", "confidence")
                text = phrase(name, operation=_name(second), object=_object(second))
                findings.append(_finding(question, [first, second], second, sure, text, None if made else "warning"))
            elif _unanswered(first):
                text = phrase("duplicate_unanswered", operation=_name(second), object=_object(second))
                findings.append(_finding(question, [first, second], second, "confidence_unanswered", text, "info"))
    return findings


def _is_about(row: Row) -> bool:
    """Whether the request says what it is about: an empty POST to a bare path may rightly come again."""
    return row["object_id"] is not None or bool(row["request_body"])


def _two_results(question: Question, first: Row, second: Row) -> bool | None:
    """True where the two answers name different new objects; None where they show that the platform did it once."""
    names = question.words("made_ids")
    made = [{n: v for n in names if (v := value((f"response.json:{n}",), Message(r)))} for r in (first, second)]
    shared = made[0].keys() & made[1].keys()
    if shared:
        return True if any(made[0][n] != made[1][n] for n in shared) else None
    return False


def _keyed(question: Question, first: Row, second: Row) -> bool:
    """Both carry one idempotency key, so the second is no second event."""
    keys = [_key(question, r) for r in (first, second)]
    return keys[0] is not None and keys[0] == keys[1]


def _key(question: Question, row: Row) -> str | None:
    pack = question.knowledge.packs.get(str(row["platform"]))
    everywhere = question.knowledge.everywhere
    own = pack.platform.places.idempotency_key if pack else ()
    return value((*own, *(everywhere.platform.places.idempotency_key if everywhere else ())), Message(row))


def _refused(question: Question, submissions: list[Row]) -> list[Finding]:
    """Refused because it was there already, and the first submission is in the capture."""
    causes = set(question.words("of_causes"))
    claimed = {r for f in question.so_far if f.cause in causes for r in f.rows}
    places = {_place(r) for r in submissions if _number(r) in claimed}
    asked = [r for r in submissions if _place(r) in places] if places else []
    usable = [r for r in asked if _accepted(r) or _unanswered(r) or _number(r) in claimed]
    findings = []
    for rows in _same(question, usable, masked=True):
        for place, row in enumerate(rows):
            earlier = [r for r in rows[:place] if _number(r) not in claimed]
            if _number(row) not in claimed or not earlier:
                continue
            name = "duplicate_refused" if _accepted(earlier[-1]) else "duplicate_refused_lost"
            text = phrase(name, operation=_name(row), object=_object(row))
            findings.append(_finding(question, [earlier[-1], row], row, "confidence_refused", text))
    return findings


def _keys(question: Question, submissions: list[Row]) -> list[Finding]:
    """One idempotency key over different bodies of one operation."""
    volatile = volatile_names(question.knowledge.packs, question.knowledge.everywhere, question.words("volatile"))
    keyed: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in submissions:
        key = _key(question, row)
        if key is not None and "*" not in key:
            keyed[row["platform"], row["host"], row["operation_key"], key].append(row)
    reused: list[tuple[Row, Row]] = []
    for rows in keyed.values():
        bodies = [(body, r) for r in rows if (body := body_of(r, volatile)) is not None] if len(rows) > 1 else []
        reused += [(bodies[0][1], r) for body, r in bodies[1:] if body != bodies[0][0] and not _overloaded(r)]
    findings = []
    for first, row in sorted(reused, key=lambda pair: _number(pair[1])):
        text = phrase("idempotency_key_reused", operation=_name(row))
        findings.append(_finding(question, [first, row], row, "confidence_key", text, cause="idempotency.key_reuse"))
    return findings


def _overloaded(row: Row) -> bool:
    """Failed on the platform's side or on the way: nothing of it shows the key's fate."""
    status = row["status"]
    return bool(row["failed"]) and (not isinstance(status, int) or status >= 500 or status == 429)


def _finding(
    question: Question, shown: list[Row], row: Row, confidence: str, text: Text,
    severity: Literal["warning", "info"] | None = None, cause: str | None = None,
) -> Finding:  # fmt: skip
    numbers = tuple(map(_number, shown))
    failed = bool(row["failed"])
    return Finding(
        rule=question.rule.id, cause=cause or question.rule.cause, confidence=question.number(confidence),
        platform=_text(row["platform"]), shop=_text(row["shop"]), identity=_text(row["identity"]),
        rows=(_number(row),) if failed else (), affected=() if failed else (_number(row),),
        because=(Because(text, numbers),), telling=(Telling(_number(row), "/request/body", text),),
        sources=question.rule.source, signs=2 if confidence == "confidence_made_two" else 1,
        severity=severity,
    )  # fmt: skip


def _name(row: Row) -> Text:
    return same(str(row["operation"] or row["path"] or "?")[:200])


def _object(row: Row) -> Text:
    return same(str(row["object_id"] or row["path"] or "?")[:120])


def _text(value: object) -> str | None:
    return None if value is None else str(value)
