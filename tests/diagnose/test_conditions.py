"""Compiled conditions against a plain row-by-row evaluation, and what must not compile."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.diagnose.conditions import ConditionError, compile_condition, parse_key
from openclaw_forensics.exchanges import EXCHANGES
from tests.diagnose.naive import holds

TEXTS = ["error_code", "error_message", "operation", "platform"]
WORDS = ["invalid_grant", "Revoked", "revoked", "", "E1", "429", "错误", "a.b"]
text = st.sampled_from(WORDS)
columns = {name: st.one_of(st.none(), text) for name in TEXTS} | {
    "status": st.one_of(st.none(), st.integers(100, 599)),
    "duration_ms": st.one_of(st.none(), st.floats(0, 1e6)),
    "expected_outcome": st.one_of(st.none(), st.booleans()),
}
rows = st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=8)
MODIFIERS = ["", "|contains", "|startswith", "|endswith", "|re", "|cased", "|contains|cased", "|in"]
plain_key = st.builds(lambda c, m: c + m, st.sampled_from(TEXTS), st.sampled_from(MODIFIERS))
number_key = st.sampled_from(["status", "status|gte", "status|lt", "duration_ms|gt"])
exists_key = st.sampled_from([f"{t}|exists" for t in (*TEXTS, "status")])
sought = st.one_of(text.map(lambda w: w or "x"), st.lists(text, min_size=1, max_size=3))
leaf = st.one_of(
    st.dictionaries(plain_key, sought, min_size=1, max_size=2),
    st.dictionaries(number_key, st.integers(0, 600), min_size=1, max_size=2),
    st.dictionaries(exists_key, st.booleans(), min_size=1, max_size=1),
    st.just({"expected_outcome": True}),
)
conditions = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(rows, conditions)
def test_compiled_agrees_with_naive(table: list[dict[str, object]], condition: dict[str, object]) -> None:
    frame = pl.DataFrame({name: [r.get(name) for r in table] for name in EXCHANGES}, schema=EXCHANGES, strict=False)
    got = frame.select(compile_condition(condition).alias("hit"))["hit"].to_list()
    if len(got) == 1:
        got = got * len(table)
    assert got == [holds(condition, row) for row in frame.to_dicts()]


@pytest.mark.parametrize(
    "condition",
    [
        {"no_such_column": "x"},
        {"error_code|sql": "SELECT * FROM read_csv('/etc/passwd')"},
        {"error_code|re": "(unclosed"},
        {"error_code|re": "(?=lookahead)"},
        {"status|gt": "many"},
        {"error_code": []},
        {"any": []},
        {"not": "x"},
        {"error_code|contains|startswith": "x"},
        {"error_code": {"nested": 1}},
        {"error_code|exists": "yes"},
    ],
    ids=lambda c: str(c)[:40],
)
def test_refused(condition: dict[str, object]) -> None:
    with pytest.raises(ConditionError):
        compile_condition(condition)


@pytest.mark.parametrize(
    ("key", "column", "operator", "cased"),
    [
        ("status", "status", "eq", False),
        ("error_code|contains|cased", "error_code", "contains", True),
        ("request.text:a|b", "request.text:a|b", "eq", False),
        ("request.json:/a|exists", "request.json:/a", "exists", False),
    ],
)
def test_keys(key: str, column: str, operator: str, cased: bool) -> None:
    parsed = parse_key(key)
    assert (parsed.column, parsed.operator, parsed.cased) == (column, operator, cased)
