# ruff: noqa: E501  messages stand as people paste them
"""Whole HTTP messages between prose: which lines are whose, and what a missing status line still tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.ingest.pasted import PastedReader
from tests.ingest.logs import accounted, exchanges, parts

READER = PastedReader()
WHOLE = """Hello, since Monday this fails:

POST /orders HTTP/1.1
Host: api.one.example
Content-Type: application/json

{"id": 7,
 "status": "Open"}

HTTP/1.1 422 Unprocessable Entity
Content-Type: application/json
X-Request-Id: abc

{"errors": {"status": ["invalid"]}}

What is wrong?
"""
FENCED = """### Bug

```
POST https://api.one.example/graphql
X-Token: secret
Content-Type: application/json

{"query":"{ orders { id } }"}
```

Response

```
HTTP/2 200
content-type: application/json

{"errors":[{"message":"not approved"}]}
```
"""
BARE = """token still valid, every call says this:

GET https://api.one.example/rest/seller/get?app_key=1

{"code":"IpLimit","message":"address not listed","request_id":"0b"}
"""
REFUSED = """POST https://api.one.example/items
Content-Type: application/json

{"sku":"A"}

{"code":"E7","message":"no such brand"}
"""
ONLY_ERROR = """POST https://api.one.example/items

{"code":"E7","message":"no such brand","request_id":"0b"}
"""
COMMAND = """$ curl -sS -i -X POST https://api.one.example/data \\
  -H 'Client-Id: 5' -d '{"limit":10}'

HTTP/1.1 403 Forbidden
Content-Type: application/json

{"code":7,"message":"only for subscribers"}
"""
WORDS = """GET https://api.one.example/orders

answer: 403 Forbidden
{"errors":[{"code":"Unauthorized"}]}
"""
PAGE = """GET https://api.one.example/orders
Accept: application/json

HTTP/1.1 502 Bad Gateway
Content-Type: text/html

<html>
<body>502</body>
</html>
any idea?
"""
MARKED = """> GET https://api.one.example/orders
> X-Token: secret
>
< HTTP/2 401
< content-type: application/json
<
{"errors":"Invalid API key"}
"""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": (WHOLE, {"method": "POST", "url": "https://api.one.example/orders", "status": 422, "request_body": '{"id": 7,\n "status": "Open"}', "response_body": '{"errors": {"status": ["invalid"]}}', "locator": "lines:3-16"}),
    "fenced": (FENCED, {"method": "POST", "status": 200, "request_body": '{"query":"{ orders { id } }"}', "response_body": '{"errors":[{"message":"not approved"}]}'}),
    "no status": (BARE, {"method": "GET", "status": None, "answer_state": "answered", "request_body": None, "response_body": '{"code":"IpLimit","message":"address not listed","request_id":"0b"}'}),
    "two bodies": (REFUSED, {"request_body": '{"sku":"A"}', "response_body": '{"code":"E7","message":"no such brand"}'}),
    "an error alone": (ONLY_ERROR, {"request_body": None, "response_body": '{"code":"E7","message":"no such brand","request_id":"0b"}'}),
    "command": (COMMAND, {"method": "POST", "url": "https://api.one.example/data", "status": 403, "request_body": '{"limit":10}', "response_body": '{"code":7,"message":"only for subscribers"}'}),
    "in words": (WORDS, {"status": 403, "response_body": '{"errors":[{"code":"Unauthorized"}]}'}),
    "marked": (MARKED, {"method": "GET", "status": 401, "response_body": '{"errors":"Invalid API key"}', "request_headers": [{"name": "X-Token", "value": "secret"}]}),
    "page": (PAGE, {"status": 502, "response_body": "<html>\n<body>502</body>\n</html>"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_form_of_pasting(name: str) -> None:
    text, expected = CASES[name]
    (row,) = exchanges(READER, text, "issue.md")
    assert {key: row[key] for key in expected} == expected


@pytest.mark.parametrize("name", CASES)
def test_every_byte_is_accounted_for(name: str) -> None:
    assert accounted(parts(READER, CASES[name][0], "issue.md")) == len(CASES[name][0])


def test_headers_belong_to_their_side() -> None:
    (row,) = exchanges(READER, WHOLE, "issue.md")
    assert [h["name"] for h in row["request_headers"]] == ["Host", "Content-Type"]
    assert [h["name"] for h in row["response_headers"]] == ["Content-Type", "X-Request-Id"]


def test_several_calls_in_one_report() -> None:
    found = exchanges(READER, WHOLE + BARE + FENCED, "issue.md")
    assert [(row["method"], row["status"]) for row in found] == [("POST", 422), ("GET", None), ("POST", 200)]


@pytest.mark.parametrize(
    ("text", "mine"),
    [
        pytest.param(WHOLE, True, id="whole"),
        pytest.param(BARE, True, id="no status"),
        pytest.param("GET https://api.one.example/orders\nno answer at all\n", False, id="no answer"),
        pytest.param("GET /orders\n\n{}\n", False, id="nobody's path"),
        pytest.param("2024-05-01 10:00:00 INFO x\n" + WHOLE, False, id="a log"),
        pytest.param(WHOLE + "Traceback (most recent call last):\n", False, id="a stack trace"),
        pytest.param("We GET https://api.one.example/orders often.\nHTTP/1.1 200 OK\n", False, id="prose"),
    ],
)
def test_sniffing(text: str, *, mine: bool) -> None:
    assert (READER.sniff(text.encode(), "x.txt").score > 0) is mine


ALL_TEXT = "".join(text for text, _ in CASES.values())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(ALL_TEXT)), st.text(max_size=20))
def test_no_cut_or_splice_raises_or_loses_a_byte(at: int, junk: str) -> None:
    text = ((ALL_TEXT[:at] + junk).encode("utf-8", "replace") + ALL_TEXT[at:].encode()).decode()
    assert accounted(parts(READER, text, "issue.md")) == len(text.encode())
