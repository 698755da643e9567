"""Logs with a layout of their own: AWS ALB, Envoy, Squid, Caddy, W3C extended."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.ingest.alb import AlbReader
from openclaw_forensics.ingest.api import Part, Reader, ReadOptions
from openclaw_forensics.ingest.caddy import CaddyReader
from openclaw_forensics.ingest.envoy import EnvoyReader
from openclaw_forensics.ingest.haproxy import HaproxyReader
from openclaw_forensics.ingest.iis import W3CReader
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.squid import SquidReader

_ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/73e2d6bc24d8a067"
ALB = f"""\
http 2019-10-11T15:01:12.376735Z app/t/c86a326e7dc14222 203.0.113.7:56398 10.0.0.192:80 -1 -1 -1 460 - 125 0 \
"GET http://shop.example:80/hook HTTP/1.1" "Push/1.0" - - {_ARN} "Root=1-5da09932-2c342a" "-" "-" 0 \
2019-10-11T15:01:06.657000Z "forward" "-" "-"
h2 2019-10-11T15:01:12.376735Z app/t/c86a326e7dc14222 203.0.113.7:56398 10.0.0.192:80 0.001 0.440 0.002 200 200 125 9 \
"POST https://shop.example:443/hook?x=1 HTTP/2.0" "Push \\"1\\"" ECDHE TLSv1.2 {_ARN} "Root=1-5da09932-2c342b" \
"-" "-" 1 2019-10-11T15:01:11.933000Z "forward" "-" "-" "10.0.0.192:80" "200" "-" "-" TID_1
http 2018-11-30T22:23:00.186641Z app/t/50dc6c495c0c9188 203.0.113.7:2817 - -1 -1 -1 400 - 0 0 "- http://x:80- -" \
"-" - - - "-" "-" "-" 0 2018-11-30T22:22:48.364000Z "-" "-" "-"
"""
ENVOY = """\
[2026-11-23T23:34:20.123Z] "POST /hook?a=1 HTTP/1.1" 200 - 3 7 12 11 "203.0.113.7" "Push/1.0" "id-1" \
"shop.example" "10.0.0.1:80"
[2026-11-23T23:34:21.000Z] "POST /hook HTTP/1.1" 503 UF,URX 0 91 3 - "-" "Push/1.0" "id-2" \
"shop.example" "10.0.0.1:80"
[2026-11-23T23:34:22.000Z] "POST /hook HTTP/1.1" 0 DC 0 0 5000 - "-" "Push/1.0" "id-3" \
"shop.example" "10.0.0.1:80"
[2026-11-23T23:34:23.000Z] "- - -" 0 UF,URX 0 0 10 - "-" "-" "-" "-" "10.0.0.1:80"
"""
ISTIO = (
    '[2026-11-23T23:34:20.123Z] "GET /orders HTTP/1.1" 503 UF upstream_reset{connection_failure} - '
    '"TLS_error" 0 95 20 - "-" "erp/1" "id-4" "api.market.example" "203.0.113.9:443" '
    "outbound|443||api.market.example - 203.0.113.9:443 10.0.0.5:4 - default\n"
)
SQUID = """\
1795475660.500    456 10.0.0.5 TCP_MISS/200 1532 POST https://api.market.example/orders?a=1 - \
HIER_DIRECT/203.0.113.9 text/html
1795475661.000  60000 10.0.0.5 TCP_MISS_TIMEDOUT/504 0 GET http://api.market.example/slow - HIER_DIRECT/203.0.113.9 -
1795475662.000      0 10.0.0.5 NONE/000 0 GET http://gone.example/ - HIER_NONE/- -
1795475663.000     12 10.0.0.5 TCP_MISS_ABORTED/000 0 GET http://api.market.example/x - HIER_DIRECT/203.0.113.9 -
1795475664.000   9000 10.0.0.5 TCP_TUNNEL/200 9000 CONNECT api.market.example:443 - HIER_DIRECT/203.0.113.9 -
1795475665.000      5 10.0.0.5 TCP_DENIED/403 3900 CONNECT api.market.example:443 - HIER_NONE/- text/html
"""
CADDY = """\
{"level":"info","ts":1795475660.5,"logger":"http.log.access","msg":"handled request",\
"request":{"remote_ip":"203.0.113.7","proto":"HTTP/2.0","method":"POST","host":"shop.example:8443","uri":"/hook?a=1",\
"headers":{"User-Agent":["Push/1.0"],"Authorization":["REDACTED"],"X-A":["1","2"]},"tls":{"version":772}},"duration":0.25,"size":0,"status":401,\
"resp_headers":{"Server":["Caddy"]}}
{"level":"error","ts":1795475661,"logger":"http.log.error","msg":"dial tcp: connection refused",\
"request":{"method":"GET"}}
{"level":"info","ts":"2026/11/23 23:14:20.5","request":{"method":"GET","uri":"/x","headers":{}},\
"duration":0.1,"status":0}
not json
"""
IIS = """\
#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-23 23:34:20
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) \
sc-status sc-substatus sc-win32-status time-taken
2026-11-23 23:34:20 10.0.0.1 POST /hook a=1 443 203.0.113.7 Push/1.0+(shop+1) 200 0 0 250
2026-11-23 23:34:21 10.0.0.1 POST /hook - 443 203.0.113.7 Push/1.0 500 19 64 30000
#Software: Other Writer
#Date: 2026-11-24 00:00:00
#GMT-Offset: +0800
#Fields: time c-ip cs-method cs-uri cs-host sc-status time-taken
08:00:00 203.0.113.8 GET /page?b=2 shop.example 404 0.125
"""
HAPROXY = """\
Feb  6 12:14:14 lb haproxy[14389]: 10.0.1.2:33317 [06/Feb/2026:12:14:14.655] http-in static/srv1 10/0/30/69/109 \
200 2750 - - ---- 1/1/1/1/0 0/0 {shop.example} {} "GET /index.html HTTP/1.1"
Feb  6 12:14:15 lb haproxy[14389]: 10.0.1.2:33318 [06/Feb/2026:12:14:15.655] https-in~ erp/srv1 10/0/-1/-1/3009 \
503 212 - - SC-- 1/1/1/1/3 0/0 "POST /hooks/shop?a=1 HTTP/1.1"
haproxy[14389]: 10.0.1.2:33319 [06/Feb/2026:12:14:16.655] https-in~ erp/srv1 10/0/0/-1/30009 504 194 - - sH-- \
1/1/1/1/0 0/0 "POST /hooks/shop HTTP/1.1"
haproxy[14389]: 10.0.1.2:33320 [06/Feb/2026:12:14:17.655] http-in http-in/<NOSRV> -1/-1/-1/-1/10 -1 0 - - CR-- \
1/1/0/0/0 0/0 "<BADREQ>"
"""
READERS: dict[str, tuple[Reader, str]] = {
    "alb": (AlbReader(), ALB),
    "envoy": (EnvoyReader(), ENVOY),
    "istio": (EnvoyReader(), ISTIO),
    "squid": (SquidReader(), SQUID),
    "haproxy": (HaproxyReader(), HAPROXY),
    "caddy": (CaddyReader(), CADDY),
    "w3c": (W3CReader(), IIS),
}


def read(reader: Reader, data: bytes) -> tuple[Source, list[Part]]:
    source = Source("x.log", lambda: io.BytesIO(data))
    return source, list(reader.read(source, ReadOptions()))


def rows(name: str) -> list[dict[str, object]]:
    reader, text = READERS[name]
    return [row for part in read(reader, text.encode())[1] for row in part.exchanges.iter_rows(named=True)]


def accounted(parts: list[Part]) -> int:
    return sum(
        p.balance.exchanges + p.balance.records + p.balance.problems + sum(p.balance.irrelevant.values()) for p in parts
    )


@pytest.mark.parametrize(("reader", "text"), [pytest.param(*pair, id=name) for name, pair in READERS.items()])
def test_each_reader_knows_its_own_and_no_other(reader: Reader, text: str) -> None:
    assert reader.sniff(text.encode(), "x.log").score >= 80
    others = [other for _, other in READERS.values() if other != text and not {text, other} <= {ENVOY, ISTIO}]
    assert all(reader.sniff(other.encode(), "x.log").score == 0 for other in others)


@pytest.mark.parametrize(("reader", "text"), [pytest.param(*pair, id=name) for name, pair in READERS.items()])
def test_every_byte_is_accounted_for(reader: Reader, text: str) -> None:
    source, parts = read(reader, text.encode())
    assert accounted(parts) == source.given == len(text.encode())


@pytest.mark.parametrize(("reader", "text"), [pytest.param(*pair, id=name) for name, pair in READERS.items()])
@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 900), end=st.integers(0, 900), noise=st.binary(max_size=40))
def test_cut_and_spliced_logs_never_fail(reader: Reader, text: str, start: int, end: int, noise: bytes) -> None:
    data = text.encode()
    source, parts = read(reader, data[:start] + noise + data[end:])
    assert accounted(parts) == source.given


def test_alb_start_duration_and_who_answered() -> None:
    left, good, unread = rows("alb")
    assert left["started_at"] == datetime(2019, 10, 11, 15, 1, 6, 657000, tzinfo=UTC)
    assert left["duration_ms"] == pytest.approx(5719.735)
    assert (left["status"], left["answer_state"]) == (460, "missing")
    assert left["transport_error_text"] == "460: the client closed the connection before the balancer answered"
    assert (good["duration_ms"], good["http_version"], good["answer_state"]) == (443.0, "2", "answered")
    assert (good["url"], good["host"], good["query"]) == ("https://shop.example:443/hook?x=1", "shop.example", "x=1")
    assert good["request_headers"] == [{"name": "User-Agent", "value": 'Push "1"'}]
    assert (good["client_address"], good["server_address"]) == ("203.0.113.7", "10.0.0.192")
    assert (unread["method"], unread["status"]) == (None, 400)


def test_envoy_flags_tell_why() -> None:
    good, refused, left, none = rows("envoy")
    assert (good["transport_error"], good["duration_ms"], good["trace_id"]) == (None, 12.0, "id-1")
    assert good["started_at"] == datetime(2026, 11, 23, 23, 34, 20, 123000, tzinfo=UTC)
    assert (refused["transport_error"], refused["transport_error_text"]) == ("connect", "response flags UF,URX")
    assert (left["status"], left["answer_state"]) == (None, "missing")
    assert (none["method"], none["path"], none["status"]) == (None, None, None)


def test_istio_tells_a_call_out_of_the_mesh() -> None:
    (row,) = rows("istio")
    assert (row["direction"], row["host"], row["status"]) == ("out", "api.market.example", 503)
    assert "TLS_error" in str(row["transport_error_text"])


def test_squid_shows_our_calls_and_counts_tunnels() -> None:
    good, timed_out, refused, aborted, denied = rows("squid")
    assert {row["direction"] for row in rows("squid")} == {"out"}
    assert (good["host"], good["path"], good["duration_ms"]) == ("api.market.example", "/orders", 456.0)
    assert good["started_at"] == datetime(2026, 11, 23, 23, 14, 20, 44000, tzinfo=UTC)
    assert (timed_out["transport_error"], timed_out["status"]) == ("timeout", 504)
    assert (refused["transport_error"], refused["status"], refused["answer_state"]) == ("other", None, "missing")
    assert aborted["answer_state"] == "cancelled"
    assert (denied["transport_error"], denied["host"], denied["port"]) == ("proxy", "api.market.example", 443)
    problems = [problem for part in read(SquidReader(), SQUID.encode())[1] for problem in part.problems]
    assert [(problem.kind, problem.line) for problem in problems] == [("filtered", 5)]


def test_haproxy_termination_tells_who_broke_off() -> None:
    good, refused, slow, none = rows("haproxy")
    assert (good["method"], good["path"], good["status"], good["duration_ms"]) == ("GET", "/index.html", 200, 109.0)
    assert good["started_at"] == datetime(2026, 2, 6, 12, 14, 14, 655000, tzinfo=UTC)
    assert (good["zone_basis"], good["transport_error"], good["server_address"]) == ("assumed", None, "srv1")
    assert (refused["transport_error"], refused["status"]) == ("connect", 503)
    assert refused["transport_error_text"] == "termination state SC--, server srv1"
    assert slow["transport_error"] == "timeout"
    assert (none["method"], none["status"], none["answer_state"]) == (None, None, "missing")


def test_caddy_headers_are_whole_and_masked_where_it_says_so() -> None:
    refused, unanswered = rows("caddy")
    assert (refused["request_headers_state"], refused["response_headers_state"]) == ("masked", "recorded")
    assert {"name": "X-A", "value": "2"} in refused["request_headers"]  # type: ignore[operator]
    assert refused["url"] == "https://shop.example:8443/hook?a=1"
    assert refused["started_at"] == datetime(2026, 11, 23, 23, 14, 20, 250000, tzinfo=UTC)
    assert refused["response_body_state"] == "empty"
    assert (unanswered["status"], unanswered["answer_state"]) == (None, "missing")


def test_caddy_errors_are_records_and_other_text_is_a_problem() -> None:
    _, (part,) = read(CaddyReader(), CADDY.encode())
    assert part.records.select("level", "line", "message").rows() == [("ERROR", 2, "dial tcp: connection refused")]
    assert [(p.kind, p.line) for p in part.problems] == [("malformed", 4)]


def test_w3c_fields_may_change_on_the_way() -> None:
    good, failed, other = rows("w3c")
    assert (good["path"], good["query"], good["duration_ms"]) == ("/hook", "a=1", 250.0)
    assert good["started_at"] == datetime(2026, 11, 23, 23, 34, 19, 750000, tzinfo=UTC)
    assert good["request_headers"] == [{"name": "User-Agent", "value": "Push/1.0 (shop 1)"}]
    assert failed["query"] is None
    assert failed["transport_error_text"] == (
        "the peer closed the connection (64, network name no longer available), substatus 500.19"
    )
    assert other["started_at"] == datetime(2026, 11, 23, 23, 59, 59, 875000, tzinfo=UTC)
    assert (other["host"], other["path"], other["query"], other["status"]) == ("shop.example", "/page", "b=2", 404)


def test_w3c_without_a_status_column_misses_no_answer() -> None:
    _, (part,) = read(W3CReader(), b"#Fields: date time cs-method cs-uri-stem\n2026-11-23 23:34:20 GET /a\n")
    assert part.exchanges["answer_state"].to_list() == ["not_logged"]


def test_w3c_with_a_substatus_and_no_status() -> None:
    data = b"#Fields: date time cs-method cs-uri-stem sc-substatus\n2026-11-23 23:34:20 GET /a 19\n"
    _, (part,) = read(W3CReader(), data)
    assert part.exchanges.select("path", "status", "transport_error_text").rows() == [("/a", None, None)]


def test_w3c_without_directives_is_read_by_the_default_fields() -> None:
    line = (
        b"2020-10-07 23:00:17 10.0.0.1 POST /api/x - 443 - 203.0.113.7 Push/1.0 https://a.example/b 200 0 0 26 "
        b"198.51.100.1\n"
    )
    assert W3CReader().sniff(line, "u_ex.log").score == 80
    _, (part,) = read(W3CReader(), line)
    assert part.exchanges.select("path", "status", "duration_ms", "client_address").rows() == [
        ("/api/x", 200, 26.0, "203.0.113.7")
    ]


def test_w3c_quoted_values() -> None:
    data = (
        b"#Fields: date time cs(User-Agent) cs-method cs-uri-query cs-uri-stem sc-status\n"
        b'"2026-11-23" "23:34:20" "Push 1.0 (a b)" "GET" "" "/a" "200"\n'
    )
    _, (part,) = read(W3CReader(), data)
    row = part.exchanges.row(0, named=True)
    assert (row["path"], row["query"], row["status"]) == ("/a", None, 200)
    assert row["request_headers"] == [{"name": "User-Agent", "value": "Push 1.0 (a b)"}]
