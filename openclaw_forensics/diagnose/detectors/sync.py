"""Is everything read: holes between windows, pages not followed, polls that stop, updates out of order, wrong zones?

Nothing fails here, so each answer needs the whole of what it rests on: where a request was not recorded, or the capture
ends too soon, nothing is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.detectors.clock import span
from openclaw_forensics.diagnose.detectors.pages import unfollowed
from openclaw_forensics.diagnose.detectors.polls import stale
from openclaw_forensics.diagnose.detectors.update_order import outdated
from openclaw_forensics.diagnose.detectors.windows import Pull, lists, pulls
from openclaw_forensics.diagnose.detectors.zoned_times import shifted
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.result import rfc3339
from openclaw_forensics.words import same

Row = dict[str, object]


def detect(question: Question) -> Answer:
    """All five questions over the list calls and writes of the capture."""
    table = lists(question)
    found = pulls(question, table)
    findings = [
        *_gaps(question, table, found),
        *unfollowed(question, table),
        *stale(question, table),
        *outdated(question),
        *shifted(question, found),
    ]
    return Answer(findings, table.height)


@dataclass(frozen=True, slots=True)
class _Hole:
    """Between two pulls of one series, in the words of the requests."""

    before: Pull
    after: Pull
    start: datetime
    end: datetime
    last: bool  # no pull follows that could have shown a repair


def _gaps(question: Question, table: pl.DataFrame, found: dict[tuple[str, str, str], list[Pull]]) -> Iterator[Finding]:
    unknown = _unknown(table)
    for key, series in found.items():
        by_rest: dict[tuple[str, bool], list[Pull]] = defaultdict(list)
        for pull in series:
            by_rest[pull.rest, pull.start.instant].append(pull)
        holes = [
            h for one in by_rest.values() for h in _holes(question, one)
            if not any(row > h.before.row for row in unknown.get(key, ())) and not _read(h, series)
        ]  # fmt: skip
        if holes:
            yield _finding(question, key, holes)


def _unknown(table: pl.DataFrame) -> dict[tuple[str, str, str], list[int]]:
    """Successful calls whose window may lie in what was not recorded."""
    rows: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    lost = table.filter(pl.col("unknown") & pl.col("good")).select("platform", "who", "operation", "row")
    for platform, whose, operation, row in lost.iter_rows():
        rows[platform, whose, operation].append(int(row))
    return rows


def _end(pull: Pull) -> datetime | None:
    """Where the window ends; open ones end at the call itself, if its clock is known."""
    if pull.end is not None:
        return pull.end.at
    return None if pull.zone_assumed or not pull.start.instant else pull.at


def _holes(question: Question, series: Sequence[Pull]) -> Iterator[_Hole]:
    """Joints of an incremental series at which the next window begins after the last one's end."""
    once = list({(p.start.at, p.end): p for p in reversed(series)}.values())[::-1]
    if len(once) < question.number("least_pulls"):
        return
    tolerance = timedelta(seconds=question.number("tolerance_s"))
    for place, (a, b) in enumerate(pairwise(once)):
        end, start = _end(a), b.start.at
        if end is None or not _moves_on(a, b, end):
            continue
        coarse = a.end is not None and a.end.whole_minute and b.start.whole_minute
        if start - end > (timedelta(seconds=60) if coarse else tolerance):
            yield _Hole(a, b, end, start, place + 2 == len(once))


def _moves_on(a: Pull, b: Pull, end: datetime) -> bool:
    """Whether the windows move with the clock: a backfill of old days, or a look at one day, is no incremental pull."""
    other = _end(b)
    if other is None or b.start.at < a.start.at:
        return False
    passed = (b.at - a.at).total_seconds()
    drift = abs((other - end).total_seconds() - passed)
    return passed > 0 and drift <= 0.5 * passed + 60


def _read(hole: _Hole, series: Sequence[Pull]) -> bool:
    """Whether any other pull of this operation, together with the others, covers the hole."""
    reached = hole.start
    for pull in sorted(series, key=lambda p: p.start.at):
        end = _end(pull)
        if pull.start.instant == hole.before.start.instant and end is not None and pull.start.at <= reached:
            reached = max(reached, end)
    return reached >= hole.end


def _finding(question: Question, key: tuple[str, str, str], holes: Sequence[_Hole]) -> Finding:
    first = max(holes, key=lambda h: h.end - h.start)
    row = question.frame.full(first.before.row)
    shown = tuple(dict.fromkeys(r for h in holes[:5] for r in (h.before.row, h.after.row)))
    text = phrase(
        "sync_gap", operation=same(key[2]), end=rfc3339(first.start), start=rfc3339(first.end), count=len(holes),
        length=same(span((first.end - first.start).total_seconds()).lstrip("+")),
    )  # fmt: skip
    steps = [Because(text, (first.before.row, first.after.row))]
    failed = _failed_between(question, key, first)
    if failed:
        steps.append(Because(phrase("sync_gap_failed", count=len(failed)), tuple(failed[:2])))
    sure = "confidence_gap_last" if all(h.last for h in holes) else "confidence_gap"
    return Finding(
        rule=question.rule.id, cause="sync.incremental_gap", confidence=question.number(sure), platform=key[0],
        shop=None if row["shop"] is None else str(row["shop"]),
        identity=None if row["identity"] is None else str(row["identity"]), affected=shown, because=tuple(steps),
        signs=min(len(holes), 3), sources=question.rule.source, repaired=False,
    )  # fmt: skip


def _failed_between(question: Question, key: tuple[str, str, str], hole: _Hole) -> list[int]:
    """Pulls that failed in between, whose window was not asked for again."""
    return [
        n for n, r in question.frame.failing.items()
        if hole.before.row < n < hole.after.row and r["operation"] == key[2] and r["platform"] == key[0]
    ]  # fmt: skip
