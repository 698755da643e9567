# ruff: noqa: E501  log lines stand as their writers print them

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.ingest.jsonlines import JsonLinesReader
from tests.ingest.logs import accounted, exchanges, parts, records

READER = JsonLinesReader()


def lines(*held: Any) -> str:
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in held)


EMITTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "pino": (
        lines({"level": 30, "time": 1795475518189, "pid": 1, "method": "POST", "url": "https://one.example/a", "status": 200, "durationMs": 31}),
        {"method": "POST", "status": 200, "duration_ms": 31.0, "started_at": datetime(2026, 11, 23, 23, 11, 58, 158000, tzinfo=UTC)},
    ),
    "pino-axios-error": (
        lines({"level": 50, "time": 1795475518201, "msg": "failed", "err": {
            "message": "Request failed with status code 429", "stack": "AxiosError: x\n    at y (z.js:1:2)", "code": "ERR_BAD_REQUEST",
            "config": {"method": "post", "url": "https://one.example/limit", "data": '{"n":1}', "headers": {"X-A": "b"}},
            "response": {"status": 429, "data": {"code": "0"}, "headers": {"x-req": "9"}}}}),
        {"method": "POST", "url": "https://one.example/limit", "status": 429, "request_body": '{"n":1}', "response_body_state": "reconstructed",
         "response_headers": [{"name": "x-req", "value": "9"}]},
    ),
    "pino-http-inbound": (
        lines({"level": 30, "time": 1795475565947, "req": {"id": 1, "method": "POST", "url": "/hook?a=1", "headers": {}, "remoteAddress": "203.0.113.9"},
               "res": {"statusCode": 200, "headers": {}}, "responseTime": 4, "msg": "request completed"}),
        {"direction": "inbound", "path": "/hook", "status": 200, "client_address": "203.0.113.9", "duration_ms": 4.0},
    ),
    "zap-seconds": (
        lines({"level": "info", "ts": 1795477788.2528474, "msg": "call", "method": "POST", "url": "http://one.example/order", "status": 200, "cost": 0.031}),
        {"status": 200, "duration_ms": 31.0, "zone_basis": "given"},
    ),
    "zap-error-text": (
        lines({"level": "error", "ts": 1795477789.25, "msg": "failed", "error": 'Post "https://one.example/a": dial tcp: lookup one.example: no such host'}),
        {"method": "POST", "url": "https://one.example/a", "transport_error": "dns"},
    ),
    "logstash-lines-in-message": (
        lines({"@timestamp": "2024-05-01T10:00:00.000Z", "level": "INFO", "message": 'request POST https://one.example/o {"a":1}', "thread_name": "t", "traceId": "ab12"},
              {"@timestamp": "2024-05-01T10:00:00.300Z", "level": "INFO", "message": 'response 200 {"code":0}', "thread_name": "t", "traceId": "ab12"}),
        {"status": 200, "request_body": '{"a":1}', "response_body": '{"code":0}', "trace_id": "ab12", "locator": "lines:1-2"},
    ),
    "ecs-nested": (
        lines({"@timestamp": "2024-05-01T10:00:00.000Z", "log": {"level": "info"}, "message": "done", "http": {"request": {"method": "GET"}, "response": {"status_code": 403}},
               "url": {"full": "https://one.example/x?y=1"}, "event": {"duration": 31000000}, "trace": {"id": "t1"}}),
        {"status": 403, "duration_ms": 31.0, "trace_id": "t1", "query": "y=1"},
    ),
    "ecs-dotted": (
        lines({"@timestamp": "2024-05-01T10:00:00.000Z", "log.level": "INFO", "message": "done", "http.request.method": "GET",
               "http.response.status_code": 403, "url.full": "https://one.example/x"}),
        {"status": 403, "method": "GET"},
    ),
    "clef": (
        lines({"@t": "2022-07-10T20:07:56.1864620Z", "@m": 'HTTP "GET" https://one.example/a responded 404 in 511.9 ms', "SourceContext": "x"}),
        {"status": 404, "method": "GET", "duration_ms": 511.9},
    ),
    "monolog": (
        '{"message":"call","context":{"method":"GET","url":"https://one.example/x","status":500,"response":{"code":3,"n":1.50}},"level_name":"ERROR","datetime":"2026-11-24T07:43:26.990094+08:00"}\n',
        {"status": 500, "response_body": '{"code":3,"n":1.50}'},
    ),
    "sofatracer": (
        lines({"time": "2018-10-24 10:45:28.977", "traceId": "0a0f", "request.url": "https://one.example/rest", "method": "GET", "result.code": "200", "time.cost.milliseconds": 188}),
        {"status": 200, "duration_ms": 188.0, "zone_basis": "assumed"},
    ),
    "docker-json-file": (
        lines({"log": '2024-05-01 10:00:00.120 INFO  [j] c.e.A - POST https://one.example/x {"a":1}\n', "stream": "stdout", "time": "2024-05-01T02:00:00.12Z"},
              {"log": '2024-05-01 10:00:00.420 INFO  [j] c.e.A - 403 {"code":7}\n', "stream": "stdout", "time": "2024-05-01T02:00:00.42Z"}),
        {"status": 403, "response_body": '{"code":7}', "started_at": datetime(2024, 5, 1, 2, 0, 0, 120000, tzinfo=UTC)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EMITTERS)
def test_an_emitter_is_read_by_its_keys(name: str) -> None:
    text, expected = EMITTERS[name]
    (row,) = exchanges(READER, text)
    assert {key: row[key] for key in expected} == expected


@pytest.mark.parametrize("name", EMITTERS)
def test_every_byte_is_accounted_for(name: str) -> None:
    text = EMITTERS[name][0]
    assert accounted(parts(READER, text)) == len(text.encode())


@pytest.mark.parametrize("name", EMITTERS)
def test_an_emitter_is_recognised(name: str) -> None:
    assert READER.sniff(EMITTERS[name][0].encode(), "a.log").score >= 60


def test_a_record_with_a_stack_is_kept_and_laid_to_its_call() -> None:
    text = EMITTERS["logstash-lines-in-message"][0] + lines(
        {"@timestamp": "2024-05-01T10:00:00.400Z", "level": "ERROR", "message": "boom", "thread_name": "t", "traceId": "ab12",
         "stack_trace": "java.lang.NullPointerException\n\tat a.B.c(D.java:1)"}
    )  # fmt: skip
    (record,) = records(READER, text)
    assert record["exchange_id"] == "lines:1-2"
    assert record["exception"].startswith("java.lang.NullPointerException")


def test_broken_lines_are_problems_and_the_rest_is_read() -> None:
    text = EMITTERS["pino"][0] + 'not json\n{"level": 30, "time":\n' + EMITTERS["ecs-nested"][0]
    found = parts(READER, text)
    assert [problem.line for part in found for problem in part.problems] == [2, 3]
    assert sum(part.exchanges.height for part in found) == 2
    assert accounted(found) == len(text)


def test_a_key_that_is_sometimes_an_object_costs_no_line() -> None:
    text = lines(
        {"level": "error", "time": "2024-05-01T10:00:00Z", "msg": "a", "err": "plain text"},
        {"level": "error", "time": "2024-05-01T10:00:01Z", "msg": "b", "err": {"message": "inner"}},
    )
    assert len(records(READER, text)) == 2


def test_keys_that_only_errors_carry_are_found_behind_many_lines() -> None:
    calm = lines(*({"level": "info", "time": "2024-05-01T10:00:00Z", "msg": f"page {n}"} for n in range(900)))
    late = lines(
        {
            "level": "error",
            "time": "2024-05-01T11:00:00Z",
            "msg": "boom",
            "stack_trace": "java.lang.IllegalStateException: x\n\tat a.B.c(D.java:1)",
        }
    )
    (record,) = records(READER, calm + late + calm)
    assert (record["line"], record["exception"]) == (901, "java.lang.IllegalStateException: x\n\tat a.B.c(D.java:1)")


def test_digits_of_a_failing_answer_are_the_lines_own() -> None:
    text = '{"time":"2024-05-01T10:00:00Z","level":"info","url":"https://one.example/a","method":"GET","status":400,"response":{"id":12345678901234567890123,"n":1.0}}\n'
    (row,) = exchanges(READER, text)
    assert row["response_body"] == '{"id":12345678901234567890123,"n":1.0}'


@pytest.mark.parametrize(
    "head",
    [b"", b"[1,2]\n", b"{}\n", b"text\n", b'{"log":{"version":"1.2","entries":[]}}', b"{" * 2000],
    ids=["empty", "list", "empty object", "text", "har", "braces"],
)
def test_other_json_is_not_claimed(head: bytes) -> None:
    assert READER.sniff(head, "x").score <= 20


ALL_TEXT = "".join(text for name, (text, _) in EMITTERS.items() if name != "docker-json-file").encode()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_cut_or_splice_raises_or_loses_a_byte(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(ALL_TEXT)))
    junk = data.draw(st.binary(max_size=30))
    text = (ALL_TEXT[:start] + junk + ALL_TEXT[start:]).decode("utf-8", "replace")
    assert accounted(parts(READER, text)) == len(text.encode())


def test_lines_of_one_second_with_one_message_are_calls_of_their_own() -> None:
    base = {"time": "2024-05-01T10:00:00Z", "level": "info", "msg": "api call", "method": "GET"}
    said = [{**base, "url": f"https://one.example/{name}", "status": 200} for name in "abc"]
    assert [row["path"] for row in exchanges(READER, lines(*said))] == ["/a", "/b", "/c"]
    assert len(exchanges(READER, lines(said[0], said[0]))) == 1
