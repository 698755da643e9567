"""A file that holds what curl printed: `-v`, `--trace-ascii` or `--trace`, several calls one below the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import polars as pl

from openclaw_forensics.exchanges import RECORDS, empty
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.curl_text import Seen, read_curl
from openclaw_forensics.ingest.fragments import fragments_of
from openclaw_forensics.ingest.sources import Source, TextChunk
from openclaw_forensics.ingest.stamps import Calendar, date_in_name, read_stamps
from openclaw_forensics.ingest.textlog_rows import EVENT, single, to_exchanges

LIMIT = 64 << 20  # bytes; nobody pastes more
_SENT = re.compile(rb"^(?:\d\d:\d\d:\d\d\.\d+ )?(?:> [A-Z]{3,10} \S+ HTTP/|=> Send header|== Info: )", re.M)
_GOT = re.compile(rb"^(?:\d\d:\d\d:\d\d\.\d+ )?(?:< HTTP/|<= Recv header|\* |curl: \(\d+\)|== Info: )", re.M)
_STAMPED = re.compile(rb"^\[?\d{4}[-/]\d\d[-/]\d\d[T ]", re.M)


class CurlReader:
    """Pasted output of curl."""

    name = "curl"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """Marks of a request and of an answer or note; a log with stamps that quotes curl is a log."""
        sent, got = len(_SENT.findall(head)), len(_GOT.findall(head))
        if not got or (not sent and b"curl: (" not in head and b"* Trying" not in head):
            return NOT_MINE
        if len(_STAMPED.findall(head)) > sent:
            return Sniff(15, "curl's output quoted in a log")
        return Sniff(85 if sent else 50, f"{sent} requests as curl prints them", "curl")

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """All calls in one part."""
        yield pasted_part(source, self.name, read_curl, "text around curl's output")


def pasted_part(source: Source, name: str, read: Callable[[str, int], list[Seen]], around: str) -> Part:
    """All calls that `read` finds in a pasted text, as the reader `name` gives them; `around` names the other bytes."""
    chunks: list[TextChunk] = []
    size = 0
    for chunk in source.text(LIMIT):
        chunks.append(chunk)
        size += len(chunk.data)
        if size >= LIMIT:
            break
    first = chunks[0].line if chunks else 1
    text = b"".join(chunk.data for chunk in chunks).decode("utf-8", "replace")
    seen = read(text, first)
    problems = tuple(problem for chunk in chunks for problem in chunk.problems)
    exchanges = to_exchanges(_rows(seen, source.path), source.path, name)
    return Part(exchanges, empty(RECORDS), problems, _balance(text, seen, first, around), name)


def _rows(seen: list[Seen], path: str) -> pl.DataFrame:
    """Calls of a pasted text as CALL; the file's name may tell the day."""
    calendar = Calendar(date_in_name(path.rsplit("/", 1)[-1]))
    frame = fragments_of([s.call | {"row": i} for i, s in enumerate(seen)])
    raw = pl.Series("raw_stamp", [_stamp(s) for s in seen], dtype=pl.String)
    stamps = read_stamps(raw, calendar)
    dated = pl.Series([s.clock is None for s in seen], dtype=pl.Boolean)
    quality = stamps["time_quality"].zip_with(
        ~dated | (stamps["time_quality"] == "missing"), pl.Series(["derived"]).new_from_index(0, len(seen))
    )
    events = frame.hstack([raw, stamps["at"], quality.rename("time_quality"), stamps["zone_basis"]]).with_columns(
        pl.Series("line", [s.line for s in seen], dtype=pl.Int64),
        pl.Series("end", [s.end for s in seen], dtype=pl.Int64),
    )
    return single(events.match_to_schema(pl.Schema(EVENT), missing_columns="insert"))


def _stamp(seen: Seen) -> str | None:
    """The time that curl printed, else the answer's Date header: its second, not the call's."""
    if seen.clock is not None:
        return seen.clock
    headers = seen.call.get("response_headers")
    if not isinstance(headers, list):
        return None
    value = next((str(h["value"]) for h in headers if h["name"].lower() == "date"), None)
    return re.sub(r"^[A-Za-z]{3}, ", "", value) if value else None


def _balance(text: str, seen: list[Seen], first: int, around: str) -> Balance:
    """Bytes between the first and last line of a call belong to it."""
    mine: set[int] = set()
    for call in seen:
        mine.update(range(call.line, call.end + 1))
    lines = text.split("\n")
    sizes = [len(line.encode("utf-8", "replace")) + (index < len(lines) - 1) for index, line in enumerate(lines)]
    used = sum(size for number, size in enumerate(sizes, first) if number in mine)
    return Balance(exchanges=used, irrelevant={around: sum(sizes) - used})
