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
from openclaw_forensics.diagnose.frame import FEW_VALUES, Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.diagnose.load import Loaded
from openclaw_forensics.diagnose.rule import Condition, Rule
from openclaw_forensics.diagnose.rule import Sequence as RuleSequence
from openclaw_forensics.platforms.columns import evaluate
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.places import find, parse
from openclaw_forensics.result import Check

Row = dict[str, Any]
_PLACE_ROWS = 20_000  # exchanges whose messages are opened for one rule; more are sampled and said so
_TELLING = 3


def run_rules(frame: Frame, rules: Sequence[Loaded], contrasts: Contrasts) -> tuple[list[Finding], list[Check]]:
    """Findings of all rules without a detector, and what each rule said."""
    findings: list[Finding] = []
    checks: list[Check] = []
    for loaded in rules:
        if loaded.rule.detector is None:
            found, check = _run(frame, loaded, contrasts)
            findings += found
            checks.append(check)
    return findings, checks


def _run(frame: Frame, loaded: Loaded, contrasts: Contrasts) -> tuple[list[Finding], Check]:
    rule = loaded.rule
    if rule.frame == "records":
        hits = frame.records.filter(_platform(rule) & loaded.when)
        found = [_of_records(rule, frame, part) for part in hits.partition_by(["platform"], maintain_order=True)]
        return found, _check(rule, hits.height, frame.records.height)
    decided = {k: v for k, v in rule.when_.items() if {key.column for key in keys_of({k: v})} <= set(FEW_VALUES)}
    rest = {k: v for k, v in rule.when_.items() if k not in decided}
    base = frame.where(among(frame, rule) & compile_condition(decided))
    hits = select(base, compile_condition(rest), rest)
    findings = [f for rows in _groups(hits, rule) if (f := _of_exchanges(rule, frame, rows, contrasts)) is not None]
    count = sum(len(f.rows) + len(f.affected) for f in findings)
    return findings, _check(rule, count, frame.count(among(frame, rule)))


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


def select(base: pl.LazyFrame, when: pl.Expr, condition: Condition) -> pl.DataFrame:
    """The rows of `base` for which `when` is true; messages are opened only where the rest of it can hold."""
    places = sorted({key.column for key in keys_of(condition) if key.is_place})
    if not places:
        return base.filter(when).collect()
    plain = {k: v for k, v in condition.items() if not any(key.is_place for key in keys_of({k: v}))}
    narrowed = base.filter(compile_condition(plain)) if plain else base
    return with_places(narrowed.head(_PLACE_ROWS).collect(), places).filter(when)


def with_places(frame: pl.DataFrame, places: Sequence[str]) -> pl.DataFrame:
    """`frame` with a column per place, and `known:<place>` telling whether it could be known."""
    headers = [p for p in places if parse(p).kind == "header"]
    frame = _with_headers(frame, headers)
    places = [p for p in places if p not in headers]
    columns: dict[str, list[object]] = {name: [] for p in places for name in (p, f"known:{p}")}
    for row in frame.iter_rows(named=True) if places else ():
        message = Message(row)
        for place in places:
            found = find(place, message)
            columns[place].append(found.values[0] if found.values else None)
            columns[f"known:{place}"].append(found.state != "unknown")
    return frame.with_columns(
        pl.Series(name, values, dtype=pl.Boolean if name.startswith("known:") else pl.String)
        for name, values in columns.items()
    )


def _with_headers(frame: pl.DataFrame, places: Sequence[str]) -> pl.DataFrame:
    """Header places for all rows at once: absent is known only where all headers were recorded."""
    values = evaluate(frame, places)
    frame = frame.with_columns(values[p].alias(p) for p in places)
    return frame.with_columns(
        (pl.col(f"{parse(p).side}_headers_state").is_in(["recorded", "empty"]) | pl.col(p).is_not_null())
        .fill_null(False)
        .alias(f"known:{p}")
        for p in places
    )


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


def _of_exchanges(rule: Rule, frame: Frame, rows: list[Row], contrasts: Contrasts) -> Finding | None:
    rows = [r for r in rows if _sequences_hold(rule, frame, r)]
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


def _sequences_hold(rule: Rule, frame: Frame, row: Row) -> bool:
    if rule.after is not None and not _beside(frame, rule.after, row, earlier=True):
        return False
    if rule.before is not None and not _beside(frame, rule.before, row, earlier=False):
        return False
    return rule.absent is None or not _beside(frame, rule.absent, row, earlier=False)


def _beside(frame: Frame, sequence: RuleSequence, row: Row, *, earlier: bool) -> bool:
    """Whether an exchange that meets the sequence's condition lies before (or after) `row` in its time."""
    at, number = row["started_at"], row["row"]
    side = pl.col("row") < number if earlier else pl.col("row") > number
    for column in sequence.same:
        side &= pl.col(column).eq_missing(pl.lit(row[column], dtype=frame.exchanges.schema[column]))
    if sequence.within_s is not None and isinstance(at, datetime):
        span = timedelta(seconds=sequence.within_s)
        side &= pl.col("started_at").is_between(at - span, at + span)
    if sequence.least_s is not None:
        if not isinstance(at, datetime):
            return False
        side &= (pl.col("started_at") - at).abs() >= timedelta(seconds=sequence.least_s)
    base = frame.exchanges.lazy().filter(side)
    return select(base, compile_condition(sequence.when), sequence.when).height > 0


def _of_records(rule: Rule, frame: Frame, hits: pl.DataFrame) -> Finding:
    rows = hits.to_dicts()
    first = rows[0]
    free = tuple(r["row"] for r in rows if r["exchange_id"] is None)
    ids = [r["exchange_id"] for r in rows if r["exchange_id"] is not None]
    linked = (
        frame.exchanges.filter(pl.col("exchange_id").is_in(ids)).select("row", "failed", "identity", "shop").to_dicts()
    )
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
