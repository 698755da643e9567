"""One row of an export as an exchange or a record."""

from __future__ import annotations

import re

import msgspec

from openclaw_forensics.ingest import headernames
from openclaw_forensics.ingest.exceptions import family
from openclaw_forensics.ingest.table_cells import cut, duration_ms, lost_digits, masked
from openclaw_forensics.ingest.table_header import Header
from openclaw_forensics.ingest.table_rows import Row

_VERBS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,19})://(?:[^/?#@\s]*@)?(\[[^\]]*\]|[^/:?#\s]*)(?::(\d{1,5}))?([^?#\s]*)(?:\?([^#\s]*))?"
)
_HEADER_LINE = re.compile(r"^([\w-]{1,100})\s*[:=]\s*(.*)$", re.MULTILINE)
_LABELS = {"platform": "platform", "shop": "shop", "order": "order", "retries": "retries"}
_MAX_MESSAGE = 20_000
_REFUSED = 400  # and above
_NO_BODY = "the answer is the export's error text, not its body"

Values = dict[str, str]
Longest = dict[str, tuple[int, int]]


def exchange(row: Row, values: Values, header: Header, longest: Longest) -> dict[str, object] | None:
    """The exchange that a row tells, None when it names no target or no outcome."""
    target = _target(values)
    outcome = outcome_of(values.get("outcome", ""), header.name_of("outcome"))
    answer = _answer(values, outcome, header)
    if target is None or answer is None:
        return None
    said = answer.pop("note", "")
    notes = [said] if said else []
    request = _body("request", values.get("request_body", ""), longest, notes)
    lossy = sorted(role for role in ("order", "shop", "trace") if lost_digits(values.get(role, "")))
    notes += [f"digits lost by scientific notation: {', '.join(lossy)}"] if lossy else []
    labels = _labels(values, outcome)
    return {
        "direction": direction_of(values, header),
        "locator": row.locator,
        "line": row.line,
        **target,
        **request,
        **_headers("request", values.get("request_headers", "")),
        **_headers("response", values.get("response_headers", "")),
        **_body("response", str(answer.pop("body", "")), longest, notes, rebuilt=bool(said)),
        **answer,
        **_front(values, answer),
        "duration_ms": duration_ms(values.get("duration", ""), header.name_of("duration")),
        "trace_id": values.get("trace") or None,
        "client_address": values.get("client") or None,
        "labels": labels or None,
        "state_reason": "; ".join(str(note) for note in notes) or "an export holds only the columns that it names",
    }


def record(row: Row, values: Values, header: Header) -> dict[str, object]:
    """A row that is no exchange, as a record with its cells."""
    failed = outcome_of(values.get("outcome", ""), header.name_of("outcome")) is False or bool(
        values.get("error_message")
    )
    cells = " | ".join(cell.strip() for cell in row.cells if cell.strip())
    return {
        "locator": row.locator,
        "line": row.line,
        "level": "ERROR" if failed else "INFO",
        "message": cells[:_MAX_MESSAGE],
        "trace_id": values.get("trace") or None,
    }


def outcome_of(text: str, header: str) -> bool | None:
    """What an outcome cell says; 1 and 0 only under a header that asks for success."""
    plain = headernames.plain(text)
    if plain in ("1", "0"):
        asks = any(word in headernames.plain(header) for word in ("成功", "success"))
        return plain == "1" if asks else None
    meaning = headernames.words("outcome").get(plain)
    return None if meaning is None else meaning == "success"


def direction_of(values: Values, header: Header) -> str:
    """By a direction column; else a table with the peer's address logs requests to us, any other our own calls."""
    meaning = headernames.words("direction").get(headernames.plain(values.get("direction", "")))
    if meaning:
        return meaning
    return "inbound" if header.has("client") and not header.has("platform", "shop") else "out"


def _target(values: Values) -> dict[str, object] | None:
    url, operation, host = values.get("url", ""), values.get("operation", ""), values.get("host", "").lower()
    method = values.get("method", "").upper()
    other = values.get("method_or_operation", "")
    if other.upper() in _VERBS and method not in _VERBS:
        method = other.upper()
    elif other and not operation:
        operation = other
    if not url and _URL.match(operation):
        url, operation = operation, ""
    found: dict[str, object] = {"method": method if method in _VERBS else None, "client_class": operation[:500] or None}
    if match := _URL.match(url):
        scheme, name, port, path, query = match.groups()
        found |= {"url": url, "scheme": scheme.lower(), "host": name.lower(), "port": int(port) if port else None}
        return found | {"path": path, "query": query}
    if url.startswith("/") or (url and host):
        path, _, query = url.partition("?")
        return found | {"url": url, "host": host or None, "path": path, "query": query or None}
    if url and not operation:
        return found | {"client_class": url[:500]}
    return found | {"host": host or None} if operation or host else None


def _answer(values: Values, outcome: bool | None, header: Header) -> dict[str, object] | None:
    """Status, answer and error of a row; None where it tells no outcome at all."""
    # A column that is only called "status" holds words for the outcome, or the HTTP status itself.
    status = _status(values.get("status", "") or (values.get("outcome", "") if outcome is None else ""))
    body, message, code = (values.get(role, "") for role in ("response_body", "error_message", "error_code"))
    found: dict[str, object] = {"status": status, "answer_state": "answered", "body": body}
    said = ": ".join(part for part in (code, message) if part)
    if status is not None and status >= 400 and said and not body:
        return found | {"body": said, "note": _NO_BODY}
    if status is not None or body:
        return found
    error = family(message) if message else None
    if error:
        return found | {
            "answer_state": "missing",
            "transport_error": error,
            "transport_error_text": message[:_MAX_MESSAGE],
        }
    if outcome is True:
        return found
    if outcome is False or message:
        note = _NO_BODY if said else ""
        return found | {"answer_state": "answered" if said else "missing", "body": said, "note": note}
    if code:
        return found | {"body": code, "note": "the answer is the export's code, not its body"}
    return found | {"answer_state": "missing"} if header.has("status", "response_body") else None


def _front(values: Values, answer: dict[str, object]) -> dict[str, object]:
    """That a firewall in front answered in the server's place, where the export has a column for it."""
    action, status = values.get("front_action", "").lower(), answer.get("status")
    if action not in headernames.refusals() or not isinstance(status, int) or status < _REFUSED:
        return {}
    return {"transport_error_text": headernames.FRONT.format(action)}


def _status(text: str) -> int | None:
    match = re.match(r"(\d{3})(?:\.0)?(?:\s|$)", text)
    return int(match[1]) if match and 100 <= int(match[1]) <= 599 else None


def _body(side: str, text: str, longest: Longest, notes: list[object], *, rebuilt: bool = False) -> dict[str, object]:
    """Text and state of a body, `rebuilt` from other columns or its own.

    An empty cell does not say whether the body was empty or not logged.
    """
    state = "recorded"
    if not text:
        state = "not_recorded"
    elif rebuilt:
        state = "reconstructed"
    elif cut(text, *longest.get(f"{side}_body", (0, 0))):
        state = "truncated"
        notes.append(f"the {side} body was cut by the export")
    elif masked(text):
        state = "masked"
    return {f"{side}_body": text or None, f"{side}_body_state": state, f"{side}_body_exact": False}


def _headers(side: str, text: str) -> dict[str, object]:
    found = _json_headers(text) if text.startswith("{") else _HEADER_LINE.findall(text[:100_000])
    if not found:
        return {f"{side}_headers_state": "not_recorded"}
    state = "masked" if masked(text) else "recorded"
    return {
        f"{side}_headers": [{"name": name, "value": value.strip()} for name, value in found],
        f"{side}_headers_state": state,
    }


def _json_headers(text: str) -> list[tuple[str, str]]:
    try:
        found = msgspec.json.decode(text.encode("utf-8", "replace"), type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return []
    return [(name, value if isinstance(value, str) else str(value)) for name, value in found.items()]


def _labels(values: Values, outcome: bool | None) -> list[dict[str, str]]:
    labels = [{"name": name, "value": values[role]} for role, name in _LABELS.items() if values.get(role)]
    if outcome is not None:
        labels.append({"name": "outcome", "value": "ok" if outcome else "failed"})
    for role in ("error_code", "error_message"):
        if values.get(role):
            labels.append({"name": role, "value": values[role][:_MAX_MESSAGE]})
    return labels
