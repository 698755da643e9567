"""Rules against the frame: conditions select, groups count, sequences look before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.claims import refusal
from openclaw_forensics.diagnose.conditions import compile_condition, keys_of
from openclaw_forensics.diagnose.contrasts import Contrasts, Group
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.frame import FEW_VALUES, HOT, Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.diagnose.load import Loaded
from openclaw_forensics.diagnose.logged import Logged
from openclaw_forensics.diagnose.matching import Neighbours, matching
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.platforms.places import parse
from openclaw_forensics.result import Check

Row = dict[str, Any]
_TELLING = 3


def run_rules(frame: Frame, rules: Sequence[Loaded], contrasts: Contrasts) -> tuple[list[Finding], list[Check]]:
    """Findings of all rules without a detector, and what each rule said."""
    findings: list[Finding] = []
    checks: list[Check] = []
    asked = [loaded.rule for loaded in rules if loaded.rule.detector is None]
    logged = Logged(frame.records, (rule.when_ for rule in asked if rule.frame == "records"))
    for rule in asked:
        found, check = _of_log(frame, rule, logged) if rule.frame == "records" else _run(frame, rule, contrasts)
        findings += found
        checks.append(check)
    return findings, checks


def _of_log(frame: Frame, rule: Rule, logged: Logged) -> tuple[list[Finding], Check]:
    hits = frame.records.filter(logged.hold(rule.when_))
    hits = hits if rule.platform is None else hits.filter(platform=rule.platform)
    found = [_of_records(rule, frame, part) for part in hits.partition_by(["platform"], maintain_order=True)]
    return found, _check(rule, hits.height, frame.records.height)


def _run(frame: Frame, rule: Rule, contrasts: Contrasts) -> tuple[list[Finding], Check]:
    decided = {k: v for k, v in rule.when_.items() if {key.column for key in keys_of({k: v})} <= set(FEW_VALUES)}
    rest = {k: v for k, v in rule.when_.items() if k not in decided}
    base = frame.where(among(frame, rule) & compile_condition(decided))
    rows = matching(base, compile_condition(rest), rest)
    groups = _groups(_hits(frame, rule, rows), rule) if len(rows) else []
    neighbours = Neighbours(frame)
    findings = [f for g in groups if (f := _of_exchanges(rule, neighbours, g, contrasts)) is not None]
    count = sum(len(f.rows) + len(f.affected) for f in findings)
    return findings, _check(rule, count, frame.count(among(frame, rule)))


def _hits(frame: Frame, rule: Rule, rows: pl.Series) -> pl.DataFrame:
    """The exchanges that meet a rule's condition, with the columns that are asked of them."""
    sequences = [s for s in (rule.after, rule.before, rule.absent) if s is not None]
    more = {"failed", *rule.same, *(column for sequence in sequences for column in sequence.same)} - set(HOT)
    return frame.take(rows, [*HOT, *sorted(more)])


def _check(rule: Rule, hits: int, asked: int) -> Check:
    result = "hit" if hits else "sound" if asked else "not_applicable"
    return Check(rule=rule.id, cause=rule.cause, result=result, exchanges=hits or asked)


def _platform(rule: Rule) -> pl.Expr:
    return pl.lit(True) if rule.platform is None else pl.col("platform") == rule.platform


def among(frame: Frame, rule: Rule) -> pl.Expr:
    """A rule looks at failing calls of its platform unless it says otherwise; callbacks only if it names them."""
    outcome = {
        "failures": pl.col("failed"),
        "successes": frame.is_good,
        "all": pl.lit(True),
    }[rule.among]
    named = any(key.column == "direction" for key in keys_of(rule.when_))
    direction = pl.lit(True) if named else pl.col("direction") == "out"
    return outcome & _platform(rule) & direction


def _groups(hits: pl.DataFrame, rule: Rule) -> list[list[Row]]:
    keys = list(dict.fromkeys(["platform", "identity", "shop", *rule.same]))
    parts = hits.partition_by(keys, maintain_order=True) if hits.height else []
    return [rows for part in parts if (rows := _enough(part.to_dicts(), rule))]


def _enough(rows: list[Row], rule: Rule) -> list[Row]:
    if len(rows) < rule.at_least:
        return []
    if rule.within_s is None or rule.at_least <= 1:
        return rows
    times = sorted(t for r in rows if isinstance(t := r["started_at"], datetime))
    span = timedelta(seconds=rule.within_s)
    return rows if any(b - a <= span for a, b in zip(times, times[rule.at_least - 1 :], strict=False)) else []


def _of_exchanges(rule: Rule, neighbours: Neighbours, rows: list[Row], contrasts: Contrasts) -> Finding | None:
    frame = contrasts.frame
    rows = [r for r in rows if _sequences_hold(rule, neighbours, r)]
    if len(rows) < rule.at_least:
        return None
    first = rows[0]
    group = Group(frame, rows)
    when = next((w for w in rule.contrasts if contrasts.all_hold(w.contrast, w.unless, group)), None)
    cause = (when and when.cause) or rule.cause
    failing = tuple(r["row"] for r in rows if r["failed"])
    return Finding(
        rule=rule.id,
        cause=cause,
        confidence=rule.confidence if when is None or when.confidence is None else when.confidence,
        platform=_text(first["platform"]),
        shop=_text(first["shop"]),
        identity=_text(first["identity"]),
        party=(when and when.party) or (rule.party if cause == rule.cause else None),
        origin=(when and when.origin) or (rule.origin if cause == rule.cause else None),
        rows=failing,
        affected=tuple(r["row"] for r in rows if not r["failed"]),
        alternatives=rule.alternatives if when is None or when.alternatives is None else when.alternatives,
        because=_because(rule, frame, rows, when.contrast if when else ()),
        telling=tuple(_telling(rule, r) for r in rows[:_TELLING]),
        fix=rule.fix,
        sources=rule.source,
        explains=rule.explains,
        unverified=rule.unverified,
    )


def _because(rule: Rule, frame: Frame, rows: Sequence[Row], held: Sequence[str]) -> tuple[Because, ...]:
    place = (int(str(rows[0]["row"])),)
    opening = refusal(frame, rows[0]) if rows[0]["failed"] else rule.title
    return (Because(opening, place), Because(rule.why, place), *(Because(phrase(c), place) for c in held))


def _telling(rule: Rule, row: Row) -> Telling:
    places = [k.column for k in keys_of(rule.when_) if k.is_place]
    return Telling(row["row"], pointer_of(places[0]) if places else _default_pointer(row), rule.title)


def pointer_of(place: str) -> str:
    """Where a place sits in the view of an exchange."""
    side, kind, argument = parse(place)
    if kind == "json":
        return f"/{side}/body{argument}"
    if kind == "header":
        return f"/{side}/headers/{argument}"
    if kind in ("query", "param"):
        return f"/request/query/{argument}"
    return {"host": "/request/url", "path": "/request/url", "status": "/response/status"}.get(kind, f"/{side}/body")


def _default_pointer(row: Mapping[str, object]) -> str:
    if row["status"] is None:
        return "/transport_error_text"
    return "/response/body" if row["error_code"] or row["error_message"] else "/response/status"


def _sequences_hold(rule: Rule, neighbours: Neighbours, row: Row) -> bool:
    if rule.after is not None and not neighbours.any(rule.after, row, earlier=True):
        return False
    if rule.before is not None and not neighbours.any(rule.before, row, earlier=False):
        return False
    return rule.absent is None or not neighbours.any(rule.absent, row, earlier=False)


def _of_records(rule: Rule, frame: Frame, hits: pl.DataFrame) -> Finding:
    rows = hits.to_dicts()
    first = rows[0]
    free = tuple(r["row"] for r in rows if r["exchange_id"] is None)
    ids = [r["exchange_id"] for r in rows if r["exchange_id"] is not None]
    belongs = frame.exchanges.filter(pl.col("exchange_id").is_in(ids))
    linked = belongs.select("row", "failed", "identity", "shop").collect().to_dicts()
    message = str(first["message"] or first["exception"] or "")[:200]
    return Finding(
        rule=rule.id,
        cause=rule.cause,
        confidence=rule.confidence,
        platform=_text(first["platform"]),
        shop=_text(linked[0]["shop"]) if linked else None,
        identity=_text(linked[0]["identity"]) if linked else None,
        party=rule.party,
        origin=rule.origin,
        affected=tuple(int(r["row"]) for r in linked if not r["failed"]),
        records=free,
        alternatives=rule.alternatives,
        because=(
            Because(phrase("record_shows", message=message), records=(first["row"],)),
            Because(rule.why, records=(first["row"],)),
        ),
        fix=rule.fix,
        sources=rule.source,
        unverified=rule.unverified,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
