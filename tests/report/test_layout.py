"""Captured text laid out: white space is added, nothing else is touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.report.layout import lay_out

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def source_text(text: str) -> str:
    return "".join(p.text for line in lay_out(text).lines for p in line if p.start is not None)


@given(value=st.lists(JSON) | st.dictionaries(st.text(max_size=5), JSON), indent=st.sampled_from([None, 1, 4]))
@settings(max_examples=60, deadline=None)
def test_laid_out_json_is_the_same_json(value: object, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    shown = "\n".join("".join(p.text for p in line) for line in lay_out(text).lines)
    assert json.loads(shown) == value


@given(st.text(alphabet='{}[]",:\\ a1\n', max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_keeps_all_that_is_not_white_space(text: str) -> None:
    assert "".join(source_text(text).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "literal",
    ["12345678901234567890", "1.0e5", "-0.10", '"\\u00e9\\/"', '{"a":1,"a":2}'],
)
def test_literals_stay_as_sent(literal: str) -> None:
    assert literal in source_text(f'{{"x":{literal}}}')


@pytest.mark.parametrize(
    ("text", "pointer", "value"),
    [
        pytest.param('{"a":{"b":[1,22]}}', ("a", "b", "1"), "22", id="nested"),
        pytest.param('{"a/b":"x"}', ("a/b",), '"x"', id="slash-in-a-name"),
        pytest.param("a=1&b%5B%5D=2", ("b[]",), "2", id="form"),
    ],
)
def test_values_are_found_by_pointer(text: str, pointer: tuple[str, ...], value: str) -> None:
    start, end, _ = lay_out(text).spans[pointer]
    assert text[start:end] == value


def test_json_cut_by_its_source_is_laid_out_as_far_as_it_goes() -> None:
    made = lay_out('{"a":1,"b":"cut he')
    assert len(made.lines) == 3
    assert source_text('{"a":1,"b":"cut he') == '{"a":1,"b":"cut he'


def test_deep_nesting_is_bounded() -> None:
    assert len(lay_out("[" * 5000).lines) < 200


def test_many_escaped_quotes_are_read_in_one_pass() -> None:
    text = "{" + '\\"' * 20_000
    assert source_text(text) == text
