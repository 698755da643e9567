"""Is the platform itself down? Its own failures, not tied to one request's content, on several operations or shops."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Cleared, Finding
from openclaw_forensics.diagnose.knowledge import phrase

Row = dict[str, Any]


def detect(question: Question) -> Answer:
    """Bursts of server errors of one platform, over at least two operations or shops."""
    claimed = {r for f in question.so_far if f.cause in question.words("of_causes") for r in f.rows}
    rows = [
        r
        for r in question.frame.failures
        if r["direction"] == "out" and r["platform"] is not None
        and r["row"] in claimed
    ]  # fmt: skip
    by_platform: dict[str, list[Row]] = {}
    for row in rows:
        by_platform.setdefault(str(row["platform"]), []).append(row)
    findings = []
    for platform, failing in by_platform.items():
        for burst in _bursts(failing, timedelta(seconds=question.number("within_s"))):
            breadth = _breadth(burst)
            if breadth:
                findings += _per_shop(question, platform, burst, breadth, _party(question, platform, burst))
    return Answer(findings, len(rows))


def _bursts(rows: list[Row], span: timedelta) -> list[list[Row]]:
    """Rows of one platform, split where more than `span` lies between neighbours."""
    bursts: list[list[Row]] = []
    last: datetime | None = None
    for row in rows:
        at = row["started_at"] if isinstance(row["started_at"], datetime) else None
        if not bursts or at is None or last is None or at - last > span:
            bursts.append([])
        bursts[-1].append(row)
        last = at
    return bursts


def _breadth(burst: list[Row]) -> tuple[str, ...]:
    """What makes it more than one request's trouble."""
    signs = []
    if len({r["operation_key"] for r in burst}) > 1:
        signs.append("several_operations")
    if len({r["identity"] for r in burst}) > 1:
        signs.append("several_shops_failing")
    return tuple(signs)


def _party(question: Question, platform: str, burst: list[Row]) -> str | None:
    """Whom the single answers name, where they agree; else a carrier's own failure is the carrier's."""
    rows, causes = {r["row"] for r in burst}, question.words("of_causes")
    named = {f.party for f in question.so_far if f.cause in causes and not rows.isdisjoint(f.rows)}
    if len(named) == 1 and None not in named:
        return named.pop()
    pack = question.knowledge.packs.get(platform)
    return "carrier" if pack is not None and pack.platform.kind == "carrier" else None


def _per_shop(
    question: Question, platform: str, burst: list[Row], breadth: tuple[str, ...], party: str | None
) -> list[Finding]:
    """One finding per shop, so that each shop's report holds it."""
    shops: dict[tuple[object, object], list[Row]] = {}
    for row in burst:
        shops.setdefault((row["shop"], row["identity"]), []).append(row)
    confidence = question.number("confidence_one_sign" if len(breadth) == 1 else "confidence_two_signs")
    rows_seen = tuple(r["row"] for r in burst[:3])
    findings = []
    for (shop, identity), rows in shops.items():
        findings.append(
            Finding(
                rule=question.rule.id, cause=question.rule.cause, confidence=confidence, platform=platform, party=party,
                shop=None if shop is None else str(shop), identity=None if identity is None else str(identity),
                rows=tuple(r["row"] for r in rows), signs=len(breadth),
                because=tuple(Because(phrase(sign), rows_seen) for sign in breadth),
                cleared=(Cleared("erp", True, question.rule.why, rows_seen),), sources=question.rule.source,
            )
        )  # fmt: skip
    return findings
