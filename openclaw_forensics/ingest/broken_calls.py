"""A call and its failure in one record: method and address, a word for failing, then what the client library said.

    POST https://api.example.com/orders failed: java.net.ConnectException: Connection refused

Read before the hand-written forms, which would take such a line for a request whose answer is still due.
"""

from __future__ import annotations

import re

from openclaw_forensics.ingest.exceptions import without_frames
from openclaw_forensics.ingest.quoted_errors import outcome
from openclaw_forensics.ingest.quoted_parts import Call

_PLACE = r"https?://[^\s\"'`<>\\，；]+"
# For polars, on the words before any JSON: an address and a word for failing make a record worth a look.
ADDRESS = r"\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)[ :]+\"?/|https?://"
FAILING = r"[Ff]ail|FAILED|[Ee]rror\b|ERROR|\berr[=:]|[Ee]xception|[Aa]borted|[Gg]ave up|失败|异常|错误|超时|出错|报错"
_CALL = re.compile(rf"\b(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)[ :]+\"?({_PLACE}|/[^\s\"'`<>]*)")
_ADDRESS = re.compile(_PLACE)
# A status behind the address is an answer, whatever its text speaks of.
_ANSWERED = re.compile(r"(?:^|[ =(\[]|(?:[Ss]tatus|[Cc]ode|码)[:：])[1-5]\d\d(?=[\s,;:)\]]|\.?$|\.\s)")
_BOUND = 4000


def broken(message: str, rest: str | None) -> Call | None:
    """The failed call that a record tells, None where it shows an answer or no failure of the transport."""
    first = message.split("\n", 1)[0][:_BOUND]
    found = _CALL.search(first)
    address = found or _ADDRESS.search(first) or _ADDRESS.search(without_frames(rest or "")[:_BOUND])
    if address is None:
        return None
    behind = address.string[address.end() :].split("\n", 1)[0]
    if "{" in behind or "<" in behind or _ANSWERED.search(behind):
        return None
    call = outcome(message, rest)
    if call is None or not call.get("transport_error") or call.get("status") is not None or call.get("response_body"):
        return None
    if call.get("url"):
        return call
    # The address as the caller wrote it says more than the host that the library names, which may be a proxy's.
    told = {name: value for name, value in call.items() if name not in ("scheme", "host", "port", "target")}
    if found:
        return told | {"method": found[1], "url": found[2].rstrip(".,;:)")}
    return told | {"url": address[0].rstrip(".,;:)")}
