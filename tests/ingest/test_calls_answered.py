"""Lines that begin as a request and go on with its answer, and bodies behind an answer's fields."""

from __future__ import annotations

import pytest

from openclaw_forensics.ingest.textlog import TextLogReader
from tests.ingest.logs import exchanges

READER = TextLogReader()
HEAD = "2026-05-20 16:00:01.100 WARN  Client - POST https://api.one.example/open "


@pytest.mark.parametrize(
    ("said", "asked", "answered"),
    [
        pytest.param(
            'service=A1 resp={"code":"A9","msg":"down"}', "service=A1", '{"code":"A9","msg":"down"}', id="label"
        ),
        pytest.param('{"n":1} response: {"ok":false}', '{"n":1}', '{"ok":false}', id="label-behind-a-body"),
        pytest.param('{"Code":"9","Message":"no"}', None, '{"Code":"9","Message":"no"}', id="an-answer-alone"),
        pytest.param('{"code":"x1","amount":3}', '{"code":"x1","amount":3}', None, id="a-code-without-words"),
        pytest.param('{"message":"hello","to":3}', '{"message":"hello","to":3}', None, id="words-without-a-code"),
        pytest.param("respect={1}", "respect={1}", None, id="another-word"),
    ],
)
def test_an_answer_on_the_requests_line(said: str, asked: str | None, answered: str | None) -> None:
    (row,) = exchanges(READER, f"{HEAD}{said}\n")
    assert (row["request_body"], row["response_body"]) == (asked, answered)
    assert row["answer_state"] == ("answered" if answered else "not_logged")


@pytest.mark.parametrize(
    ("said", "body"),
    [
        pytest.param('401 shop=de-1 {"error":"a"}', '{"error":"a"}', id="one-field"),
        pytest.param('401 shop=de-1 took=12ms, batch=4 body={"error":"a"}', '{"error":"a"}', id="fields-and-a-label"),
        pytest.param("401 shop=de-1 took=12ms", None, id="fields-alone"),
        pytest.param("401 shop=de-1 gone {x", None, id="words-between"),
    ],
)
def test_a_body_behind_fields(said: str, body: str | None) -> None:
    (row,) = exchanges(READER, f"{HEAD}{said}\n")
    assert (row["status"], row["response_body"]) == (401, body)
