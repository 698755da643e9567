"""What curl prints with -v, --trace-ascii and --trace, as calls: several in one text, also inside another text.

    > POST /orders HTTP/1.1
    > Host: api.example.com
    < HTTP/1.1 403 Forbidden
    {"code":7}
    curl: (28) Operation timed out after 30001 milliseconds with 0 bytes received

`-v` shows no request body, except where the command line stands above; a trace shows the bytes themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from openclaw_forensics.ingest.exceptions import CURL_CODES
from openclaw_forensics.ingest.quoted_parts import Call, place

MAX_BODY = 8 << 20
_CLOCK = re.compile(r"^(\d\d:\d\d:\d\d\.\d{1,6}) ")
_REQUEST = re.compile(r"([A-Z]{3,10}) (\S+) HTTP/([\d.]+)\s*$")
_STATUS = re.compile(r"HTTP/([\d.]+) (\d{3})")
_FAILED = re.compile(r"^curl: \((\d{1,2})\) ?(.*)$")
_BYTES = re.compile(r"^[{}] \[\d+ bytes data\]")
_METER = re.compile(r"^\s*(?:% Total|Dload|\d+\s+\d+\s+\d+\s+\d+|\d+\s+[\d.]+[kMG]?\s)|^\s*--:--:--")
_COMMAND = re.compile(r"^(?:[\w@:~/.-]*[$#%>] ?)?curl(?:\.exe)? ")
_SECTION = re.compile(r"^(?:(=>|<=) (Send|Recv) (SSL data|header|data)|== Info: ?)(.*)$")
_DUMPED = re.compile(r"^[0-9a-f]{4,8}: ?(.*)$")
_HEX = re.compile(r"^((?:[0-9a-f]{2} ){1,16}) ?")
_TEXT_WIDTH = 64  # characters of one line of --trace-ascii


@dataclass(slots=True)
class _Open:
    """One call as far as it has been read."""

    line: int
    call: Call = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    upload: list[str] = field(default_factory=list)
    last: int = 0
    answering: bool = False
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A call of a curl text, with its first and last line and the time of day, where curl was told to print it."""

    call: Call
    line: int
    end: int
    clock: str | None


def read_curl(text: str, first: int = 1) -> list[Seen]:
    """The calls of a curl text in order; `first` is the number of its first line."""
    parser = _Parser()
    lines = text.split("\n")
    events = (
        _trace(lines, first)
        if any(_SECTION.match(_CLOCK.sub("", line)) for line in lines[:400])
        else _verbose(lines, first)
    )
    for kind, value, line, clock in events:
        parser.feed(kind, value, line, clock)
    return parser.finish()


_Event = tuple[str, str, int, str | None]


def _verbose(lines: list[str], first: int) -> Iterator[_Event]:
    """The marks of -v: `>` sent, `<` received, `*` notes; what has none is a body, or a header below an old `>`."""
    for number, raw in enumerate(lines, first):
        line = raw.rstrip("\r")
        clock = _CLOCK.match(line)
        line = line[clock.end() :] if clock else line
        stamp = clock[1] if clock else None
        if failed := _FAILED.match(line):
            yield "failed", f"{failed[1]} {failed[2]}", number, stamp
        elif line[:2] == "> " or line == ">":
            yield "sent", line[2:], number, stamp
        elif line[:2] == "< " or line == "<":
            yield "received", line[2:], number, stamp
        elif line[:2] == "* ":
            yield "note", line[2:], number, stamp
        elif _COMMAND.match(line):
            yield "command", line, number, stamp
        elif not _BYTES.match(line) and not _METER.match(line):
            yield "plain", raw, number, stamp


def _trace(lines: list[str], first: int) -> Iterator[_Event]:
    """The sections of --trace and --trace-ascii, each joined to one event per header line or block of data."""
    kind, held, start, stamp = "", bytearray(), first, None
    for number, raw in enumerate(lines, first):
        line = raw.rstrip("\r")
        clock = _CLOCK.match(line)
        line = line[clock.end() :] if clock else line
        section = _SECTION.match(line)
        if section or (not _DUMPED.match(line) and line.strip()):
            yield from _flush(kind, bytes(held), start, stamp)
            kind, held, start, stamp = "", bytearray(), number, clock[1] if clock else stamp
        if section:
            if section[1] is None:
                yield "note", section[4], number, stamp
            elif section[3] != "SSL data":
                kind = ("sent" if section[1] == "=>" else "received") + (":data" if section[3] == "data" else "")
        elif (dumped := _DUMPED.match(line)) and kind:
            held += _dumped(dumped[1])
        elif failed := _FAILED.match(line):
            yield "failed", f"{failed[1]} {failed[2]}", number, stamp
    yield from _flush(kind, bytes(held), start, stamp)


def _dumped(text: str) -> bytes:
    if found := _HEX.match(text + " "):
        return bytes.fromhex(found[1])
    return text.encode("utf-8", "replace") + (b"" if len(text) >= _TEXT_WIDTH else b"\r\n")


def _flush(kind: str, data: bytes, line: int, stamp: str | None) -> Iterator[_Event]:
    if not kind or not data:
        return
    text = data[:MAX_BODY].decode("utf-8", "replace")
    if kind.endswith(":data"):
        yield kind.replace(":data", "_data"), text.removesuffix("\r\n"), line, stamp
        return
    for header in text.split("\r\n"):
        yield kind, header, line, stamp


class _Parser:
    """Puts the events together; a request line begins a call, the next one or a `curl: (N)` ends it."""

    def __init__(self) -> None:
        self.done: list[Seen] = []
        self.open: _Open | None = None
        self.command: Call = {}
        self.secure = False
        self.where: Call = {}
        self.begun: int | None = None

    def feed(self, kind: str, value: str, line: int, clock: str | None) -> None:
        if self.begun is None:
            self.begun = line
        if kind == "command":
            self._close()
            self.command, self.begun, self.secure, self.where = command(value), line, False, {}
        elif kind == "sent":
            self._sent(value, line, clock)
        elif kind == "failed":
            self._failed(value, line, clock)
        elif kind == "note":
            self._note(value)
        elif self.open is not None:
            self._content(kind, value, line)
        if self.open is not None:
            self.open.last = line

    def _sent(self, value: str, line: int, clock: str | None) -> None:
        if found := _REQUEST.match(value):
            self._close()
            self.open = _Open(self.begun or line, clock=clock)
            self.open.call = {"method": found[1], "target": found[2], "version": found[3]}
        elif self.open is not None and not self.open.answering:
            self.open.sent.append(value)

    def _content(self, kind: str, value: str, line: int) -> None:
        opened = self.open
        if opened is None:
            return
        if kind == "received":
            if found := _STATUS.match(value):
                opened.call |= {"status": int(found[2]), "version": found[1]}
                opened.received, opened.answering = [], True
            elif value:
                opened.received.append(value)
        elif kind == "received_data":
            opened.body.append(value)
        elif kind == "sent_data":
            opened.upload.append(value)
        elif opened.answering:
            opened.body.append(value + "\n")
        elif ": " in value:
            opened.sent.append(value)

    def _note(self, value: str) -> None:
        if "SSL connection using" in value or "TLS handshake" in value or "TLSv1" in value:
            self.secure = True
        if found := re.search(r"Connected to ([\w.-]+) \(([\w.:]+)\) port (\d+)", value):
            self.where = {"host": found[1].lower(), "port": int(found[3])}
            self.secure = self.secure or found[3] == "443"
        elif place(value) and not self.where:
            self.where = place(value)

    def _failed(self, value: str, line: int, clock: str | None) -> None:
        code, _, words = value.partition(" ")
        opened = self.open or _Open(self.begun or line, clock=clock)
        number = int(code)
        opened.call |= {"error": f"curl: ({code}) {words}".strip()}
        if opened.call.get("status") is None:
            proxy = number in (5, 56, 97) and "proxy" in words.lower()
            timed = number == 28 and "onnection timed out" in words
            opened.call["transport_error"] = (
                "proxy" if proxy else "connect" if timed else CURL_CODES.get(number, "other")
            )
        if self.open is None:
            opened.call |= place(words)
        opened.last = line
        self.open = opened
        self._close()
        self.command, self.secure, self.where = {}, False, {}

    def _close(self) -> None:
        opened, self.open = self.open, None
        if opened is None:
            return
        call = self._finished(opened)
        if call is not None:
            self.done.append(Seen(call, opened.line, max(opened.last, opened.line), opened.clock))
        self.begun = None

    def _finished(self, opened: _Open) -> Call | None:
        call: Call = {"role": "exchange", "writer": "curl"} | opened.call
        headers = _headers(opened.sent)
        host = next((h["value"] for h in headers or [] if h["name"].lower() == "host"), None)
        if call.get("method") == "CONNECT":
            if call.get("status") == 200:
                return None  # the tunnel of the call that follows
            call |= {
                "url": f"https://{call['target']}/",
                "target": None,
                "transport_error": call.get("transport_error") or "proxy",
            }
        elif str(call.get("target", "")).startswith("/") and (host or self.where.get("host")):
            scheme = "https" if self.secure else str(self.command.get("scheme") or "http")
            call |= {"url": f"{scheme}://{host or self.where['host']}{call['target']}", "target": None}
        elif call.get("target") is None:
            call = call | {"url": self.command.get("url")} | (self.where if not self.command.get("url") else {})
        call["method"] = call.get("method") or self.command.get("method")
        call |= {"request_headers": headers, "response_headers": _headers(opened.received)}
        upload = "".join(opened.upload) or self.command.get("request_body")
        if upload:
            call |= {"request_body": upload, "request_body_state": "recorded"}
        body = "".join(opened.body).rstrip("\n")[:MAX_BODY]
        if body:
            call |= {"response_body": body, "response_body_state": "recorded"}
        return call

    def finish(self) -> list[Seen]:
        self._close()
        return self.done


def _headers(lines: list[str]) -> list[dict[str, str]] | None:
    pairs = [line.partition(":") for line in lines if ":" in line[1:]]
    return [{"name": name.strip(), "value": value.strip()} for name, _, value in pairs] or None


_ARG = r"""\s+(?:'((?:[^'\\]|\\.|'\\'')*)'|"((?:[^"\\]|\\.)*)"|(\S+))"""
_DATA = re.compile(r"(?:^|\s)(?:-d|--data|--data-raw|--data-binary|--json)" + _ARG)
_VERB = re.compile(r"(?:^|\s)(?:-X|--request)\s*['\"]?([A-Z]+)")
_ADDRESS = re.compile(r"https?://[^\s'\"]+")


def command(line: str) -> Call:
    """What a command line of curl tells: address, method, body."""
    call: Call = {}
    if url := _ADDRESS.search(line):
        call |= {"url": url[0], "scheme": url[0].split(":", 1)[0]}
    if data := _DATA.search(line):
        call["request_body"] = next(g for g in data.groups() if g is not None)
        call["method"] = "POST"
    if verb := _VERB.search(line):
        call["method"] = verb[1]
    return call
