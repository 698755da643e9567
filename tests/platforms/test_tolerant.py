"""Bodies that are no valid JSON any more still yield what they show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.platforms import tolerant

PRINT_R = """Array
(
    [error] => Array
        (
            [code] => 401
            [message] => Bad token, please retry: now
        )
    [data] =>
)
"""


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        pytest.param(
            '{"errors":[{"code":"Unauthorized","message":"Access is den (truncated...)',
            {"errors": [{"code": "Unauthorized", "message": "Access is den"}]},
            id="json-cut-in-a-string",
        ),
        pytest.param('{"a":{"b":[1,2,{"c":"d"', {"a": {"b": ["1", "2", {"c": "d"}]}}, id="json-cut-open"),
        pytest.param(
            "{'error': 491, 'ok': True, 'id': None, 'm': u'x'}",
            {"error": "491", "ok": "true", "id": None, "m": "x"},
            id="python-repr",
        ),
        pytest.param(
            PRINT_R,
            {"error": {"code": "401", "message": "Bad token, please retry: now"}, "data": None},
            id="php-print_r",
        ),
        pytest.param(
            "array (\n  'error' => 'invalid_grant',\n  'list' => array (0 => 'a'),)",
            {"error": "invalid_grant", "list": {"0": "a"}},
            id="php-var_export",
        ),
        pytest.param('{:error=>"x", "msg"=>"y z"}', {"error": "x", "msg": "y z"}, id="ruby-inspect"),
        pytest.param(
            "{error=invalid_grant, error_description=it is, well, expired}",
            {"error": "invalid_grant", "error_description": "it is, well, expired"},
            id="java-tostring",
        ),
        pytest.param('{code: 12, msg: "not found"}', {"code": "12", "msg": "not found"}, id="javascript"),
        pytest.param("error=491, msg=http error code", {"error": "491", "msg": "http error code"}, id="pairs"),
        pytest.param("[2021-01-01] refused (x): {'code': '9'}", {"code": "9"}, id="brackets-in-the-sentence-before"),
        pytest.param('{\\"error\\":\\"auth\\"}', {"error": "auth"}, id="escaped-json"),
        pytest.param("nothing of the kind", None, id="plain-text"),
        pytest.param("<a href='x?y=1'>", None, id="markup"),
        pytest.param("", None, id="empty"),
    ],
)
def test_reads_what_is_there(text: str, tree: object) -> None:
    assert tolerant.read(text) == tree


@given(st.text(alphabet="{}[]()'\"\\:=>, \nab1", max_size=400))
def test_any_text_gives_a_tree_or_nothing(text: str) -> None:
    found = tolerant.read(text)
    assert found is None or isinstance(found, dict | list)


@pytest.mark.parametrize("unit", ["{", "[", "{a:", "{'", "a=,", "[a] =>", "(["])
def test_deep_or_long_text_ends(unit: str) -> None:
    assert tolerant.read(unit * 30_000) is None or tolerant.read(unit * 30_000)
