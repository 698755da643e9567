"""Home-made JSON around a call: its keys say which part is the address, the status, the body.

Key spellings are those of many writers; a key that none of them uses is left alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from openclaw_forensics.ingest.quoted_values import read_body

Call = dict[str, Any]

METHOD = ("method", "httpMethod", "http_method", "requestMethod", "request_method", "verb")
URL = (
    "url",
    "uri",
    "requestUrl",
    "request_url",
    "fullUrl",
    "endpoint",
    "href",
    "api",
    "path",
    "requestUri",
    "request_uri",
    "target",
)
HOST = ("host", "hostname", "baseURL", "base_url", "baseUrl", "server", "gateway", "domain")
STATUS = (
    "status",
    "statusCode",
    "status_code",
    "httpStatus",
    "http_status",
    "http_code",
    "httpCode",
    "http",
    "responseStatus",
    "response_status",
)
REQUEST = (
    "requestBody",
    "request_body",
    "reqBody",
    "req_body",
    "params",
    "param",
    "requestParams",
    "request_params",
    "payload",
    "request",
    "req",
    "input",
    "data",
    "body",
)
RESPONSE = (
    "responseBody",
    "response_body",
    "respBody",
    "resp_body",
    "response",
    "resp",
    "res",
    "result",
    "output",
    "ret",
    "data",
    "body",
    "content",
)
REQUEST_ONLY = tuple(name for name in REQUEST if name not in ("data", "body", "input"))
RESPONSE_ONLY = tuple(name for name in RESPONSE if name not in ("data", "content", "output", "ret"))
MS = (
    "ms",
    "cost",
    "costTime",
    "cost_ms",
    "elapsed_ms",
    "elapsedMs",
    "duration_ms",
    "durationMs",
    "took",
    "took_ms",
    "rt",
    "responseTime",
    "elapsed",
    "duration",
    "耗时",
)
REQUEST_HEADERS = ("requestHeaders", "request_headers", "reqHeaders", "headers", "header")
RESPONSE_HEADERS = ("responseHeaders", "response_headers", "respHeaders", "headers", "header")
_DURATION = re.compile(r"^(\d+(?:\.\d+)?) ?(ms|毫秒|s|秒|µs|us)?$")
_SCALE = {"s": 1000.0, "秒": 1000.0, "µs": 0.001, "us": 0.001}


def first(held: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The value of the first of these keys that is there and not null."""
    return next((held[name] for name in names if held.get(name) is not None), None)


def as_status(value: Any) -> int | None:
    """An HTTP status, given as a number or as digits; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    return int(text) if text.isdigit() and 100 <= int(text) < 600 else None


def _value(raw: msgspec.Raw) -> Any:
    """Scalars decoded; objects and lists stay as written, so that numbers keep their digits."""
    return raw if bytes(raw)[:1] in (b"{", b"[") else msgspec.json.decode(raw)


def as_text(value: Any) -> str | None:
    """A body as text: strings as they are, an object as it was written, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_ms(value: Any, *, seconds: bool = False) -> float | None:
    """A duration in milliseconds; a bare number is in milliseconds, or in seconds where the writer says so."""
    if isinstance(value, bool) or value is None:
        return None
    found = _DURATION.match(str(value).strip())
    if not found:
        return None
    return float(found[1]) * _SCALE.get(found[2] or "", 1000.0 if seconds and not found[2] else 1.0)


def as_headers(value: Any) -> list[dict[str, str]] | None:
    """Headers given as an object; a value that is a list stands for repeated headers."""
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    if isinstance(value, dict):
        return [
            {"name": str(name), "value": str(v)}
            for name, vs in value.items()
            for v in (vs if isinstance(vs, list) else [vs])
            if not isinstance(v, dict | list)
        ] or None
    return None


def address(held: dict[str, Any]) -> Call:
    """Where a call goes, by the usual keys."""
    url, host = first(held, URL), first(held, HOST)
    call: Call = {}
    if isinstance(method := first(held, METHOD), str) and method.isalpha() and len(method) < 8:
        call["method"] = method.upper()
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        call["url"] = url
    elif isinstance(url, str) and url.startswith("/"):
        base = host if isinstance(host, str) else ""
        if base.startswith("http"):
            call["url"] = base.rstrip("/") + url
        else:
            call["target"] = url
            if re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", base):
                call["host"] = base.lower()
    elif isinstance(host, str) and re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", host):
        call["host"] = host.lower()
    return call


def structured(call: Call) -> Call:
    """A fragment whose body is a home-made envelope, taken apart; unchanged where the keys tell nothing."""
    side = "request" if call["role"] == "request" else "response"
    try:
        raw = msgspec.json.decode(call[f"{side}_body"], type=dict[str, msgspec.Raw])
        held = {name: _value(value) for name, value in raw.items()}
    except (ValueError, RecursionError):
        return call
    if side == "request":
        where = address(held)
        if not where:
            return call
        body = first(held, REQUEST)
        return call | where | {"request_body": as_text(body), "request_body_state": _state(body)}
    status = as_status(first(held, STATUS))
    if status is None or not any(name in held for name in RESPONSE):
        return call
    body = first(held, RESPONSE)
    return call | {
        "status": status,
        "ms": as_ms(first(held, MS)),
        "response_body": as_text(body),
        "response_body_state": _state(body),
        "response_headers": as_headers(first(held, RESPONSE_HEADERS)),
    }


def _state(body: Any) -> str:
    if body is None:
        return "not_recorded"
    return "recorded" if isinstance(body, str) else "reconstructed"


_ERRNO = re.compile(r"E[A-Z]{4,}|EAI_[A-Z]+|ERR_\w+")
_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')


def named_parts(message: str) -> Call | None:
    """A call told by names behind a message: JSON or logfmt pairs; None without address and outcome or verb."""
    held = _context(message)
    where = address(held)
    if not (where.keys() & {"url", "target"}):
        return None
    if _ERRNO.fullmatch(str(held.get("code"))):
        return None  # a client's own error, read as one
    status = as_status(first(held, STATUS))
    answered = first(held, RESPONSE_ONLY)
    error = first(held, ("error", "err", "exception", "errorMessage", "error_message"))
    if status is None and answered is None and not isinstance(error, str) and "method" not in where:
        return None
    role = (
        "exchange" if status is not None or answered is not None else "failure" if isinstance(error, str) else "request"
    )
    sent = first(held, REQUEST_ONLY)
    return where | {
        "role": role,
        "writer": "hand-written",
        "status": status,
        "ms": as_ms(first(held, MS)),
        "error": error if role == "failure" else None,
        "request_body": as_text(sent),
        "request_body_state": None if sent is None else _state(sent),
        "response_body": as_text(answered),
        "response_body_state": None if answered is None else _state(answered),
    }


def _context(message: str) -> dict[str, Any]:
    begin = message.find("{")
    if begin >= 0 and (body := read_body(message[begin:], label=False)).state == "recorded" and body.text:
        try:
            raw = msgspec.json.decode(body.text, type=dict[str, msgspec.Raw])
            return {name: _value(value) for name, value in raw.items()}
        except (ValueError, RecursionError):
            pass  # braces in a value of logfmt
    pairs = _PAIR.findall(message[:20_000])
    return {name: quoted.replace('\\"', '"') if quoted else plain for name, quoted, plain in pairs}
