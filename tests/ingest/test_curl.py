# ruff: noqa: E501  captures stand as curl prints them

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.ingest.curl import CurlReader
from openclaw_forensics.ingest.textlog import TextLogReader
from tests.ingest.logs import accounted, exchanges, parts

READER = CurlReader()
VERBOSE = """$ curl -v -X PUT https://one.example/orders -d '{"a":1}'
*   Trying 203.0.113.5:443...
* Connected to one.example (203.0.113.5) port 443 (#0)
* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
> PUT /orders HTTP/2
> Host: one.example
> User-Agent: curl/8.5.0
>\x20
< HTTP/2 403\x20
< date: Mon, 23 Nov 2026 23:43:29 GMT
< content-type: application/json
<\x20
{ [21 bytes data]
{"code":7,
"msg":"no"}
* Connection #0 to host one.example left intact
"""
TIMEOUT = """> GET /x HTTP/1.1
> Host: two.example
>
curl: (28) Operation timed out after 30001 milliseconds with 0 bytes received
"""
ASCII = """10:00:00.123456 == Info:   Trying 203.0.113.5:80...
10:00:00.133456 => Send header, 83 bytes (0x53)
0000: POST /a?b=1 HTTP/1.1
0016: Host: one.example
0027:\x20
=> Send data, 7 bytes (0x7)
0000: {"a":1}
10:00:00.233456 <= Recv header, 22 bytes (0x16)
0000: HTTP/1.1 502 Bad Gateway
<= Recv header, 2 bytes (0x2)
0000:\x20
<= Recv data, 5 bytes (0x5)
0000: <htm>
"""
HEX = """=> Send header, 23 bytes (0x17)
0000: 47 45 54 20 2f 61 20 48 54 54 50 2f 31 2e 31 0d GET /a HTTP/1.1.
0010: 0a 0d 0a                                        ...
<= Recv header, 17 bytes (0x11)
0000: 48 54 54 50 2f 31 2e 31 20 32 30 30 20 4f 4b 0d HTTP/1.1 200 OK.
0010: 0a                                              .
"""
TUNNEL_REFUSED = """* Connected to proxy.example (198.51.100.1) port 8081
> CONNECT one.example:443 HTTP/1.1
> Host: one.example:443
>
< HTTP/1.1 407 Proxy Authentication Required
<
curl: (56) Received HTTP code 407 from proxy after CONNECT
"""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "verbose": (
        VERBOSE,
        {"method": "PUT", "url": "https://one.example/orders", "status": 403, "http_version": "2", "request_body": '{"a":1}',
         "response_body": '{"code":7,\n"msg":"no"}', "started_at": datetime(2026, 11, 23, 23, 43, 29, tzinfo=UTC), "time_quality": "derived"},
    ),
    "timeout": (TIMEOUT, {"method": "GET", "path": "/x", "host": "two.example", "status": None, "transport_error": "timeout"}),
    "unresolved": (
        "$ curl -v https://three.example/slow\n* Could not resolve host: three.example\ncurl: (6) Could not resolve host: three.example\n",
        {"url": "https://three.example/slow", "transport_error": "dns"},
    ),
    "trace-ascii": (
        ASCII,
        {"method": "POST", "url": "http://one.example/a?b=1", "status": 502, "request_body": '{"a":1}', "response_body": "<htm>"},
    ),
    "trace-hex": (HEX, {"method": "GET", "path": "/a", "status": 200}),
    "tunnel-refused": (TUNNEL_REFUSED, {"method": "CONNECT", "host": "one.example", "transport_error": "proxy", "status": 407}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_form_of_curls_output(name: str) -> None:
    text, expected = CASES[name]
    (row,) = exchanges(READER, text)
    assert {key: row[key] for key in expected} == expected


@pytest.mark.parametrize("name", CASES)
def test_every_byte_is_accounted_for(name: str) -> None:
    assert accounted(parts(READER, CASES[name][0])) == len(CASES[name][0])


def test_several_calls_in_one_text_keep_their_lines() -> None:
    found = exchanges(READER, VERBOSE + TIMEOUT)
    assert [(row["status"], row["locator"]) for row in found] == [(403, "lines:1-16"), (None, "lines:17-20")]


def test_an_established_tunnel_is_no_call() -> None:
    tunnel = (
        "> CONNECT one.example:443 HTTP/1.1\n> Host: one.example:443\n>\n< HTTP/1.1 200 Connection established\n<\n"
    )
    assert [row["method"] for row in exchanges(READER, tunnel + VERBOSE.split("\n", 1)[1])] == ["PUT"]


def test_curls_output_inside_a_log_is_read_there() -> None:
    text = "2024-05-01 10:00:00 DEBUG transfer\n" + VERBOSE.split("\n", 1)[1]
    (row,) = exchanges(TextLogReader(), text)
    assert (row["status"], row["url"]) == (403, "https://one.example/orders")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        pytest.param(VERBOSE, 80, 90, id="verbose"),
        pytest.param(ASCII, 80, 90, id="trace"),
        pytest.param("> quoted mail\n> POST office\n", 0, 0, id="mail"),
        pytest.param("2024-05-01 10:00:00 x\n" * 5 + TIMEOUT + "< HTTP/1.1 200 OK\n", 0, 20, id="a log"),
    ],
)
def test_sniffing(text: str, low: int, high: int) -> None:
    assert low <= READER.sniff(text.encode(), "x.txt").score <= high


ALL_TEXT = "".join(text for text, _ in CASES.values())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(ALL_TEXT)), st.text(max_size=20))
def test_no_cut_or_splice_raises_or_loses_a_byte(at: int, junk: str) -> None:
    text = (ALL_TEXT[:at] + junk).encode("utf-8", "replace") + ALL_TEXT[at:].encode()
    assert accounted(parts(READER, text.decode("utf-8", "replace"))) == len(text.decode("utf-8", "replace").encode())
