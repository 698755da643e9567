"""Fiddler session archives (.saz): a zip with raw requests, raw responses and a metadata file for each session.

Layout: `raw/12_c.txt` (client's request), `raw/12_s.txt` (server's response), `raw/12_m.xml` (timers and flags),
`raw/12_w.txt` (web socket). http://fiddler.wikidot.com/saz-files
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest import rawhttp
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.decode import EMPTY, NOT_RECORDED, body_of
from openclaw_forensics.ingest.inflate import DECODE_ERRORS
from openclaw_forensics.ingest.rows import Exchange, Half, Outcome, When, iso, part_of, problem_part
from openclaw_forensics.ingest.sources import Source

MEMBER_LIMIT = 256 << 20  # bytes of one message
SESSIONS = 200_000
_MEMBER = re.compile(r"raw[/\\](\d{1,9})_([csmw])\.(?:txt|xml)$", re.I)
_OWN_PAGE = re.compile(rb"\s*\[Fiddler\]")
_BROKEN = (zipfile.BadZipFile, RuntimeError, NotImplementedError, *DECODE_ERRORS)


class FiddlerReader:
    """Fiddler session archive."""

    name = "saz"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """A zip whose members lie under raw/."""
        if head.startswith(b"PK\x03\x04") and (
            name.lower().endswith(".saz") or re.search(rb"raw[/\\]\d+_[cs]\.txt", head)
        ):
            return Sniff(90, "sessions under raw/", "Fiddler")
        return NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The sessions by number; opened tunnels are counted."""
        source.digest()
        size = source.size or 0
        try:
            with source.opener() as stream, zipfile.ZipFile(stream) as archive:
                if any(info.flag_bits & 1 for info in archive.infolist()):
                    advice = "the archive is protected by a password; open it in Fiddler and save it without one"
                    yield problem_part(Problem("encrypted", advice), size)
                    return
                yield from _sessions(archive, size)
        except _BROKEN as exc:
            yield problem_part(Problem("unreadable", f"the archive cannot be opened: {exc}"), size)


def _sessions(archive: zipfile.ZipFile, size: int) -> Iterator[Part]:
    members: dict[int, dict[str, str]] = defaultdict(dict)
    for name in archive.namelist():
        if found := _MEMBER.search(name):
            members[int(found.group(1))][found.group(2).lower()] = name
    exchanges: list[Exchange] = []
    problems: list[Problem] = []
    held = tunnels = sockets = 0
    for number in sorted(members)[:SESSIONS]:
        try:
            texts = {kind: _member(archive, name) for kind, name in members[number].items() if kind != "w"}
        except _BROKEN as exc:
            problems.append(Problem("malformed", f"session {number} cannot be unpacked: {exc}"))
            continue
        sockets += "w" in members[number]
        exchange = _exchange(number, texts)
        if exchange is None:
            problems.append(Problem("malformed", f"session {number} holds no request"))
        elif exchange.method == "CONNECT" and exchange.outcome.status and exchange.outcome.status < 300:
            tunnels += 1
        else:
            exchanges.append(exchange)
        held += sum(map(len, texts.values()))
        if held > CHUNK:
            yield part_of(exchanges, problems, Balance(), "saz", "Fiddler")
            exchanges, problems, held = [], [], 0
    for count, what in ((tunnels, "tunnels"), (sockets, "web socket logs")):
        if count:
            problems.append(Problem("filtered", f"{count} {what} are no exchanges"))
    yield part_of(exchanges, problems, Balance(exchanges=size), "saz", "Fiddler")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(MEMBER_LIMIT)


def _exchange(number: int, texts: dict[str, bytes]) -> Exchange | None:
    asked = rawhttp.message(texts.get("c", b""))
    if asked is None:
        return None
    line = rawhttp.request_line(asked.first)
    answered = rawhttp.message(texts.get("s", b""))
    status, version = rawhttp.status_line(answered.first) if answered else (None, None)
    session, flags = _metadata(texts.get("m", b""))
    error = None
    if answered and _OWN_PAGE.match(answered.body):  # a page that Fiddler made: no server said this
        error, status = answered.body.decode("utf-8", "replace").strip()[:2000], None
    when, client, server = _when(session), flags.get("x-clientip"), flags.get("x-hostip")
    return Exchange(
        locator=f"flow:{number}",
        method=line.method,
        url=rawhttp.absolute(line.target, asked.headers, "https" if flags.get("x-securepipe") else "http"),
        when=when,
        request=Half(asked.headers, body_of(asked.body, asked.headers, dechunk=True), line.version),
        response=_response(answered, version) if answered and error is None else Half(),
        outcome=Outcome(status, error or flags.get("x-abortedby")),
        client_address=client,
        server_address=server,
    )


def _response(answered: rawhttp.Message, version: str | None) -> Half:
    length = next((value for name, value in answered.headers if name.lower() == "content-length"), "")
    if not answered.body:
        return Half(answered.headers, NOT_RECORDED if length.isdigit() and int(length) else EMPTY, version)
    return Half(answered.headers, body_of(answered.body, answered.headers, dechunk=True), version)


def _metadata(data: bytes) -> tuple[Element | None, dict[str, str]]:
    try:
        session: Element = fromstring(data.removeprefix(b"\xef\xbb\xbf"))
    except (ParseError, DefusedXmlException, ValueError):
        return None, {}
    flags = {(flag.get("N") or "").lower(): flag.get("V") or "" for flag in session.iter("SessionFlag")}
    return session, flags


def _when(session: Element | None) -> When:
    timers = session.find("SessionTimers") if session is not None else None
    if timers is None:
        return When()
    begun, done = (
        iso(next((value for key in keys if (value := timers.get(key)) and not value.startswith("0001")), None))
        for keys in (
            ("ClientBeginRequest", "ClientConnected", "ClientDoneRequest"),
            ("ServerDoneResponse", "ClientDoneResponse", "ServerBeginResponse"),
        )
    )
    if begun.at is None or done.at is None or done.at < begun.at:
        return begun
    return When(begun.at, begun.raw, begun.quality, begun.basis, (done.at - begun.at).total_seconds() * 1000)
