"""Were deliveries to our receiver turned away in front of it, or did they stop?

An access log shows no bodies, so only contrast tells a wall from the application: the same sender was accepted before,
and other clients still reach the path. A refusal that the application words itself is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.detectors.sender_reports import reports
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.callbacks import is_post, says_hook
from openclaw_forensics.words import same

Row = dict[str, object]
_BLOCKED = (401, 403, 405, 406, 429)
_COLUMNS = ["row", "started_at", "direction", "platform", "shop", "identity", "path", "status", "failed", "sender"]
_MOST_GROUPS = 200


def detect(question: Question) -> Answer:
    """Deliveries that were blocked or that ended, and what a sender's own report says."""
    table = _deliveries(question)
    findings = [*_blocks(question, table), *_stopped(question), *reports(question)]
    return Answer(findings, table.height)


def _deliveries(question: Question) -> pl.DataFrame:
    """POSTs to paths of callbacks, by anybody, whose answers were recorded without a body."""
    agent = pl.element().filter(pl.element().struct.field("name").str.to_lowercase() == "user-agent")
    named = pl.col("request_headers").list.eval(agent.struct.field("value")).list.first()
    product = named.str.extract(r"^\s*([^/\s(]{1,60})")
    network = pl.col("client_address").str.extract(r"^(\d+\.\d+\.\d+|[0-9a-fA-F:]{4,19})")
    table = question.frame.among((pl.col("direction") != "out") & is_post() & pl.col("path").is_not_null())
    table = table.filter((pl.col("direction") == "callback").any().over("path") | says_hook())
    table = table.filter(pl.col("response_body").is_null() & pl.col("status").is_not_null())
    return table.with_columns(sender=pl.coalesce(product, network, pl.lit("?")), agent=named).select(*_COLUMNS, "agent")


@dataclass(frozen=True, slots=True)
class _Run:
    """Refusals of one sender at one path, with no acceptance between them."""

    rows: list[Row]
    worked_before: bool
    healed: bool
    others: list[Row]  # what other senders at this path were answered meanwhile


def _blocks(question: Question, table: pl.DataFrame) -> list[Finding]:
    refused = table.filter(pl.col("status").is_in(_BLOCKED))
    keys = refused.group_by("path", "sender", maintain_order=True).len().filter(pl.col("len") >= 2)
    findings = []
    for path, sender, _ in keys.head(_MOST_GROUPS).iter_rows():
        here = table.filter(pl.col("path") == path)
        run = _run(here.filter(pl.col("sender") == sender).to_dicts(), here, sender)
        if run is not None and (sure := _sure(question, run)) is not None:
            findings.append(_blocked(question, run, sure))
    return findings


def _run(rows: list[Row], here: pl.DataFrame, sender: str) -> _Run | None:
    first = next(i for i, r in enumerate(rows) if r["status"] in _BLOCKED)
    end = next((i for i in range(first, len(rows)) if _fine(rows[i])), len(rows))
    blocked = [r for r in rows[first:end] if r["status"] in _BLOCKED]
    if len(blocked) < 2 or any(r["status"] in _BLOCKED for r in rows[end:]):
        return None
    start = blocked[0]["started_at"]
    meanwhile = here.filter((pl.col("sender") != sender) & (pl.col("started_at") >= start)).head(500).to_dicts()
    before = any(_fine(r) for r in rows[:first])
    return _Run(blocked, before, end < len(rows), meanwhile)


def _fine(row: Row) -> bool:
    return isinstance(row["status"], int) and 200 <= row["status"] < 300


def _sure(question: Question, run: _Run) -> float | None:
    """How sure it is that something in front of the application refused; None where nothing tells."""
    statuses = {r["status"] for r in run.rows}
    accepted = any(_fine(r) for r in run.others)
    # A check of signatures answers 401 itself, so only another client's success speaks against it.
    reached = accepted or (401 not in statuses and any(r["status"] not in statuses for r in run.others))
    if run.worked_before and reached:
        return question.number("confidence_contrast")
    if run.worked_before and statuses <= {403, 406, 429}:
        return question.number("confidence_before")
    if reached and _known_sender(question, run.rows[0]):
        return question.number("confidence_others")
    return None


def _known_sender(question: Question, row: Row) -> bool:
    """Whether the user agent is the one that the platform's pack documents."""
    pack = question.knowledge.packs.get(str(row["platform"]))
    patterns = pack.webhooks.user_agents if pack is not None and pack.webhooks is not None else ()
    agent = str(row["agent"] or "")[:500]
    return row["direction"] == "callback" and any(re.search(p, agent) for p in patterns)


def _blocked(question: Question, run: _Run, sure: float) -> Finding:
    rows = [r for r in run.rows if r["failed"]]
    shown = tuple(_numbers(run.rows[:3]))
    slots = {"sender": same(str(run.rows[0]["sender"])), "status": run.rows[0]["status"]}
    steps = [Because(phrase("deliveries_refused", count=len(run.rows), **slots), shown)]
    if run.worked_before:
        steps.append(Because(phrase("deliveries_worked_before"), shown[:1]))
    others = [r for r in run.others if r["status"] != run.rows[0]["status"]]
    if others:
        steps.append(Because(phrase("others_reach", status=others[0]["status"]), tuple(_numbers(others[:2]))))
    return Finding(
        rule=question.rule.id, cause="webhook.blocked", confidence=sure, platform=_text(run.rows[0]["platform"]),
        shop=_text(run.rows[0]["shop"]), identity=_text(run.rows[0]["identity"]), rows=tuple(_numbers(rows)),
        affected=tuple(_numbers(r for r in run.rows if not r["failed"])), because=tuple(steps),
        alternatives=question.rule.alternatives,
        telling=tuple(Telling(n, "/response/status", steps[0].text) for n in shown),
        signs=len(steps) - 1, repaired=run.healed, sources=question.rule.source,
    )  # fmt: skip


def _stopped(question: Question) -> list[Finding]:
    """Deliveries that end after failures in a row, where the platform says that it then disables the subscription.

    The cause of those failures keeps them; where nothing names it, the end itself is the finding.
    """
    findings: list[Finding] = []
    for platform, pack in question.knowledge.packs.items():
        if pack.webhooks is None or pack.webhooks.disables_after is None:
            continue
        run = _last_failures(question, platform)
        if len(run) < question.number("least_failures") or not _silent(question, platform, run[-1]):
            continue
        numbers = tuple(_numbers(run))
        step = Because(
            phrase("deliveries_stopped", count=len(run), rule=pack.webhooks.disables_after), numbers[-2:]
        )  # fmt: skip
        earlier = [f for f in question.so_far if f.cause.startswith("webhook.") and numbers[-1] in f.rows]
        if earlier:
            best = max(earlier, key=lambda f: f.confidence)
            findings.append(replace(best, because=(*best.because, step)))
        else:
            findings.append(
                Finding(
                    rule=question.rule.id, cause="webhook.disabled_by_platform",
                    confidence=question.number("confidence_stopped"), platform=platform, shop=_text(run[-1]["shop"]),
                    identity=_text(run[-1]["identity"]), rows=numbers, because=(step,), sources=question.rule.source,
                )
            )  # fmt: skip
    return findings


def _last_failures(question: Question, platform: str) -> list[Row]:
    """The failing deliveries after the last accepted one."""
    table = question.frame.among(
        (pl.col("direction") == "callback") & (pl.col("platform") == platform) & pl.col("started_at").is_not_null()
    )
    good = table.filter(~pl.col("failed"))["row"].max()
    after = table.filter(pl.col("failed") & (pl.col("row") > (good if isinstance(good, int) else -1)))
    return after.select("row", "started_at", "shop", "identity", "source_file").to_dicts()


def _silent(question: Question, platform: str, last: Row) -> bool:
    """Nothing of the platform after `last` for far longer than its rhythm, while the same log goes on."""
    frame, at = question.frame, last["started_at"]
    deliveries = frame.among((pl.col("direction") == "callback") & (pl.col("platform") == platform))
    times = deliveries["started_at"].drop_nulls().to_list()
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    if not gaps or not isinstance(at, datetime):
        return False
    least = timedelta(seconds=max(question.number("silent_s"), question.number("silent_factor") * median(gaps)))
    later = frame.among((pl.col("source_file") == str(last["source_file"])) & (pl.col("started_at") >= at + least))
    return later.height >= 3


def _numbers(rows: Iterable[Row]) -> list[int]:
    return [int(str(r["row"])) for r in rows]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
