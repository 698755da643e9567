"""Files that are known and cannot be read here: each is answered with how to export the same traffic instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, empty
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.sources import Source

_PCAP = "a packet capture; convert it with tshark to HTTP, or record the calls with a proxy and save a HAR"
_PICTURE = "a picture; give the log, the HAR or the message itself as text"
_CHARLES = "a Charles session in its own format; open it in Charles and export as JSON session (.chlsj) or HAR"
_OFFICE = "a text document; save the log lines as plain text, tables as CSV or .xlsx"
_ARCHIVE = "an archive of a kind that is not unpacked here; unpack it and give the folder"

# By first bytes; the first that fits.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF; give the log, the HAR or the message itself as text"),
    (b"\x89PNG\r\n", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"\xac\xed\x00\x05", _CHARLES),
    (b"\xd4\xc3\xb2\xa1", _PCAP),
    (b"\xa1\xb2\xc3\xd4", _PCAP),
    (b"\x4d\x3c\xb2\xa1", _PCAP),
    (b"\xa1\xb2\x3c\x4d", _PCAP),
    (b"\x0a\x0d\x0d\x0a", _PCAP),
    (b"WARC/", "a web archive; record the calls with a proxy and save a HAR"),
    (b"filedesc://", "a web archive; record the calls with a proxy and save a HAR"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old office document or saved mail; save its text, or tables as CSV or .xlsx",
    ),
    (b"{\\rtf", _OFFICE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"\x04\x22\x4d\x18", _ARCHIVE),
    (b"\x1f\x9d", _ARCHIVE),
    (b"ElfFile\0", "a Windows event log; export it as CSV or text in the event viewer"),
    (b"SQLite format 3\0", "a database; export the rows that matter as CSV"),
)
_NAMES: tuple[tuple[str, str], ...] = (
    (".chls", _CHARLES),
    (".chlz", _CHARLES),
    (".burp", "a Burp project; select the items in Burp's history and choose Save items"),
    (".proxymanlog", "a Proxyman log; export it as HAR in Proxyman"),
    (".proxymanlogv2", "a Proxyman log; export it as HAR in Proxyman"),
    (".pcap", _PCAP),
    (".pcapng", _PCAP),
)
_COLLECTION = re.compile(rb'"schema"\s*:\s*"https://schema\.(?:getpostman|postman)\.com/')
_FIRST_NAME = slice(30, 94)


class RefusedReader:
    """Known formats that are answered with advice."""

    name = "refused"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """By magic numbers, names, and what a document says of itself."""
        advice, score = _advice(head, name.lower())
        return Sniff(score, advice) if advice else NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """One problem that says what to do."""
        source.digest()
        advice, _ = _advice(source.text_head(), source.path.lower())
        problem = Problem("unsupported", advice or "a format that cannot be read here")
        yield Part(
            empty(READ_COLUMNS), empty(RECORDS), (problem,), Balance(irrelevant={"unsupported": source.size or 0})
        )


def _advice(head: bytes, name: str) -> tuple[str | None, int]:
    for magic, advice in _MAGIC:
        if head.startswith(magic):
            return advice, 97
    if head.startswith(b"PK\x03\x04"):
        return _zip_advice(head, name), 97
    for suffix, advice in _NAMES:
        if name.endswith(suffix):
            return advice, 60
    start = head[:8192].lstrip()
    if start.startswith(b"{"):
        if _COLLECTION.search(start) and b'"executions"' not in head and not start[:40].startswith(b'{"collection"'):
            return "a Postman collection, which holds no traffic; run it with newman's JSON reporter", 80
        if name.endswith(".har"):
            return "named .har, but without a log of entries; export the traffic again", 45
    return (_scan_report(start), 80)


def _zip_advice(head: bytes, name: str) -> str | None:
    first = head[_FIRST_NAME]
    if name.endswith((".docx", ".odt", ".pptx")) or (first.startswith(b"[Content_Types]") and b"word/" in head):
        return _OFFICE
    if name.endswith(".chlz"):
        return _CHARLES
    if name.endswith((".proxymanlog", ".proxymanlogv2")):
        return "a Proxyman log; export it as HAR in Proxyman"
    return None


def _scan_report(start: bytes) -> str | None:
    if b"<issues" in start and b"burpVersion=" in start:
        return "a scan report; select the items in Burp's history and choose Save items"
    return None
