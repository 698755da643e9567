"""The vectorised places equal the ones read row by row, for whatever stands in the rows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.platforms import columns, conditions, places
from openclaw_forensics.platforms.facts import Test as Condition
from openclaw_forensics.platforms.message import Message
from tests.platforms.rows import frame, row

PLACES = [
    "request.query:a",
    "request.query:b.c",
    "request.query:f[0]",
    "request.form:a",
    "request.param:a",
    "request.header:X-A",
    "response.header:x-a",
    "request.bearer",
    "request.basic:user",
    "request.host:^([a-z0-9-]+)[.]",
    "request.path:/([0-9]+)",
    "request.path:^/[a-z]+",
    'request.text:"a"\\s*:\\s*"([^"]*)',
    "response.text:code=([0-9]+)",
    "response.json:/a",
    "response.json:/a/b",
    "response.json:/a/0/b",
    "response.json:/l/*/a",
    "response.xml:a",
    "response.status",
]

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
words = st.sampled_from(["", "x", "a b", "1", "é中", "%2B", "a&b", "a=b", "null", "***", "tok-1234", " pad "])
leaf = st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False), words, text)
names = st.sampled_from(["a", "b", "l", "code", "f[0]", "b.c", "A"])
trees = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
headers = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["X-A", "x-a", "Authorization", "Other"]),
            "value": st.one_of(words, st.sampled_from(["Bearer tok", "bearer  t ", "Basic dTpw", "Basic !"])),
        }
    ),
    max_size=3,
)


@st.composite
def pairs(draw: st.DrawFn) -> str:
    """A query or form, encoded the ways that clients do."""
    encode = draw(st.sampled_from([quote, quote_plus, lambda s: quote(s, safe="[]/")]))
    found = draw(st.lists(st.tuples(names, st.one_of(words, text)), max_size=4))
    return draw(st.sampled_from(["", "&", "x&"])) + "&".join(f"{encode(k)}={encode(v)}" for k, v in found)


@st.composite
def bodies(draw: st.DrawFn) -> str | None:
    """JSON in several dresses, broken JSON, forms, markup, anything."""
    tree = draw(trees)
    whole = json.dumps(tree, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    cut = whole[: draw(st.integers(0, len(whole)))]
    return draw(
        st.one_of(
            st.none(),
            st.just(whole),
            st.just(f" {whole}\n"),
            st.just(cut),
            st.just(repr(tree)),
            pairs(),
            text,
            st.just("<r><a>1</a></r>"),
            st.just("code=17; msg=x"),
            st.just(json.dumps(whole)),
        )
    )


@st.composite
def exchanges(draw: st.DrawFn) -> dict[str, Any]:
    state = st.sampled_from(["recorded", "truncated", "not_recorded", "masked"])
    query = draw(st.one_of(st.none(), pairs()))
    return row(
        "https://shop-1.acme.example/orders/12",
        query=query,
        request_headers=draw(st.one_of(st.none(), headers)),
        request_headers_state=draw(state),
        request_body=draw(bodies()),
        request_body_state=draw(state),
        response_headers=draw(st.one_of(st.none(), headers)),
        response_body=draw(bodies()),
        response_body_state=draw(state),
        status=draw(st.sampled_from([None, 200, 403])),
        path=draw(st.sampled_from([None, "/orders/12", "/", "/x/y%20z/9"])),
        host=draw(st.sampled_from([None, "shop-1.acme.example", "localhost"])),
    )


@settings(max_examples=250, deadline=None)
@given(st.lists(exchanges(), min_size=1, max_size=4))
def test_columns_equal_rows(rows: list[dict[str, Any]]) -> None:
    found = columns.evaluate(frame(*rows), PLACES)
    for place in PLACES:
        expected = [(places.find(place, Message(r)).values or (None,))[0] for r in rows]
        assert found[place].to_list() == expected, place


@settings(max_examples=100, deadline=None)
@given(st.lists(exchanges(), min_size=1, max_size=3))
def test_expressions_equal_rows(rows: list[dict[str, Any]]) -> None:
    table = frame(*rows)
    for place in PLACES:
        expression = columns.expr(place)
        if expression is not None:
            expected = [(places.find(place, Message(r)).values or (None,))[0] for r in rows]
            assert table.select(expression.alias("v"))["v"].to_list() == expected, place


CONDITIONS = [
    {"place": "request.query:a", "equals": "x"},
    {"place": "request.query:a", "exists": False},
    {"place": "request.param:a", "none_of": ["x", "1"]},
    {"place": "request.header:X-A", "re": "^t"},
    {"place": "request.header:X-A", "exists": True},
    {"place": "response.json:/a", "one_of": ["true", "1"]},
    {"place": "response.json:/l/*/a", "equals": "1"},
    {"place": "response.status", "equals": "403"},
    {"place": "request.form:a", "exists": False},
    {"place": "response.json:/a", "exists": False},
    {"place": "response.json:/a/b", "exists": False},
    {"place": "request.param:a", "exists": False},
    {"place": "response.xml:a", "exists": False},
]


@settings(max_examples=150, deadline=None)
@given(st.lists(exchanges(), min_size=1, max_size=3))
def test_conditions_equal_rows(rows: list[dict[str, Any]]) -> None:
    table = frame(*rows)
    for each in CONDITIONS:
        condition = Condition.model_validate(each)
        assert conditions.test_series(table, condition).to_list() == [
            places.test(condition, Message(r)) for r in rows
        ], each


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("a=1&b=2", "1"),
        ("xa=0&a=1", "1"),
        ("a=%E4%B8%AD", "中"),
        ("a=%FF", "\ufffd"),
        ("a=x%20y+z%2B", "x y z+"),
        ("b=1", None),
    ],
)
def test_parameters(query: str, value: str | None) -> None:
    table = frame(row("https://h.example/?" + query))
    assert columns.evaluate(table, ["request.query:a"])["request.query:a"].to_list() == [value]


def test_many_rows_keep_their_order() -> None:
    rows = [
        row(f"https://h.example/?a={i % 7}", request={"X-A": str(i)}, answer=f'{{"a":{i % 5}}}') for i in range(3_000)
    ]
    found = columns.evaluate(frame(*rows), ["request.query:a", "request.header:x-a", "response.json:/a"])
    assert found["request.query:a"].to_list() == [str(i % 7) for i in range(3_000)]
    assert found["request.header:x-a"].to_list() == [str(i) for i in range(3_000)]
    assert found["response.json:/a"].to_list() == [str(i % 5) for i in range(3_000)]


def test_no_rows() -> None:
    found = columns.evaluate(frame(), PLACES)
    assert all(column.to_list() == [] and column.dtype == pl.String for column in found.values())
