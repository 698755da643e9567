"""Charles, Fiddler, Burp and newman: what each writes, and what each leaves out."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from typing import Any

import pytest

from openclaw_forensics.ingest.rawhttp import absolute, message, request_line, status_line
from tests.ingest.readers import kinds, read, rows

# ---- raw messages


def test_a_raw_message() -> None:
    parsed = message(b"\r\nPOST /x HTTP/1.1\r\nA: 1\r\nA: 2\r\nLong: a\r\n  b\r\nodd\r\n\r\nbody\r\n\r\nmore")
    assert parsed is not None
    assert parsed.headers == [("A", "1"), ("A", "2"), ("Long", "a b")]
    assert parsed.body == b"body\r\n\r\nmore"
    assert message(b"\r\n") is None


@pytest.mark.parametrize(
    ("first", "parts"),
    [
        ("GET /a b HTTP/1.1", ("GET", "/a b", "HTTP/1.1")),
        ("GET /", ("GET", "/", None)),
        ("", (None, None, None)),
        ("\x16\x03\x01", (None, None, None)),
    ],
)
def test_request_lines(first: str, parts: tuple[str | None, ...]) -> None:
    assert request_line(first) == parts


def test_status_lines() -> None:
    assert status_line("HTTP/1.1 404 Not Found") == (404, "HTTP/1.1")
    assert status_line("HTTP/2 200") == (200, "HTTP/2")
    assert status_line("nonsense") == (None, None)


def test_absolute_urls() -> None:
    assert absolute("/a?u=http://x", [("Host", "h:1")], "https") == "https://h:1/a?u=http://x"
    assert absolute("http://h/a", [], "https") == "http://h/a"
    assert absolute("/a", [], "https") == "/a"


# ---- Charles


def charles(**changes: Any) -> dict[str, Any]:
    half = {
        "sizes": {"body": "2"},
        "mimeType": "application/json",
        "header": {"headers": [{"name": "A", "value": "1"}]},
    }
    return {
        "status": "COMPLETE", "method": "POST", "protocolVersion": "HTTP/1.1", "scheme": "https",
        "host": "api.example.com",
        "port": None, "actualPort": 443, "path": "/v1/orders", "query": "a=1", "tunnel": False,
        "remoteAddress": "api.example.com/203.0.113.9", "clientAddress": "/192.0.2.7",
        "times": {"start": "2026-03-01T12:28:34.006+03:00"}, "durations": {"total": 1236, "dns": 0},
        "request": half | {"body": {"text": "{}", "charset": None}},
        "response": half | {"status": 201, "body": {"encoding": "base64", "encoded": "5ZWG"}},
    } | changes  # fmt: skip


def sessions(*transactions: dict[str, Any]) -> bytes:
    return json.dumps(list(transactions)).encode()


def test_a_charles_transaction() -> None:
    [row] = rows(read(sessions(charles()), "a.chlsj")).to_dicts()
    assert (row["locator"], row["url"], row["status"]) == ("ptr:/0", "https://api.example.com/v1/orders?a=1", 201)
    assert (str(row["started_at"]), row["zone_basis"]) == ("2026-03-01 09:28:34.006000+00:00", "given")
    assert (row["duration_ms"], row["client_address"], row["server_address"]) == (1236.0, "192.0.2.7", "203.0.113.9")
    assert (row["request_body"], row["response_body"], row["http_version"]) == ("{}", "商", "1.1")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        pytest.param(
            {"notes": "began prior to session being cleared, body has not been captured"}, "not_recorded", id="lost"
        ),
        pytest.param({"response": {"status": 200}}, "not_recorded", id="no body"),
        pytest.param({"response": {"status": 200, "sizes": {"body": 0}, "body": {"text": ""}}}, "empty", id="empty"),
        pytest.param(
            {"response": {"status": 200, "sizes": {"body": 9}, "body": {"text": ""}}}, "not_recorded", id="dropped"
        ),
        pytest.param({"response": {"status": 200, "body": {"encoded": "!"}}}, "undecodable", id="no base64"),
    ],
)
def test_charles_bodies(changes: dict[str, Any], state: str) -> None:
    assert rows(read(sessions(charles(**changes)), "a.chlsj"))["response_body_state"].to_list() == [state]


def test_a_failed_charles_transaction() -> None:
    failed = charles(status="FAILED", response=None, errorMessage="java.net.UnknownHostException: api.example.com")
    [row] = rows(read(sessions(failed), "a.chlsj")).to_dicts()
    assert (row["status"], row["answer_state"], row["transport_error"]) == (None, "missing", "dns")


def test_charles_tunnels_are_counted() -> None:
    result = read(sessions(charles(tunnel=True, method="CONNECT", path=None), charles()), "a.chlsj")
    assert (rows(result)["locator"].to_list(), kinds(result)) == (["ptr:/1"], ["filtered"])


def test_a_cut_charles_session() -> None:
    result = read(sessions(charles(), charles())[:-50], "a.chlsj")
    assert (rows(result).height, kinds(result)) == (1, ["truncated"])


# ---- Fiddler

TIMERS = (
    '\ufeff<?xml version="1.0"?><Session><SessionTimers ClientBeginRequest="2026-03-01T10:00:00.1234567+08:00" '
    'ServerDoneResponse="2026-03-01T10:00:01.1234567+08:00"/><SessionFlags><SessionFlag N="x-hostip" V="203.0.113.9"/>'
    '<SessionFlag N="x-clientIP" V="::ffff:127.0.0.1"/></SessionFlags></Session>'
)


def saz(sessions: dict[str, dict[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, texts in sessions.items():
            for kind, data in texts.items():
                archive.writestr(f"raw/{number}_{kind}.{'xml' if kind == 'm' else 'txt'}", data)
    return stream.getvalue()


ASKED = b"POST https://api.example.com/v1?a=1 HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 2\r\n\r\n{}"
ZIPPED = gzip.compress("商".encode(), mtime=0)
ANSWERED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
    len(ZIPPED),
    ZIPPED,
)


def test_a_fiddler_session() -> None:
    [row] = rows(read(saz({"01": {"c": ASKED, "s": ANSWERED, "m": TIMERS.encode()}}), "a.saz")).to_dicts()
    assert (row["locator"], row["method"], row["url"]) == ("flow:1", "POST", "https://api.example.com/v1?a=1")
    assert (row["request_body"], row["response_body"], row["status"]) == ("{}", "商", 200)
    assert (str(row["started_at"]), row["duration_ms"]) == ("2026-03-01 02:00:00.123456+00:00", 1000.0)
    assert (row["client_address"], row["server_address"]) == ("127.0.0.1", "203.0.113.9")


def test_fiddlers_own_pages_are_no_answers() -> None:
    page = b'HTTP/1.1 502 Fiddler - DNS Lookup Failed\r\n\r\n[Fiddler] DNS Lookup for "a" failed. No such host is known'
    [row] = rows(read(saz({"1": {"c": ASKED, "s": page}}), "a.saz")).to_dicts()
    assert (row["status"], row["answer_state"], row["transport_error"]) == (None, "missing", "dns")


def test_fiddler_sessions_come_by_number_and_tunnels_are_counted() -> None:
    tunnel = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
    opened = b"HTTP/1.1 200 Blind Tunnel\r\n\r\nThis is a tunnel"
    members = {
        "10": {"c": ASKED, "s": b""},
        "2": {"c": ASKED, "s": ANSWERED, "w": b"x"},
        "3": {"c": tunnel, "s": opened},
    }
    result = read(saz(members), "a.saz")
    assert rows(result)["locator"].to_list() == ["flow:2", "flow:10"]
    assert rows(result)["answer_state"].to_list() == ["answered", "missing"]
    assert kinds(result) == ["filtered", "filtered"]


def test_a_protected_fiddler_archive() -> None:
    data = bytearray(saz({"1": {"c": ASKED}}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    result = read(bytes(data), "a.saz")
    assert (kinds(result), rows(result).height) == (["encrypted"], 0)


def test_broken_fiddler_metadata_keeps_the_session() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    frame = rows(read(saz({"1": {"c": ASKED, "m": bomb}, "2": {"c": ASKED, "m": b"<x"}}), "a.saz"))
    assert frame["time_quality"].to_list() == ["missing", "missing"]


# ---- Burp

BURP_HEAD = (
    '<?xml version="1.1"?>\n<!DOCTYPE items [\n<!ELEMENT items (item*)>\n<!ATTLIST items burpVersion CDATA "">\n]>\n'
    '<items burpVersion="2025.1" exportTime="Tue Jul 22 10:30:00 IDT 2025">'
)


def burp_item(
    asked: bytes, answered: bytes | None, *, encoded: bool = True, stamp: str = "Tue Jul 22 10:25:57 IDT 2025"
) -> bytes:
    def part(tag: str, data: bytes | None) -> bytes:
        flag = b'base64="true"' if encoded else b'base64="false"'
        if data is None:
            return b"<%b %b></%b>" % (tag.encode(), flag, tag.encode())
        content = (
            base64.b64encode(data) if encoded else data.replace(b"\r\n", b"\n").replace(b"]]>", b"]]]]><![CDATA[>")
        )
        return b"<%b %b><![CDATA[%b]]></%b>" % (tag.encode(), flag, content, tag.encode())

    return (
        (
            f"<item>\n<time>{stamp}</time><url><![CDATA[https://api.example.com/v1?a=1&b=2]]></url>"
            f'<host ip="203.0.113.9">api.example.com</host><protocol>https</protocol><extension>null</extension>'
        ).encode()
        + part("request", asked)
        + b"<status></status>"
        + part("response", answered)
        + b"<comment></comment></item>\n"
    )


def burp(*items: bytes) -> bytes:
    return BURP_HEAD.encode() + b"\n".join(items) + b"</items>"


BURP_ASKED = b"POST /v1?a=1&b=2 HTTP/2\r\nHost: api.example.com\r\n\r\n{}"
BURP_ANSWERED = b"HTTP/2 200 OK\r\nDate: Tue, 22 Jul 2025 07:25:58 GMT\r\n\r\nok ]]> \x00!"


@pytest.mark.parametrize("encoded", [True, False], ids=["base64", "plain"])
def test_a_burp_item(encoded: bool) -> None:
    result = read(burp(burp_item(BURP_ASKED, BURP_ANSWERED, encoded=encoded)), "a.xml")
    [row] = rows(result).to_dicts()
    assert (row["method"], row["url"], row["status"]) == ("POST", "https://api.example.com/v1?a=1&b=2", 200)
    assert (row["http_version"], row["server_address"]) == ("2", "203.0.113.9")
    assert (row["request_body"], row["request_body_exact"], row["response_body"]) == ("{}", encoded, "ok ]]> \x00!")
    assert (str(row["started_at"]), row["zone_basis"]) == ("2025-07-22 07:25:57+00:00", "inferred")
    assert (row["time_quality"], result.writer) == ("second", "Burp 2025.1")


@pytest.mark.parametrize(
    ("stamp", "date", "basis"),
    [
        ("Tue Jul 22 10:25:57 GMT 2025", b"", "given"),
        ("Tue Jul 22 10:25:57 CST 2025", b"", "assumed"),
        ("Tue Jul 22 10:25:57 CST 2025", b"Tue, 22 Jul 2019 07:25:58 GMT", "assumed"),
        ("Tue Jul 22 10:25:57 CST 2025", b"soon", "assumed"),
    ],
)
def test_burp_zones(stamp: str, date: bytes, basis: str) -> None:
    answered = b"HTTP/1.1 200 OK\r\nDate: " + date + b"\r\n\r\nok"
    [row] = rows(read(burp(burp_item(BURP_ASKED, answered, stamp=stamp)), "a.xml")).to_dicts()
    assert (str(row["started_at"]), row["zone_basis"]) == ("2025-07-22 10:25:57+00:00", basis)


def test_a_burp_item_without_answer() -> None:
    [row] = rows(read(burp(burp_item(BURP_ASKED, None)), "a.xml")).to_dicts()
    assert (row["status"], row["answer_state"], row["response_body_state"]) == (None, "missing", "not_recorded")


def test_a_cut_burp_export() -> None:
    data = burp(burp_item(BURP_ASKED, BURP_ANSWERED), burp_item(BURP_ASKED, BURP_ANSWERED))[:-60]
    result = read(data, "a.xml")
    assert (rows(result).height, kinds(result)) == (1, ["truncated"])


# ---- newman


def execution(**changes: Any) -> dict[str, Any]:
    url = {"protocol": "https", "host": ["api", "example", "com"], "port": "8443", "path": ["v1", "orders"],
           "query": [{"key": "a", "value": "1"}, {"key": "b", "value": None},
                     {"key": "c", "disabled": True}]}  # fmt: skip
    return {
        "item": {"name": "orders"},
        "request": {"url": url, "method": "POST", "header": [{"key": "A", "value": "1"}],
                    "body": {"mode": "raw", "raw": "{}"}},
        "response": {"code": 200, "responseTime": 250, "responseSize": 3, "header": [{"key": "B", "value": "2"}],
                     "stream": {"type": "Buffer", "data": [229, 149, 134]}},
    } | changes  # fmt: skip


def report(*executions: dict[str, Any]) -> bytes:
    run = {"stats": {}, "timings": {"started": 1772359200000, "completed": 1}, "executions": executions, "failures": []}
    collection = {"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}}
    return json.dumps({"collection": collection, "run": run}).encode()


def test_newman_executions() -> None:
    frame = rows(read(report(execution(), execution()), "newman.json"))
    first, second = frame.to_dicts()
    assert (first["locator"], first["url"]) == ("ptr:/run/executions/0", "https://api.example.com:8443/v1/orders?a=1&b")
    assert (first["request_headers"], first["request_body"]) == ([{"name": "A", "value": "1"}], "{}")
    assert (first["status"], first["response_body"], first["duration_ms"]) == (200, "商", 250.0)
    assert [str(row["started_at"])[17:] for row in (first, second)] == ["00+00:00", "00.250000+00:00"]
    assert second["time_quality"] == "derived"


@pytest.mark.parametrize(
    ("body", "text", "state"),
    [
        pytest.param(None, "", "empty", id="none"),
        pytest.param(
            {"mode": "urlencoded", "urlencoded": [{"key": "a b", "value": "1"}]}, "a+b=1", "reconstructed", id="form"
        ),
        pytest.param({"mode": "file", "file": {"src": "x"}}, None, "not_recorded", id="file"),
    ],
)
def test_newman_bodies(body: object, text: str | None, state: str) -> None:
    request = {"url": "https://a.example/", "method": "POST", "body": body}
    [row] = rows(read(report(execution(request=request)), "n.json")).to_dicts()
    assert (row["request_body"], row["request_body_state"], row["url"]) == (text, state, "https://a.example/")


def test_a_newman_request_that_failed() -> None:
    error = {"errno": "ENOTFOUND", "code": "ENOTFOUND", "message": "getaddrinfo ENOTFOUND a.example"}
    [row] = rows(read(report(execution(response=None, requestError=error)), "n.json")).to_dicts()
    assert (row["answer_state"], row["transport_error"]) == ("missing", "dns")


def test_a_cut_newman_report() -> None:
    result = read(report(execution(), execution())[:-120], "n.json")
    assert (rows(result).height, kinds(result)) == (1, ["truncated"])
