"""Errors of clients that were generated from an OpenAPI document, in PHP, Java, Python, Ruby and C#."""

from __future__ import annotations

import json
import re

from openclaw_forensics.ingest.exceptions import status_of_reason
from openclaw_forensics.ingest.quoted_parts import Call, answer, body_after
from openclaw_forensics.ingest.quoted_values import read_body

_OPENAPI = re.compile(r"Exception when calling (\w+)\s?(?:->|#|\.|::)(\w+)(?:: ?)?")
_CSHARP = re.compile(r"Error calling (\w+): ?")
_BRACKET_STATUS = re.compile(
    r"(?:ApiException(?:\(code: \d+\))?: |calling [\w>#.:-]+: ?|Exception: |^)\[(\d{3})\] ?(?:[\w ]+\()?"
)
_API_CLASS = re.compile(r"\b((?:[A-Za-z_]\w*(?:\\{1,2}|\.|::))*\w*Api(?:Exception|Error))\b")
_API_PARTS = re.compile(
    r"(?:HTTP (?:response|status) code|[Ss]tatus [Cc]ode|Code)[:=] ?(\d{3})|^\((\d{3})\)\s*$|Api(?:Exception"
    r"|Error): \((\d{3})\)",
    re.M,
)
_API_HEADERS = re.compile(r"[Rr]esponse headers: ?(?:HTTPHeaderDict\()?(\{.*?\})\)?\s*(?:\n|$)", re.S)
_API_REASON = re.compile(r"Api(?:Exception|Error): ([A-Z][A-Za-z -]{2,40})$", re.M)
_API_BODY = re.compile(r"(?:HTTP response body|[Rr]esponse [Bb]ody|responseBody)[:=] ?")


def client_named(text: str) -> str | None:
    """The class and operation that the text says was called, else the client's exception class."""
    if calling := _OPENAPI.search(text) or _CSHARP.search(text):
        return "->".join(part for part in calling.groups() if part)
    named = _API_CLASS.search(text)
    return named[1].replace("\\\\", "\\") if named else None


def read_openapi(text: str) -> Call | None:
    """The outcome of a generated client's call: status, headers and body as its exception tells them."""
    calling = _OPENAPI.search(text) or _CSHARP.search(text)
    call = _api_outcome(text, calling.end() if calling else 0)
    return {"role": "failure", "writer": "OpenAPI client", "client": client_named(text)} | call if call else None


def _api_outcome(text: str, after: int) -> Call:
    if found := _BRACKET_STATUS.search(text, max(0, after - 120) if after else 0):
        return {"status": int(found[1])} | answer(body_after(text, found.end()))
    call: Call = {}
    if found := _API_PARTS.search(text):
        call["status"] = int(found[1] or found[2] or found[3])
    elif (found := _API_REASON.search(text)) and (status := status_of_reason(found[1])):
        call["status"] = status
    if found := _API_HEADERS.search(text):
        call |= _headers(found[1])
    if found := _API_BODY.search(text):
        call |= answer(body_after(text, found.end()))
    elif after and text[after : after + 1] in {"{", "["}:
        call |= answer(body_after(text, after))
    return call


def _headers(dump: str) -> Call:
    body = read_body(dump, label=False)
    try:
        held = json.loads(body.text or "")
    except ValueError:
        return {}
    if not isinstance(held, dict):
        return {}
    return {"response_headers": [{"name": str(k), "value": str(v)} for k, v in held.items()]}
