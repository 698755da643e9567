"""The platform names a field: is it in the request under a nearly equal name, or absent?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
from rapidfuzz import fuzz

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import parse_json
from openclaw_forensics.result import Candidate, Details, FieldView
from openclaw_forensics.words import same

Row = dict[str, Any]
_CASES = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-\[\]]{1,80}")
_KNOWN = ("recorded", "reconstructed")


def detect(question: Question) -> Answer:
    """For each failing call that is refused over a named field: near names in the request, and the good contrast."""
    causes = set(question.words("of_causes"))
    claims = {r: f for f in question.so_far if f.cause in causes for r in f.rows}
    judged = [r for r in question.frame.failures if r["row"] in claims and r["error_fields"]][:_CASES]
    findings: list[Finding] = []
    for row in judged:
        findings += _judge(question, row, claims[row["row"]])
    return Answer(findings, len(judged))


def _judge(question: Question, row: Row, claim: Finding) -> list[Finding]:
    number = row["row"]
    full = question.frame.full(number)
    if full["request_body_state"] not in _KNOWN and not full["query"]:
        return []
    sent = dict(names_of(full))
    good = _good_names(question, row)
    found = []
    for field in _fields(row):
        leaf = re.split(r"[./\[\]]+", field.strip("[]/"))[-1] or field
        if any(_plain(n) == _plain(leaf) and n == leaf for n in sent):
            continue
        near = _near(leaf, sent, question.number("least_score"))
        view = _view(leaf, near, sent, good, row)
        if near and claim.cause == "schema.missing_required_field":
            found.append(_misnamed(question, row, leaf, near[0], view))
        elif claim.cause == "schema.missing_required_field":
            found.append(_missing(row, claim, leaf, good, view))
    return found


def _fields(row: Row) -> list[str]:
    fields = row["error_fields"]
    return [str(f) for f in fields if _NAME.search(str(f))][:5] if isinstance(fields, list) else []


def names_of(row: Row) -> Iterator[tuple[str, str]]:
    """Names in a request with their pointers: query, form and JSON keys, each once."""
    for name, _ in parse_qsl(str(row["query"] or "")[:65536], keep_blank_values=True)[:200]:
        yield name, f"/request/query/{name}"
    body = str(row["request_body"] or "")
    valid, tree = parse_json(body)
    if valid:
        yield from _keys(tree, "/request/body", 0)
    elif "=" in body and not body.lstrip().startswith("<"):
        for name, _ in parse_qsl(body[:65536], keep_blank_values=True)[:200]:
            yield name, f"/request/body/{name}"
    else:
        for name in dict.fromkeys(re.findall(r"<([A-Za-z_][\w.-]{0,60})[ >/]", body[:65536])):
            yield name, f"/request/body/{name}"


def _keys(node: object, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 24:
        return
    if isinstance(node, dict):
        for key, child in list(node.items())[:500]:
            here = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield str(key), here
            yield from _keys(child, here, depth + 1)
    elif isinstance(node, list):
        for place, child in enumerate(node[:50]):
            yield from _keys(child, f"{pointer}/{place}", depth + 1)


def _plain(name: str) -> str:
    return re.sub(r"[_\-\s]", "", name).lower()


def _near(field: str, sent: dict[str, str], least: float) -> list[tuple[str, float]]:
    """Names nearly equal to `field`, best first: another case or separator counts as nearly the same."""
    scored = []
    for name in sent:
        if name == field:
            continue
        score = 0.99 if _plain(name) == _plain(field) else fuzz.ratio(_plain(name), _plain(field)) / 100
        if score >= least and abs(len(name) - len(field)) <= 4:
            scored.append((name, score))
    return sorted(scored, key=lambda s: (-s[1], s[0]))[:3]


def _good_names(question: Question, row: Row) -> set[str] | None:
    """Names in the nearest accepted request of the same operation; None where there is none."""
    frame = question.frame
    good = (
        frame.exchanges.filter(
            frame.is_good
            & (pl.col("operation_key") == str(row["operation_key"]))
            & pl.col("request_body_state").is_in(_KNOWN)
            & pl.col("request_body").is_not_null()
        )
        .tail(1)
        .collect()
    )
    return {name for name, _ in names_of(good.row(0, named=True))} if good.height else None


def _view(leaf: str, near: list[tuple[str, float]], sent: dict[str, str], good: set[str] | None, row: Row) -> FieldView:
    return FieldView(
        pointer=sent[near[0][0]] if near else f"/request/body/{leaf}",
        kind="misnamed" if near else "missing",
        failing=near[0][0] if near else None,
        good=leaf if good is not None and leaf in good else None,
        candidates=tuple(
            Candidate(name=n, score=s, why=phrase("near_name", score=f"{s:.2f}")) for n, s in near
        ),
        exchange=str(row["exchange_id"]),
    )  # fmt: skip


def _misnamed(question: Question, row: Row, leaf: str, near: tuple[str, float], view: FieldView) -> Finding:
    number = row["row"]
    text = phrase("field_near", wanted=same(leaf), found=same(near[0]))
    return Finding(
        rule=question.rule.id, cause="schema.misnamed_field", confidence=question.number("confidence"),
        platform=_text(row["platform"]), shop=_text(row["shop"]), identity=_text(row["identity"]), rows=(number,),
        alternatives=("schema.missing_required_field",), because=(Because(text, (number,)),),
        telling=(Telling(number, view.pointer, text),), details=Details(fields=(view,)), sources=question.rule.source,
    )  # fmt: skip


def _missing(row: Row, claim: Finding, leaf: str, good: set[str] | None, view: FieldView) -> Finding:
    """The catalogue's own claim with the ghost mark of what is missing; adds no confidence."""
    from dataclasses import replace

    number = row["row"]
    steps = [Because(phrase("field_missing", wanted=same(leaf)), (number,))]
    if good is not None and leaf in good:
        steps.append(Because(phrase("field_in_good", wanted=same(leaf)), (number,)))
    mark = Telling(number, f"/request/body/{leaf}", phrase("field_missing", wanted=same(leaf)), missing=True)
    return replace(
        claim, rows=(number,), because=(*claim.because, *steps), telling=(mark, *claim.telling[:1]),
        details=Details(fields=(view,)),
    )  # fmt: skip


def _text(value: object) -> str | None:
    return None if value is None else str(value)
