"""What the readers of error texts share: an answer's fields, the body inside a text, the place that a text names."""

from __future__ import annotations

import re

from openclaw_forensics.ingest.quoted_values import ABSENT, Body, headers_in, read_body

Call = dict[str, object]
LIMIT = 256 << 10
_BODY_ENDS = re.compile(
    r"\n? in (?:/|[A-Z]:\\)[^\n]*|\n\s*(?:Stack trace:|\[stacktrace\]|#0 |at [\w$.<]+[ (]|Traceback )"
    r"| ?\n? \{\"[\w]+\":"
)
_TRUNCATED = re.compile(r"\s?\(truncated\.{3}\)")
_PLACE = re.compile(
    r"(?:[Cc]ould ?n[o']t resolve(?: host| proxy)?:? '?|[Cc]onnection to |[Ff]ailed to connect to |connect to "
    r"|getaddrinfo(?: \w+)? |resolve '"
    r"|UnknownHostException: |lookup |request to "
    r"|[Ff]ailed to resolve ')([A-Za-z0-9][\w-]*(?:\.[\w-]+)+)(?: port (\d+)|:(\d+))?"
    r"|\(([A-Za-z0-9][\w-]*(?:\.[\w-]+)+):(\d+)\)"
)


def answer(body: Body) -> Call:
    """The call fields of an answer's body."""
    if body.text is None:
        return {}
    call: Call = {"response_body": body.text, "response_body_state": body.state}
    if headers := headers_in(body.rest) if len(body.rest) < 4000 else None:
        call["response_headers"] = headers
    return call


def body_after(text: str, at: int) -> Body:
    """The body that an exception's text carries from `at` on: until it closes, is cut, or the trace begins."""
    tail = text[at:].lstrip(" \r\n")
    if tail[:1] in {"{", "["} and (body := read_body(tail, label=False)).state == "recorded" and body.text != tail:
        return body
    if cut := _TRUNCATED.search(tail[:4096]):
        return Body(tail[: cut.start()].rstrip(), "truncated", tail[cut.end() :])
    if tail[:1] in {"{", "["} and (body := read_body(tail, label=False)).state != "truncated":
        return body
    end = _BODY_ENDS.search(tail)
    stop = end.start() if end else len(tail)
    inner = tail[:stop].strip()
    return Body(inner, "truncated" if tail[:1] in {"{", "["} else "recorded", tail[stop:]) if inner else ABSENT


def place(text: str) -> Call:
    """The host and port that an error text names, where it names one."""
    found = _PLACE.search(text)
    if not found:
        return {}
    port = found[2] or found[3] or found[5]
    return {"host": (found[1] or found[4]).lower()} | ({"port": int(port)} if port and int(port) < 65536 else {})
