"""Do values sit in each other's fields? The forms that each field had in accepted requests show it.

A postcode of five digits that stands where ten digits stood before, while the telephone's field holds five, is no wrong
value but a slipped column. Only forms are compared (digits and how many, an address of mail, a date, …), never words: a
name in the city's field looks like any city.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import parse_json
from openclaw_forensics.words import same

Row = dict[str, Any]
_KNOWN = ("recorded", "reconstructed")
_CASES = 200  # failing calls looked at
_GOOD = 20  # accepted requests per operation, the latest
_LEAVES = 300
_DEEPEST = 24
_LONGEST = 200  # characters of a value
_FORMS = (
    ("mail", re.compile(r"[^@\s]{1,80}@[^@\s]{1,80}\.[A-Za-z]{2,24}")),
    ("url", re.compile(r"https?://\S+")),
    ("date", re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[T ][\d:.]{4,15}(?:Z|[+-]\d\d:?\d\d)?)?")),
    ("decimal", re.compile(r"-?\d{1,9}\.\d{1,6}")),
    ("letters", re.compile(r"[A-Z]{2,3}")),
    ("code", re.compile(r"(?=[^\d]{0,30}\d)(?=[^A-Za-z]{0,30}[A-Za-z])[A-Za-z\d_-]{6,40}")),
)
_DIGITS = re.compile(r"\+?[\d ()-]{3,40}")


def detect(question: Question) -> Answer:
    """A finding per failing call in which at least two fields hold the form of each other's accepted values."""
    causes = set(question.words("of_causes"))
    claimed = {r for f in question.so_far if f.cause in causes for r in f.rows}
    rows = [r for r in question.frame.failures if r["direction"] == "out" and _asked(r, claimed)][:_CASES]
    learnt: dict[tuple[str, str], dict[str, set[str]]] = {}
    findings = []
    for row in rows:
        key = (str(row["platform"]), str(row["operation_key"]))
        if key not in learnt:
            learnt[key] = _forms_of_good(question, *key)
        full = question.frame.full(row["row"])
        if learnt[key] and full["request_body_state"] in _KNOWN and (moved := _moved(full, learnt[key])):
            findings.append(_finding(question, row, moved))
    return Answer(findings, len(rows))


def _asked(row: Row, claimed: set[int]) -> bool:
    status = row["status"]
    return row["row"] in claimed and isinstance(status, int) and status < 500


def _forms_of_good(question: Question, platform: str, operation: str) -> dict[str, set[str]]:
    """The forms that each field's values had in accepted requests; a field of several forms tells nothing."""
    good = (
        question.frame.where(pl.col("platform") == platform)
        .filter(question.frame.is_good & (pl.col("operation_key") == operation))
        .filter(pl.col("request_body_state").is_in(_KNOWN) & pl.col("request_body").is_not_null())
        .select("request_body", "query")
        .tail(_GOOD)
        .collect()
    )
    forms: dict[str, set[str]] = defaultdict(set)
    for row in good.to_dicts():
        for name, _, value in _leaves(row):
            forms[name].add(_form(value))
    return {name: seen for name, seen in forms.items() if len(seen) == 1 and "" not in seen}


def _moved(row: Row, good: Mapping[str, set[str]]) -> list[tuple[str, str, str]]:
    """Fields whose value has not their own form but that of another such field: name, pointer, and whose form it is."""
    odd = {}
    for name, pointer, value in _leaves(row):
        form = _form(value)
        if name in good and form and form not in good[name] and name not in odd:
            odd[name] = (pointer, form)
    moved = []
    for name, (pointer, form) in odd.items():
        owners = [other for other in odd if other != name and form in good[other]]
        if owners:
            moved.append((name, pointer, owners[0]))
    return moved if len(moved) > 1 else []


def _leaves(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Path without places in lists, pointer, and value, of what the body (or, without one, the query) holds."""
    body = str(row["request_body"] or "")
    valid, tree = parse_json(body)
    if valid and isinstance(tree, dict | list):
        found = _in_tree(tree, "", "/request/body", 0)
    else:
        pairs = body if "=" in body and not body.lstrip().startswith("<") else str(row["query"] or "")
        side = "body" if pairs is body else "query"
        found = ((n, f"/request/{side}/{n}", v) for n, v in parse_qsl(pairs[:65536])[:_LEAVES])
    for number, leaf in enumerate(found):
        if number >= _LEAVES:
            return
        yield leaf


def _in_tree(node: object, name: str, pointer: str, depth: int) -> Iterator[tuple[str, str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(node, dict):
        for key, child in node.items():
            spelt = str(key).replace("~", "~0").replace("/", "~1")
            yield from _in_tree(child, f"{name}/{key}", f"{pointer}/{spelt}", depth + 1)
    elif isinstance(node, list):
        for place, child in enumerate(node):
            yield from _in_tree(child, name, f"{pointer}/{place}", depth + 1)
    elif isinstance(node, str | int | float) and not isinstance(node, bool):
        yield name, pointer, str(node)


def _form(value: str) -> str:
    """The form of a value; empty where it tells nothing: words, masks, short numbers."""
    value = value.strip()
    if not value or len(value) > _LONGEST or is_masked(value):
        return ""
    if _DIGITS.fullmatch(value):
        count = sum(c.isdigit() for c in value)
        return f"digits {count}" if 4 <= count <= 8 else "digits 9-15" if 9 <= count <= 15 else ""
    return next((name for name, pattern in _FORMS if pattern.fullmatch(value)), "")


def _finding(question: Question, row: Row, moved: list[tuple[str, str, str]]) -> Finding:
    number, rule = row["row"], question.rule
    steps = tuple(
        Because(phrase("field_holds_another", field=same(_leaf(name)), other=same(_leaf(other))), (number,))
        for name, _, other in moved[:4]
    )
    return Finding(
        rule=rule.id, cause=rule.cause, confidence=question.number("confidence"), platform=_text(row["platform"]),
        shop=_text(row["shop"]), identity=_text(row["identity"]), rows=(number,), because=steps,
        telling=tuple(Telling(number, pointer, step.text) for (_, pointer, _), step in zip(moved, steps, strict=False)),
        alternatives=rule.alternatives, sources=rule.source,
    )  # fmt: skip


def _leaf(name: str) -> str:
    return name.rpartition("/")[2][:80]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
