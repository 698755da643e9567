"""JSON lines with unusual places: bodies with a wrapper's keys, a message that is the body, a request line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaw_forensics.ingest.jsonlines import JsonLinesReader
from tests.ingest.logs import exchanges

READER = JsonLinesReader()
CALL = {"ts": "2026-04-06T03:00:00Z", "level": "error", "method": "PUT", "url": "https://one.example/a"}


def read(line: dict[str, Any]) -> dict[str, Any]:
    (row,) = exchanges(READER, json.dumps(line) + "\n")
    return row


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"code": "ERROR", "message": "no", "data": None}, id="data-beside-a-code"),
        pytest.param({"message": "no", "error": "bad", "status": 400, "cause": []}, id="a-status-of-its-own"),
    ],
)
def test_an_answer_with_a_wrappers_keys_is_the_body(body: dict[str, Any]) -> None:
    row = read(CALL | {"status": 400, "response": body})
    assert json.loads(row["response_body"]) == body


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param({"status": 429, "data": {"code": "7"}}, id="status-and-data"),
        pytest.param({"statusCode": 429, "body": {"code": "7"}, "took": 3}, id="status-code-and-body"),
    ],
)
def test_a_wrapper_is_opened(wrapped: dict[str, Any]) -> None:
    row = read(CALL | {"response": wrapped})
    assert (row["status"], json.loads(row["response_body"])) == (429, {"code": "7"})


@pytest.mark.parametrize(
    ("text", "body"),
    [
        pytest.param('{"error":"in vacation"}', '{"error":"in vacation"}', id="json"),
        pytest.param("{order} was refused", None, id="words"),
    ],
)
def test_a_message_that_is_json_is_the_answers_body(text: str, body: str | None) -> None:
    assert read(CALL | {"status": 400, "text": text})["response_body"] == body


def test_a_request_line_is_taken_apart() -> None:
    row = read(
        {"t": "2026-04-06T03:00:00Z", "call": "POST https://one.example/b?x=1", "http": 400, "body": {"error": "e"}}
    )
    assert (row["method"], row["path"], row["query"], row["status"]) == ("POST", "/b", "x=1", 400)
