"""Do instants in requests lie a whole time zone beside the exchange's own time?

Only instants can: a local time without a zone is the platform's to read. A window that lies in the future and brings
nothing, or one that jumps by a zone's offset from one day to the next, repeatedly; one value proves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.detectors.clock import span
from openclaw_forensics.diagnose.detectors.windows import Pull, moment, parameter, who
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import parse_json
from openclaw_forensics.words import Text, same

_QUARTER = 900.0  # zones lie on quarter hours
_LEAST, _MOST = -12 * 3600.0, 14 * 3600.0  # the zones that exist
_WRITES = 20_000
Key = tuple[str, str, str]


def shifted(question: Question, found: dict[Key, list[Pull]]) -> Iterator[Finding]:
    """Findings of windows, then of business times in bodies."""
    for key, series in found.items():
        pulls = [p for p in series if p.start.instant and p.end is not None]
        yield from _windows(question, key, pulls)
    yield from _bodies(question)


def zone_of(question: Question, offsets: Sequence[float]) -> float | None:
    """The offset in seconds that all share, where a real zone has it and it is 30 minutes or more."""
    if len(offsets) < question.number("least_shifted"):
        return None
    zone = round(median(offsets) / _QUARTER) * _QUARTER
    slack = question.number("zone_slack_s")
    fits = all(abs(o - zone) <= slack for o in offsets)
    return zone if fits and abs(zone) >= 2 * _QUARTER and _LEAST <= zone <= _MOST else None


def _windows(question: Question, key: Key, pulls: Sequence[Pull]) -> Iterator[Finding]:
    offsets = [(p.end.at - p.at).total_seconds() for p in pulls if p.end is not None]
    ahead = [(p, o) for p, o in zip(pulls, offsets, strict=True) if p.start.at > p.at]
    zone = zone_of(question, [o for _, o in ahead])
    if zone is not None and _all_empty(question, [p.row for p, _ in ahead]):
        text = phrase("zone_future", operation=same(key[2]), offset=same(span(zone)), count=len(ahead))
        yield _finding(question, key, [p.row for p, _ in ahead], text, "confidence_zone", pulls)
        return
    slack = question.number("zone_slack_s")
    turn = next((i for i, o in enumerate(offsets) if abs(o) > 5 * slack), len(offsets))
    after = offsets[turn:]
    if turn >= 2 and (zone := zone_of(question, after)) is not None:
        text = phrase("zone_jump", operation=same(key[2]), offset=same(span(zone)), count=turn)
        yield _finding(question, key, [p.row for p in pulls[turn:]], text, "confidence_zone_jump", pulls)


def _all_empty(question: Question, rows: Sequence[int]) -> bool:
    """At least two answers were recorded, and every one of those is without items."""
    bodies = question.frame.take(rows[:50], ["response_body"]).to_series()
    seen = [e for body in bodies if (e := is_empty(body)) is not None]
    return len(seen) >= 2 and all(seen)


def is_empty(body: object) -> bool | None:
    """Whether an answer's lists hold nothing; None where it has no list or is not known."""
    valid, tree = parse_json(body) if isinstance(body, str) else (False, None)
    if not valid:
        return None
    lists: list[list[object]] = []
    stack: list[object] = [tree]
    while stack and len(lists) < 1_000:
        node = stack.pop()
        if isinstance(node, list):
            lists.append(node)
        elif isinstance(node, dict):
            stack += list(node.values())
    return not any(lists) if lists else None


def _bodies(question: Question) -> Iterator[Finding]:
    """Times of things done, written into requests, that lie ahead by a zone's offset."""
    frame = question.frame
    writes = [o.id for p in question.knowledge.packs.values() for o in p.operations if o.write]
    accepted = frame.where((pl.col("direction") == "out") & pl.col("operation").is_in(writes) & frame.is_good)
    table = accepted.filter(pl.col("started_at").is_not_null()).head(_WRITES).collect()
    table = table.with_columns(done=parameter(question.words("done_names")), who=who()).filter(
        pl.col("done").is_not_null()
    )
    groups: dict[Key, list[tuple[int, float, bool]]] = defaultdict(list)
    columns = ["row", "started_at", "platform", "who", "operation", "done", "zone_basis"]
    for row, at, platform, whose, operation, done, zone in table.select(columns).iter_rows():
        when = moment(done)
        if when is not None and when.instant and isinstance(at, datetime):
            groups[platform, whose, operation].append((int(row), (when.at - at).total_seconds(), zone == "assumed"))
    for key, held in groups.items():
        offset = zone_of(question, [o for _, o, _ in held])
        if offset is not None and offset > 0:
            text = phrase("zone_body", operation=same(key[2]), offset=same(span(offset)), count=len(held))
            rows = [r for r, _, _ in held]
            yield _make(question, key, rows, text, "confidence_zone_body", assumed=any(a for _, _, a in held))


def _finding(
    question: Question, key: Key, rows: Sequence[int], text: Text, confidence: str, pulls: Sequence[Pull]
) -> Finding:
    return _make(question, key, rows, text, confidence, assumed=any(p.zone_assumed for p in pulls))


def _make(
    question: Question, key: Key, rows: Sequence[int], text: Text, confidence: str, *, assumed: bool
) -> Finding:  # fmt: skip
    row = question.frame.full(rows[0])
    sure = question.number(confidence)
    return Finding(
        rule=question.rule.id, cause="schema.timezone_mismatch", confidence=min(sure, 0.5) if assumed else sure,
        platform=key[0], shop=None if row["shop"] is None else str(row["shop"]),
        identity=None if row["identity"] is None else str(row["identity"]), affected=tuple(rows),
        because=(Because(text, tuple(rows[:3])),), signs=min(len(rows), 3), sources=question.rule.source,
        capped_by="zone assumed" if assumed and sure > 0.5 else None, repaired=False,
    )  # fmt: skip
