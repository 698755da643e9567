"""What a client library's error text says about the transport, and what belongs to a stack trace.

The families are those of the taxonomy's network causes. The innermost cause decides: Java's last `Caused by:`, the part
in `(Caused by …)` of requests, the rightmost part of a Go error.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from http import HTTPStatus

from openclaw_forensics.errors import RuleError
from openclaw_forensics.resources import rules_dir

CURL_CODES = {
    5: "proxy", 6: "dns", 7: "connect", 16: "other", 18: "reset", 28: "timeout", 35: "tls", 51: "tls", 52: "reset",
    53: "tls", 54: "tls", 55: "reset", 56: "reset", 58: "tls", 59: "tls", 60: "tls", 77: "tls", 80: "tls", 83: "tls",
    90: "tls", 91: "tls", 92: "reset", 95: "reset", 97: "proxy",
}  # fmt: skip

_CONNECT_FIRST = re.compile(
    r"[Cc]onnect(?:ion)?[ _]?[Tt]imed? ?out|ConnectTimeout|HttpConnectTimeout|connect timeout"
    r"|Connection timed out after"
)
_CAUSED = re.compile(r"(?:^|\n)Caused by: ([^\n]{1,2000})")
_INNER = re.compile(r"\(Caused by (.{1,4000})\)", re.S)

_QUALIFIER = r"[A-Za-z_$][\w$]*(?:\\{1,2}|\.|::)"
CLASS = re.compile(
    rf"(?<![\w$\\.])((?:{_QUALIFIER})*[A-Z][\w$]*(?:Exception|Error|Fault|Timeout|Throttled)"
    rf"|(?:{_QUALIFIER})+(?:Exception|Error))"
    r"(?:\$\w+)?(?=[\s:('\],.]|$)"
)
FRAME = re.compile(
    r"^\s*(?:at |#\d+ |File \"|\.\.\. \d+ (?:more|common)|Caused by: |--- End of|---> |from \S+:\d+:in )", re.M
)
_APP_FILE = re.compile(
    r"site-packages|dist-packages|/vendor/|\\vendor\\|node_modules|node:internal|\(internal/|/lib/python\d"
)


@lru_cache(maxsize=1)
def _families() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The families in order, after one pattern for all of them; from rules/formats/errortexts.toml."""
    path = rules_dir() / "formats" / "errortexts.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["family"]
        named = [(str(row["error"]), "|".join(row["patterns"])) for row in table]
        union = "|".join(pattern for _, pattern in named) + "|[Cc]onnect"
        return tuple((name, re.compile(pattern)) for name, pattern in [("", union), *named])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, re.error) as error:
        raise RuleError(str(path), f"no families of error texts: {error}") from error


def family(text: str) -> str | None:
    """The transport error that `text` tells (exchanges.TransportError), None when it tells none."""
    text = text[:20_000]
    if not any(_may_tell(line) for line in text.split("\n")):
        return None
    inner = _INNER.search(text)
    causes = _CAUSED.findall(text)
    for part in ((inner[1],) if inner else ()) + tuple(reversed(causes[-3:])) + (text,):
        if found := _family(part):
            return found
    return None


@lru_cache(maxsize=8192)
def _may_tell(line: str) -> bool:
    """Whether any family's words stand in one line; the lines of stack traces recur."""
    return _families()[0][1].search(line) is not None


def _family(text: str) -> str | None:
    if _CONNECT_FIRST.search(text) and not re.search("proxy", text, re.I):
        return "connect"
    for name, pattern in _families()[1:]:
        if pattern.search(text):
            return name
    return None


def is_stack(text: str) -> bool:
    """Whether the text holds frames of a stack trace."""
    return FRAME.search(text[:20_000]) is not None


def class_of(text: str) -> str | None:
    """The exception class that a text names: Java's outermost, Python's last raised."""
    head = text[:8000]
    if "Traceback (most recent call last)" in head:
        for line in reversed(text[:60_000].splitlines()):
            if not line[:1].isspace() and (found := CLASS.match(line) or re.match(r"([A-Za-z_][\w.]*)(?=:|$)", line)):
                return found[1]
    found = CLASS.search(head)
    return found[1].replace("\\\\", "\\") if found else None


_FRAME_LINE = re.compile(r"^[ \t]+(?:at [^\n{]*|File \"[^\n]*(?:\n[ \t]+[^\n]*)?|\.\.\. \d+ [^\n]*)(?:\n|$)", re.M)


def without_frames(text: str) -> str:
    """The text without the frames of Java, Node, .NET and Python: what was said, not where."""
    return _FRAME_LINE.sub("", text) if "\n" in text else text


_CALL = re.compile(r"\b([A-Z]\w*)\([^()\n]*\)\.(\w+)\(|\b([A-Za-z_]\w*)\.(\w+)\(")
_NODE_FRAME = re.compile(r"^\s*at (?:async )?([A-Z][\w$]*\.[\w$<>]+) \(([^)\n]*)\)", re.M)
_RUNTIME = re.compile(r"node:|internal/|[a-z_]+\.js:")
_PHP_FRAME = re.compile(r"^#\d+ [^\n:]*: ([\w\\]+(?:->|::)\w+)\(", re.M)
_NET_FRAME = re.compile(r"^\s+at (?!System\.|Microsoft\.)((?:[\w`]+\.)+[\w`<>]+)[\[(]", re.M)


def call_in(text: str) -> str | None:
    """The client call in a stack trace: class and method of the library frame nearest to the application.

    Python shows the code line of the application's last own frame; Node, PHP and .NET name the method.
    """
    text = text[:60_000]
    if "Traceback (most recent call last)" in text:
        return _python_call(text)
    for pattern in (_NODE_FRAME, _PHP_FRAME, _NET_FRAME):
        for found in pattern.finditer(text):
            if found.lastindex == 2 and _RUNTIME.match(found[2]):
                continue
            return found[1].replace("\\\\", "\\").replace(".<anonymous>", "")
    return None


def _python_call(text: str) -> str | None:
    own: str | None = None
    lines = text.splitlines()
    for index, line in enumerate(lines[:-1]):
        if (
            line.lstrip().startswith('File "')
            and not _APP_FILE.search(line)
            and (found := _CALL.search(lines[index + 1]))
        ):
            own = f"{found[1] or found[3]}.{found[2] or found[4]}"
    return own


_REASONS = {status.phrase.lower(): status.value for status in HTTPStatus if status.value >= 400}


def status_of_reason(text: str) -> int | None:
    """The status whose reason phrase a text is exactly: `Bad Request` is 400."""
    return _REASONS.get(text.strip().strip(".").lower())
