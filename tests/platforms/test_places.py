"""Places on single exchanges: values, and whether their absence is known."""

from __future__ import annotations

import base64

import pytest

from openclaw_forensics.platforms import places
from openclaw_forensics.platforms.facts import Test as Condition
from tests.platforms.rows import message

URL = "https://api.acme.example/v1/orders/12?shop=7&empty=&q=a%2Bb+c&tag=x&tag=y"
XML = '<r xmlns="urn:x"><a k="v"><b>1</b><b>2</b></a><c/></r>'
JSON = '{"a":{"b":[{"c":1},{"c":2.50}]},"big":12345678901234567890123,"n":null,"t":true,"e":[],"s":"","x~y/z":"k"}'


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("request.query:shop", ["7"]),
        ("request.query:q", ["a+b c"]),
        ("request.query:tag", ["x", "y"]),
        ("request.query:empty", []),
        ("request.header:X-TOKEN", ["t1"]),
        ("request.bearer", ["tok"]),
        ("request.host:^([a-z]+)[.]", ["api"]),
        ("request.path:/orders/([0-9]+)", ["12"]),
        ("request.path:^/v[0-9]", ["/v1"]),
        ("response.json:/a/b/0/c", ["1"]),
        ("response.json:/a/b/1/c", ["2.50"]),
        ("response.json:/a/b/*/c", ["1", "2.50"]),
        ("response.json:/a/b/2/c", []),
        ("response.json:/big", ["12345678901234567890123"]),
        ("response.json:/n", []),
        ("response.json:/t", ["true"]),
        ("response.json:/e", []),
        ("response.json:/s", []),
        ("response.json:/x~0y~1z", ["k"]),
        ("response.json:/a", ['{"b":[{"c":1},{"c":2.50}]}']),
        ('response.text:"c":(\\d)', ["1"]),
        ("response.status", ["200"]),
    ],
)
def test_values(place: str, expected: list[str]) -> None:
    exchange = message(URL, request={"x-token": "t1", "Authorization": "Bearer tok"}, answer=JSON)
    assert places.values([place], exchange) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("response.xml:a/b", ["1", "2"]),
        ("response.xml:a/@k", ["v"]),
        ("response.xml:*/b", ["1", "2"]),
        ("response.xml:c", []),
        ("response.xml:z/b", []),
    ],
)
def test_xml(place: str, expected: list[str]) -> None:
    assert places.values([place], message(URL, answer=XML)) == expected


def test_cut_xml_still_shows_a_leaf() -> None:
    exchange = message(URL, answer="<Error><Code>AccessDenied</Code><Message>Req")
    assert places.value(["response.xml:Code"], exchange) == "AccessDenied"
    assert places.value(["response.xml:Message"], exchange) == "Req"


def test_xml_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aa">]><x><b>&a;</b></x>'
    assert places.find("response.xml:b", message(URL, answer=bomb)).values == ("&a;",)


@pytest.mark.parametrize(
    ("body", "place", "expected"),
    [
        ("grant_type=refresh_token&refresh_token=a%7Cb", "request.form:refresh_token", "a|b"),
        ("grant_type=refresh_token", "request.param:grant_type", "refresh_token"),
        ('{"type":"bg.order"}', "request.param:type", "bg.order"),
        ('{"type":"bg.order"}', "request.form:type", None),
        ("grant_type=x", "request.json:/grant_type", None),
    ],
)
def test_forms_and_parameters(body: str, place: str, expected: str | None) -> None:
    assert places.value([place], message("https://h.example/", method="POST", body=body)) == expected


def test_query_comes_before_form_and_json() -> None:
    exchange = message("https://h.example/?a=1", body="a=2")
    assert places.value(["request.param:a"], exchange) == "1"


def test_basic_credentials() -> None:
    sent = base64.b64encode(b"user:pass:word").decode()
    exchange = message(URL, request={"authorization": f"Basic {sent}"})
    assert places.value(["request.basic:user"], exchange) == "user"
    assert places.value(["request.basic:password"], exchange) == "pass:word"


def test_json_inside_a_json_string_is_opened() -> None:
    exchange = message(URL, answer='{"data":"{\\"code\\":5}"}')
    assert places.value(["response.json:/data/code"], exchange) == "5"


def test_lone_surrogates_are_replaced() -> None:
    assert places.value(["response.json:/a"], message(URL, answer='{"a":"\\ud800x"}')) == "?x"


def test_broken_bodies_are_read_tolerantly() -> None:
    exchange = message(URL, answer="{'errors': [{'code': 'Unauthorized'}]}")
    assert places.value(["response.json:/errors/0/code"], exchange) == "Unauthorized"


def test_first_place_with_a_value_wins() -> None:
    assert places.value(["request.query:none", "request.query:empty", "request.query:shop"], message(URL)) == "7"


@pytest.mark.parametrize(
    ("place", "state", "change"),
    [
        ("request.header:x", "absent", {}),
        ("request.header:x", "unknown", {"request_headers": None, "request_headers_state": "not_recorded"}),
        ("request.header:x", "unknown", {"request_headers_state": "masked"}),
        ("response.json:/x", "absent", {"response_body": "{}"}),
        ("response.json:/x", "unknown", {"response_body": '{"y":"cut'}),
        ("response.json:/x", "unknown", {"response_body": "{}", "response_body_state": "truncated"}),
        ("response.json:/x", "unknown", {"response_body": None, "response_body_state": "not_recorded"}),
        ("request.query:x", "absent", {}),
        (
            "request.query:x",
            "unknown",
            {"query": None, "request_headers": None, "request_headers_state": "not_recorded"},
        ),
        ("request.query:x", "unknown", {"query": None, "url_known": False}),
        ("response.status", "unknown", {"status": None}),
    ],
)
def test_absence_is_told_from_not_recorded(place: str, state: str, change: dict[str, object]) -> None:
    url = URL if change.pop("url_known", True) else None
    assert places.state([place], message(url, **change)) == state


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"place": "request.query:shop", "equals": "7"}, True),
        ({"place": "request.query:shop", "equals": "8"}, False),
        ({"place": "request.query:shop", "one_of": ["6", "7"]}, True),
        ({"place": "request.query:shop", "none_of": ["7"]}, False),
        ({"place": "request.query:shop", "re": "^[0-9]$", "none_of": ["8"]}, True),
        ({"place": "request.query:tag", "equals": "y"}, True),
        ({"place": "request.query:no", "exists": False}, True),
        ({"place": "request.query:no", "none_of": ["1"]}, False),
        ({"place": "request.query:shop", "exists": False}, False),
        ({"place": "request.header:masked", "equals": "abc"}, None),
        ({"place": "request.header:masked", "exists": True}, True),
        ({"place": "response.header:x", "exists": False}, None),
    ],
)
def test_tests_are_three_valued(test: dict[str, object], expected: bool | None) -> None:
    exchange = message(URL, request={"masked": "***"}, response_headers=None, response_headers_state="not_recorded")
    assert places.test(Condition.model_validate(test), exchange) is expected
