"""Error records that quote no exchange word for word, and still tell a call's outcome: a class, a code, an object.

`outcome` reads what is left after `quoted`: an exception whose message is the answer's error object, Node's error with
its fields, a status in words, or a transport error. It never guesses a URL; the client's class and call go into
`client`, and whether that is a target is for the packs to say.
"""

from __future__ import annotations

import json
import re

from openclaw_forensics.ingest.exceptions import CLASS, call_in, class_of, family, is_stack, without_frames
from openclaw_forensics.ingest.quoted import quoted
from openclaw_forensics.ingest.quoted_node import node_target
from openclaw_forensics.ingest.quoted_parts import LIMIT, Call, answer, place
from openclaw_forensics.ingest.quoted_values import Body, dumped, read_body

# Errors of stores and queues look like a network's and are none of a call's.
_OTHER_PEERS = re.compile(
    r"jdbc|java\.sql|mysql|postgres|psycopg|pymysql|sqlalchemy|SQLSTATE|ORA-\d|redis|jedis|lettuce|mongo|kafka"
    r"|rabbit|amqp|"
    r"zookeeper|dubbo|nacos|elasticsearch|memcache|smtp|ldap|sftp",
    re.I,
)
_ERRNO = re.compile(r"\b(?:E[A-Z]{4,}|ERR_[A-Z_]+|EAI_[A-Z]+)\b")
_OBJECT = re.compile(CLASS.pattern + r": ?(?=[\[{(])")
_OPENS = re.compile(r": ?[\[{(]")
_PROPS = re.compile(r"(?:\)|\n\s+at [^\n]*|^[^\n{]*Error: [^\n{]*) \{\s*\n", re.M)
_STATUS_WORDS = re.compile(
    r"(?:HTTP (?:[Ss]tatus|[Cc]ode|[Ee]rror|[Rr]esponse)(?: [Cc]ode)?|[Rr]esponse (?:status|code)"
    r"|[Ss]tatus ?[Cc]ode|status)[ :=]{1,3}\[?\(?([45]\d\d)\b"
)
_ADDRESS = re.compile(r"""\b(?:url|uri|endpoint|for|to|from)[=: ]+["']?(https?://[^\s"'<>,]+)""")
_STATUS_CLASS = re.compile(r"\b(?:[A-Z]\w*(?:::|\.)[\w:.]+|\w+(?:Error|Exception)): ([45]\d\d) [A-Z]")
_WITH_ERROR = re.compile(r'with (?:error|message):? "([^"\n]{1,300})"')
_API_ERROR = re.compile(r"\b(\w*(?:Api|API)(?:Error|Exception)): ([^\n{\[]{3,300})")
_ERROR_KEYS = frozenset(
    {"code", "error", "errors", "message", "msg", "err_code", "errcode", "error_code", "error_message", "errorCode"}
)
_STATUS_KEYS = ("status", "statusCode", "status_code", "httpStatus", "http_status")


def outcome(message: str, rest: str | None) -> Call | None:
    """What an error record tells of a call, None when it tells nothing of one."""
    text = (f"{message}\n{rest}" if rest else message)[:LIMIT]
    if "\\n    at " in text:  # a stack inside a JSON string
        text = text.replace("\\\\n", "\n").replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
    told = without_frames(text)
    if '\\"' in told and (inner := quoted(told.replace('\\"', '"'))) is not None:  # an error inside JSON or logfmt
        return {"role": "failure"} | inner
    call = _object(told) or _props(text) or _status(told, text) or _transport(told) or _api_error(told)
    if call is None:
        return None
    return {"role": "failure", "client": _client(message, told, text)} | call


def _client(message: str, told: str, text: str) -> str | None:
    """The words that may name the operation: the record's own, the exception's class, the call in the trace."""
    first = message.split("\n", 1)[0].strip()
    words = first if len(first) <= 100 and "://" not in first and not CLASS.search(first) else None
    parts = [part for part in (words, class_of(told), call_in(text)) if part]
    return " ".join(dict.fromkeys(parts))[:300] or None


def _object(text: str) -> Call | None:
    """`SomeException: {"code": …}`, `[{'code': …}]` or `('invalid_scope', '…', 400)`."""
    for found in _OBJECT.finditer(text) if _OPENS.search(text) else ():
        opened = text[found.end()]
        if opened == "(":
            call = _tuple(text[found.end() :])
        else:
            call = _error_object(read_body(text[found.end() :], label=False))
        if call is not None:
            return call
    return None


def _tuple(text: str) -> Call | None:
    try:
        value, _ = dumped(text)
    except ValueError:
        return None
    strings = [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
    status = next((v for v in value if isinstance(v, int) and 400 <= v < 600), None)
    if len(strings) != 2 or status is None:
        return None
    body = json.dumps({"error": strings[0], "error_description": strings[1]}, ensure_ascii=False)
    return {"status": status, "response_body": body, "response_body_state": "reconstructed"}


def _error_object(body: Body) -> Call | None:
    if body.text is None:
        return None
    try:
        value = json.loads(body.text)
    except (ValueError, RecursionError):
        return None
    held = value[0] if isinstance(value, list) and value else value
    if not isinstance(held, dict) or not _ERROR_KEYS & held.keys():
        return None
    return answer(body) | ({"status": status} if (status := _status_in(held)) else {})


def _status_in(held: dict[str, object], depth: int = 0) -> int | None:
    for name in _STATUS_KEYS:
        value = held.get(name)
        if isinstance(value, int | str) and str(value).isdigit() and 400 <= int(value) < 600:
            return int(value)
    for value in held.values():
        if isinstance(value, dict) and depth < 2 and (status := _status_in(value, depth + 1)):
            return status
    return None


def _props(text: str) -> Call | None:
    """Node prints an error's own fields in braces behind the stack."""
    found = _PROPS.search(text) if "{\n" in text else None
    if not found:
        return None
    body = read_body(
        text[found.end() - 2 :].lstrip(" \n")
        if text[found.end() - 2] == "{"
        else text[text.rfind("{", 0, found.end()) :]
    )
    try:
        held = json.loads(body.text or "")
    except ValueError:
        return None
    code = held.get("code") if isinstance(held, dict) else None
    if not isinstance(held, dict) or not isinstance(code, str | int) or _ERRNO.fullmatch(str(code)):
        return None
    if "message" not in held and (error := re.search(r"\b\w*Error: ([^\n]+)", text)):
        held["message"] = error[1]
    status = _status_in(held)
    return {
        "response_body": json.dumps(held, ensure_ascii=False),
        "response_body_state": "reconstructed",
        "status": status,
    }


def _status(text: str, whole: str) -> Call | None:
    named = _STATUS_CLASS.search(text[:4000])
    if named:
        return {"status": int(named[1]), "client": named[0].split(": ")[0]} | node_target(text)
    found = _STATUS_WORDS.search(text[:4000])
    if not found or not (is_stack(whole) or CLASS.search(text)):
        return None
    call: Call = {"status": int(found[1])} | node_target(text)
    if worded := _WITH_ERROR.search(text, found.end()):
        return call | {
            "response_body": json.dumps({"error": worded[1]}, ensure_ascii=False),
            "response_body_state": "reconstructed",
        }
    return call


def _transport(text: str) -> Call | None:
    if not (_ERRNO.search(text) or CLASS.search(text) or "://" in text):
        return None
    kind = family(text)
    if kind is None or _OTHER_PEERS.search(text[:20_000]):
        return None
    error = re.search(r"(?:[A-Z]\w*Error|Error|\w+Exception): ([^\n]+)|\"message\": ?\"([^\"]+)\"", text)
    message = (error[1] or error[2]) if error else text.split("\n", 1)[0]
    target = node_target(text)
    if not target and (named := _ADDRESS.search(text)):
        target = {"url": named[1]}
    call: Call = {"transport_error": kind, "error": message[:2000]} | target
    return call if target.get("url") or target.get("host") else call | place(text)


def _api_error(text: str) -> Call | None:
    """An API client's own error class, its message being the answer's."""
    found = _API_ERROR.search(text)
    if not found:
        return None
    body = json.dumps({"message": found[2].strip()}, ensure_ascii=False)
    return {"response_body": body, "response_body_state": "reconstructed"}
