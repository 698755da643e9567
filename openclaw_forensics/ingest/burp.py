"""Burp's "Save items": XML with one `<item>` for each request and its response, usually in base64.

Sample::

    <items burpVersion="2025.1" exportTime="Tue Jul 22 10:30:00 CEST 2025"><item>
      <time>Tue Jul 22 10:25:57 CEST 2025</time><url><![CDATA[https://api.example.com/v1]]></url>
      <request base64="true"><![CDATA[R0VU...]]></request><status>200</status><response base64="true">...</response>
    </item></items>

It declares XML 1.1 and keeps NUL bytes, which no XML parser takes, so the few fields are cut out by their tags; with no
parser there are no entities to expand either. Zones are abbreviations, which are ambiguous: the response's `Date` tells
the offset, else the stamp stays without one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest import rawhttp
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.decode import Body, body_of, from_base64
from openclaw_forensics.ingest.rows import Exchange, Half, Outcome, When, part_of
from openclaw_forensics.ingest.sources import Source

LIMIT = 1 << 30  # bytes of one export
_ITEM = re.compile(rb"<item>")
_FIELD = re.compile(
    rb"<(time|url|host|port|protocol|method|request|status|response|comment)((?:\s+\w{1,20}=\"[^\"<>]{0,300}\"){0,4})\s*(?:/>|>"
    rb"((?:\s*<!\[CDATA\[(?:[^\]]++|\](?!\]>))*+\]\]>)*|[^<]*)\s*</\1>)"
)
_CDATA = re.compile(rb"<!\[CDATA\[((?:[^\]]++|\](?!\]>))*+)\]\]>")
_STAMP = re.compile(r"\w{3} (\w{3} \d{1,2} \d\d:\d\d:\d\d) ([A-Z]{1,5}|[+-]\d\d:?\d\d|\S{1,40}) (\d{4})")
_LOSSY = "saved without base64: line ends and bytes that are no text are lost"


class BurpReader:
    """Burp saved items."""

    name = "burp"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """XML whose root is `items` with Burp's version."""
        start = head[:16384]
        if b"<items" in start and b"burpVersion=" in start and b"<issues" not in start:
            return Sniff(95, "items saved from Burp", "Burp")
        return NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The items in order."""
        data = source.data(LIMIT)
        starts = [found.start() for found in _ITEM.finditer(data)]
        exchanges: list[Exchange] = []
        problems: list[Problem] = []
        broken = 0
        for number, start in enumerate(starts):
            end = starts[number + 1] if number + 1 < len(starts) else len(data)
            whole = b"</item>" in data[max(start, end - 4096) : end]
            exchange = _exchange(data[start:end], f"bytes:{start}-{end}")
            if exchange is None or not whole:
                broken += end - start
                kind = "malformed" if number + 1 < len(starts) else "truncated"
                problems.append(Problem(kind, f"item {number} is not whole; it is left out", offset=start))  # type: ignore[arg-type]
            else:
                exchanges.append(exchange)
        size = source.size or len(data)
        version = re.search(rb'burpVersion="([^"<>]{1,40})"', data[:16384])
        writer = f"Burp {version.group(1).decode('latin-1')}" if version else "Burp"
        balance = Balance(
            size - broken - (starts[0] if starts else size),
            0,
            {"document structure": starts[0] if starts else size},
            broken,
        )
        yield part_of(exchanges, problems, balance, self.name, writer)


def _exchange(item: bytes, locator: str) -> Exchange | None:
    fields: dict[str, tuple[bytes, bytes]] = {}
    for found in _FIELD.finditer(item):
        fields.setdefault(found.group(1).decode(), (found.group(2) or b"", found.group(3) or b""))
    asked, exact = _message(fields.get("request"))
    if asked is None:
        return None
    answered, answer_exact = _message(fields.get("response"))
    line = rawhttp.request_line(asked.first)
    status, version = rawhttp.status_line(answered.first) if answered else (None, None)
    url = _text(fields, "url") or rawhttp.absolute(line.target, asked.headers, _text(fields, "protocol") or "https")
    ip = re.search(rb'ip="([^"]{1,60})"', fields.get("host", (b"", b""))[0])
    return Exchange(
        locator=locator,
        method=line.method or _text(fields, "method"),
        url=url,
        when=_when(_text(fields, "time"), answered.headers if answered else []),
        request=_half(asked, line.version, exact=exact),
        response=_half(answered, version, exact=answer_exact) if answered else Half(),
        outcome=Outcome(status),
        server_address=ip.group(1).decode("latin-1") if ip else None,
        reason=None if exact else _LOSSY,
    )


def _message(field: tuple[bytes, bytes] | None) -> tuple[rawhttp.Message | None, bool]:
    """A message, and whether its bytes are exact."""
    if field is None:
        return None, False
    attributes, raw = field
    data = _content(raw)
    if b'base64="true"' in attributes:
        decoded = from_base64(data.decode("latin-1"))
        return rawhttp.message(decoded or b""), True
    return rawhttp.message(data), False


def _half(message: rawhttp.Message, version: str | None, *, exact: bool) -> Half:
    body = body_of(message.body, message.headers, dechunk=True)
    if not exact and body.state == "recorded":
        body = Body(body.text, None, False, body.state, body.reason)
    return Half(message.headers, body, version)


def _content(raw: bytes) -> bytes:
    if b"<![CDATA[" in raw:
        return b"".join(_CDATA.findall(raw))
    return html.unescape(raw.decode("latin-1")).encode("latin-1", "replace")


def _text(fields: dict[str, tuple[bytes, bytes]], name: str) -> str | None:
    return rawhttp.text(_content(fields[name][1])).strip() or None if name in fields else None


def _when(stamp: str | None, headers: list[tuple[str, str]]) -> When:
    found = _STAMP.match(stamp or "")
    try:
        local = (
            datetime.strptime(f"{found.group(1)} {found.group(3)}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
            if found
            else None
        )
    except ValueError:
        local = None
    if local is None or found is None:
        return When(None, stamp)
    if found.group(2) in ("GMT", "UTC", "Z"):
        return When(local, stamp, "second", "given")
    offset = _offset(local, headers)
    if offset is None:
        return When(local, stamp, "second", "assumed")
    return When(local - offset, stamp, "second", "inferred")


def _offset(local: datetime, headers: list[tuple[str, str]]) -> timedelta | None:
    """The zone's offset, to the quarter of an hour, by the response's Date; None when it tells none that exists."""
    stated = next((value for name, value in headers if name.lower() == "date"), None)
    try:
        date = parsedate_to_datetime(stated) if stated else None
    except (TypeError, ValueError):
        return None
    if date is None or date.tzinfo is None:
        return None
    quarters = round((local - date).total_seconds() / 900)
    rest = abs((local - date).total_seconds() - quarters * 900)
    return timedelta(minutes=15 * quarters) if -48 <= quarters <= 56 and rest < 300 else None
