"""Bodies from wire bytes: codings, charsets, bounds."""

from __future__ import annotations

import gzip
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.ingest import decode
from openclaw_forensics.ingest.decode import body_of, from_base64, text_of, unchunk

TEXT = '{"title": "商品", "n": 12345678901234567890}'
DATA = TEXT.encode()
RAW_DEFLATE = zlib.compress(DATA)[2:-4]


def test_absent_is_not_empty() -> None:
    assert body_of(None, []).state == "not_recorded"
    assert body_of(b"", [])[:4] == ("", None, True, "empty")


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(DATA, mtime=0)),
        ("x-gzip", gzip.compress(DATA, mtime=0)),
        ("deflate", zlib.compress(DATA)),
        ("deflate", RAW_DEFLATE),
        ("br", brotli.compress(DATA)),
        ("zstd", zstandard.compress(DATA)),
        ("gzip, br", brotli.compress(gzip.compress(DATA, mtime=0))),
        ("identity", DATA),
        ("gzip", DATA),  # the writer took it off and left the header
        ("br", DATA),
    ],
)
def test_content_codings(coding: str, data: bytes) -> None:
    assert body_of(data, [("Content-Encoding", coding)]) == (TEXT, None, True, "recorded", None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "unheard-of"])
def test_what_does_not_decode_is_kept(coding: str) -> None:
    data = b"\x1f\x8b\x08\xff\x00\xfe not it"
    body = body_of(data, [("content-encoding", coding)])
    assert (body.text, body.bytes, body.state) == (None, data, "undecodable")
    assert coding in (body.reason or "")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_bombs_are_cut(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "BODY_LIMIT", 100_000)
    bomb = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress}[coding](b"a" * 5_000_000)
    body = body_of(bomb, [("content-encoding", coding)])
    assert body.state == "truncated"
    assert body.text is not None
    assert 0 < len(body.text) <= 1 << 21


def test_a_cut_stream_keeps_its_beginning() -> None:
    body = body_of(gzip.compress(DATA * 999)[:-30], [("content-encoding", "gzip")])
    assert (body.state, body.exact) == ("truncated", False)
    assert body.text is not None
    assert body.text.startswith(TEXT[:20])


@pytest.mark.parametrize(
    ("data", "kind", "text", "kept", "state"),
    [
        pytest.param("签名".encode("gbk"), "text/xml; charset=GB2312", "签名", True, "recorded", id="named gbk"),
        pytest.param(
            "签名错误,请重试".encode("gbk"), "text/xml", "签名错误,请重试", True, "recorded", id="gbk unnamed"
        ),
        pytest.param("签名".encode(), "text/xml; charset=gbk2", "签名", False, "recorded", id="unknown charset"),
        pytest.param("签名".encode(), "text/xml; charset=ascii", "签名", False, "recorded", id="wrong charset"),
        pytest.param("签".encode("utf-16"), "", "签", True, "recorded", id="mark"),
        pytest.param(b"caf\xe9", "text/plain; charset=iso-8859-1", "café", True, "recorded", id="latin-1"),
        pytest.param(b"a", "text/plain; charset=punycode", "a", False, "recorded", id="no charset at all"),
        pytest.param(b"\x89PNG\0\0", "image/png", None, True, "recorded", id="picture"),
        pytest.param(b"\0\1\2\xff" * 30, "", None, True, "recorded", id="binary"),
    ],
)
def test_charsets(data: bytes, kind: str, text: str | None, kept: bool, state: str) -> None:
    assert text_of(data, kind)[:4] == (text, data if kept else None, True, state)


@pytest.mark.parametrize(
    ("data", "payload", "problem"),
    [
        pytest.param(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde", None, id="chunked"),
        pytest.param(b"3\nabc\n0\n\n", b"abc", None, id="bare line feeds"),
        pytest.param(b"5\r\nabc", b"abc", "the last chunk is cut", id="cut"),
        pytest.param(b"3\r\nabc\r\nxx", b"abc", "a chunk's size is missing", id="no size"),
        pytest.param(b'{"a": 1}', b'{"a": 1}', None, id="not chunked"),
        pytest.param(b"0\r\n\r\n", b"", None, id="empty"),
    ],
)
def test_chunks(data: bytes, payload: bytes, problem: str | None) -> None:
    assert unchunk(data) == (payload, problem)


def test_chunked_and_compressed() -> None:
    data = gzip.compress(DATA, mtime=0)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    headers = [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")]
    assert body_of(chunked, headers, dechunk=True).text == TEXT


@pytest.mark.parametrize(
    ("text", "data"), [("5ZWG", "商".encode()), ("5ZWG\r\n", "商".encode()), ("YQ", b"a"), ("!", None), ("", b"")]
)
def test_base64(text: str, data: bytes | None) -> None:
    assert from_base64(text) == data


@given(
    st.binary(max_size=300),
    st.sampled_from(["gzip", "deflate", "br", "zstd", "x", "gzip,br", ""]),
    st.sampled_from(["", "text/plain; charset=utf-7", "image/png", "x; charset=gbk", "x; charset=\x00"]),
    st.booleans(),
)
def test_any_bytes_have_a_state(data: bytes, coding: str, kind: str, dechunk: bool) -> None:
    headers = [("content-encoding", coding), ("content-type", kind), ("transfer-encoding", "chunked")]
    body = body_of(data, headers, dechunk=dechunk)
    assert body.state in ("recorded", "empty", "truncated", "undecodable")
    assert body.text is not None or body.bytes is not None or body.state == "truncated"
    if body.text is not None:
        body.text.encode()
