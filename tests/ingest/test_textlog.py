# ruff: noqa: E501  log lines stand as their writers print them

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.errors import RuleError
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS
from openclaw_forensics.ingest.api import ReadOptions
from openclaw_forensics.ingest.textlog import TextLogReader
from tests.ingest.logs import accounted, exchanges, parts, records

READER = TextLogReader()
HEAD = "2024-05-01 10:00:00.100 [t-1] INFO  c.e.Client - "
LATER = "2024-05-01 10:00:00.400 [t-1] INFO  c.e.Client - "
PYTHON = "2026-11-23 23:11:57,125 - shop.sync - INFO - "
LARAVEL = "[2026-03-17 09:05:00] local.ERROR: "

WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    "two-lines": (
        f'{HEAD}request POST https://api.one.example/orders?page=1 body={{"a":1}}\n{LATER}response 403 cost=300ms body={{"code":7}}\n',
        {"method": "POST", "url": "https://api.one.example/orders?page=1", "status": 403, "request_body": '{"a":1}',
         "response_body": '{"code":7}', "duration_ms": 300.0, "thread": "t-1", "locator": "lines:1-2"},
    ),
    "one-line": (
        f'{PYTHON}GET https://api.one.example/orders?limit=100&offset=300 200 {{"list":[]}}\n',
        {"method": "GET", "query": "limit=100&offset=300", "status": 200, "response_body": '{"list":[]}'},
    ),
    "chinese-keywords": (
        f"{HEAD}[订单同步] 请求地址：https://api.one.example/open\n{HEAD}[订单同步] 请求参数：{{\"page\":1}}\n"
        f'{LATER}[订单同步] 返回结果：{{"code":"500","msg":"失败"}}, 耗时:130ms\n',
        {"url": "https://api.one.example/open", "request_body": '{"page":1}', "response_body": '{"code":"500","msg":"失败"}'},
    ),
    "named-parts": (
        f'{PYTHON}url=https://api.one.example/open params={{"page":1}} result={{"code":0}} cost=31ms\n',
        {"url": "https://api.one.example/open", "request_body": '{"page":1}', "response_body": '{"code":0}'},
    ),
    "python-dump-as-body": (
        f"{PYTHON}GET https://api.one.example/x\n{PYTHON}status=403 {{'error': 'no such shop', 'n': None}}\n",
        {"status": 403, "response_body": '{"error": "no such shop", "n": null}', "response_body_state": "reconstructed"},
    ),
    "resttemplate-5": (
        "2026-11-23 23:43:25.259 DEBUG 4242 --- [           main] o.s.web.client.RestTemplate              : HTTP POST http://one.example/a\n"
        '2026-11-23 23:43:25.264 DEBUG 4242 --- [           main] o.s.web.client.RestTemplate              : Writing [{"n":1}] as "application/json"\n'
        "2026-11-23 23:43:25.373 DEBUG 4242 --- [           main] o.s.web.client.RestTemplate              : Response 429 TOO_MANY_REQUESTS\n",
        {"method": "POST", "url": "http://one.example/a", "status": 429, "request_body": '{"n":1}', "writer": "RestTemplate"},
    ),
    "resttemplate-4": (
        '23:43:25.259 [main] DEBUG o.s.w.c.RestTemplate - Created POST request for "http://one.example/a"\n'
        '23:43:25.373 [main] DEBUG o.s.w.c.RestTemplate - POST request for "http://one.example/a" resulted in 429 (Too Many Requests); invoking error handler\n',
        {"method": "POST", "status": 429, "time_quality": "missing", "duration_ms": None},
    ),
    "spring-io-error": (
        "2026-11-23 23:43:25.373 ERROR 1 --- [main] c.e.Sync : push failed\n"
        'org.springframework.web.client.ResourceAccessException: I/O error on POST request for "http://one.example/io": Read timed out; '
        "nested exception is java.net.SocketTimeoutException: Read timed out\n\tat a.b.C(D.java:1)\n",
        {"method": "POST", "url": "http://one.example/io", "status": None, "transport_error": "timeout", "answer_state": "missing"},
    ),
    "okhttp-basic": (
        f"{HEAD}--> GET https://api.one.example/a\n{LATER}<-- 200 https://api.one.example/a (22ms, 6-byte body)\n",
        {"method": "GET", "status": 200, "duration_ms": 22.0, "writer": "OkHttp"},
    ),
    "okhttp-failed": (
        f"{HEAD}--> GET https://api.one.example/a\n{LATER}<-- HTTP FAILED: java.net.UnknownHostException: api.one.example\n",
        {"status": None, "transport_error": "dns", "transport_error_text": "java.net.UnknownHostException: api.one.example"},
    ),
    "okhttp-body": (
        "".join(f"{HEAD}{line}\n" for line in (
            "--> POST https://api.one.example/a http/1.1", "Content-Type: application/json", "", '{"a":1}', "--> END POST (7-byte body)",
            "<-- 403 Forbidden https://api.one.example/a (200ms)", "X-Id: 9", "", '{"code":7}', "<-- END HTTP (10-byte body)",
        )),
        {"request_body": '{"a":1}', "response_body": '{"code":7}', "response_headers": [{"name": "X-Id", "value": "9"}],
         "request_headers": [{"name": "Content-Type", "value": "application/json"}], "request_body_exact": True},
    ),
    "feign-error": (
        f"{HEAD}[OrderApi#push] ---> POST https://api.one.example/order HTTP/1.1\n{HEAD}[OrderApi#push] ---> END HTTP (0-byte body)\n"
        f"{LATER}[OrderApi#push] <--- ERROR SocketTimeoutException: Read timed out (5003ms)\n",
        {"method": "POST", "transport_error": "timeout", "duration_ms": 5003.0, "client_class": "OrderApi#push"},
    ),
    "feign-exception": (
        f'{HEAD.replace("INFO ", "ERROR")}push failed\nfeign.FeignException$TooManyRequests: [429 ] during [POST] to [https://one.example/x] [OrderApi#push(Map)]: [{{"code":"9"}}]\n\tat a.B.c(D.java:1)\n',
        {"method": "POST", "url": "https://one.example/x", "status": 429, "response_body": '{"code":"9"}'},
    ),
    "httpclient-wire": (
        "".join(f"{HEAD}{line}\n" for line in (
            "Connection request: [route: {s}->https://one.example:443][total kept alive: 0]",
            'http-outgoing-0 >> "POST /list?p=1 HTTP/1.1[\\r][\\n]"', 'http-outgoing-0 >> "Host: one.example[\\r][\\n]"',
            'http-outgoing-0 >> "[\\r][\\n]"', 'http-outgoing-0 >> "{"n":"[0xe8][0xae][0xa2]"}"',
            'http-outgoing-0 << "HTTP/1.1 200 OK[\\r][\\n]"', 'http-outgoing-0 << "[\\r][\\n]"', 'http-outgoing-0 << "{"code":0}"',
        )),
        {"url": "https://one.example/list?p=1", "request_body": '{"n":"订"}', "response_body": '{"code":0}', "status": 200},
    ),
    "urllib3": (
        '2026-11-23 23:11:57,127 - urllib3.connectionpool - DEBUG - https://one.example:443 "POST /list?page=1 HTTP/1.1" 200 47\n',
        {"method": "POST", "url": "https://one.example/list?page=1", "status": 200, "http_version": "1.1", "time_quality": "derived"},
    ),
    "httpx-without-time": (
        'INFO:httpx:HTTP Request: POST https://one.example/list "HTTP/1.1 500 Internal Server Error"\n',
        {"method": "POST", "status": 500, "started_at": None, "time_quality": "missing"},
    ),
    "urllib3-retry": (
        "2026-11-23 23:11:58,128 - urllib3.connectionpool - WARNING - Retrying (Retry(total=0, connect=None)) after connection broken by "
        "'NewConnectionError(\"<x>: [Errno 111] Connection refused\")': /y\n",
        {"path": "/y", "transport_error": "connect"},
    ),
    "requests-max-retries": (
        "2026-11-23 23:11:58,128 ERROR prices failed\nTraceback (most recent call last):\n  File \"/app/p.py\", line 4, in run\n    go()\n"
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='one.example', port=443): Max retries exceeded with url: /price "
        "(Caused by SSLError(SSLEOFError(8, 'EOF occurred in violation of protocol')))\n",
        {"url": "https://one.example/price", "transport_error": "tls", "host": "one.example"},
    ),
    "requests-raise-for-status": (
        "2026-11-23 23:11:58 worker > failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    x\n"
        "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: https://one.example/a?b=1\n",
        {"status": 404, "url": "https://one.example/a?b=1"},
    ),
    "requests-raise-for-status-and-body": (
        "2026-11-23 23:11:58,128 ERROR sync requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://one.example/a "
        'body={"code":7,"message":"Api-key is deactivated"}\n',
        {"status": 403, "url": "https://one.example/a", "response_body": '{"code":7,"message":"Api-key is deactivated"}'},
    ),
    "requests-raise-for-status-and-words": (
        "2026-11-23 23:11:58,128 ERROR sync requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://one.example/a while order {7}\n",
        {"status": 403, "url": "https://one.example/a", "response_body": None},
    ),
    "pairs-and-an-arrow": (
        '2026-06-10 11:00:00,120 ERROR router POST https://one.example/router type=order.list -> 200 {"success":false,"errorCode":5}\n',
        {"method": "POST", "url": "https://one.example/router", "status": 200, "response_body": '{"success":false,"errorCode":5}'},
    ),
    "status-and-phrase-before-the-address": (
        "2026-06-10 11:00:00,120 ERROR shop HttpResponseError: status=423 Locked GET https://one.example/shop.json\n",
        {"method": "GET", "url": "https://one.example/shop.json", "status": 423},
    ),
    "http-client-prints": (
        "2026-11-23 23:11:57,125 INFO app start\nsend: b'POST /open HTTP/1.1\\r\\nHost: one.example\\r\\n\\r\\n'\nsend: b'{\"a\": 1}'\n"
        "reply: 'HTTP/1.1 200 OK\\r\\n'\nheader: Content-Type: application/json\n",
        {"method": "POST", "path": "/open", "host": "one.example", "status": 200, "request_body": '{"a": 1}'},
    ),
    "guzzle-exception": (
        f"{LARAVEL}Client error: `POST https://one.example/token` resulted in a `400 Bad Request` response:\n"
        '{"error":"invalid_grant","error_description":"The refresh token (truncated...)\n'
        ' {"userId":3,"exception":"[object] (GuzzleHttp\\\\Exception\\\\ClientException(code: 400): Client error: `POST https://one.example/token` resulted in a `400 Bad Request` response:\n'
        '{\\"error\\":\\"invalid_grant\\" (truncated...)\n at /vendor/x.php:1)\n[stacktrace]\n#0 /vendor/y.php(2): f()\n"}\n',
        {"method": "POST", "status": 400, "response_body": '{"error":"invalid_grant","error_description":"The refresh token',
         "response_body_state": "truncated"},
    ),
    "guzzle-curl-error": (
        f"{LARAVEL}cURL error 28: Operation timed out after 30001 milliseconds with 0 bytes received (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for https://one.example/slow\n",
        {"url": "https://one.example/slow", "transport_error": "timeout",
         "transport_error_text": "cURL error 28: Operation timed out after 30001 milliseconds with 0 bytes received"},
    ),
    "guzzle-formatter": (
        '[2026-11-24T07:43:28.012362+08:00] local.ERROR: vm GuzzleHttp/7 - [24/Nov/2026:07:43:28 +0800] "POST /slow HTTP/1.1" NULL NULL [] []\n',
        {"method": "POST", "path": "/slow", "status": None, "answer_state": "missing", "zone_basis": "given"},
    ),
    "guzzle-debug-line": (
        '[2026-11-24T07:43:29.025212+08:00] local.INFO: >>>>>>>> POST /order?x=1 HTTP/1.1 Content-Type: application/json Host: one.example  {"n":"A"}'
        ' <<<<<<<< HTTP/1.1 200 OK content-length: 33  {"code":"0"} -------- NULL [] []\n',
        {"host": "one.example", "request_body": '{"n":"A"}', "response_body": '{"code":"0"}', "status": 200},
    ),
    "php-stream": (
        "[24-Nov-2026 07:41:03 Asia/Shanghai] PHP Warning:  file_get_contents(https://one.example/x): Failed to open stream: Connection refused in /app/sync.php on line 6\n",
        {"url": "https://one.example/x", "transport_error": "connect", "started_at": datetime(2026, 11, 23, 23, 41, 3, tzinfo=UTC)},
    ),
    "php-print-r": (
        f"{LARAVEL}gateway response\nGateway\\Answer Object\n(\n    [raw:protected] => Stream Object\n    [data:protected] => Array\n        (\n"
        "            [msg] => no partner\n            [error] => error_param\n        )\n)\n",
        {"client_class": "gateway response", "response_body": '{"msg": "no partner", "error": "error_param"}'},
    ),
    "openapi-php": (
        f"{LARAVEL}Exception when calling CatalogApi->getItem: [403] {{\n  \"errors\": [ {{ \"code\": \"Denied\" }} ]\n}}\n",
        {"status": 403, "client_class": "CatalogApi->getItem", "response_body": '{\n  "errors": [ { "code": "Denied" } ]\n}'},
    ),
    "openapi-python": (
        f"{PYTHON}failed\nTraceback (most recent call last):\n  File \"/app/a.py\", line 1, in go\n    OrdersApi(client).get_order(1)\n"
        "client.exceptions.ApiException: (403)\nReason: Forbidden\nHTTP response headers: HTTPHeaderDict({'x-id': '9'})\nHTTP response body: {\"code\":7}\n",
        {"status": 403, "response_body": '{"code":7}', "response_headers": [{"name": "x-id", "value": "9"}]},
    ),
    "dotnet-factory": (
        "info: System.Net.Http.HttpClient.erp.LogicalHandler[100]\n      Start processing HTTP request GET https://one.example/a\n"
        "info: System.Net.Http.HttpClient.erp.ClientHandler[100]\n      Sending HTTP request GET https://one.example/a\n"
        "info: System.Net.Http.HttpClient.erp.ClientHandler[101]\n      Received HTTP response headers after 105.2ms - 200\n"
        "info: System.Net.Http.HttpClient.erp.LogicalHandler[101]\n      End processing HTTP request after 120.1ms - 200\n",
        {"method": "GET", "url": "https://one.example/a", "status": 200, "duration_ms": 105.2},
    ),
    "dotnet-exception-with-json": (
        '2021-09-14 10:02:17.881 +02:00 [ERR] import failed\nSystem.Exception: {"code":"cannot_view","data":{"status":401}}\n'
        "   at Shop.RestAPI.Send[T](String x)\n",
        {"status": 401, "response_body": '{"code":"cannot_view","data":{"status":401}}',
         "started_at": datetime(2021, 9, 14, 8, 2, 17, 881000, tzinfo=UTC)},
    ),
    "axios-dump": (
        "2026-11-23T23:12:45.771Z error: call failed\nAxiosError: Request failed with status code 429\n    at settle (/app/node_modules/axios/x.js:1:2) {\n"
        "  config: {\n    method: 'post',\n    url: 'https://one.example/limit',\n    data: '{\"n\":1}'\n  },\n  response: {\n    status: 429,\n    data: { code: '0', more: [1] }\n  }\n}\n",
        {"method": "POST", "url": "https://one.example/limit", "status": 429, "response_body": '{"code": "0", "more": [1]}'},
    ),
    "node-enotfound": (
        "2026-11-23T23:12:45.771Z error: pull failed\nError: getaddrinfo ENOTFOUND one.example\n    at GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:71:26) {\n"
        "  errno: -3008,\n  code: 'ENOTFOUND',\n  hostname: 'one.example'\n}\n",
        {"host": "one.example", "transport_error": "dns"},
    ),
    "go-lookup": (
        '2026/11/23 23:49:48 call failed: Post "https://one.example/a": dial tcp: lookup one.example on 10.0.0.53:53: no such host\n',
        {"method": "POST", "url": "https://one.example/a", "transport_error": "dns"},
    ),
    "resty": (
        "2026/11/23 23:49:48.256795 DEBUG RESTY \n====\n~~~ REQUEST ~~~\nPOST  /429  HTTP/1.1\nHOST   : one.example\nHEADERS:\n\tContent-Type: application/json\nBODY   :\n{\n   \"n\": 1\n}\n"
        "----------------------------\n~~~ RESPONSE ~~~\nSTATUS       : 429 Too Many Requests\nTIME DURATION: 3.5ms\nHEADERS      :\n\tX-Id: 9\nBODY         :\n{\n   \"code\": \"0\"\n}\n====================\n",
        {"host": "one.example", "path": "/429", "status": 429, "duration_ms": 3.5, "response_body": '{\n   "code": "0"\n}'},
    ),
    "rails-inbound": (
        'I, [2023-02-24T16:11:38.902114 #4127]  INFO -- : Started POST "/webhooks/orders" for 203.0.113.9 at 2023-02-24 16:11:38 +0000\n'
        "I, [2023-02-24T16:11:38.933114 #4127]  INFO -- : Completed 200 OK in 31ms (ActiveRecord: 0.0ms)\n",
        {"direction": "inbound", "path": "/webhooks/orders", "status": 200, "client_address": "203.0.113.9", "duration_ms": 31.0},
    ),
    "behind-docker-compose": (
        f'erp-1  | {PYTHON}POST https://one.example/x {{"a":1}}\nerp-1  | {PYTHON}response 200 {{"b":2}}\n',
        {"method": "POST", "status": 200, "response_body": '{"b":2}'},
    ),
    "zap-console": (
        '2026-11-23T23:49:48.253Z\tINFO\tm/main.go:11\terp call\t{"method": "POST", "url": "https://one.example/order", "status": 403, "cost": "31ms", "resp": "{\\"code\\":7}"}\n',
        {"method": "POST", "status": 403, "duration_ms": 31.0, "response_body": '{"code":7}'},
    ),
    "logfmt": (
        'time="2026-11-23T23:49:48Z" level=info msg="erp call" response="{\\"code\\":0}" method=POST status=200 url=https://one.example/order\n',
        {"method": "POST", "url": "https://one.example/order", "status": 200, "response_body": '{"code":0}'},
    ),
    "go-error-in-logfmt": (
        'time="2026-11-23T23:49:49Z" level=error msg="call failed" error="Post \\"https://one.example/b\\": EOF"\n',
        {"method": "POST", "url": "https://one.example/b", "transport_error": "reset"},
    ),
    "dotnet-unresolved": (
        "2026-05-01 10:00:10.523 +08:00 [ERR] pull failed\nSystem.Net.Http.HttpRequestException: No such host is known. (one.example:443)\n"
        " ---> System.Net.Sockets.SocketException (11001): No such host is known.\n   at System.Net.Sockets.Socket.Do()\n",
        {"host": "one.example", "port": 443, "transport_error": "dns"},
    ),
    "status-in-words": (
        '2026-11-23 23:11:58.839 | ERROR    | shop:push:9 - push failed: 403 {"code":"no"} url=https://one.example/x\n',
        {"url": "https://one.example/x", "status": 403, "response_body": '{"code":"no"}'},
    ),
    "answer-behind-its-address": (
        f'{HEAD}调用接口失败 url=https://one.example/x, 返回: {{"code":400,"msg":"仓库不存在"}}\n',
        {"url": "https://one.example/x", "response_body": '{"code":400,"msg":"仓库不存在"}', "request_body": None},
    ),
    "callback-received": (
        f'{HEAD}收到回调通知 POST /hooks/shop body={{"event":"order"}}\n{LATER}响应 200 {{"ok":true}}\n',
        {"direction": "inbound", "path": "/hooks/shop", "status": 200, "request_body": '{"event":"order"}'},
    ),
    "kubernetes-prefix": (
        f"2026-05-01T02:00:00.123456789Z stdout F {PYTHON}GET https://one.example/x\n2026-05-01T02:00:00.423456789Z stdout F {PYTHON}response 404\n",
        {"status": 404, "started_at": datetime(2026, 5, 1, 2, 0, 0, 123456, tzinfo=UTC), "zone_basis": "given"},
    ),
    "json-around-the-call": (
        f'{LARAVEL}shop.call {{"api":"/order/get","host":"https://one.example/rest","params":{{"id":7}}}}\n{LARAVEL}shop.result {{"http":200,"ms":163,"body":{{"price":18.90}}}}\n',
        {"url": "https://one.example/rest/order/get", "request_body": '{"id":7}', "response_body": '{"price":18.90}', "status": 200},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_is_read_as_a_person_would(name: str) -> None:
    text, expected = WRITERS[name]
    found = exchanges(READER, text)
    assert len(found) == 1
    assert {key: found[0][key] for key in expected} == expected


@pytest.mark.parametrize("name", WRITERS)
def test_every_byte_is_accounted_for(name: str) -> None:
    text = WRITERS[name][0]
    assert accounted(parts(READER, text)) == len(text.encode())


@pytest.mark.parametrize("name", WRITERS)
def test_frames_have_the_promised_columns(name: str) -> None:
    for part in parts(READER, WRITERS[name][0]):
        assert part.exchanges.schema == READ_COLUMNS
        assert part.records.schema == RECORDS


NO_CALL = {
    "exception-without-call": f"{HEAD.replace('INFO ', 'ERROR')}boom\njava.lang.NullPointerException: x\n\tat a.B.c(D.java:1)\n",
    "missing-mapping": f"{HEAD}no mapping for SKU A-17\n",
    "missing-mapping-zh": f"{HEAD}SKU A-17 未映射\n",
    "deployment": f"{HEAD}deployed erp 4.2.0\n",
    "warning": f"{HEAD.replace('INFO ', 'WARN ')}slow sql 1874 millis. select status from t where status = 'FAILED'\n",
    "database-timeout": f"{HEAD.replace('INFO ', 'ERROR')}query failed\njava.sql.SQLTimeoutException: Connection refused to jdbc:mysql://db\n\tat a.B.c(D.java:1)\n",
}


@pytest.mark.parametrize("name", NO_CALL)
def test_what_has_no_call_is_a_record(name: str) -> None:
    assert exchanges(READER, NO_CALL[name]) == []
    assert len(records(READER, NO_CALL[name])) == 1


@pytest.mark.parametrize(
    "line",
    ["sync finished, 0 errors", "stored 200 rows", "no open receipts (0 errors)", "新增=0 失败=0", "page 3 of 7"],
)
def test_an_ordinary_line_is_neither(line: str) -> None:
    assert exchanges(READER, f"{HEAD}{line}\n") == []
    assert records(READER, f"{HEAD}{line}\n") == []


def test_an_exception_after_a_sound_call_is_laid_to_it() -> None:
    text = (
        f'{HEAD}GET https://one.example/a\n{LATER}200 {{"a":1}}\n{LATER.replace("INFO ", "ERROR")}boom\n'
        "java.lang.NullPointerException: x\n\tat a.B.c(D.java:1)\n"
    )
    (call,), (record,) = exchanges(READER, text), records(READER, text)
    assert (call["status"], call["locator"]) == (200, "lines:1-2")
    assert record["exchange_id"] == "lines:1-2"
    assert record["exception"].startswith("java.lang.NullPointerException: x")


def test_a_failure_told_twice_is_one_call_and_gains_its_body() -> None:
    text = (
        '2022-05-02 13:04:51,880 DEBUG urllib3.connectionpool https://one.example:443 "GET /a HTTP/1.1" 502 138\n'
        "2022-05-02 13:04:51,884 ERROR shop.import failed, response started with <html><title>502 Bad Gateway</title>\n"
    )
    (call,) = exchanges(READER, text)
    assert call["response_body"] == "<html><title>502 Bad Gateway</title>"
    assert call["response_body_state"] == "truncated"


def test_a_long_address_is_read_to_its_end_and_what_stands_behind_it() -> None:
    query = "&".join(f"p{n}={'x' * 40}" for n in range(60))
    (call,) = exchanges(READER, f'{HEAD}GET https://one.example/a?{query} 404 {{"code":1}}\n')
    assert (call["query"], call["status"], call["response_body"]) == (query, 404, '{"code":1}')


def test_a_line_written_twice_counts_once() -> None:
    line = f'{HEAD}GET https://one.example/a 200 {{"a":1}}\n'
    assert len(exchanges(READER, line + line)) == 1


def test_the_librarys_own_line_inside_a_call_counts_once() -> None:
    text = (
        f'{PYTHON}POST https://one.example/x body={{"a":1}}\n'
        '2026-11-23 23:11:57,127 - urllib3.connectionpool - DEBUG - https://one.example:443 "POST /x HTTP/1.1" 200 47\n'
        f'{PYTHON}response 200 {{"ok":true}}\n'
    )
    (call,) = exchanges(READER, text)
    assert (call["request_body"], call["response_body"]) == ('{"a":1}', '{"ok":true}')


def test_retries_are_calls_of_their_own() -> None:
    text = "".join(
        f"2024-05-01 10:00:0{n}.100 [t-1] INFO  c.e.Client - POST https://one.example/x\n"
        f"2024-05-01 10:00:0{n}.400 [t-1] INFO  c.e.Client - {status} {{}}\n"
        for n, status in enumerate((503, 503, 200))
    )
    assert [call["status"] for call in exchanges(READER, text)] == [503, 503, 200]


def test_a_call_inside_a_call_closes_first() -> None:
    text = "".join(
        f"2024-05-01 10:00:0{second}.000 [t-1] INFO  c.e.Client - {line}\n"
        for second, line in enumerate(
            ("GET https://one.example/outer", "POST https://one.example/token", '200 {"t":1}', '200 {"o":1}')
        )
    )
    assert {call["path"]: call["response_body"] for call in exchanges(READER, text)} == {
        "/token": '{"t":1}',
        "/outer": '{"o":1}',
    }


def test_threads_are_not_mixed() -> None:
    text = "".join(
        f"2024-05-01 10:00:00.{n}00 [t-{thread}] INFO  c.e.Client - {line}\n"
        for n, (thread, line) in enumerate(
            ((1, "GET https://one.example/a"), (2, "GET https://one.example/b"), (1, '200 {"a":1}'), (2, '500 {"b":1}'))
        )
    )
    assert {call["path"]: call["status"] for call in exchanges(READER, text)} == {"/a": 200, "/b": 500}


@pytest.mark.parametrize(
    ("last", "state"),
    [
        pytest.param("2024-05-01 10:00:30.000", "open", id="in the last two minutes"),
        pytest.param("2024-05-01 10:30:00.000", "missing", id="long before the end"),
    ],
)
def test_a_request_without_an_answer(last: str, state: str) -> None:
    text = (
        f"2024-05-01 09:00:00.000 [t-1] INFO  c.e.Client - GET https://one.example/a\n"
        f"2024-05-01 09:00:01.000 [t-1] INFO  c.e.Client - 200 {{}}\n"
        f"2024-05-01 10:00:00.000 [t-1] INFO  c.e.Client - GET https://one.example/b\n{last} [t-2] INFO  c.e.Other - alive\n"
    )
    assert exchanges(READER, text)[-1]["answer_state"] == state


def test_a_writer_that_never_logs_answers_owes_none() -> None:
    text = f"{HEAD}PUT https://one.example/a\n2024-05-01 12:00:00.000 [t-2] INFO  c.e.Other - alive\n"
    assert exchanges(READER, text)[0]["answer_state"] == "not_logged"


def test_a_time_of_day_takes_its_date_from_the_files_name() -> None:
    text = "23:59:59.900 [main] INFO  c.e.C - GET https://one.example/a 200 {}\n00:00:00.100 [main] INFO  c.e.C - GET https://one.example/b 200 {}\n"
    found = exchanges(READER, text, "logs/app-2026-03-17.log")
    assert [call["started_at"] for call in found] == [
        datetime(2026, 3, 17, 23, 59, 59, 900000, tzinfo=UTC),
        datetime(2026, 3, 18, 0, 0, 0, 100000, tzinfo=UTC),
    ]
    assert {call["time_quality"] for call in found} == {"derived"}


def test_a_masked_body_is_masked_and_a_masked_value_is_not() -> None:
    text = f'{HEAD}POST https://one.example/a body=***\n{LATER}200 {{"access_token":"***"}}\n'
    (call,) = exchanges(READER, text)
    assert (call["request_body_state"], call["response_body_state"]) == ("masked", "recorded")


def test_calls_are_paired_over_the_border_of_two_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_forensics.ingest.textlog.CHUNK", 1000)
    text = "".join(
        f"2024-05-01 10:{n // 60:02d}:{n % 60:02d}.000 [t-{n % 3}] INFO  c.e.Client - GET https://one.example/{n}\n"
        f'2024-05-01 10:{n // 60:02d}:{n % 60:02d}.500 [t-{n % 3}] INFO  c.e.Client - {200 if n % 5 else 500} {{"n":{n}}}\n'
        for n in range(120)
    )
    found = parts(READER, text)
    rows = [row for part in found for row in part.exchanges.iter_rows(named=True)]
    assert len(found) > 5
    assert sorted((row["path"], row["response_body"]) for row in rows) == sorted(
        (f"/{n}", f'{{"n":{n}}}') for n in range(120)
    )
    assert accounted(found) == len(text)


def test_the_users_own_format_comes_first(tmp_path: Any) -> None:
    (tmp_path / "ours.toml").write_text(
        "name = 'ours'\ndescription = 'ours'\nprovenance = 'real program'\nwriters = ['ours']\n"
        "[[head]]\npattern = '^@(?P<stamp>%{ISO})@(?P<level>%{LEVEL})@(?P<thread>[^@]*)@ (?P<message>.*)$'\n"
        "[[message]]\nrole = 'exchange'\npattern = '^calls (?P<method>%{METHOD}) (?P<url>%{URL}) gives (?P<status>%{STATUS})'\n"
        "sample = ['calls GET https://one.example/a gives 404']\n"
        "[[sample]]\nline = '@2024-05-01 10:00:00@INFO@t1@ calls'\nexpect = { thread = 't1', message = 'calls' }\n",
        encoding="utf-8",
    )
    text = '@2024-05-01 10:00:00@INFO@t9@ calls GET https://one.example/a gives 404 {"code":1}\n'
    (part,) = parts(READER, text, options=ReadOptions(formats_dirs=(tmp_path,)))
    row = part.exchanges.row(0, named=True)
    assert (row["status"], row["thread"], row["response_body"]) == (404, "t9", '{"code":1}')


def test_a_forced_format_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(RuleError, match="no line format"):
        parts(READER, f"{HEAD}x\n", options=ReadOptions(line_format="nosuch"))


ALL_TEXT = "".join(text for text, _ in WRITERS.values()).encode()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_cut_or_splice_raises_or_loses_a_byte(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(ALL_TEXT)))
    end = data.draw(st.integers(start, min(len(ALL_TEXT), start + 3000)))
    junk = data.draw(st.binary(max_size=40))
    at = data.draw(st.integers(0, end - start))
    piece = ALL_TEXT[start:end]
    text = (piece[:at] + junk + piece[at:]).decode("utf-8", "replace")
    assert accounted(parts(READER, text)) == len(text.encode())


@pytest.mark.parametrize(
    "text",
    ["", "\n", "\n\n\n", "x", "\r\n", "{" * 5000, "[" * 3000 + "\n", HEAD, HEAD + "GET https://" + "a" * 100_000 + "\n",
     HEAD + "{'a': " * 2000 + "\n", "2024-99-99 99:99:99 INFO x - y\n", "﻿" + HEAD + "x\n", "\ud7ff\n"],
    ids=["empty", "newline", "blank lines", "no newline", "crlf", "braces", "brackets", "head only", "long url", "deep dump",
         "impossible date", "mark", "odd letter"],
)  # fmt: skip
def test_strange_text_is_read_without_an_error(text: str) -> None:
    assert accounted(parts(READER, text)) == len(text.encode("utf-8")) - 3 * text.startswith("﻿")


@pytest.mark.parametrize(
    ("head", "low", "high"),
    [
        pytest.param(b"", 0, 0, id="empty"),
        pytest.param(b"\x00\x01\x02", 0, 0, id="binary"),
        pytest.param(b"just some words\nand more\n", 1, 10, id="prose"),
        pytest.param((HEAD + "x\n").encode() * 5, 60, 80, id="logback"),
        pytest.param(WRITERS["guzzle-exception"][0].encode(), 20, 60, id="one head and a trace"),
    ],
)
def test_sniffing_weighs_the_share_of_heads(head: bytes, low: int, high: int) -> None:
    assert low <= READER.sniff(head, "a.log").score <= high
