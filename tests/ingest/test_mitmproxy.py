"""Flow dumps: the grammar, real dumps, and the ways older versions name things."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.ingest.tnetstring import BrokenTnetstring, Value, parse
from tests.ingest.readers import kinds, read, rows

CAPTURES = Path(__file__).parent.parent / "captures" / "mitmproxy"


def net(value: object) -> bytes:
    """A value as a tagged netstring."""
    match value:
        case None:
            kind, payload = b"~", b""
        case bool():
            kind, payload = b"!", str(value).lower().encode()
        case int():
            kind, payload = b"#", str(value).encode()
        case float():
            kind, payload = b"^", str(value).encode()
        case bytes():
            kind, payload = b",", value
        case str():
            kind, payload = b";", value.encode()
        case dict():
            kind, payload = b"}", b"".join(net(part) for pair in value.items() for part in pair)
        case _:
            kind, payload = b"]", b"".join(map(net, value))  # type: ignore[call-overload]
    return b"%d:%b%b" % (len(payload), payload, kind)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.binary() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read(value: Value) -> None:
    data = net(value)
    assert parse(data) == (value, len(data))


@pytest.mark.parametrize(
    ("data", "cut"),
    [(b"", True), (b"12", True), (b"5:ab,", True), (b"x", False), (b"1234567890123:", False), (b"3:abc?", False),
     (b"1:x#", False), (b"6:9:abc,]", False), (b"4:" * 60 + b"0:~", False)],
)  # fmt: skip
def test_what_is_broken_says_so(data: bytes, cut: bool) -> None:
    with pytest.raises(BrokenTnetstring) as caught:
        parse(data)
    assert caught.value.cut is cut or cut is False


def flow(**changes: object) -> dict[str, object]:
    request = {
        "method": b"POST", "scheme": b"https", "host": "10.0.0.1", "port": 443, "path": b"/v1?a=1", "authority": b"",
        "http_version": b"HTTP/1.1", "headers": [[b"Host", b"api.example.com"]], "content": b"{}",
        "timestamp_start": 1772359200.25, "timestamp_end": 1772359200.5,
    }  # fmt: skip
    response = {
        "status_code": 200, "reason": b"OK", "http_version": b"HTTP/1.1", "headers": [[b"X", b"1"], [b"X", b"2"]],
        "content": b"ok", "timestamp_start": 1772359201.0, "timestamp_end": 1772359201.25,
    }  # fmt: skip
    return {
        "version": 21, "type": "http", "id": "x", "error": None, "request": request, "response": response,
        "client_conn": {"peername": ["::ffff:192.0.2.1", 5000]},
        "server_conn": {"peername": ["203.0.113.9", 443, 0, 0]},
        "websocket": None, "backup": None, "is_replay": None,
    } | changes  # fmt: skip


def test_a_flow() -> None:
    [row] = rows(read(net(flow()), "a.mitm")).to_dicts()
    assert (row["locator"], row["method"], row["url"]) == ("flow:0", "POST", "https://api.example.com/v1?a=1")
    assert (row["status"], row["http_version"], row["answer_state"]) == (200, "1.1", "answered")
    assert (row["request_body"], row["response_body"], row["duration_ms"]) == ("{}", "ok", 1000.0)
    assert row["response_headers"] == [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}]
    assert (row["client_address"], row["server_address"]) == ("192.0.2.1", "203.0.113.9")
    assert (str(row["started_at"]), row["zone_basis"]) == ("2026-03-01 10:00:00.250000+00:00", "given")


def old_flow() -> dict[object, object]:
    """As 0.11 wrote it: bytes for keys and text, other names."""
    return {
        b"version": [0, 11, 3], b"type": b"http", b"error": None,
        b"request": {b"method": b"GET", b"scheme": b"http", b"host": b"a.example", b"port": 8080, b"path": b"/x",
                     b"httpversion": [1, 1], b"headers": [[b"A", b"1"]], b"content": b"", b"timestamp_start": 1e9},
        b"response": {b"code": 404, b"msg": b"no", b"httpversion": [1, 1], b"headers": [], b"content": None},
        b"client_conn": {b"address": {b"address": [b"192.0.2.7", 1], b"use_ipv6": False}},
    }  # fmt: skip


def test_an_old_flow() -> None:
    result = read(net(old_flow()), "a.mitm")
    [row] = rows(result).to_dicts()
    assert (row["url"], row["status"], row["http_version"]) == ("http://a.example:8080/x", 404, "1.1")
    assert (row["request_body_state"], row["response_body_state"]) == ("empty", "not_recorded")
    assert (row["client_address"], result.writer) == ("192.0.2.7", "mitmproxy 0.11.3")


@pytest.mark.parametrize(
    ("changes", "state", "error"),
    [
        pytest.param({"response": None}, "open", None, id="still open"),
        pytest.param({"response": None, "error": {"msg": "connection refused: Connect call failed", "timestamp": 1.0}},
                     "missing", "connect", id="refused"),
        pytest.param({"response": None, "error": {"msg": "Client disconnected.", "timestamp": 1.0}}, "cancelled", None,
                     id="client left"),
        pytest.param({"error": {"msg": "peer closed connection", "timestamp": 1.0}}, "answered", None, id="beside"),
    ],
)  # fmt: skip
def test_answers_that_did_not_come(changes: dict[str, object], state: str, error: str | None) -> None:
    [row] = rows(read(net(flow(**changes)), "a.mitm")).to_dicts()
    assert (row["answer_state"], row["transport_error"]) == (state, error)
    assert row["response_body_state"] == ("truncated" if state == "answered" else "not_recorded")


def test_edited_flows_are_marked() -> None:
    [row] = rows(read(net(flow(backup={"request": {}})), "a.mitm")).to_dicts()
    assert "edited" in row["state_reason"]


def test_other_protocols_are_counted() -> None:
    data = b"".join(
        map(net, (flow(type="tcp"), flow(), flow(type="dns"), flow(websocket={"messages": [[1, True, b"x"]]})))
    )
    result = read(data, "a.mitm")
    assert rows(result)["locator"].to_list() == ["flow:1", "flow:3"]
    assert kinds(result) == ["filtered"] * 3


def test_a_cut_dump_keeps_the_flows_before() -> None:
    data = net(flow()) + net(flow())[:-10]
    result = read(data, "a.mitm")
    assert rows(result).height == 1
    assert [(problem.kind, problem.offset) for problem in result.problems] == [("truncated", len(net(flow())))]


def test_a_broken_flow_does_not_stop_the_next() -> None:
    broken = net(flow()).replace(b"3:200#", b"3:2x0#", 1)
    result = read(net(flow()) + broken + net(flow()), "a.mitm")
    assert rows(result)["locator"].to_list() == ["flow:0", "flow:2"]
    assert kinds(result) == ["malformed"]


@pytest.mark.parametrize("name", sorted(path.name for path in CAPTURES.glob("*.mitm")))
def test_real_dumps(name: str) -> None:
    result = read((CAPTURES / name).read_bytes(), name)
    frame = rows(result)
    assert not result.problems
    assert frame["method"].to_list() == ["GET", "POST", "DELETE", *["GET"] * 8]
    assert frame["status"].to_list() == [200, 200, 501, 200, 200, 204, 200, None, 401, None, None]
    assert frame["transport_error"].to_list()[-4:] == ["reset", None, "connect", "dns"]
    assert frame["request_body"][1] == '{"name": "名称"}'
    assert '"order_id": 576460752303423488, "title": "商品"' in frame["response_body"][3]
    assert frame["response_body"][4] == "<error>签名错误</error>"
    assert frame["response_body_bytes"][4] == "<error>签名错误</error>".encode("gbk")
    assert frame["response_body_state"].to_list()[5:8] == ["empty", "undecodable", "not_recorded"]


def test_two_formats_of_the_same_flows_agree() -> None:
    dump, archive = (rows(read((CAPTURES / name).read_bytes(), name)) for name in ("v11.mitm", "v11.har"))
    same = [
        "method", "url", "scheme", "host", "port", "path", "query", "status", "answer_state", "transport_error",
        "transport_error_text", "http_version", "request_headers", "response_headers", "request_headers_state",
        "request_body", "request_body_state", "request_body_exact", "response_body_state", "server_address",
        "started_at",
    ]  # fmt: skip
    assert {name: dump[name].to_list() for name in same} == {name: archive[name].to_list() for name in same}
