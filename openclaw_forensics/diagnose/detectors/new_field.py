"""What appeared: a field or value in answers that the ERP's exception names, or a field that is newly demanded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.claims import operation_name
from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.detectors.fields import names_of
from openclaw_forensics.diagnose.findings import Because, Changed, Cleared, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import parse_json
from openclaw_forensics.platforms.model import Deprecation
from openclaw_forensics.result import Details, FieldView, rfc3339
from openclaw_forensics.words import Text, same

Row = dict[str, Any]
_BOUND = 4096
_LOOK_AROUND = re.compile(r"\(\?<?[=!][^()]*\)")
_FEW = 1_000_000  # characters that are searched sooner than the other engine has compiled the patterns
_SAMPLES = 300  # answers opened per operation
_NEAR = timedelta(seconds=5)  # an exception of the same thread belongs to the exchange before it (same trace: always)


def detect(question: Question) -> Answer:
    """Both directions of the question."""
    findings = [*_in_answers(question), *_newly_required(question)]
    loud = pl.col("exception").is_not_null() | (pl.col("level") == "ERROR")
    judged = int(question.frame.records.select(loud.sum()).item())
    return Answer(findings, judged + len(question.frame.failures))


def _in_answers(question: Question) -> Iterator[Finding]:
    """Exceptions that name a field or value, each tied to an answer that holds it and to earlier ones that do not."""
    patterns = [re.compile(p, re.IGNORECASE) for p in question.words("exception_patterns")]
    records = question.frame.records.filter(
        pl.col("exception").is_not_null() | pl.col("level").is_in(["ERROR", "FATAL", "WARN"])
    )
    if _length(records) > _FEW:
        records = records.filter(_may_name(question.words("exception_patterns")))
    known: dict[str, str | None] = {}  # the same exception is logged again and again
    places = records.select("exception", "message").iter_rows()
    named_in = [(place, named) for place, texts in enumerate(places) if (named := _named(texts, patterns, known))]
    chosen = records[[place for place, _ in named_in]].to_dicts()
    naming = [(record, named) for record, (_, named) in zip(chosen, named_in, strict=True)]
    linked = question.frame.rows_of("exchange_id", (record["exchange_id"] for record, _ in naming))
    traced = question.frame.rows_of("trace_id", (r["trace_id"] for r, _ in naming if r["exchange_id"] is None))
    grouped: dict[tuple[str, str], list[Row]] = {}
    for record, named in naming:
        answer = _answer_of(question, record, linked, traced)
        if answer is not None and _holds(answer, named):
            grouped.setdefault((named, str(answer["operation_key"])), []).append({**record, "answer": answer})
    for (named, _), records_of in grouped.items():
        finding = _appeared(question, named, records_of)
        if finding is not None:
            yield finding


def _may_name(patterns: Sequence[str]) -> pl.Expr:
    """Records that some pattern may fit, asked of all at once; a look-around, unknown to this engine, only narrows."""
    either = "|".join(f"(?:{_LOOK_AROUND.sub('', pattern)})" for pattern in patterns)
    texts = (pl.col(column).str.head(_BOUND) for column in ("exception", "message"))
    return pl.any_horizontal(t.str.contains(f"(?i){either}", strict=False).fill_null(t.is_not_null()) for t in texts)


def _length(records: pl.DataFrame) -> int:
    """Characters of the texts that differ, as far as they are looked at."""
    texts = (records[column].unique().str.head(_BOUND) for column in ("exception", "message"))
    return sum(int(text.str.len_bytes().sum()) for text in texts)


def _named(
    texts: Iterable[str | None], patterns: Sequence[re.Pattern[str]], known: dict[str, str | None]
) -> str | None:  # fmt: skip
    for text in texts:
        if text is None:
            continue
        begun = text[:_BOUND]
        if begun not in known:
            match = next((m for pattern in patterns if (m := pattern.search(begun))), None)
            known[begun] = match[1][:120] if match else None
        if known[begun] is not None:
            return known[begun]
    return None


def _answer_of(question: Question, record: Row, linked: Mapping[str, int], traced: Mapping[str, int]) -> Row | None:
    """The exchange that the exception belongs to: by link, by trace, or the last one of its thread within 5 s."""
    frame = question.frame
    row: int | None = None
    if record["exchange_id"] is not None:
        row = linked.get(record["exchange_id"])
    elif record["trace_id"] is not None:
        row = traced.get(record["trace_id"])
    elif record["thread"] is not None and isinstance(record["at"], datetime):
        around = frame.between(record["at"] - _NEAR - timedelta(minutes=1), record["at"])
        same_thread = (pl.col("thread") == record["thread"]) & (pl.col("source_file") == record["source_file"])
        row = next(iter(around.filter(same_thread)["row"].tail(1)), None)
    return frame.full(row) if row is not None else None


def _holds(answer: Row, named: str) -> bool:
    return named in str(answer["response_body"] or "")


def _appeared(question: Question, named: str, records: list[Row]) -> Finding | None:
    answers: list[Row] = [r["answer"] for r in records if isinstance(r["answer"], dict)]
    first = answers[0]
    before = _earlier_answers(question, first)
    if any(_holds(a, named) for a in before):
        return None
    rows = tuple(a["row"] for a in answers)
    at = rfc3339(first["started_at"]) if isinstance(first["started_at"], datetime) else "?"
    operation = operation_name(question.frame, first)
    pointer, is_value = _pointer(first, named)
    steps = [Because(phrase("exception_names", field=same(named)), rows[:1], (int(str(records[0]["row"])),))]
    if before:
        words = {"at": same(at), "operation": operation, "field": same(named), "count": len(before)}
        text = phrase("new_value", **words, value=same(named)) if is_value else phrase("new_in_answers", **words)
        steps.append(Because(text, rows[:2]))
    failing = tuple(r for r in rows if r in question.frame.failing)
    documented = None if not is_value else False
    return Finding(
        rule=question.rule.id, cause=question.rule.cause,
        confidence=question.number("confidence_with_before" if before else "confidence_alone"),
        platform=_text(first["platform"]), shop=_text(first["shop"]), identity=_text(first["identity"]),
        rows=failing, affected=tuple(r for r in rows if r not in question.frame.failing),
        records=tuple(r["row"] for r in records if r["exchange_id"] is None),
        alternatives=("schema.response_contract_broken", "client.exception"), because=tuple(steps),
        telling=tuple(Telling(r, pointer, steps[0].text) for r in rows[:3]), changed=_announced(question, first, named),
        cleared=(Cleared("network", True, phrase("not_network_answered"), rows[:1]),),
        details=Details(fields=(_field(first, named, pointer, len(rows), documented),)),
        explains=("client.exception",), sources=question.rule.source, signs=2 if before else 1,
    )  # fmt: skip


def _earlier_answers(question: Question, first: Row) -> list[Row]:
    frame = question.frame
    return (
        frame.exchanges.filter(
            (pl.col("row") < first["row"])
            & (pl.col("operation_key") == str(first["operation_key"]))
            & pl.col("response_body").is_not_null()
            & (pl.col("status") < 400)
        )
        .tail(_SAMPLES)
        .collect()
        .to_dicts()
    )


def _pointer(answer: Row, named: str) -> tuple[str, bool]:
    """Where the answer holds it, and whether it is a value rather than a name."""
    valid, tree = parse_json(str(answer["response_body"] or ""))
    if valid:
        for pointer, key, value in _walk(tree, "/response/body", 0):
            if key == named:
                return pointer, False
            if value == named:
                return pointer, True
    return "/response/body", False


def _walk(node: object, pointer: str, depth: int) -> Iterator[tuple[str, str | None, str | None]]:
    if depth > 24:
        return
    if isinstance(node, dict):
        for key, child in list(node.items())[:500]:
            here = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield here, str(key), str(child) if isinstance(child, str) else None
            yield from _walk(child, here, depth + 1)
    elif isinstance(node, list):
        for place, child in enumerate(node[:100]):
            if isinstance(child, str):
                yield f"{pointer}/{place}", None, child
            yield from _walk(child, f"{pointer}/{place}", depth + 1)


def _newly_required(question: Question) -> Iterator[Finding]:
    """A field is demanded that the same operation did without before: the demand is new, not the request."""
    claims = {r for f in question.so_far if f.cause == "schema.missing_required_field" for r in f.rows}
    groups: dict[tuple[object, object, str, str], list[Row]] = {}
    for row in question.frame.failures:
        fields = row["error_fields"]
        if row["row"] in claims and isinstance(fields, list):
            for field in fields[:3]:
                leaf = re.split(r"[./\[\]]+", str(field).strip("[]/"))[-1]
                groups.setdefault((row["platform"], row["identity"], str(row["operation_key"]), leaf), []).append(row)
    for (_, _, _, leaf), rows in groups.items():
        finding = _demanded(question, leaf, rows)
        if finding is not None:
            yield finding


def _demanded(question: Question, leaf: str, rows: list[Row]) -> Finding | None:
    first = rows[0]
    frame = question.frame
    accepted = (
        frame.exchanges.filter(
            frame.is_good
            & (pl.col("row") < first["row"])
            & (pl.col("operation_key") == str(first["operation_key"]))
            & pl.col("platform").eq_missing(pl.lit(first["platform"], dtype=pl.String))
            & (pl.col("request_body_state") == "recorded")
        )
        .tail(_SAMPLES)
        .collect()
    )
    without = [r for r in accepted.to_dicts() if leaf not in dict(names_of(r))]
    if not without or leaf in dict(names_of(question.frame.full(first["row"]))):
        return None
    after = (
        frame.exchanges.filter(
            frame.is_good
            & (pl.col("row") > first["row"])
            & (pl.col("operation_key") == str(first["operation_key"]))
            & (pl.col("request_body_state") == "recorded")
        )
        .tail(_SAMPLES)
        .collect()
    )
    if any(leaf not in dict(names_of(r)) for r in after.to_dicts()):
        return None  # still accepted without it afterwards: the demand depends on the content
    return _demand_finding(question, leaf, rows, without)


def _demand_finding(question: Question, leaf: str, rows: list[Row], without: list[Row]) -> Finding:
    first = rows[0]
    numbers = tuple(r["row"] for r in rows)
    at = rfc3339(first["started_at"]) if isinstance(first["started_at"], datetime) else "?"
    text = phrase(
        "newly_required", count=len(without), operation=operation_name(question.frame, first),
        field=same(leaf), at=same(at),
    )  # fmt: skip
    missing = phrase("field_missing", wanted=same(leaf))
    good = int(str(without[-1]["row"]))
    return Finding(
        rule=question.rule.id, cause=question.rule.cause, confidence=question.number("confidence_with_before"),
        platform=_text(first["platform"]), shop=_text(first["shop"]), identity=_text(first["identity"]), rows=numbers,
        alternatives=("schema.missing_required_field",), because=(Because(text, (numbers[0], good)),),
        telling=tuple(Telling(n, f"/request/body/{leaf}", missing, missing=True) for n in numbers[:3]),
        changed=_announced(question, first, leaf),
        cleared=(Cleared("network", True, phrase("not_network_answered"), numbers[:1]),),
        details=Details(fields=(_field(first, leaf, f"/request/body/{leaf}", len(numbers), None),)),
        sources=question.rule.source, signs=2,
    )  # fmt: skip


def _field(row: Row, name: str, pointer: str, seen: int, documented: bool | None) -> FieldView:
    at = row["started_at"]
    return FieldView(
        pointer=pointer, kind="new", failing=name, seen=seen, first_at=at if isinstance(at, datetime) else None,
        documented=documented, exchange=str(row["exchange_id"]),
    )  # fmt: skip


def _announced(question: Question, row: Row, name: str) -> Changed | None:
    """An announced change that names the field, else only that the platform changed."""
    pack = question.knowledge.packs.get(str(row["platform"]))
    for entry in pack.deprecations if pack is not None else ():
        if entry.kind in ("new_required_field", "new_enum_value") and _mentions(entry, name):
            return Changed(
                who="platform", what=entry.what,
                announced_at=entry.announced_at.isoformat() if entry.announced_at else None,
                effective_at=entry.effective_at.isoformat() if entry.effective_at else None,
                source=entry.source[0] if entry.source else None,
            )  # fmt: skip
    at = row["started_at"]
    moment = at.date().isoformat() if isinstance(at, datetime) else None
    what = Text(en=f"uses a field or value {name}", zh=f"使用字段或取值 {name}")
    return Changed(who="platform", what=what, effective_at=moment)


def _mentions(entry: Deprecation, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", f"{entry.what.en} {entry.what.zh}") is not None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
