# ruff: noqa: E501  log lines stand as their writers print them
"""Messages of structured logs that are no plain words: templates, bytes, Logbook's objects, lines with own heads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from openclaw_forensics.ingest.jsonlines import JsonLinesReader
from tests.ingest.logs import accounted, exchanges, parts, records

READER = JsonLinesReader()
URL = "https://one.example/o"


def lines(*held: Any) -> str:
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in held)


SENT = "Sending HTTP request {HttpMethod} {Uri}"
TOLD = "Received HTTP response headers after {ElapsedMilliseconds}ms - {StatusCode}"
HTTP = {"origin": "local", "type": "request", "correlation": "2d66", "protocol": "HTTP/1.1", "remote": "localhost"}

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "Serilog CLEF around .NET's HttpClient": (
        lines(
            {"@t": "2024-02-11T08:03:08.16Z", "@mt": "Start processing HTTP request {HttpMethod} {Uri}", "HttpMethod": "POST", "Uri": URL},
            {"@t": "2024-02-11T08:03:08.16Z", "@mt": SENT, "HttpMethod": "POST", "Uri": URL},
            {"@t": "2024-02-11T08:03:08.96Z", "@mt": TOLD, "ElapsedMilliseconds": 801.5, "StatusCode": 429},
            {"@t": "2024-02-11T08:03:08.96Z", "@mt": "End processing HTTP request after {ElapsedMilliseconds}ms - {StatusCode}", "ElapsedMilliseconds": 805.5, "StatusCode": 429},
        ),
        {"method": "POST", "url": URL, "status": 429, "duration_ms": 801.5, "direction": "out"},
    ),
    "Serilog's JSON formatter": (
        lines(
            {"Timestamp": "2026-08-21T19:15:43.66+00:00", "Level": "Information", "MessageTemplate": SENT, "Properties": {"HttpMethod": "GET", "Uri": URL}},
            {"Timestamp": "2026-08-21T19:15:43.96+00:00", "Level": "Information", "MessageTemplate": TOLD, "Properties": {"ElapsedMilliseconds": 300.1, "StatusCode": 401}},
        ),
        {"method": "GET", "url": URL, "status": 401, "duration_ms": 300.1},
    ),
    "a template of one's own": (
        lines(
            {"@t": "2024-02-11T08:03:08.16Z", "@mt": "POST {Target} {Payload}", "Target": URL, "Payload": '{"a":1}', "ThreadId": 4},
            {"@t": "2024-02-11T08:03:08.36Z", "@mt": "response {Code} {Answer}", "Code": 403, "Answer": '{"code":7}', "ThreadId": 4},
        ),
        {"method": "POST", "url": URL, "status": 403, "request_body": '{"a":1}', "response_body": '{"code":7}'},
    ),
    "ASP.NET Core's requests are the server's": (
        lines({"@t": "2026-03-17T07:00:00Z", "@mt": "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms", "RequestMethod": "GET", "RequestPath": "/v3/search", "StatusCode": 200, "Elapsed": 4.2}),
        {"method": "GET", "path": "/v3/search", "status": 200, "duration_ms": 4.2, "direction": "inbound"},
    ),
    ".NET's JSON console": (
        lines(
            {"EventId": 100, "LogLevel": "Information", "Category": "x.ClientHandler", "Message": f"Sending HTTP request POST {URL}", "State": {"HttpMethod": "POST", "Uri": URL}},
            {"EventId": 101, "LogLevel": "Information", "Category": "x.ClientHandler", "Message": "Received HTTP response headers after 964.4831ms - 200", "State": {"ElapsedMilliseconds": 964.4831, "StatusCode": 200}},
        ),
        {"url": URL, "status": 200, "duration_ms": 964.4831},
    ),
    "logbook-logstash": (
        lines(
            {"@timestamp": "2024-05-01T10:00:00.000Z", "message": f"GET {URL}", "level": "TRACE", "http": {**HTTP, "method": "GET", "uri": URL, "headers": {"Accept": ["*/*"]}}},
            {"@timestamp": "2024-05-01T10:00:00.025Z", "message": f"429 Too Many Requests GET {URL}", "level": "TRACE", "http": {**HTTP, "origin": "remote", "type": "response", "duration": 25, "status": 429, "headers": {}, "body": {"code": 7}}},
        ),
        {"method": "GET", "url": URL, "status": 429, "duration_ms": 25.0, "response_body": '{"code":7}', "locator": "lines:1-2"},
    ),
    "GELF": (
        lines(
            {"version": "1.1", "host": "h", "short_message": f'POST {URL} {{"a":1}}', "timestamp": 1679049091.535, "level": 6, "_thread": "t"},
            {"version": "1.1", "host": "h", "short_message": 'response 403 {"code":7}', "timestamp": 1679049091.735, "level": 6, "_thread": "t"},
        ),
        {"url": URL, "status": 403, "thread": "t"},
    ),
    "a collector's time refined by the line's own": (
        lines(
            {"__source__": "h", "__time__": "1727060160", "content": f'2024-09-23 10:56:00.120 INFO  [job-1] c.e.A - POST {URL} {{"page":1}}'},
            {"__source__": "h", "__time__": "1727060160", "content": '2024-09-23 10:56:00.420 INFO  [job-1] c.e.A - 429 {"code":"x"}'},
        ),
        {"status": 429, "duration_ms": 300.0, "thread": "job-1", "started_at": datetime(2024, 9, 23, 2, 56, 0, 120000, tzinfo=UTC)},
    ),
    "loguru": (
        lines({"text": "x", "record": {"extra": {"method": "GET", "url": URL, "status": 404}, "level": {"name": "INFO"}, "message": "api call", "time": {"timestamp": 1761678915.123456}}}),
        {"url": URL, "status": 404, "started_at": datetime(2025, 10, 28, 19, 15, 15, 123456, tzinfo=UTC)},
    ),
    "tracing of Rust": (
        lines({"timestamp": "2025-10-28T19:15:11.8Z", "level": "ERROR", "fields": {"message": "failed", "error": f"error sending request for url ({URL}): operation timed out", "method": "GET", "url": URL}, "target": "erp"}),
        {"url": URL, "transport_error": "timeout"},
    ),
    "Go's refused connection": (
        lines({"level": "error", "time": "2025-10-28T19:15:12Z", "error": f'Post "{URL}": dial tcp 192.0.2.4:443: connect: connection refused', "message": "push failed"}),
        {"url": URL, "transport_error": "connect"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_read_whatever_way_it_is_said(name: str) -> None:
    text, expected = CALLS[name]
    (row,) = exchanges(READER, text)
    assert {key: row[key] for key in expected} == expected
    assert accounted(parts(READER, text)) == len(text.encode())


def test_journald_numbers_severities_and_writes_bytes() -> None:
    base = {"__REALTIME_TIMESTAMP": "1534860261221373", "SYSLOG_IDENTIFIER": "erp", "_PID": "811"}
    coloured = list(b"\x1b[31mtoken refresh failed\x1b[0m for shop 12")
    (row,) = records(
        READER, lines({**base, "PRIORITY": "3", "MESSAGE": coloured}, {**base, "PRIORITY": "6", "MESSAGE": "ok"})
    )
    assert (row["level"], row["message"], row["logger"]) == ("ERROR", "token refresh failed for shop 12", "erp")
    assert row["at"] == datetime(2018, 8, 21, 14, 4, 21, 221373, tzinfo=UTC)


def test_levels_of_other_writers_are_no_severities() -> None:
    assert records(READER, lines({"time": "2023-10-01T02:39:09+00:00", "level": 1, "message": "scanned"})) == []
