"""JSON laid out: only white space changes."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.document.pretty import layout

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_only_white_space_changes(value: object) -> None:
    text = json.dumps(value)
    laid = layout(text)
    assert laid is not None
    assert re.sub(r'("(?:[^"\\]|\\.)*")|\s+', r"\1", laid) == re.sub(r'("(?:[^"\\]|\\.)*")|\s+', r"\1", text)
    assert json.loads(laid) == value


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"id":12345678901234567890123,"p":1.10}', "12345678901234567890123"),
        ('{"a":1,"a":2}', '"a": 2'),
        ('{"t":"\\u4e2d"}', "\\u4e2d"),
    ],
)
def test_literals_stay(text: str, kept: str) -> None:
    assert kept in str(layout(text))


@pytest.mark.parametrize("text", ["", "plain", "<xml/>", '{"a":', "[1,2", '{"a":1]}', "[" * 500 + "]" * 500])
def test_what_is_no_json_is_left_alone(text: str) -> None:
    assert layout(text) is None
