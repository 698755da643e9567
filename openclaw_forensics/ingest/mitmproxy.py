"""mitmproxy's flow dumps, versions 0.10 to 21 of the flow format, by the keys each version may use for a thing.

Sample (one flow, shortened)::

    5046:7:version,12:1:0#2:11#1:3#]4:type,4:http,7:request,...}

No step-by-step migration: the wanted key is looked for under each of its names. Times are epoch seconds; bodies are as
they went over the wire, so content codings are taken off here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.api import CHUNK, NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.decode import body_of
from openclaw_forensics.ingest.rows import Exchange, Half, Outcome, When, epoch, part_of
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.tnetstring import BrokenTnetstring, Value, length_of, parse, places

FLOW_LIMIT = 1 << 30  # bytes
_BEGINNING = re.compile(rb"\d{1,12}:\d{1,4}:[a-z_]{2,40}[,;]")
_WANTED = ("version", "type", "request", "response", "error", "websocket", "is_replay")
_ADDRESSES = ("peername", "ip_address", "address")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

Fields = dict[str, Value]


class MitmproxyReader:
    """mitmproxy flow dump."""

    name = "mitmproxy"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """A tagged netstring that is a dictionary with names for keys."""
        if not _BEGINNING.match(head):
            return NOT_MINE
        size, start = length_of(head)
        if start + size < len(head):
            return Sniff(98, "one whole flow") if head[start + size] == 0x7D else NOT_MINE
        return Sniff(90, "the beginning of a flow")

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The HTTP flows, some megabytes at a time; flows of other protocols are counted."""
        batch = _Batch()
        for number, (offset, record) in enumerate(_records(source, batch)):
            batch.add(number, offset, record)
            if batch.size > CHUNK:
                yield batch.part()
        batch.count_the_others()
        yield batch.part()


class _Batch:
    """What was read since the last part."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.problems: list[Problem] = []
        self.size = self.used = self.broken = self.other = 0
        self.writer: str | None = None
        self._kinds: Counter[str] = Counter()

    def add(self, number: int, offset: int, record: bytes) -> None:
        self.size += len(record)
        try:
            flow = _flow(record)
            kind = (_text(flow.get("type")) or "http") if flow else ""
        except BrokenTnetstring as exc:
            self.broken += len(record)
            self.problems.append(Problem("malformed", f"flow {number} is left out: {exc}", offset=offset + exc.at))
            return
        if kind == "http" and isinstance(flow.get("request"), dict):
            self.writer = self.writer or _writer(flow)
            self._http(number, flow, len(record))
        else:
            self._kinds[f"{kind or 'unknown'} flows"] += 1
            self.other += len(record)

    def _http(self, number: int, flow: Fields, size: int) -> None:
        if messages := _list(_fields(flow, "websocket"), "messages"):
            self._kinds["web socket messages"] += len(messages)
        exchange = _exchange(number, flow)
        if exchange.method == "CONNECT" and 200 <= (exchange.outcome.status or 0) < 300:
            self._kinds["tunnels"] += 1
            self.other += size
            return
        self.exchanges.append(exchange)
        self.used += size

    def count_the_others(self) -> None:
        """One problem for each kind of thing that is no exchange."""
        for kind, count in sorted(self._kinds.items()):
            self.problems.append(Problem("filtered", f"{count} {kind} are no exchanges"))

    def part(self) -> Part:
        irrelevant = {"no HTTP exchange": self.other} if self.other else {}
        part = part_of(
            self.exchanges, self.problems, Balance(self.used, 0, irrelevant, self.broken), "mitmproxy", self.writer
        )
        self.exchanges, self.problems = [], []
        self.size = self.used = self.broken = self.other = 0
        return part


def _records(source: Source, batch: _Batch) -> Iterator[tuple[int, bytes]]:
    """The records with their places in the file, until one has no end."""
    buffer, at, offset = b"", 0, 0  # `offset` is the buffer's own place in the file
    with source.open() as stream:
        while True:
            if len(buffer) - at < 16:
                offset, buffer, at = offset + at, buffer[at:] + stream.read(CHUNK), 0
            if not buffer:
                return
            try:
                size, start = length_of(buffer, at)
            except BrokenTnetstring as exc:
                kind = "truncated" if exc.cut else "malformed"
                break
            end = start + size + 1
            if end - at > FLOW_LIMIT:
                kind = "limit"
                break
            if end > len(buffer):
                more = stream.read(max(end - len(buffer), CHUNK))
                offset, buffer, end, at = offset + at, buffer[at:] + more, end - at, 0
            if end > len(buffer):
                kind = "truncated"
                break
            yield offset + at, buffer[at:end]
            at = end
        batch.broken += len(buffer) - at
        while block := stream.read(CHUNK):
            batch.broken += len(block)
    batch.problems.append(_ending(kind, offset + at))


def _ending(kind: str, offset: int) -> Problem:
    if kind == "truncated":
        return Problem("truncated", "the file ends inside a flow; the flows before it are used", offset=offset)
    if kind == "limit":
        return Problem(
            "limit", f"a flow of more than {FLOW_LIMIT >> 20} MiB; it and what follows are left out", offset=offset
        )
    return Problem("malformed", "no flow begins here; what follows is left out", offset=offset)


def _flow(record: bytes) -> Fields:
    """What is wanted of a flow; the certificates and the like, most of its values, stay unread."""
    found = places(record)
    flow = {key: parse(record, found[key])[0] for key in _WANTED if key in found}
    for key in ("client_conn", "server_conn"):
        if key in found:
            inner = places(record, found[key])
            flow[key] = {name: parse(record, inner[name])[0] for name in _ADDRESSES if name in inner}
    if "backup" in found:
        flow["backup"] = record[found["backup"] : found["backup"] + 3] != b"0:~"
    return flow


def _exchange(number: int, flow: Fields) -> Exchange:
    request, response, error = _fields(flow, "request"), _fields(flow, "response"), _fields(flow, "error")
    message = _text(_get(error, "msg"))
    status = _get(response, "status_code", "code")
    answer = _half(response)
    if message and response and answer.body.state == "recorded":
        answer = Half(
            answer.headers, answer.body._replace(state="truncated", exact=False, reason=message), answer.version
        )
    asked = _half(request)
    reason = _tampered(flow)
    return Exchange(
        locator=f"flow:{number}",
        method=_text(_get(request, "method")),
        url=_url(request, asked.headers or []),
        when=_when(request, response, error),
        request=asked,
        response=answer,
        outcome=Outcome(status if isinstance(status, int) else None, message, open=not response and not message),
        client_address=_address(_fields(flow, "client_conn"), ("peername", "address")),
        server_address=_address(_fields(flow, "server_conn"), ("peername", "ip_address", "address")),
        reason=reason,
    )


def _half(message: Fields) -> Half:
    if not message:
        return Half()
    headers = [
        (_text(pair[0]) or "", _text(pair[1]) or "")
        for pair in _list(message, "headers")
        if isinstance(pair, list) and len(pair) == 2
    ]
    content = _get(message, "content", "body")
    body = body_of(content if isinstance(content, bytes) else None, headers)
    return Half(headers, body, _version(message))


def _version(message: Fields) -> str | None:
    version = _get(message, "http_version", "httpversion")
    return ".".join(map(str, version)) if isinstance(version, list) else _text(version)


def _when(request: Fields, response: Fields, error: Fields) -> When:
    start = _get(request, "timestamp_start")
    end = _get(response, "timestamp_end") or _get(error, "timestamp")
    at = epoch(start)
    if at is None or not isinstance(start, (int, float)):
        return When()
    took = (end - start) * 1000 if isinstance(end, (int, float)) and end >= start else None
    return When(at, str(start), "exact", "given", took)


def _url(request: Fields, headers: list[tuple[str, str]]) -> str | None:
    path = _text(_get(request, "path")) or ""
    if path.lower().startswith(("http://", "https://")):
        return path
    scheme = (_text(_get(request, "scheme")) or "").lower()
    host, port = _text(_get(request, "host")) or "", _get(request, "port")
    named = _text(_get(request, "authority")) or next((value for name, value in headers if name.lower() == "host"), "")
    if not scheme:  # CONNECT, or a request that was never understood
        return f"{host}:{port}" if host and isinstance(port, int) else path or None
    if not named:
        host = f"[{host}]" if ":" in host else host
        named = host if port == _PORTS.get(scheme) or not isinstance(port, int) else f"{host}:{port}"
    return f"{scheme}://{named}{path}"


def _tampered(flow: Fields) -> str | None:
    """Edited or repeated traffic is no evidence of what the client does."""
    if flow.get("backup"):
        return "edited in the proxy before it was saved"
    replay = _get(flow, "is_replay") or _get(_fields(flow, "request"), "is_replay")
    return "sent again from the proxy by hand" if replay else None


def _address(connection: Fields, names: tuple[str, ...]) -> str | None:
    for name in names:
        address = connection.get(name)
        if isinstance(address, dict):  # before 2.0
            address = address.get("address")
        if isinstance(address, list) and address and (host := _text(address[0])):
            return host
    return None


def _writer(flow: Fields) -> str | None:
    version = flow.get("version")
    if isinstance(version, list):
        return "mitmproxy " + ".".join(map(str, version))
    return f"mitmproxy, flow format {version}" if isinstance(version, int) else None


def _get(fields: Fields, *names: str) -> Value:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _fields(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _list(fields: Fields, name: str) -> list[Value]:
    value = fields.get(name)
    return value if isinstance(value, list) else []


def _text(value: Value) -> str | None:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")  # obsolete text in headers, RFC 9110, 5.5
    return value if isinstance(value, str) else None
