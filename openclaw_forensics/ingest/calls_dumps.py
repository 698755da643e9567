"""What one record shows of a call in full: resty, Guzzle's debug line, http.client, hutool, curl -v, Logbook."""

from __future__ import annotations

import re
from typing import Any

from openclaw_forensics.ingest.calls_logbook import MARKS as LOGBOOK_MARKS
from openclaw_forensics.ingest.calls_logbook import logbook
from openclaw_forensics.ingest.curl_text import read_curl
from openclaw_forensics.ingest.quoted_values import read_body

Call = dict[str, Any]
MARKS = (
    "~~~ REQUEST ~~~",
    "REQUEST LOG -",
    ">>>>>>>> ",
    "send: b'",
    "Request Url:",
    "\n< HTTP/",
    "\n> ",
    *LOGBOOK_MARKS,
)


def dumps(text: str) -> list[Call]:
    """The exchanges that a record's text shows in full, in order; empty when it shows none."""
    if text.startswith(LOGBOOK_MARKS):
        call = logbook(text)
        return [] if call is None else [call]
    text = text[: 1 << 20]
    if "~~~ REQUEST ~~~" in text or "REQUEST LOG -" in text:
        return _resty(text)
    if ">>>>>>>> " in text and " <<<<<<<<" in text:
        return _guzzle(text)
    if "send: b'" in text:
        return _http_client(text)
    if "Request Url:" in text:
        return _hutool(text)
    if "\n< HTTP/" in text or "\n> " in text:
        return [seen.call for seen in read_curl(text)]
    return []


_RESTY_HEAD = re.compile(r"^(?P<method>[A-Z]+)\s+(?P<target>\S+)\s+HTTP/(?P<version>[\d.]+)", re.M)
_RESTY_HOST = re.compile(r"^HOST\s*: (\S+)", re.M)
_RESTY_STATUS = re.compile(r"^STATUS\s*: (\d{3})", re.M)
_RESTY_TIME = re.compile(r"^(?:TIME DURATION|RESPONSE TIME)\s*: ([\d.]+)(ms|s|µs)", re.M)
_RESTY_BODY = re.compile(r"^BODY\s*:[ \t]*\n?(.*?)(?=^(?:-{10,}|={10,}|~~~)|\Z)", re.M | re.S)
_TABBED = re.compile(r"^\s+([\w-]+): (.*)$", re.M)


def _resty(text: str) -> list[Call]:
    request, _, response = text.partition("RESPONSE ~~~" if "RESPONSE ~~~" in text else "RESPONSE LOG -")
    head, host, status = _RESTY_HEAD.search(request), _RESTY_HOST.search(request), _RESTY_STATUS.search(response)
    if not head or not status:
        return []
    call: Call = {
        "role": "exchange",
        "writer": "resty",
        "method": head["method"],
        "target": head["target"],
        "version": head["version"],
        "host": host[1].lower() if host else None,
        "status": int(status[1]),
        "request_headers": _tabbed(request),
        "response_headers": _tabbed(response),
        "state_reason": "the client's log indents JSON anew: bytes are not those sent",
    }
    if took := _RESTY_TIME.search(response):
        call["ms"] = float(took[1]) * {"ms": 1.0, "s": 1000.0, "µs": 0.001}[took[2]]
    for side, part in (("request", request), ("response", response)):
        body = _RESTY_BODY.search(part)
        held = body[1].strip() if body else ""
        if held and not held.startswith("***"):
            call |= {f"{side}_body": held, f"{side}_body_state": "reconstructed"}
    return [call]


def _tabbed(text: str) -> list[dict[str, str]] | None:
    part = text.partition("HEADERS")[2].partition("BODY")[0]
    return [{"name": n, "value": v.strip()} for n, v in _TABBED.findall(part[:20_000])] or None


_FLAT_HEADER = re.compile(r" (?=[A-Za-z][A-Za-z0-9-]*: )")


def _guzzle(text: str) -> list[Call]:
    """Guzzle's DEBUG template, its line breaks flattened to blanks: the body stands behind two of them."""
    _, _, rest = text.partition(">>>>>>>> ")
    request, _, rest = rest.partition(" <<<<<<<<" if " <<<<<<<<" in rest else "<<<<<<<<")
    response, _, error = rest.partition(" -------- ")
    head = re.match(r"([A-Z]+) (\S+) HTTP/([\d.]+)[ \r\n]+", request)
    if not head:
        return []
    request_headers, request_body = _flat(request[head.end() :])
    call: Call = {
        "role": "exchange",
        "writer": "Guzzle",
        "method": head[1],
        "target": head[2],
        "version": head[3],
        "request_headers": request_headers,
        "state_reason": "the log replaced line breaks by blanks",
    }
    host = next((h["value"] for h in request_headers or [] if h["name"].lower() == "host"), None)
    call["host"] = host.lower() if host else None
    call |= _body("request", request_body)
    if status := re.match(r"\s*HTTP/[\d.]+ (\d{3})[^:]*? (?=[A-Za-z][A-Za-z0-9-]*: )|\s*HTTP/[\d.]+ (\d{3})", response):
        headers, body = _flat(response[status.end() :])
        return [call | {"status": int(status[1] or status[2]), "response_headers": headers} | _body("response", body)]
    return [call | {"error": error.strip()[:2000] or None}]


def _flat(text: str) -> tuple[list[dict[str, str]] | None, str]:
    for border in ("\r\n\r\n", "\n\n", "  "):
        head, found, body = text.partition(border)
        if found:
            break
    lines = re.split(r"\r?\n", head) if "\n" in head else _FLAT_HEADER.split(head[:60_000])
    pairs = [line.partition(": ") for line in lines if ": " in line]
    return [{"name": n.strip(), "value": v.strip()} for n, _, v in pairs] or None, body.strip()


def _body(side: str, text: str) -> Call:
    body = read_body(text, label=False)
    if body.text is not None:
        return {f"{side}_body": body.text, f"{side}_body_state": body.state}
    return {f"{side}_body": text, f"{side}_body_state": "recorded"} if text else {}


_SEND = re.compile(r"^send: (b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\")", re.M)
_REPLY = re.compile(r"^reply: '(?:HTTP/([\d.]+) )(\d{3})", re.M)
_PRINTED = re.compile(r"^header: ([\w-]+): (.*)$", re.M)


def _http_client(text: str) -> list[Call]:
    """What http.client prints at debuglevel 1: the request as Python bytes, the answer's status and headers."""
    calls: list[Call] = []
    position = 0
    for reply in _REPLY.finditer(text):
        sent = "".join(_bytes_text(m[1]) for m in _SEND.finditer(text, position, reply.start()))
        following = _SEND.search(text, reply.end())
        end = following.start() if following else len(text)
        call = _sent(sent)
        if call:
            headers = [{"name": n, "value": v} for n, v in _PRINTED.findall(text[reply.end() : end])]
            calls.append(call | {"status": int(reply[2]), "response_headers": headers or None})
        position = reply.end()
    return calls


def _bytes_text(literal: str) -> str:
    inner = literal[2:-1]
    raw = re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", _byte, inner.encode("utf-8", "replace"), flags=re.S)
    return raw.decode("utf-8", "replace")


def _byte(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    return {b"r": b"\r", b"n": b"\n", b"t": b"\t"}.get(code, code)


def _sent(text: str) -> Call | None:
    head, _, body = text.partition("\r\n\r\n")
    line, _, more = head.partition("\r\n")
    found = re.match(r"([A-Z]+) (\S+) HTTP/([\d.]+)$", line)
    if not found:
        return None
    headers, _ = _flat(more + "\r\n\r\n")
    host = next((h["value"] for h in headers or [] if h["name"].lower() == "host"), None)
    call: Call = {
        "role": "exchange",
        "writer": "http.client",
        "method": found[1],
        "target": found[2],
        "version": found[3],
        "host": host.lower() if host else None,
        "request_headers": headers,
    }
    return call | (
        {"request_body": body, "request_body_state": "recorded"} if body else {"request_body_state": "empty"}
    )


_HUTOOL = re.compile(r"Request Url: (\S+)")


def _hutool(text: str) -> list[Call]:
    """hutool's HttpRequest and HttpResponse, printed."""
    url = _HUTOOL.search(text)
    status = re.search(r"Response Status: (\d{3})", text)
    if not url:
        return []
    call: Call = {"role": "exchange" if status else "request", "writer": "hutool", "url": url[1]}
    if found := re.search(r"Request Body:\s*\n?\s*([^\n]+)", text):
        call |= _body("request", found[1])
    if status:
        call["status"] = int(status[1])
        if found := re.search(r"Response Body:\s*\n?\s*([^\n]+)", text):
            call |= _body("response", found[1])
    return [call]
