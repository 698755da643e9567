"""The tests beside rules: one row tests the condition, a list of rows the whole rule as it runs on a capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics.diagnose.load import Loaded, load_file
from openclaw_forensics.diagnose.rule_tests import hits, run_tests
from openclaw_forensics.errors import RuleError

WORDS = """
confidence = 0.8
source = ["https://platform.example/docs"]
checked = 2026-01-01
wrong_when = { en = "x", zh = "x" }
title = { en = "x", zh = "x" }
why = { en = "x", zh = "x" }
"""


def loaded(tmp_path: Path, text: str, pack: str = "shop") -> Loaded:
    path = tmp_path / "rules.toml"
    rule = f'[[rule]]\nid = "{pack}.r"\ncause = "auth.access_token_expired"\n{text}\n{WORDS}'
    path.write_text(rule, encoding="utf-8")
    return load_file(path, pack)[0]


REFUSED = {"status": 401, "shop": "1", "started_at": "2026-03-01T10:00:00Z"}
PUSH = {"direction": "callback", "status": 200, "shop": "1", "request.json:/code": "2"}
AFTER = """
when = { status = 401 }
after = { when = { direction = "callback", "request.json:/code" = "2" }, same = ["shop"], within_s = 3600 }
"""


@pytest.mark.parametrize(
    ("rows", "hit"),
    [
        pytest.param([{**PUSH, "started_at": "2026-03-01T09:30:00Z"}, REFUSED], True, id="push, then refusal"),
        pytest.param([REFUSED], False, id="refusal alone"),
        pytest.param([{**PUSH, "started_at": "2026-03-01T10:30:00Z"}, REFUSED], False, id="push later"),
        pytest.param([{**PUSH, "started_at": "2026-03-01T08:00:00Z"}, REFUSED], False, id="push too long before"),
        pytest.param([{**PUSH, "started_at": "2026-03-01T09:30:00Z", "shop": "2"}, REFUSED], False, id="other shop"),
        pytest.param(
            [{**PUSH, "started_at": "2026-03-01T09:30:00Z", "request.json:/code": "3"}, REFUSED], False, id="other push"
        ),
        pytest.param({"status": 401}, True, id="one row tests the condition alone"),
    ],
)
def test_sequences(rows: list[dict[str, object]] | dict[str, object], hit: bool, tmp_path: Path) -> None:
    assert hits(loaded(tmp_path, AFTER), rows) is hit


ABSENT = """
among = "successes"
when = { operation = "stock.push" }
absent = { when = { operation = "stock.done" }, same = ["shop"] }
"""


@pytest.mark.parametrize(("then", "hit"), [("stock.done", False), ("stock.get", True)], ids=["follows", "never comes"])
def test_absences(then: str, hit: bool, tmp_path: Path) -> None:
    rows = [
        {"operation": "stock.push", "status": 200, "shop": "1", "started_at": "2026-03-01T10:00:00Z"},
        {"operation": then, "status": 200, "shop": "1", "started_at": "2026-03-01T10:01:00Z"},
    ]
    assert hits(loaded(tmp_path, ABSENT), rows) is hit


@pytest.mark.parametrize(("minutes", "hit"), [((0, 1, 2), True), ((0, 1), False), ((0, 20, 40), False)], ids=str)
def test_counts_within_a_time(minutes: tuple[int, ...], hit: bool, tmp_path: Path) -> None:
    rule = loaded(tmp_path, "when = { status = 429 }\nat_least = 3\nwithin_s = 300")
    rows = [{"status": 429, "started_at": f"2026-03-01T10:{m:02}:00Z"} for m in minutes]
    assert hits(rule, rows) is hit


def test_records_are_tested_as_records(tmp_path: Path) -> None:
    rule = loaded(tmp_path, 'frame = "records"\nwhen = { "message|contains" = "no mapping" }')
    assert hits(rule, [{"message": "No mapping for SKU A", "at": "2026-03-01T10:00:00Z"}]) is True
    assert hits(rule, [{"message": "mapping saved"}]) is False


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param({"statu": 401}, "no column statu", id="no such column"),
        pytest.param([{"status": 401, "request.xml:a": "1"}], "request.xml:a", id="a place that cannot be put"),
        pytest.param([{"status": 401, "started_at": "noon"}], "noon", id="no time"),
    ],
)
def test_a_wrong_test_is_named(rows: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=f"rule shop.r: its test is wrong.*{said}"):
        hits(loaded(tmp_path, "when = { status = 401 }"), rows)  # type: ignore[arg-type]


def test_failures_are_told_in_words(tmp_path: Path) -> None:
    pack = tmp_path / "own" / "shop"
    pack.mkdir(parents=True)
    head = 'id = "shop"\nkind = "marketplace"\nname = { en = "Shop", zh = "店" }\n'
    (pack / "platform.toml").write_text(head, encoding="utf-8")
    tests = "[[rule.test]]\nhit = { status = 500 }\n[[rule.test]]\nmiss = { status = 401 }\n"
    rule = '[[rule]]\nid = "shop.r"\ncause = "auth.access_token_expired"\nwhen = { status = 401 }\n'
    (pack / "rules.toml").write_text(rule + WORDS + tests, encoding="utf-8")
    failures, _ = run_tests((tmp_path / "own",))
    told = [f.partition("rules.toml: ")[2] for f in failures if "shop.r" in f]
    assert told == ["rule shop.r, test 1: did not hit", "rule shop.r, test 2: hit a near miss"]
