"""Does the traffic use something that has ended, or that will: judged at each exchange's own time."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Changed, Finding
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import COLUMNS, Message
from openclaw_forensics.platforms.model import Deprecation
from openclaw_forensics.platforms.places import all_hold
from openclaw_forensics.words import same

_OPENED = 2_000  # exchanges whose messages are opened for one entry


def detect(question: Question) -> Answer:
    """One finding per entry of a pack's deprecations that the traffic meets."""
    findings = []
    judged = 0
    for platform, pack in question.knowledge.packs.items():
        ending = [e for e in pack.deprecations if e.effective_at is not None and _tells(e)]
        if not ending:
            continue
        made = (pl.col("platform") == platform) & (pl.col("direction") == "out")
        calls = question.frame.where(made)
        named = {"operation"} | {c for c in ("path", "host") if any(getattr(e, c) is not None for e in ending)}
        found = calls.select(pl.col(column).unique().implode() for column in sorted(named)).collect()
        values = {column: [v for v in found[column][0] if v is not None] for column in found.columns}
        for entry in ending:
            judged += question.frame.count(made)
            for part in _uses(calls, values, entry).partition_by("shop", "identity", maintain_order=True):
                findings += _findings(question, platform, entry, part)
    return Answer(findings, judged)


def _tells(entry: Deprecation) -> bool:
    return bool(entry.operations or entry.path or entry.host or entry.tests)


def _uses(calls: pl.LazyFrame, values: Mapping[str, list[str]], entry: Deprecation) -> pl.DataFrame:
    """Calls that the entry is about; `values` are their operations, paths and hosts."""

    def meeting(column: str, holds: Callable[[str], bool]) -> pl.Expr:
        return pl.col(column).is_in([v for v in values[column] if holds(v[:2048])])

    path, host = entry.path, entry.host
    hits = calls
    if entry.operations:
        hits = hits.filter(meeting("operation", lambda o: any(fnmatch.fnmatch(o, g) for g in entry.operations)))
    if path is not None:
        hits = hits.filter(meeting("path", lambda p: re.search(path, p) is not None))
    if host is not None:
        hits = hits.filter(meeting("host", lambda h: re.search(host, h) is not None))
    if not entry.tests:
        return hits.select("row", "started_at", "failed", "shop", "identity").collect()
    used = ("row", "started_at", "failed", "shop", "identity", *COLUMNS)
    opened = hits.head(_OPENED).select(used).collect()
    keep = [all_hold(entry.tests, Message(r)) is True for r in opened.iter_rows(named=True)]
    return opened.filter(pl.Series(keep, dtype=pl.Boolean))


def _findings(question: Question, platform: str, entry: Deprecation, part: pl.DataFrame) -> list[Finding]:
    ends = entry.effective_at
    if ends is None:
        return []
    failing, ahead = [], []
    otherwise = _explained_otherwise(question)
    for row, at, failed in part.select("row", "started_at", "failed").iter_rows():
        when = at if isinstance(at, datetime) else question.frame.bounds[1]
        if when is None:
            continue
        if when.date() >= ends:
            failing += [row] if failed and row not in otherwise else []
        elif entry.announced_at is not None and when.date() >= entry.announced_at:
            ahead.append(row)
    first = part.row(0, named=True)
    common = {
        "platform": platform, "shop": first["shop"], "identity": first["identity"], "sources": entry.source,
        "changed": Changed(
            who="platform", what=entry.what,
            announced_at=entry.announced_at.isoformat() if entry.announced_at else None, effective_at=ends.isoformat(),
            source=entry.source[0] if entry.source else None,
        ),
        "unverified": entry.unverified, "origin": "platform_change", "party": "erp",
    }  # fmt: skip
    found = []
    if failing and _refused_as_gone(question, failing):
        text = phrase("retired_use", what=entry.what, date=same(ends.isoformat()))
        found.append(
            Finding(rule=f"{question.rule.id}.{entry.id}", cause="api.version_retired",
                    confidence=question.number("confidence_retired"), rows=tuple(failing),
                    because=(Because(text, tuple(failing[:2])),), **common)
        )  # fmt: skip
    if ahead:
        text = phrase("deprecated_use", what=entry.what, date=same(ends.isoformat()))
        found.append(
            Finding(rule=f"{question.rule.id}.{entry.id}", cause="api.deprecation_ahead",
                    confidence=question.number("confidence_ahead"), affected=tuple(ahead),
                    because=(Because(text, tuple(ahead[:2])),), severity="warning", **common)
        )  # fmt: skip
    return found


def _explained_otherwise(question: Question) -> set[int]:
    """Failures for which the platform itself names another reason than a missing or forbidden thing."""
    open_causes = set(question.words("of_causes"))
    return {r for f in question.so_far if f.cause not in open_causes for r in f.rows}


def _refused_as_gone(question: Question, rows: list[int]) -> bool:
    """Only an answer that fits a removed thing: not one that the catalogue explains by something else."""
    statuses = {question.frame.failing[r]["status"] for r in rows if r in question.frame.failing}
    return bool(statuses & {301, 302, 400, 401, 403, 404, 405, 410, 426, 501})
