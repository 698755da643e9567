"""Logs of what went over a connection, or of whole messages: Logbook, netty's wiretap, Kubernetes' cut lines."""

from __future__ import annotations

import pytest

from openclaw_forensics.ingest.jsonlines import JsonLinesReader
from openclaw_forensics.ingest.textlog import TextLogReader
from tests.ingest.logs import accounted, brief, exchanges, parts

HEAD = "2026-11-23 23:11:57.{ms} {level} 1 --- [{thread}] {logger} : "
BOOK = HEAD.format(ms="100", level="TRACE", thread="exec-1", logger="org.zalando.logbook.Logbook")
OUT = HEAD.format(ms="{ms}", level="DEBUG", thread="nio-2", logger="r.n.http.client.HttpClient")
IN = HEAD.format(ms="{ms}", level="DEBUG", thread="nio-3", logger="r.n.http.server.HttpServer")
PLACE = "[4c1e7b3f-1, L:/10.0.0.4:51544 - R:api.example.com/203.0.113.1:443] "
HTTP = f"""\
{BOOK}Outgoing Request: id-1
Remote: api.example.com
POST https://api.example.com/order?page=1 HTTP/1.1
Content-Type: application/json

{{"orderNo":"A-1"}}
{BOOK}Incoming Request: id-2
Remote: 203.0.113.9
POST http://erp.example.com/hooks/shop HTTP/1.1

{{"event":"order"}}
{BOOK}Outgoing Response: id-2
Duration: 25 ms
HTTP/1.1 200 OK

{BOOK}Incoming Response: id-1
Duration: 200 ms
HTTP/1.1 429 Too Many Requests
Retry-After: 5

{{"code":429}}
"""
ASKED = (
    '{"origin":"local","type":"request","correlation":"c1","protocol":"HTTP/1.1","method":"POST",'
    '"uri":"https://api.example.com/order?page=1","headers":{"Content-Type":["application/json"]},'
    '"body":{"orderNo":"A-1"}}'
)
TOLD = (
    '{"origin":"remote","type":"response","correlation":"c1","duration":200,"status":429,'
    '"headers":{"Retry-After":["5"]},"body":{"code":429}}'
)
CALL = {
    "writer": "Logbook",
    "direction": "out",
    "method": "POST",
    "url": "https://api.example.com/order?page=1",
    "status": 429,
    "duration_ms": 200.0,
    "request_headers": [{"name": "Content-Type", "value": "application/json"}],
    "request_body": '{"orderNo":"A-1"}',
    "response_headers": [{"name": "Retry-After", "value": "5"}],
    "response_body": '{"code":429}',
}
TAPPED = f"""\
{OUT.format(ms="100")}{PLACE}WRITE: 90B POST /order HTTP/1.1
host: api.example.com
content-length: 17


{OUT.format(ms="101")}{PLACE}WRITE: 17B {{"orderNo":"A-1"}}
{OUT.format(ms="150")}{PLACE}READ COMPLETE
{OUT.format(ms="300")}{PLACE}READ: 60B HTTP/1.1 429 Too Many Requests
Transfer-Encoding: chunked

c
{{"code":429}}
{OUT.format(ms="301")}{PLACE}READ: 5B 0

{OUT.format(ms="400")}{PLACE}WRITE: 50B GET /late HTTP/1.1
host: api.example.com


{OUT.format(ms="900")}{PLACE}EXCEPTION: io.netty.handler.timeout.ReadTimeoutException
{IN.format(ms="950")}[id: 0x1c1e7b3f, L:/10.0.0.4:80 - R:/203.0.113.9:5000] READ: 40B
         +-------------------------------------------------+
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
+--------+-------------------------------------------------+----------------+
|00000000| 47 45 54 20 2f 68 6f 6f 6b 20 48 54 54 50 2f 31 |GET /hook HTTP/1|
|00000010| 2e 31 0d 0a 0d 0a                               |.1....          |
+--------+-------------------------------------------------+----------------+
{IN.format(ms="970")}[id: 0x1c1e7b3f, L:/10.0.0.4:80 - R:/203.0.113.9:5000] WRITE: 19B HTTP/1.1 204 No Content


"""
CRI = """\
2026-11-23T15:11:57.100000000Z stdout F 2026-11-23 23:11:57.100  INFO 1 --- [main] c.e.ShopApi : \
--> POST https://api.example.com/order http/1.1 (9-byte body)
2026-11-23T15:11:57.200000000Z stdout P 2026-11-23 23:11:57.200  INFO 1 --- [main] c.e.ShopApi : {"a":"x
2026-11-23T15:11:57.200000000Z stdout P y
2026-11-23T15:11:57.200000000Z stdout F z"}
2026-11-23T15:11:57.210000000Z stdout F 2026-11-23 23:11:57.210  INFO 1 --- [main] c.e.ShopApi : --> END POST
2026-11-23T15:11:57.300000000Z stdout F 2026-11-23 23:11:57.300  INFO 1 --- [main] c.e.ShopApi : \
<-- 200 OK https://api.example.com/order (22ms, 6-byte body)
"""


def test_logbook_as_http_pairs_by_its_id_and_tells_whose_the_call_is() -> None:
    call, hook = exchanges(TextLogReader(), HTTP)
    assert brief(call, *CALL) == CALL
    assert brief(hook, "direction", "status", "duration_ms", "request_body", "response_body_state") == {
        "direction": "inbound",
        "status": 200,
        "duration_ms": 25.0,
        "request_body": '{"event":"order"}',
        "response_body_state": "empty",
    }


def test_logbook_as_json_reads_the_same() -> None:
    (call,) = exchanges(TextLogReader(), f"{BOOK}{ASKED}\n{BOOK}{TOLD}\n")
    assert brief(call, *CALL) == CALL


def test_logbooks_json_may_be_the_message_of_a_json_line() -> None:
    lines = "".join(
        '{"@timestamp":"2026-11-23T15:11:57Z","level":"TRACE","message":"' + said.replace('"', '\\"') + '"}\n'
        for said in (ASKED, TOLD)
    )
    (call,) = exchanges(JsonLinesReader(), lines)
    assert brief(call, *CALL) == CALL


def test_a_wiretap_is_put_together_by_connection() -> None:
    call, late, hook = exchanges(TextLogReader(), TAPPED)
    assert brief(call, "method", "url", "request_body", "status", "response_body", "direction") == {
        "method": "POST",
        "url": "https://api.example.com/order",
        "request_body": '{"orderNo":"A-1"}',
        "status": 429,
        "response_body": '{"code":429}',
        "direction": "out",
    }
    assert (late["path"], late["status"], late["transport_error"]) == ("/late", None, "timeout")
    assert (hook["path"], hook["status"], hook["direction"]) == ("/hook", 204, "inbound")


def test_lines_that_kubernetes_cut_are_one_again() -> None:
    (call,) = exchanges(TextLogReader(), CRI)
    assert (call["request_body"], call["status"]) == ('{"a":"xyz"}', 200)


@pytest.mark.parametrize("log", [HTTP, TAPPED, CRI], ids=["logbook", "wiretap", "cri"])
def test_every_byte_is_accounted_for(log: str) -> None:
    assert accounted(parts(TextLogReader(), log)) == len(log.encode())


@pytest.mark.parametrize("message", ['{"origin":"here"}', '{"origin":"local","type":[]}', "Outgoing Request: \n"])
def test_what_only_looks_like_logbook_is_no_call(message: str) -> None:
    assert exchanges(TextLogReader(), f"{BOOK}{message}\n") == []
