"""Run reports of Postman's command line runner (newman, JSON reporter): one execution per request.

Sample::

    {"collection": {...}, "run": {"timings": {"started": 1740823200000}, "executions": [
      {"item": {"name": "get orders"}, "request": {"url": {...}, "method": "GET", "header": [...]},
       "response": {"code": 200, "header": [...], "responseTime": 85, "stream": {"type": "Buffer", "data": [123]}}}]}}

An execution has no time of its own: times are derived from the run's start and the durations so far.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote_plus

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.api import NOT_MINE, Balance, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.decode import EMPTY, NOT_RECORDED, Body, from_base64, text_of
from openclaw_forensics.ingest.har_model import header_pairs
from openclaw_forensics.ingest.jsonlike import ESCAPE, Walker, without_surrogates
from openclaw_forensics.ingest.rows import Exchange, Half, Outcome, When, epoch, part_of
from openclaw_forensics.ingest.sources import Source

LIMIT = 600 << 20  # bytes; newman itself cannot write more than 512 MB
_EXECUTIONS = re.compile(r'"executions"\s*:\s*\[')
_STARTED = re.compile(r'"timings"\s*:\s*\{[^{}]{0,300}?"started"\s*:\s*(\d{10,16})')
_OPENING = re.compile(r'\{\s*"[^"\\]{1,64}"')

Fields = dict[str, Any]


class NewmanReader:
    """newman JSON report."""

    name = "newman"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """A collection and a run with executions; in long reports the run lies beyond the first bytes."""
        if not head.lstrip().startswith(b"{"):
            return NOT_MINE
        if b'"executions"' in head and b'"run"' in head:
            return Sniff(92, "the executions of a collection's run", "newman")
        if re.match(rb'\s*\{\s*"collection"\s*:\s*\{', head) and b"getpostman" not in head[:200]:
            return Sniff(70, "a collection, and perhaps its run", "newman")
        return NOT_MINE

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """The executions in order."""
        data = source.data(LIMIT)
        text = data.decode("utf-8", ESCAPE)
        size = source.size or len(data)
        found = _EXECUTIONS.search(text)
        if found is None:
            advice = "a collection without a run; run it with newman's JSON reporter and give the report"
            yield part_of([], [Problem("unsupported", advice)], Balance(irrelevant={"unsupported": size}), self.name)
            return
        body = text[found.end() :]
        opening = _OPENING.match(body.lstrip())
        walker = Walker(body, len(text[: found.end()].encode("utf-8", ESCAPE)), opening.group() if opening else None)
        clock = _Clock(text)
        exchanges = [
            _exchange(number, _fields(without_surrogates(value)), clock)
            for number, value in enumerate(walker)
            if isinstance(value, dict)
        ]
        problems = list(walker.problems)
        if walker.cut:
            problems.append(Problem("truncated", "the report ends inside an execution; those before it are used"))
        structure = len(text[: found.end()].encode("utf-8", ESCAPE)) + (
            len(body[walker.closed :].encode("utf-8", ESCAPE)) if walker.closed is not None else 0
        )
        structure = min(structure, size)
        balance = Balance(size - structure - walker.broken, 0, {"document structure": structure}, walker.broken)
        yield part_of([exchange for exchange in exchanges if exchange], problems, balance, self.name, "newman")


class _Clock:
    """The time of each execution, by adding up."""

    def __init__(self, text: str) -> None:
        started = _STARTED.search(text)
        self._now = int(started.group(1)) / 1000 if started else None

    def next(self, duration_ms: float | None) -> When:
        if self._now is None:
            return When(duration_ms=duration_ms)
        when = When(epoch(self._now), None, "derived", "given", duration_ms)
        self._now += (duration_ms or 0) / 1000
        return when


def _exchange(number: int, fields: Fields, clock: _Clock) -> Exchange:
    request, response = _fields(fields.get("request")), _fields(fields.get("response"))
    took = response.get("responseTime")
    code = response.get("code")
    headers = header_pairs(response.get("header") or response.get("headers"))
    return Exchange(
        locator=f"ptr:/run/executions/{number}",
        method=_text(request.get("method")) or "GET",
        url=_url(request.get("url")),
        when=clock.next(float(took) if isinstance(took, (int, float)) and not isinstance(took, bool) else None),
        request=Half(header_pairs(request.get("header")), _request_body(request.get("body"))),
        response=Half(headers, _stream(response, headers or [])) if response else Half(),
        outcome=Outcome(code if isinstance(code, int) else None, _error(fields.get("requestError"))),
    )


def _url(url: Any) -> str | None:
    if isinstance(url, str):
        return url
    parts = _fields(url)
    if not parts:
        return None
    host = ".".join(map(str, parts["host"])) if isinstance(parts.get("host"), list) else _text(parts.get("host")) or ""
    path = "/".join(map(str, parts["path"])) if isinstance(parts.get("path"), list) else _text(parts.get("path")) or ""
    pairs = [(str(_fields(item).get("key") or ""), _fields(item).get("value")) for item in _items(parts.get("query"))
             if not _fields(item).get("disabled")]  # fmt: skip
    query = "&".join(key if value is None else f"{key}={value}" for key, value in pairs)
    port = f":{parts['port']}" if parts.get("port") else ""
    built = f"{_text(parts.get('protocol')) or 'http'}://{host}{port}/{path.removeprefix('/')}"
    return f"{built}?{query}" if query else built


def _request_body(body: Any) -> Body:
    fields = _fields(body)
    if not fields:
        return EMPTY
    mode = fields.get("mode")
    if mode == "raw":
        raw = _text(fields.get("raw")) or ""
        return Body(raw, None, True, "recorded") if raw else EMPTY
    if mode == "urlencoded" and (pairs := header_pairs(fields.get("urlencoded"))):
        text = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
        return Body(text, None, False, "reconstructed", "rebuilt from the fields that the report lists")
    return Body(None, None, False, "not_recorded", f"the report does not hold bodies of the kind {mode}")


def _stream(response: Fields, headers: list[tuple[str, str]]) -> Body:
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    if isinstance(text := response.get("body"), str):
        return Body(text, None, "\ufffd" not in text, "recorded") if text else EMPTY
    stream = response.get("stream")
    data: bytes | None = None
    try:
        if isinstance(stream, dict):
            listed = stream.get("data")
            data = (
                bytes(listed) if isinstance(listed, list) else from_base64(listed) if isinstance(listed, str) else None
            )
        elif isinstance(stream, str):
            data = from_base64(stream)
    except (TypeError, ValueError):
        return Body(None, None, False, "undecodable", "the body is no list of bytes")
    if data is None:
        return EMPTY if response.get("responseSize") == 0 else NOT_RECORDED
    return text_of(data, kind)


def _error(error: Any) -> str | None:
    if isinstance(error, str):
        return error
    fields = _fields(error)
    said = [str(fields[key]) for key in ("code", "message", "errno") if fields.get(key)]
    return ": ".join(said) or None


def _fields(value: Any) -> Fields:
    return cast("Fields", value) if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
