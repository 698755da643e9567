"""Every quirk of HAR writers that is known, one by one."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from openclaw_forensics.ingest import har_split
from openclaw_forensics.ingest.reading import read_source
from openclaw_forensics.ingest.walk import Source, walk
from tests.ingest.readers import kinds, read, rows

STAMP = "2026-03-01T10:00:00.123Z"


def entry(request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "startedDateTime": STAMP,
        "time": 12.5,
        "request": {
            "method": "GET",
            "url": "https://API.example.com:8443/v1/orders?page=1",
            "httpVersion": "h2",
            "headers": [{"name": "Accept", "value": "*/*"}],
            "bodySize": 0,
        }
        | (request or {}),
        "response": {
            "status": 200,
            "httpVersion": "HTTP/2.0",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": 2, "mimeType": "application/json", "text": "{}"},
        }
        | (response or {}),
    } | more


def har(*entries: dict[str, Any], creator: str = "WebInspector", indent: int | None = None) -> bytes:
    log = {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": list(entries)}
    return json.dumps({"log": log}, indent=indent, ensure_ascii=False).encode()


def one(*args: Any, creator: str = "Charles Proxy", **more: Any) -> dict[str, Any]:
    return rows(read(har(entry(*args, **more), creator=creator), "a.har")).row(0, named=True)


def test_an_ordinary_entry() -> None:
    row = one()
    assert row["locator"] == "ptr:/log/entries/0"
    assert row["writer"] == "Charles Proxy 1"
    assert row["url"] == "https://API.example.com:8443/v1/orders?page=1"
    assert [row[name] for name in ("scheme", "host", "port", "path", "query")] == [
        "https", "api.example.com", 8443, "/v1/orders", "page=1",
    ]  # fmt: skip
    assert row["started_at"] == datetime(2026, 3, 1, 10, 0, 0, 123000, UTC)
    assert (row["time_quality"], row["zone_basis"], row["duration_ms"]) == ("exact", "given", 12.5)
    assert (row["status"], row["answer_state"], row["http_version"]) == (200, "answered", "2")
    assert row["request_headers"] == [{"name": "Accept", "value": "*/*"}]
    assert (row["request_body_state"], row["response_body"], row["response_body_state"]) == ("empty", "{}", "recorded")
    assert row["response_body_exact"]


@pytest.mark.parametrize(
    ("stamp", "at", "quality", "basis"),
    [
        pytest.param("2026-03-01T10:00:00.1234567+08:00", "02:00:00.123456", "exact", "given", id="seven digits"),
        pytest.param("2026-03-01T10:00:00-07:00", "17:00:00", "second", "given", id="offset, no fraction"),
        pytest.param("2026-03-01T10:00:00.123456+00:00", "10:00:00.123456", "exact", "given", id="microseconds"),
        pytest.param("2026-03-01T10:00:00.123+0800", "02:00:00.123000", "exact", "given", id="offset without colon"),
        pytest.param("2026-03-01T10:00:00", "10:00:00", "second", "assumed", id="no zone"),
        pytest.param("2026-03-01 1:02:03 PM", "13:02:03", "second", "assumed", id="12 hours"),
    ],
)
def test_stamps(stamp: str, at: str, quality: str, basis: str) -> None:
    row = one(startedDateTime=stamp)
    assert str(row["started_at"]) == f"2026-03-01 {at}+00:00"
    assert (row["raw_stamp"], row["time_quality"], row["zone_basis"]) == (stamp, quality, basis)


def test_an_unreadable_stamp_keeps_the_entry() -> None:
    result = read(har(entry(startedDateTime="NaN-NaN-NaNTNaN:NaN:NaN.NZ"), entry()), "a.har")
    assert rows(result)["time_quality"].to_list() == ["missing", "exact"]
    assert kinds(result) == ["time"]


@pytest.mark.parametrize("status", [0, -1, None, ""], ids=repr)
def test_no_status_is_null(status: object) -> None:
    row = one(None, {"status": status, "httpVersion": "", "headers": [], "content": {}})
    assert (row["status"], row["answer_state"], row["response_body_state"]) == (None, "missing", "not_recorded")
    assert row["response_headers_state"] == "not_recorded"


@pytest.mark.parametrize(
    ("where", "text", "error", "state"),
    [
        pytest.param("response", "net::ERR_NAME_NOT_RESOLVED", "dns", "missing", id="dns"),
        pytest.param("response", "net::ERR_CONNECTION_REFUSED", "connect", "missing", id="refused"),
        pytest.param("response", "net::ERR_CERT_AUTHORITY_INVALID", "tls", "missing", id="certificate"),
        pytest.param("response", "net::ERR_CONNECTION_RESET", "reset", "missing", id="reset"),
        pytest.param("response", "net::ERR_TIMED_OUT", "timeout", "missing", id="timeout"),
        pytest.param("response", "net::ERR_PROXY_CONNECTION_FAILED", "proxy", "missing", id="proxy"),
        pytest.param("response", "net::ERR_FAILED", "other", "missing", id="unnamed"),
        pytest.param("response", "net::ERR_ABORTED", None, "cancelled", id="cancelled by the browser"),
        pytest.param("entry", "NS_ERROR_UNKNOWN_HOST", "dns", "missing", id="on the entry"),
        pytest.param("charles", "FAILED", "other", "missing", id="charles"),
    ],
)
def test_errors(where: str, text: str, error: str | None, state: str) -> None:
    key = {"response": "_error", "charles": "_charlesStatus"}.get(where)
    row = one(None, {"status": 0} | ({key: text} if key else {}), **({} if key else {"_error": text}))
    assert (row["transport_error"], row["answer_state"], row["transport_error_text"]) == (error, state, text)


def test_an_error_beside_an_answer_is_kept_as_text() -> None:
    row = one(None, {"_error": "net::ERR_INCOMPLETE_CHUNKED_ENCODING"})
    assert (row["status"], row["transport_error"]) == (200, None)
    assert row["transport_error_text"] == "net::ERR_INCOMPLETE_CHUNKED_ENCODING"


@pytest.mark.parametrize("response", [None, "absent"], ids=["null", "absent"])
def test_an_entry_without_response(response: str | None) -> None:
    broken = entry()
    if response == "absent":
        del broken["response"]
    else:
        broken["response"] = None
    assert rows(read(har(broken), "a.har")).row(0, named=True)["answer_state"] == "missing"


GZIPPED = gzip.compress(b'{"a": "\xe5\x95\x86"}', mtime=0)


@pytest.mark.parametrize(
    ("content", "text", "state", "exact"),
    [
        pytest.param(None, None, "not_recorded", False, id="no content"),
        pytest.param({}, None, "not_recorded", False, id="empty content"),
        pytest.param({"size": 5}, None, "not_recorded", False, id="no text"),
        pytest.param({"size": 5, "text": ""}, None, "not_recorded", False, id="text left out"),
        pytest.param({"size": 0, "text": ""}, "", "empty", True, id="empty"),
        pytest.param({"size": -1, "text": "ab"}, "ab", "recorded", True, id="unknown size"),
        pytest.param({"size": 9, "text": "ab"}, "ab", "recorded", False, id="another size"),
        pytest.param({"size": 3, "text": "商"}, "商", "recorded", True, id="bytes are counted"),
        pytest.param({"size": 3, "text": "å\x95\x86"}, "商", "recorded", True, id="misread utf-8"),
        pytest.param({"text": "a\ufffd"}, "a\ufffd", "recorded", False, id="replaced"),
        pytest.param({"text": "5ZWG", "encoding": "base64"}, "商", "recorded", True, id="base64"),
        pytest.param({"text": "!!", "encoding": "base64"}, "!!", "undecodable", False, id="no base64"),
        pytest.param(
            {"text": base64.b64encode(GZIPPED).decode(), "encoding": "base64"},
            '{"a": "商"}',
            "recorded",
            True,
            id="gzip",
        ),
        pytest.param({"text": GZIPPED.decode("latin-1")}, '{"a": "商"}', "recorded", True, id="gzip as text"),
        pytest.param({"text": "\x1f\ufffd\x08lost"}, "\x1f\ufffd\x08lost", "undecodable", False, id="gzip lost"),
        pytest.param({"text": {"a": 1}}, '{"a":1}', "recorded", True, id="json instead of text"),
        pytest.param({"_file": "x.json"}, None, "not_recorded", False, id="side file that is not there"),
    ],
)
def test_response_bodies(content: object, text: str | None, state: str, exact: bool) -> None:
    headers = [{"name": "Content-Encoding", "value": "gzip"}]
    row = one(None, {"content": content, "headers": headers})
    assert (row["response_body"], row["response_body_state"], row["response_body_exact"]) == (text, state, exact)


def test_no_body_is_due_with_204() -> None:
    assert one(None, {"status": 204, "content": {"size": 0}})["response_body_state"] == "empty"


@pytest.mark.parametrize(
    ("request_fields", "text", "state"),
    [
        pytest.param({"bodySize": 0}, "", "empty", id="none"),
        pytest.param({"bodySize": -1}, None, "not_recorded", id="unknown"),
        pytest.param({"bodySize": 7}, None, "not_recorded", id="left out"),
        pytest.param({"method": "GET", "bodySize": -1}, "", "empty", id="get"),
        pytest.param({"method": "GET", "postData": {"text": ""}}, "", "empty", id="empty on get"),
        pytest.param({"bodySize": 7, "postData": {"text": ""}}, None, "not_recorded", id="text left out"),
        pytest.param({"postData": {"text": "a=1"}}, "a=1", "recorded", id="text"),
        pytest.param({"postData": "a=1"}, "a=1", "recorded", id="a bare string"),
        pytest.param(
            {"postData": {"text": "a=1", "params": [{"name": "a", "value": "2"}]}}, "a=1", "recorded", id="both"
        ),
        pytest.param(
            {"postData": {"params": [{"name": "a b", "value": "商"}, {"name": "c", "value": "&"}]}},
            "a+b=%E5%95%86&c=%26", "reconstructed", id="params only",
        ),
        pytest.param({"postData": {"_textBase64": "5ZWG"}}, "商", "recorded", id="base64"),
        pytest.param({"postData": {"text": "5ZWG", "encoding": "base64"}}, "商", "recorded", id="proposed encoding"),
    ],
)  # fmt: skip
def test_request_bodies(request_fields: dict[str, Any], text: str | None, state: str) -> None:
    row = one({"method": "POST", "bodySize": -1} | request_fields)
    assert (row["request_body"], row["request_body_state"]) == (text, state)
    assert state != "reconstructed" or not row["request_body_exact"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(
            [{"name": ":path", "value": "/"}, {"name": "A", "value": "1"}, {"name": "A", "value": "2"}], id="pseudo"
        ),
        pytest.param([["A", "1"], ["A", "2"]], id="pairs"),
        pytest.param({"A": ["1", "2"]}, id="object of lists"),
        pytest.param([{"Name": "A", "Value": "1"}, {"Name": "A", "Value": 2}], id="other case"),
        pytest.param([{"name": "A", "value": "1", "comment": ""}, {"name": "A", "value": "2"}], id="comments"),
    ],
)
def test_headers_in_any_shape(headers: object) -> None:
    row = one({"headers": headers})
    assert row["request_headers"] == [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    assert row["request_headers_state"] == "recorded"


def test_no_headers_are_headers_not_recorded() -> None:
    row = one({"headers": []})
    assert (row["request_headers"], row["request_headers_state"]) == (None, "not_recorded")


def test_a_missing_url_is_built_of_pseudo_headers() -> None:
    pseudo = {":method": "put", ":scheme": "https", ":authority": "a.example", ":path": "/x"}
    row = one(
        {"url": None, "method": None, "headers": [{"name": name, "value": value} for name, value in pseudo.items()]}
    )
    assert (row["method"], row["url"], row["host"]) == ("PUT", "https://a.example/x", "a.example")


def test_exports_without_credentials_are_masked() -> None:
    secret = {"headers": [{"name": "authorization", "value": "Bearer x"}]}
    assert one(creator="WebInspector")["request_headers_state"] == "masked"
    assert one(secret, creator="WebInspector")["request_headers_state"] == "recorded"
    assert one(creator="Firefox")["request_headers_state"] == "recorded"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("http/2.0", "2"), ("h3", "3"), ("HTTP/1.1", "1.1"), ("1.1", "1.1"), ("", None), ("unknown", None), ("ori", None)],
)
def test_http_versions(written: str, meant: str | None) -> None:
    assert one({"httpVersion": ""}, {"httpVersion": written})["http_version"] == meant


def test_a_cached_answer_says_so() -> None:
    row = one({"httpVersion": ""}, {"httpVersion": "", "headers": []})
    assert row["response_headers_state"] == "not_recorded"
    assert "cache" in row["state_reason"]


def test_what_is_no_exchange_is_counted() -> None:
    urls = ("data:text/plain,x", "blob:https://a/b", "chrome-extension://x/y", "https://a.example/")
    messages = entry(_webSocketMessages=[{"type": "send", "data": "x"}, {"type": "receive", "data": "y"}])
    tunnel = entry({"method": "CONNECT", "url": "https://a.example:443"})
    refused = entry({"method": "CONNECT", "url": "https://a.example:443"}, {"status": 407})
    result = read(har(*(entry({"url": url}) for url in urls), messages, tunnel, refused), "a.har")
    assert rows(result)["locator"].str.extract(r"(\d+)$").to_list() == ["3", "4", "6"]
    assert [(problem.kind, problem.message.split()[0]) for problem in result.problems] == [
        ("filtered", "3"), ("filtered", "1"), ("filtered", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2], ids=["minified", "indented"])
@pytest.mark.parametrize("size", [200, 700, 3000, 1 << 22])
def test_pieces_of_any_size_give_the_same(indent: int | None, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [entry({"url": f"https://a.example/{number}"}, _initiator={"startedDateTime": 1}) for number in range(25)]
    monkeypatch.setattr(har_split, "PIECE", size)
    monkeypatch.setattr(har_split.Splitter.pieces, "__defaults__", (size,))
    result = read(har(*entries, indent=indent), "a.har")
    assert rows(result)["url"].to_list() == [f"https://a.example/{number}" for number in range(25)]
    assert rows(result)["locator"].to_list() == [f"ptr:/log/entries/{number}" for number in range(25)]
    assert not result.problems


def test_one_bad_entry_loses_itself_only() -> None:
    good = json.dumps(entry())
    bad = good.replace('"time": 12.5', '"time": oops')
    data = b'{"log": {"entries": [' + ",".join([good, bad, good, '{"startedDateTime": 1}', good]).encode() + b"]}}"
    result = read(data, "a.har")
    assert rows(result)["locator"].str.extract(r"(\d+)$").to_list() == ["0", "2", "4"]
    assert [(problem.kind, problem.offset) for problem in result.problems] == [
        ("malformed", data.index(b"oops")), ("malformed", data.index(b'{"startedDateTime": 1}')),
    ]  # fmt: skip


@pytest.mark.parametrize(("cut", "left"), [(200, 2), (30, 2), (4, 2), (3, 3)])
def test_a_cut_file_is_used_up_to_the_cut(cut: int, left: int) -> None:
    whole = har(entry(), entry(), entry())
    result = read(whole[:-cut], "a.har")
    assert rows(result).height == left
    assert kinds(result) == ["truncated"]
    expected = b'{"startedDateTime"' if left == 2 else b"]}}"
    assert whole[result.problems[0].offset :].startswith(expected)


def test_text_that_no_utf8_can_hold() -> None:
    lone = har(entry()).replace(b'"text": "{}"', b'"text": "\\ud83d!"')
    assert rows(read(lone, "a.har"))["response_body"].to_list() == ["\ufffd!"]
    raw = har(entry()).replace(b'"text": "{}"', b'"text": "\xff!"')
    result = read(raw, "a.har")
    assert rows(result)["response_body"].to_list() == ["\ufffd!"]
    assert kinds(result) == ["undecodable"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + har(entry(), entry()), id="mark"),
        pytest.param(har(entry(), entry()).decode().encode("utf-16"), id="utf-16"),
        pytest.param(json.dumps({"log": {"entries": [entry(), entry()]}}).encode(), id="entries alone"),
        pytest.param(json.dumps({"entries": [entry(), entry()]}).encode(), id="no log"),
        pytest.param(json.dumps([entry(), entry()]).encode(), id="a list"),
        pytest.param(json.dumps({"log": {"pages": [{"startedDateTime": "x"}], "entries": [entry(), entry()],
                                         "creator": {"name": "late", "version": "1"}}}).encode(), id="creator behind"),
        pytest.param(json.dumps({"log": {"entries": [entry(), entry()], "pages": [{"startedDateTime": "x"}]}},
                                separators=(",", ":")).encode(), id="pages behind"),
        pytest.param(har(entry(), entry()).replace(b'"time": 12.5', b'"time": NaN'), id="not a number"),
        pytest.param(har(entry(), entry()).replace(b'"time": 12.5', b'"time": "12.5"'), id="number as text"),
        pytest.param(har(entry(timings={"blocked": 1e300}), entry(comment=5)), id="odd values"),
    ],
)  # fmt: skip
def test_documents_of_any_shape(data: bytes) -> None:
    result = read(data, "a.har")
    assert rows(result).height == 2
    assert rows(result)["status"].to_list() == [200, 200]
    assert not result.problems


def test_one_bare_entry() -> None:
    result = read(json.dumps(entry()).encode(), "a.har")
    assert (rows(result)["locator"].to_list(), rows(result)["status"].to_list()) == (["ptr:/0"], [200])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"onInputData(" + har(entry()) + b");", "unsupported", id="jsonp"),
        pytest.param(b'{"log": {"creator": {}, "pages": []}}', "malformed", id="no entries"),
        pytest.param(b'{"log": {"creator": {}, "pages": [', "malformed", id="cut before the entries"),
        pytest.param(b'{"settings": {"log": true}}', "unsupported", id="settings"),
    ],
)
def test_documents_that_are_none(data: bytes, kind: str) -> None:
    result = read(data, "a.har")
    assert (kinds(result), rows(result).height) == ([kind], 0)


def test_no_entries_are_no_problem() -> None:
    assert kinds(read(har(), "a.har")) == []


def test_a_zip_with_bodies_beside(tmp_path: Path) -> None:
    name = "0123456789abcdef0123456789abcdef01234567.json"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, '{"a": "商"}')
        outside = entry(None, {"content": {"_file": "../../etc/passwd"}})
        archive.writestr(
            "har.har", har(entry(None, {"content": {"_file": name, "mimeType": "application/json"}}), outside)
        )
    path = tmp_path / "trace.zip"
    path.write_bytes(stream.getvalue())
    [source] = walk([str(path)])
    assert isinstance(source, Source)
    frame = rows(read_source(source))
    assert frame["response_body"].to_list() == ['{"a": "商"}', None]
    assert frame["response_body_state"].to_list() == ["recorded", "not_recorded"]


def test_a_compressed_har(tmp_path: Path) -> None:
    path = tmp_path / "a.zhar"
    path.write_bytes(zlib.compress(har(entry())))
    [source] = walk([str(path)])
    assert isinstance(source, Source)
    assert rows(read_source(source)).height == 1


def test_binary_bodies_keep_their_bytes() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    content = {"text": base64.b64encode(picture).decode(), "encoding": "base64", "mimeType": "image/png", "size": 264}
    row = one(None, {"content": content})
    assert (row["response_body"], row["response_body_bytes"], row["response_body_state"]) == (None, picture, "recorded")


def test_columns_are_of_the_frame() -> None:
    frame = rows(read(har(entry()), "a.har"))
    assert frame.schema["started_at"] == pl.Datetime("us", "UTC")
    assert frame["direction"].to_list() == ["out"]
    assert frame["source_file"].to_list() == ["a.har"]
