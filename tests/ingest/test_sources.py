"""Bytes become valid UTF-8 lines, with places in the stored stream."""

from __future__ import annotations

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.ingest import sources
from openclaw_forensics.ingest.sources import Source, TextChunk


def source_of(data: bytes) -> Source:
    return Source("x.log", lambda: io.BytesIO(data))


def chunks_of(data: bytes, size: int = 64) -> tuple[Source, list[TextChunk]]:
    source = source_of(data)
    return source, list(source.text(size))


def text_of(data: bytes, size: int = 64) -> str:
    return b"".join(chunk.data for chunk in chunks_of(data, size)[1]).decode()


CHINESE = "2026-03-01 10:00:00 ERROR 库存不足,订单创建失败\n"


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        pytest.param(b"a\nb\n", "a\nb\n", "utf-8", id="ascii"),
        pytest.param(CHINESE.encode(), CHINESE, "utf-8", id="utf-8"),
        pytest.param(CHINESE.encode("utf-8-sig"), CHINESE, "utf-8", id="utf-8 mark"),
        pytest.param(CHINESE.encode("utf-16"), CHINESE, "utf-16-le", id="utf-16 mark"),
        pytest.param(b"\xfe\xff" + CHINESE.encode("utf-16-be"), CHINESE, "utf-16-be", id="utf-16-be mark"),
        pytest.param(CHINESE.encode("utf-32"), CHINESE, "utf-32-le", id="utf-32 mark"),
        pytest.param(CHINESE.encode("utf-16-le"), CHINESE, "utf-16-le", id="utf-16 without mark"),
        pytest.param(CHINESE.encode("gbk"), CHINESE, "gb18030", id="gbk"),
        pytest.param("签名错误 code=1001\n".encode("gbk"), "签名错误 code=1001\n", "gb18030", id="gbk, one word"),
        pytest.param(
            "要\nERROR 签名错误\n".encode("gbk"), "要\nERROR 签名错误\n", "gb18030", id="gbk that is utf-8 too"
        ),
        pytest.param("庫存不足,請重新授權\n".encode("big5"), "庫存不足,請重新授權\n", "big5", id="big5"),
        pytest.param("Prüfung – ungültig\n".encode("cp1252"), "Prüfung – ungültig\n", "windows-1252", id="cp1252"),
        pytest.param("签名\n".encode("gbk") + "签名错误\n".encode(), "签名\n签名错误\n", "gb18030", id="mixed"),
        pytest.param(b"a\r\nb\r\n", "a\r\nb\r\n", "utf-8", id="crlf stays"),
        pytest.param(
            "\u2028a\x0bb\x85\n".encode(), "\u2028a\x0bb\x85\n", "utf-8", id="other separators are no line ends"
        ),
        pytest.param(b"", "", "utf-8", id="empty"),
    ],
)
def test_text_is_utf8(data: bytes, text: str, encoding: str) -> None:
    source, chunks = chunks_of(data)
    assert b"".join(chunk.data for chunk in chunks).decode() == text
    assert source.encoding == encoding
    assert not [problem for chunk in chunks for problem in chunk.problems]


def test_valid_chunks_are_passed_on_untouched() -> None:
    data = CHINESE.encode() * 50
    assert b"".join(chunk.data for chunk in source_of(data).text(100)) == data


def test_places_are_of_the_stored_stream() -> None:
    _, chunks = chunks_of("订单\n失败\n".encode("utf-16"), 7)
    assert [(chunk.offset, chunk.line) for chunk in chunks] == [(2, 1), (8, 2)]


def test_undecodable_runs_are_one_problem_each() -> None:
    good = "签名错误\n".encode()
    bad = "签名".encode() + b"\xe9 x\n"
    _, chunks = chunks_of(good + bad + bad + good + bad)
    problems = [problem for chunk in chunks for problem in chunk.problems]
    assert [(problem.kind, problem.line, problem.offset) for problem in problems] == [
        ("undecodable", 2, len(good)),
        ("undecodable", 5, 2 * len(good) + 2 * len(bad)),
    ]
    assert "签名� x\n".encode() in b"".join(chunk.data for chunk in chunks)


def test_a_line_over_the_limit_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LINE_LIMIT", 10)
    source, chunks = chunks_of("ab签名错误签名错误ab\nnext\n".encode(), 8)
    assert [chunk.data.decode() for chunk in chunks] == ["ab签名\n", "next\n"]
    assert [chunk.line for chunk in chunks] == [1, 2]
    assert chunks[1].offset == 29
    assert [(problem.kind, problem.line, problem.offset) for problem in source.problems] == [("limit", 1, 0)]
    assert sum(source.left_out.values()) + source.given == source.size


def test_digest_and_size_come_in_passing() -> None:
    opened = []

    def opener() -> io.BytesIO:
        opened.append(1)
        return io.BytesIO(CHINESE.encode())

    source = Source("x.log", opener)
    assert b"".join(source.blocks(8)) == CHINESE.encode()
    assert (source.digest(), source.size) == (hashlib.sha256(CHINESE.encode()).hexdigest(), len(CHINESE.encode()))
    assert len(opened) == 1


def test_digest_reads_what_was_not_read() -> None:
    source = source_of(b"abc")
    assert source.head(2) == b"ab"
    assert source.digest() == hashlib.sha256(b"abc").hexdigest()


def test_data_over_the_limit_is_cut() -> None:
    source = source_of(b"abcdef")
    assert source.data(4) == b"abcd"
    assert [problem.kind for problem in source.problems] == ["limit"]


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([CHINESE.encode(), CHINESE.encode("gbk"), b"\n"])),
    st.integers(1, 99),
)
def test_any_bytes_become_utf8_lines(pieces: list[bytes], size: int) -> None:
    data = b"".join(pieces)
    source, chunks = chunks_of(data, size)
    text = [chunk.data.decode() for chunk in chunks]
    assert all(piece.endswith("\n") for piece in text[:-1])
    assert source.size == len(data)
    lines = 1
    for chunk in chunks:
        assert chunk.line == lines
        lines += chunk.data.count(b"\n")
    if source.encoding not in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        assert sum(chunk.data.count(b"\n") for chunk in chunks) == data.count(b"\n")


@given(st.text(max_size=200), st.integers(1, 50))
def test_utf8_text_is_never_changed(text: str, size: int) -> None:
    data = text.encode()
    if not text.startswith("\ufeff") and "\0" not in text:
        assert text_of(data, size) == text
