"""Whose a file is, what is refused with which advice, and how a file is accounted for."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from openclaw_forensics.errors import UsageError
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, frame_of
from openclaw_forensics.ingest import registry
from openclaw_forensics.ingest.api import Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.reading import Reading, read_source
from openclaw_forensics.ingest.sniff import by_name, identify
from openclaw_forensics.ingest.sources import Source
from tests.ingest.readers import kinds, read, rows

HAR = b'{"log": {"creator": {"name": "x"}, "entries": []}}'


def source_of(data: bytes, name: str = "x") -> Source:
    return Source(name, lambda: io.BytesIO(data))


class Failing:
    """A reader that fails whatever it is asked."""

    name = "failing"

    def sniff(self, head: bytes, name: str) -> Sniff:
        raise RuntimeError("no")

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        row = {"locator": "flow:0", "answer_state": "open"}
        yield Part(
            frame_of([row, row], READ_COLUMNS),
            frame_of([row | {"answer_state": None}][:0], RECORDS),
            balance=Balance(1),
        )
        raise RuntimeError("half way")


def test_a_failing_reader_is_skipped() -> None:
    found = identify(source_of(HAR), readers=[Failing(), by_name("har")])
    assert found.reader is not None
    assert (found.reader.name, [name for name, _ in found.scores]) == ("har", ["har", "failing"])


def test_the_forced_format_wins() -> None:
    found = identify(source_of(b"nothing like it"), forced="HAR")
    assert found.reader is not None
    assert found.reader.name == "har"


def test_an_unknown_format_names_its_neighbours() -> None:
    with pytest.raises(UsageError, match="mitmproxy"):
        identify(source_of(b""), forced="mitmprox")


def test_names_are_unique() -> None:
    assert len(set(registry.names())) == len(registry.names())


@pytest.mark.parametrize(
    ("data", "name", "word"),
    [
        pytest.param(b"%PDF-1.7", "a.pdf", "text", id="pdf"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "a.png", "text", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0", "a.jpg", "text", id="jpeg"),
        pytest.param(b"\xac\xed\x00\x05sr", "a.chls", "chlsj", id="charles"),
        pytest.param(b"PK\x03\x04" + bytes(22) + b"\1\0\0\0x", "a.chlz", "chlsj", id="charles zip"),
        pytest.param(b"\xd4\xc3\xb2\xa1\x02\x00", "a", "tshark", id="pcap"),
        pytest.param(b"\x0a\x0d\x0d\x0a\x1c\x00", "a", "tshark", id="pcapng"),
        pytest.param(b"WARC/1.0\r\n", "a.warc", "HAR", id="warc"),
        pytest.param(b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml word/document.xml", "a.docx", "CSV", id="docx"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "text", id="old office"),
        pytest.param(b"\0" * 40, "a.burp", "Save items", id="burp project"),
        pytest.param(b"\0" * 40, "a.proxymanlogv2", "HAR", id="proxyman"),
        pytest.param(b"Rar!\x1a\x07\x00", "a.rar", "unpack", id="rar"),
        pytest.param(b"ElfFile\0", "a.evtx", "CSV", id="event log"),
        pytest.param(b'<?xml version="1.0"?><issues burpVersion="2"/>', "a.xml", "Save items", id="scan"),
        pytest.param(b'{"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}}',
                     "c.json", "newman", id="postman collection"),
        pytest.param(b'{"mocks": true}', "x.har", "export", id="settings named har"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_to_export(data: bytes, name: str, word: str) -> None:
    result = read(data, name)
    assert (kinds(result), rows(result).height) == (["unsupported"], 0)
    assert word in result.problems[0].message


@pytest.mark.parametrize("data", [b"", bytes(200)], ids=["empty", "bytes"])
def test_what_nobody_knows(data: bytes) -> None:
    result = read(data, "x.bin")
    assert (result.format, kinds(result)) == (None, ["unrecognised"])


def test_a_reader_that_breaks_keeps_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(source_of(HAR, "a/b.har"))
    reading.identified = reading.identified._replace(reader=Failing())
    parts = tuple(reading.parts())
    result = reading.result(parts)
    first, second = parts[0].exchanges["exchange_id"]
    assert first.startswith("x")
    assert first.endswith("-flow:0")
    assert second == f"{first}~1"
    assert parts[0].exchanges["source_file"].to_list() == ["a/b.har"] * 2
    assert parts[0].exchanges["format"].to_list() == ["failing"] * 2
    assert [problem.kind for problem in result.problems] == ["malformed"]
    assert result.balance.irrelevant == {"not accounted for": len(HAR) - 1}


def test_ids_are_stable_and_of_the_content() -> None:
    def prefix(data: bytes, name: str) -> str:
        return Reading(source_of(data, name))._prefix

    assert prefix(HAR, "a") == prefix(HAR, "a")
    assert len({prefix(HAR, "a"), prefix(HAR, "b"), prefix(HAR + b" ", "a")}) == 3


def test_the_account_of_a_file() -> None:
    result = read_source(source_of(HAR, "a.har"))
    assert (result.path, result.format, result.writer, result.bytes) == ("a.har", "har", "x", len(HAR))
    assert len(result.sha256) == 64
