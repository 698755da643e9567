"""Do sandbox and production get mixed up: one credential on both, sandbox values on a production host?

The same credential on both sides proves a mix-up only where one side refuses it as a credential. Production used before
the sandbox is a remark, never more.
"""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.words import Text, same

Row = dict[str, object]
_OTHER = {"sandbox": "production", "production": "sandbox"}


def detect(question: Question) -> Answer:
    """Per platform that has both environments: refused credentials that belong to the other side."""
    findings: list[Finding] = []
    judged = 0
    for platform, pack in question.knowledge.packs.items():
        known = {h.environment for h in pack.platform.hosts}
        if "sandbox" not in known and not pack.platform.sandbox_marks:
            continue
        used = _used(question, platform)
        judged += sum(map(len, used.values()))
        credential = question.words("credential_causes")
        marked = _marked(question, pack, _refused(question, platform, (*credential, *question.words("mark_causes"))))
        findings += marked
        taken = {r for f in marked for r in f.rows}
        refused = [r for r in _refused(question, platform, credential) if _number(r) not in taken]
        findings += _shared(question, platform, refused, used)
        findings += _production_first(question, platform)
    return Answer(findings, judged)


def _number(row: Row) -> int:
    return int(str(row["row"]))


def _used(question: Question, platform: str) -> dict[tuple[str, str], dict[str, int]]:
    """Credential (kind, value) -> environment that accepted it -> row of the last time."""
    frame = question.frame
    accepted = frame.where(
        (pl.col("platform") == platform) & (pl.col("direction") == "out") & pl.col("environment").is_not_null()
        & frame.is_good
    )  # fmt: skip
    table = accepted.group_by("app", "token", "environment").agg(pl.col("row").max()).sort("row").collect()
    used: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for app, token, environment, row in table.iter_rows():
        for kind, value in (("app", app), ("token", token)):
            if value is not None:
                used[kind, value][environment] = int(row)
    return used


def _refused(question: Question, platform: str, causes: Iterable[str]) -> list[Row]:
    """Failing calls that the platform refuses for one of `causes`, where the environment is known."""
    causes = set(causes)
    claimed = {r for f in question.so_far if f.cause in causes and f.platform == platform for r in f.rows}
    return [
        r for n, r in question.frame.failing.items()
        if n in claimed and r["platform"] == platform and r["direction"] == "out" and r["environment"] in _OTHER
    ]  # fmt: skip


def _shared(
    question: Question, platform: str, refused: Iterable[Row], used: dict[tuple[str, str], dict[str, int]]
) -> list[Finding]:
    """Refused on one side, accepted on the other, never accepted here: the token first, else the app.

    A token has to be accepted after its refusal, else it may just have run out.
    """
    groups: dict[tuple[str, object, object], list[Row]] = defaultdict(list)
    for row in refused:
        here = str(row["environment"])
        for kind in ("token", "app"):
            sides = used.get((kind, str(row[kind])), {}) if row[kind] is not None else {}
            accepted = sides.get(_OTHER[here], -1)
            if here not in sides and accepted >= (_number(row) if kind == "token" else 0):
                groups[kind, row["shop"], row["identity"]].append(row)
                break
    return [
        _finding(
            question, platform, rows, question.number(f"confidence_{kind}"),
            phrase(f"mixup_{kind}", here=_side(str(rows[0]["environment"])),
                   there=_side(_OTHER[str(rows[0]["environment"])])),
        )
        for (kind, _, _), rows in groups.items()
    ]  # fmt: skip


def _side(environment: str) -> Text:
    return phrase(f"environment_{environment}")


def _marked(question: Question, pack: Pack, refused: Iterable[Row]) -> list[Finding]:
    """Values that only the sandbox knows, refused by a production host."""
    if not pack.platform.sandbox_marks:
        return []
    groups: dict[tuple[object, object], list[Row]] = defaultdict(list)
    for row in refused:
        if row["environment"] == "sandbox" and _environment_of(pack, str(row["host"] or "")) == "production":
            groups[row["shop"], row["identity"]].append(row)
    return [
        _finding(
            question, pack.platform.id, rows, question.number("confidence_mark"),
            phrase("mixup_mark", host=same(str(rows[0]["host"]))),
        )
        for rows in groups.values()
    ]  # fmt: skip


def _environment_of(pack: Pack, host: str) -> str | None:
    """What the host alone says."""
    return next((h.environment for h in pack.platform.hosts if fnmatch.fnmatch(host, h.pattern)), None)


def _finding(question: Question, platform: str, rows: list[Row], confidence: float, text: Text) -> Finding:
    numbers = tuple(map(_number, rows))
    return Finding(
        rule=question.rule.id, cause=question.rule.cause, confidence=confidence, platform=platform,
        shop=_text(rows[0]["shop"]), identity=_text(rows[0]["identity"]), rows=numbers,
        because=(Because(text, numbers[:3]),), telling=tuple(Telling(n, "/request/url", text) for n in numbers[:3]),
        alternatives=question.rule.alternatives, sources=question.rule.source,
    )  # fmt: skip


def _production_first(question: Question, platform: str) -> list[Finding]:
    """An app whose writes reach production before its sandbox calls begin. A remark: nothing failed."""
    frame = question.frame
    writes = [o.id for o in question.knowledge.packs[platform].operations if o.write]
    ours = (pl.col("platform") == platform) & (pl.col("direction") == "out") & frame.is_good
    if not frame.count(ours & (pl.col("environment") == "sandbox")):
        return []
    table = frame.where(ours).filter(pl.col("app").is_not_null()).select("app", "environment", "operation", "row")
    findings = []
    for part in table.collect().partition_by("app", maintain_order=True):
        sandbox = part.filter(pl.col("environment") == "sandbox")["row"]
        real = part.filter((pl.col("environment") == "production") & pl.col("operation").is_in(writes))["row"]
        if sandbox.is_empty() or real.is_empty() or int(real[0]) > int(sandbox[0]):
            continue
        before = tuple(int(r) for r in real.head(5) if int(r) < int(sandbox[0]))
        row, text = frame.full(before[0]), phrase("mixup_order")
        findings.append(
            Finding(
                rule=question.rule.id, cause=question.rule.cause, confidence=question.number("confidence_order"),
                platform=platform, shop=_text(row["shop"]), identity=_text(row["identity"]), affected=before,
                because=(Because(text, before[:2]),), sources=question.rule.source, severity="info",
            )
        )  # fmt: skip
    return findings


def _text(value: object) -> str | None:
    return None if value is None else str(value)
