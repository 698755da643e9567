"""Did polling stop or slow down while the rest of the shop's traffic went on?

A regular pull of one list whose pause is at least 3.5 times the earlier median and over 15 minutes. A pause after a
refused pull, or while tokens fail, has that refusal as its cause.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.detectors.clock import span
from openclaw_forensics.diagnose.findings import Because, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.words import same


@dataclass(frozen=True, slots=True)
class _Pause:
    before: int
    after: int | None  # null: none until the end
    seconds: float
    usual: float  # median of the intervals before, seconds


def stale(question: Question, table: pl.DataFrame) -> Iterator[Finding]:
    """One finding per shop and polled operation, for its longest pause."""
    columns = ("row", "started_at", "platform", "shop", "identity", "who", "operation")
    polled = table.lazy().filter(
        pl.col("step").is_in(question.words("poll_steps")) & pl.col("object_id").is_null()
        & pl.col("started_at").is_not_null()
    ).select(columns).collect()  # fmt: skip
    keys = ["platform", "who", "operation"]
    for part in polled.partition_by(keys, maintain_order=True):
        polls = _polls(part, question.number("same_poll_s"))
        if len(polls) <= question.number("least_polls"):
            continue
        traffic = _traffic(question, part)
        pauses = [p for p in _pauses(question, polls, traffic) if _unexplained(question, part, p)]
        if pauses:
            yield _finding(question, part, max(pauses, key=lambda p: p.seconds))


def _polls(part: pl.DataFrame, same_s: float) -> list[tuple[int, datetime]]:
    """First calls of each poll; its pages and retries follow within `same_s` seconds of one another."""
    passed = pl.col("started_at").diff()
    first = passed.is_null() | (passed > timedelta(seconds=same_s))
    return part.lazy().select("row", "started_at").filter(first).collect().rows()


def _traffic(question: Question, part: pl.DataFrame) -> list[datetime]:
    """Times of this shop's other calls."""
    first = part.row(0, named=True)
    calls = (pl.col("direction") == "out") & (pl.col("platform") == first["platform"])
    theirs = question.frame.where(calls & (pl.col("operation") != first["operation"]).fill_null(True))
    ours = theirs.filter(pl.coalesce("shop", "identity").fill_null("?").eq(first["who"]))
    others = ours.select("started_at").collect()
    times: list[datetime] = others["started_at"].drop_nulls().to_list()
    return times


def _pauses(question: Question, polls: Sequence[tuple[int, datetime]], traffic: Sequence[datetime]) -> Iterator[_Pause]:
    end = question.frame.bounds[1]
    earlier: list[float] = []
    for place, (row, at) in enumerate(polls):
        following = polls[place + 1] if place + 1 < len(polls) else None
        until = following[1] if following else end
        if until is None:
            return
        seconds = (until - at).total_seconds()
        if len(earlier) >= question.number("least_polls") - 1 and _is_regular(earlier):
            usual = earlier[len(earlier) // 2]
            long = seconds >= question.number("poll_factor") * usual and seconds > question.number("poll_least_s")
            if long and _goes_on(traffic, at, usual, until):
                yield _Pause(row, following[0] if following else None, seconds, usual)
        insort(earlier, seconds)


def _is_regular(earlier: Sequence[float]) -> bool:
    """Whether calls come by a clock: four of five intervals within twice the median."""
    usual = earlier[len(earlier) // 2]
    return bisect_right(earlier, 2 * usual) >= 0.8 * len(earlier)


def _goes_on(traffic: Sequence[datetime], at: datetime, usual: float, until: datetime) -> bool:
    """At least three other calls after the time at which the next poll was due, the last of them late in the pause."""
    during = [t for t in traffic if (t - at).total_seconds() > usual and t <= until]
    return len(during) >= 3 and (during[-1] - at).total_seconds() >= 2 * usual


def _unexplained(question: Question, part: pl.DataFrame, pause: _Pause) -> bool:
    """Not after a refused poll, and no refused token or transport failure of this shop during the pause."""
    if question.frame.failing.get(pause.before) is not None:
        return False
    last = pause.after if pause.after is not None else question.frame.height
    whose, platform = part["who"][0], part["platform"][0]
    return not any(
        pause.before < n < last and r["platform"] == platform and (r["shop"] or r["identity"] or "?") == whose
        and (r["step"] == "token" or r["status"] in (401, 403, 429) or r["status"] is None)
        for n, r in question.frame.failing.items()
    )  # fmt: skip


def _finding(question: Question, part: pl.DataFrame, pause: _Pause) -> Finding:
    first = part.row(0, named=True)
    rows = tuple(r for r in (pause.before, pause.after) if r is not None)
    name = "poll_stopped" if pause.after is None else "poll_paused"
    slots = {"operation": same(str(first["operation"])), "pause": same(span(pause.seconds).lstrip("+"))}
    text = phrase(name, usual=same(span(pause.usual).lstrip("+")), **slots)
    return Finding(
        rule=question.rule.id, cause="sync.stale_poll", confidence=question.number("confidence_poll"),
        platform=str(first["platform"]), shop=None if first["shop"] is None else str(first["shop"]),
        identity=None if first["identity"] is None else str(first["identity"]), affected=rows,
        because=(Because(text, rows),), repaired=pause.after is not None, sources=question.rule.source,
    )  # fmt: skip
