"""Callbacks that our receiver did not acknowledge as the platform demands: too late, or in the wrong words."""

from __future__ import annotations

from typing import Any

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.model import Ack
from openclaw_forensics.words import Text, same

Row = dict[str, Any]


def detect(question: Question) -> Answer:
    """Judges every failing callback against its pack's acknowledgement."""
    rows = [r for r in question.frame.failures if r["direction"] == "callback"]
    groups: dict[tuple[str, object, object], list[tuple[Row, Text, str]]] = {}
    for row in rows:
        judged = _judge(row, _ack(question, row), question)
        if judged is not None:
            cause, why, pointer = judged
            groups.setdefault((cause, row["platform"], row["shop"]), []).append((row, why, pointer))
    findings = []
    for (cause, platform, shop), items in groups.items():
        numbers = tuple(r["row"] for r, _, _ in items)
        first, why, pointer = items[0]
        findings.append(
            Finding(
                rule=question.rule.id, cause=cause, confidence=question.number(f"confidence_{cause.partition('.')[2]}"),
                platform=None if platform is None else str(platform), shop=None if shop is None else str(shop),
                identity=None if first["identity"] is None else str(first["identity"]), rows=numbers,
                because=(Because(why, numbers[:3]),), telling=tuple(Telling(n, pointer, why) for n in numbers[:3]),
                sources=question.rule.source,
            )
        )  # fmt: skip
    return Answer(findings, len(rows))


def _ack(question: Question, row: Row) -> Ack:
    pack = question.knowledge.packs.get(str(row["platform"]))
    return pack.webhooks.ack if pack is not None and pack.webhooks is not None else Ack()


def _judge(row: Row, ack: Ack, question: Question) -> tuple[str, Text, str] | None:
    status, duration = row["status"], row["duration_ms"]
    limit = ack.time_limit_s
    late = isinstance(duration, int | float) and limit is not None and duration >= limit * 1000
    if isinstance(status, int) and 200 <= status < 300:
        if ack.status and status not in ack.status:
            wanted = "/".join(map(str, ack.status))
            return "webhook.non_2xx", phrase("ack_status", status=status, wanted=wanted), "/response/status"
        if late:
            return "webhook.slow_ack", _slow(duration, limit), "/duration_ms"
        if ack.body is not None:
            return "webhook.bad_ack_body", phrase("ack_body", wanted=same(ack.body)), "/response/body"
        return None
    if late or (
        status in (408, 499, 504) and isinstance(duration, int | float) and duration >= question.number("slow_ms")
    ):
        return "webhook.slow_ack", _slow(duration, limit), "/duration_ms"
    return None


def _slow(duration: object, limit: float | None) -> Text:
    seconds = f"{float(str(duration)) / 1000:.1f}"
    if limit is None:
        return phrase("ack_slow_unknown", seconds=seconds)
    return phrase("ack_slow", seconds=seconds, limit=f"{limit:g}")
