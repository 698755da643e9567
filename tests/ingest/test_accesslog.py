"""Access logs of real nginx and Apache runs, in every layout that they were configured with, and hostile ones."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS
from openclaw_forensics.ingest.accesslog import AccessLogReader
from openclaw_forensics.ingest.api import Part, ReadOptions
from openclaw_forensics.ingest.sources import Source

CAPTURES = Path(__file__).parent.parent / "captures"
NGINX, APACHE = CAPTURES / "nginx", CAPTURES / "apache"
LINE = '203.0.113.7 - - [23/Nov/2026:23:34:20 +0800] "POST /hook?a=1 HTTP/1.1" 200 7 "-" "Push/1.0"'


def read(data: bytes, path: str = "access.log", log_format: str | None = None) -> tuple[Source, list[Part]]:
    source = Source(path, lambda: io.BytesIO(data))
    return source, list(AccessLogReader().read(source, ReadOptions(log_format=log_format)))


def rows(data: bytes | str, path: str = "access.log", log_format: str | None = None) -> list[dict[str, object]]:
    _, parts = read(data if isinstance(data, bytes) else data.encode(), path, log_format)
    return [row for part in parts for row in part.exchanges.iter_rows(named=True)]


def one(line: str, log_format: str | None = None) -> dict[str, object]:
    (row,) = rows(line + "\n", log_format=log_format)
    return row


def file_rows(path: Path) -> list[dict[str, object]]:
    return rows(path.read_bytes(), str(path))


def accounted(parts: list[Part]) -> int:
    return sum(
        p.balance.exchanges + p.balance.records + p.balance.problems + sum(p.balance.irrelevant.values()) for p in parts
    )


REQUESTS = [
    ("POST", "/hook", 200),
    ("POST", "/hook/orders", 200),
    ("POST", "/hook/bad", 401),
    ("POST", "/slow", 499),
    ("POST", "/slow", 504),
    ("POST", "/two", 502),
    ("POST", "/moved", 301),
    ("GET", "/hook", 501),
    ("POST", "/denied", 403),
    ("POST", "/drop", 444),
    ("POST", "/hook/large", 413),
    ("GET", "/nothing", 404),
    (None, None, 400),
    ("GET", '/quote"back\\slash订', 404),
]


@pytest.mark.parametrize("name", ["combined", "timed", "shop", "json", "json_bare"])
def test_every_layout_of_nginx_tells_the_same_requests(name: str) -> None:
    found = [(row["method"], row["path"], row["status"]) for row in file_rows(NGINX / f"{name}.log")]
    assert found[:14] == REQUESTS
    # What is no sound request line is logged in whole or not at all, by the variable; its row stays.
    assert [status for _, _, status in found[14:]] == [400, 404, 400, 400]


@pytest.mark.parametrize("name", ["combined", "timed", "shop", "json", "json_bare"])
def test_every_byte_of_a_real_log_is_accounted_for(name: str) -> None:
    data = (NGINX / f"{name}.log").read_bytes()
    source, parts = read(data, str(NGINX / f"{name}.log"))
    assert accounted(parts) == source.given == len(data)
    assert [problem for part in parts for problem in part.problems] == []
    assert all(part.exchanges.schema == pl.Schema(READ_COLUMNS) for part in parts)


def test_the_start_is_the_stamp_less_the_request_time() -> None:
    slow = next(row for row in file_rows(NGINX / "timed.log") if row["status"] == 504)
    assert slow["duration_ms"] == pytest.approx(2000, abs=50)
    written = datetime.strptime(str(slow["raw_stamp"]), "%d/%b/%Y:%H:%M:%S %z")
    assert isinstance(slow["started_at"], datetime)
    assert (written - slow["started_at"]).total_seconds() * 1000 == pytest.approx(slow["duration_ms"])
    assert (slow["time_quality"], slow["zone_basis"]) == ("second", "given")


def test_a_stamp_with_milliseconds_is_exact() -> None:
    assert {row["time_quality"] for row in file_rows(NGINX / "shop.log")} == {"exact"}


@pytest.mark.parametrize(
    ("status", "state"), [(200, "answered"), (499, "missing"), (444, "missing"), (504, "answered"), (413, "answered")]
)
def test_whether_an_answer_went_out(status: int, state: str) -> None:
    found = {row["answer_state"] for row in file_rows(NGINX / "timed.log") if row["status"] == status}
    assert found == {state}


def test_each_server_tried_is_named() -> None:
    dead = next(row for row in file_rows(NGINX / "timed.log") if row["path"] == "/two")
    assert dead["transport_error_text"] == "upstream status 502, 502, upstream seconds 0.000, 0.000"


def test_only_the_headers_that_a_layout_names_are_known() -> None:
    first = file_rows(NGINX / "combined.log")[0]
    assert first["request_headers"] == [{"name": "User-Agent", "value": "Shop-Push/1.0"}]
    assert first["request_headers_state"] == "truncated"
    assert first["state_reason"] == "the access log holds only Referer and User-Agent"
    assert first["response_headers_state"] == first["request_body_state"] == "not_recorded"
    assert first["request_body"] is None


def test_a_declared_layout_names_its_own_headers() -> None:
    first = file_rows(NGINX / "shop.log")[0]
    assert {"name": "X-Shop-Id", "value": "S1"} in first["request_headers"]  # type: ignore[operator]
    assert first["response_headers"] == [{"name": "Content-Type", "value": "application/json"}]
    assert first["url"] == "http://127.0.0.1/hook?sign=%E8%AE%A2&x=1"


def test_a_logged_body_is_unescaped_and_an_unread_one_is_not_recorded() -> None:
    for name in ("timed", "json"):
        found = file_rows(NGINX / f"{name}.log")
        assert found[0]["request_body"] == '{"订单":"A","k":"v"}'
        assert (found[0]["request_body_state"], found[0]["request_body_exact"]) == ("recorded", True)
        denied = next(row for row in found if row["path"] == "/denied")
        assert (denied["request_body"], denied["request_body_state"]) == (None, "not_recorded")


def test_an_answer_without_a_byte_is_empty_and_not_unknown() -> None:
    states = {row["path"]: row["response_body_state"] for row in file_rows(NGINX / "combined.log")}
    assert (states["/hook/bad"], states["/denied"], states["/drop"]) == ("empty", "not_recorded", "not_recorded")


def test_behind_a_balancer_the_forwarded_address_counts() -> None:
    found = file_rows(NGINX / "timed.log")
    assert (found[0]["client_address"], found[1]["client_address"]) == ("203.0.113.7", "127.0.0.1")


def test_a_forwarded_address_from_the_open_net_is_not_believed() -> None:
    assert one(LINE + ' "198.51.100.9"')["client_address"] == "203.0.113.7"


def test_tls_on_a_plain_port_is_told() -> None:
    row = next(row for row in file_rows(NGINX / "combined.log") if row["transport_error"])
    assert (row["transport_error"], row["status"], row["method"]) == ("tls", 400, None)


def test_nginx_escapes_are_undone() -> None:
    odd = next(row for row in file_rows(NGINX / "combined.log") if "quote" in str(row["path"]))
    assert odd["path"] == '/quote"back\\slash订'
    assert odd["request_headers"] == [{"name": "User-Agent", "value": '"q\\u" 店'}]


@pytest.mark.parametrize("name", ["combined_us", "vhost", "parts"])
def test_every_layout_of_apache_tells_the_same_requests(name: str) -> None:
    found = file_rows(APACHE / f"{name}.log")
    assert [(row["method"], row["path"], row["query"], row["status"]) for row in found] == [
        ("GET", "/ok.json", "a=1&b=%E8%AE%A2", 200),
        ("GET", "/empty.json", None, 200),
        ("GET", "/gone", None, 404),
        ("GET", "/private/x", None, 403),
        (None, None, None, 400),
        ("FOO", "/odd", None, 501),
        (None, None, None, 408),
    ]


def test_apache_stamps_the_start_and_counts_microseconds() -> None:
    first = file_rows(APACHE / "combined_us.log")[0]
    assert isinstance(first["duration_ms"], float)
    assert 0 < first["duration_ms"] < 100
    assert first["started_at"] == datetime.strptime(str(first["raw_stamp"]), "%d/%b/%Y:%H:%M:%S %z")
    assert first["request_headers"] == [
        {"name": "Referer", "value": 'https://example.com/"x"'},
        {"name": "User-Agent", "value": 'Push "quoted" \\ 1.0'},
    ]


def test_a_virtual_host_is_the_host() -> None:
    first = file_rows(APACHE / "vhost.log")[0]
    assert (first["host"], first["port"], first["url"]) == ("shop.example.com", 80, "/ok.json?a=1&b=%E8%AE%A2")


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("log_format x '$remote_addr $status \"$request\"';", id="directive"),
        pytest.param("'$remote_addr $status \"$request\"'", id="quoted"),
        pytest.param('$remote_addr $status "$request"', id="bare nginx"),
        pytest.param('%h %>s "%r"', id="bare apache"),
        pytest.param('LogFormat "%h %>s \\"%r\\"" short', id="LogFormat"),
        pytest.param("log_format x escape=json\n  '$remote_addr $status '\n  '\"$request\"';", id="several strings"),
    ],
)
def test_a_given_layout_is_followed(form: str) -> None:
    row = one('203.0.113.7 502 "PUT /a?b=c HTTP/2.0"', form)
    assert (row["client_address"], row["status"], row["method"], row["query"]) == ("203.0.113.7", 502, "PUT", "b=c")
    assert (row["http_version"], row["time_quality"]) == ("2", "missing")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(LINE + " 0.125", {"duration_ms": 125.0}, id="bare request time"),
        pytest.param(LINE + ' rt=1.5 us="502, 200"', {"duration_ms": 1500.0}, id="keyed request time"),
        pytest.param(LINE + " 125", {"duration_ms": None}, id="a bare integer has no unit"),
        pytest.param(LINE + ' request_id="abc-1"', {"trace_id": "abc-1"}, id="request id"),
        pytest.param("shop.example:8443 " + LINE, {"host": "shop.example", "port": 8443}, id="virtual host"),
        pytest.param("Nov 23 23:34:20 web1 nginx: " + LINE, {"path": "/hook"}, id="syslog"),
        pytest.param("<190>Nov 23 23:34:20 web1 nginx[7]: " + LINE, {"path": "/hook"}, id="syslog with priority"),
        pytest.param("2026-11-23T15:34:20.1234Z stdout F " + LINE, {"path": "/hook"}, id="kubernetes"),
        pytest.param("web-1  | " + LINE, {"path": "/hook"}, id="compose"),
        pytest.param('{"log":' + json.dumps(LINE + "\n") + "}", {"path": "/hook"}, id="docker json"),
        pytest.param(LINE.replace("- - [", "- shop user ["), {"status": 200}, id="blank in the user"),
        pytest.param(LINE.replace(":23:34:20 +0800", " 23:34:20"), {"zone_basis": "assumed"}, id="no zone"),
        pytest.param(LINE.replace("200 7", "000 0"), {"status": None, "answer_state": "missing"}, id="status 000"),
        pytest.param(LINE.replace("POST /hook?a=1 HTTP/1.1", "-"), {"method": None, "status": 200}, id="no request"),
        pytest.param(LINE + "\r", {"status": 200}, id="crlf"),
    ],
)
def test_variants(line: str, expected: dict[str, object]) -> None:
    row = one(line)
    assert {name: row[name] for name in expected} == expected
    if row["zone_basis"] == "given" and row["duration_ms"] is None:
        assert row["started_at"] == datetime(2026, 11, 23, 15, 34, 20, tzinfo=UTC)


HOSTILE = [
    LINE,
    LINE.replace("Push/1.0", '\\"quoted\\" agent'),
    LINE.replace("POST /hook?a=1 HTTP/1.1", "GET /a b c HTTP/1.1"),
    LINE.replace("POST /hook?a=1 HTTP/1.1", "\\x16\\x03\\x01"),
    LINE.replace("POST /hook?a=1 HTTP/1.1", "GET /" + "a" * 200_000 + " HTTP/1.1"),
    "no access line at all",
    'x" y "z',
    "",
]


def test_one_odd_line_changes_no_other() -> None:
    usual = rows("\n".join([LINE] * 50) + "\n")
    mixed = rows("\n".join([*HOSTILE, *[LINE] * 50]) + "\n")
    assert len(mixed) == 5 + 50
    for alone, among in zip(usual, mixed[5:], strict=True):
        assert alone | {"line": 0, "locator": ""} == among | {"line": 0, "locator": ""}


def test_lines_are_numbered_in_the_file_and_unread_ones_are_problems() -> None:
    source, parts = read(("\n".join(HOSTILE) + "\n").encode())
    assert [line for part in parts for line in part.exchanges["line"]] == [1, 2, 3, 4, 5]
    assert [(p.kind, p.line) for part in parts for p in part.problems] == [("malformed", 6), ("malformed", 7)]
    assert parts[0].balance.irrelevant == {"blank line": 1}
    assert accounted(parts) == source.given


def test_a_line_beyond_the_bound_is_left_out() -> None:
    long = LINE.replace("/hook", "/" + "a" * (2 << 20))
    _, parts = read(f"{LINE}\n{long}\n{LINE}\n".encode())
    assert parts[0].exchanges["line"].to_list() == [1, 3]
    assert [(p.kind, p.line) for p in parts[0].problems] == [("limit", 2)]


def test_error_lines_in_between_are_records() -> None:
    error = "2026/11/23 23:34:23 [error] 1#1: *5 connect() failed (111: Connection refused), client: 203.0.113.7"
    _, parts = read(f"{LINE}\n{error}\n".encode())
    assert parts[0].exchanges.height == 1
    assert parts[0].records["level"].to_list() == ["ERROR"]
    assert parts[0].records.schema == pl.Schema(RECORDS)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(
            '{"ts":1795475660.5,"client_ip":"203.0.113.7","method":"POST","path":"/h","status":200}', id="epoch"
        ),
        pytest.param(
            '{"time":"1795475660500","client":"203.0.113.7","request":"POST /h HTTP/1.1","status":"200"}',
            id="epoch ms",
        ),
        pytest.param(
            '{"@timestamp":"2026-11-23T23:14:20.5Z","remote_addr":"203.0.113.7","request_method":"POST",'
            '"request_uri":"/h","status":200}',
            id="ISO",
        ),
    ],
)
def test_json_keys_of_other_makers(line: str) -> None:
    row = one(line)
    assert (row["method"], row["path"], row["status"], row["client_address"]) == ("POST", "/h", 200, "203.0.113.7")
    assert row["started_at"] == datetime(2026, 11, 23, 23, 14, 20, 500_000, tzinfo=UTC)


def test_envoy_in_json_stamps_the_start_in_milliseconds() -> None:
    row = one(
        '{"start_time":"2026-11-23T23:14:20.500Z","method":"POST","path":"/h","protocol":"HTTP/2","response_code":503,'
        '"response_flags":"UF","duration":91,"authority":"shop.example","x_forwarded_for":"203.0.113.7"}'
    )
    assert (row["duration_ms"], row["transport_error"], row["host"]) == (91.0, "connect", "shop.example")
    assert row["started_at"] == datetime(2026, 11, 23, 23, 14, 20, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "known"),
    [
        pytest.param(LINE.encode(), True, id="combined"),
        pytest.param((NGINX / "json.log").read_bytes(), True, id="json"),
        pytest.param((NGINX / "json_bare.log").read_bytes(), True, id="broken json"),
        pytest.param(b'{"level":"info","msg":"hello","time":"2026-11-23T23:14:20Z"}\n', False, id="other json"),
        pytest.param(b"2026-11-23 10:00:00 INFO nothing here\n", False, id="text"),
        pytest.param(b"", False, id="empty"),
        pytest.param(bytes(range(256)), False, id="binary"),
    ],
)
def test_sniffing(head: bytes, known: bool) -> None:
    assert (AccessLogReader().sniff(head, "x.log").score > 80) is known


def test_a_layout_declared_beside_the_log_makes_it_known() -> None:
    shop, elsewhere = (
        AccessLogReader().sniff((NGINX / "shop.log").read_bytes(), name) for name in (str(NGINX / "shop.log"), "x")
    )
    assert (shop.score, elsewhere.score) == (95, 0)


SEEDS = [(NGINX / f"{name}.log").read_bytes() for name in ("combined", "timed", "json")]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 2000), st.integers(0, 2000), st.binary(max_size=60))
def test_cut_and_spliced_logs_never_fail(seed: bytes, start: int, end: int, noise: bytes) -> None:
    source, parts = read(seed[:start] + noise + seed[end:])
    assert accounted(parts) == source.given


@pytest.mark.parametrize(
    "line",
    [
        '2026-11-23 23:11:57,127 - urllib3.connectionpool - DEBUG - http://127.0.0.1:80 "POST /list HTTP/1.1" 502 47',
        '2026-11-23 23:11:57,127 DEBUG urllib3.connectionpool https://api.example.com:443 "POST /x HTTP/1.1" 200 4',
        'DEBUG:urllib3.connectionpool:https://api.example.com:443 "POST /list HTTP/1.1" 502 47',
        'https://api.example.com:443 "POST /list HTTP/1.1" 502 47',
    ],
)
def test_a_client_that_quotes_a_request_line_is_no_access_log(line: str) -> None:
    assert AccessLogReader().sniff(line.encode() + b"\n", "erp.log").score == 0


def test_a_line_behind_syslog_needs_no_stamp_of_its_own() -> None:
    row = one('Mar 24 14:02:50 web1 tomcat.log: 127.0.0.1 - - "GET /a.js HTTP/1.1" 404 65508 4.386')
    assert (row["client_address"], row["status"], row["duration_ms"]) == ("127.0.0.1", 404, 4386.0)
    assert (row["path"], row["started_at"], row["time_quality"]) == ("/a.js", None, "missing")


@pytest.mark.parametrize(
    ("status", "action", "told"),
    [(403, "block", "front action: block"), (200, "block", None), (403, "allow", None), (403, "", None)],
    ids=["refused", "answered all the same", "let through", "no action"],
)
def test_what_the_firewall_in_front_did(status: int, action: str, told: str | None) -> None:
    line = {
        "ClientIP": "203.0.113.7", "ClientRequestHost": "hooks.shop.example", "ClientRequestMethod": "POST",
        "ClientRequestURI": "/hooks/acme", "ClientRequestUserAgent": "Acme-Hooks/1.0", "EdgeResponseStatus": status,
        "EdgeStartTimestamp": "2026-06-01T01:00:00Z", "OriginResponseStatus": 0, "SecurityAction": action,
    }  # fmt: skip
    [row] = rows(json.dumps(line) + "\n", "cloudflare.jsonl")
    assert (row["method"], row["path"], row["status"]) == ("POST", "/hooks/acme", status)
    assert row["transport_error_text"] == told
