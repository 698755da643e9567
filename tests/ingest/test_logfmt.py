# ruff: noqa: E501  log lines stand as their writers print them
"""Lines of key=value pairs are read by their keys, in whatever order they stand."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_forensics.ingest.logfmt import pairs
from tests.ingest.readers import kinds, read, rows

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "time not first": (
        'logger=context userId=1 uname= t=2026-04-19T21:55:59.727Z level=info msg="Request Completed" method=GET path=/api/x status=400 remote_addr=192.0.2.1 time_ms=5\n',
        {"method": "GET", "path": "/api/x", "status": 400, "duration_ms": 5.0, "direction": "inbound", "client_address": "192.0.2.1"},
    ),
    "go-kit": (
        'ts=2026-04-19T21:57:00.100Z caller=client.go:33 level=info msg="api call" method=POST url=https://one.example/o status=503 duration=1.2s\n',
        {"url": "https://one.example/o", "status": 503, "duration_ms": 1200.0, "direction": "out"},
    ),
    "a body with quotes": (
        'time="2026-11-23T23:49:48Z" level=info msg="erp call" body="{\\"code\\":0}" method=POST status=200 url=/order\n',
        {"path": "/order", "status": 200, "response_body": '{"code":0}'},
    ),
    "an error's words": (
        'time="2026-11-23T23:49:49Z" level=error msg="push failed" error="Post \\"https://one.example/x\\": EOF"\n',
        {"method": "POST", "url": "https://one.example/x", "transport_error": "reset"},
    ),
    "the call in the message": (
        'time="2025-01-30T05:07:37Z" level=warning msg="HTTP: POST https://one.example/login" elapsedTime="792.538µs" httpStatus=401\n',
        {"method": "POST", "url": "https://one.example/login", "status": 401},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_read_by_its_keys(name: str) -> None:
    text, expected = CALLS[name]
    result = read(text.encode(), "erp.log")
    assert result.format == "logfmt"
    row = rows(result).row(0, named=True)
    assert {key: row[key] for key in expected} == expected


def test_a_line_of_something_else_is_named() -> None:
    text = "".join(text for text, _ in CALLS.values()) + "panic: nil map\n"
    result = read(text.encode(), "erp.log")
    assert (rows(result).height, kinds(result), result.problems[0].line) == (5, ["malformed"], 6)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('a=1 b="x y" c=', {"a": "1", "b": "x y"}, id="plain"),
        pytest.param('a="say \\"hi\\"\\n"', {"a": 'say "hi"\n'}, id="escapes"),
        pytest.param('a="\\x41"', {"a": "\\x41"}, id="an escape that JSON has not"),
        pytest.param("a=1 b", None, id="a word alone"),
        pytest.param('a="open', None, id="an open quote"),
    ],
)
def test_pairs(line: str, expected: dict[str, str] | None) -> None:
    assert pairs(line) == expected
