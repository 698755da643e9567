"""What a line format may say: heads, wordings of calls, samples; and how its patterns are written and compiled.

Patterns are regular expressions in the syntax that polars' linear-time engine and Python share, with `%{LEVEL}`-style
names for what recurs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

HEAD_GROUPS = frozenset({"stamp", "level", "thread", "logger", "trace_id", "message"})
CALL_GROUPS = frozenset(
    {
        "method",
        "url",
        "target",
        "host",
        "port",
        "status",
        "version",
        "ms",
        "seconds",
        "error",
        "client",
        "key",
        "address",
        "request_body",
        "begin",
    }
)
Role = Literal["request", "answer", "exchange", "failure", "record", "ignore"]

NAMED_PATTERNS = {
    "ISO": r"\d{4}[-/]\d\d[-/]\d\d[T _]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?",
    "ISOZ": r"\d{4}[-/]\d\d[-/]\d\d[T _]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?",
    "CLOCK": r"\d\d:\d\d:\d\d(?:[.,]\d+)?",
    "LEVEL": (
        r"(?:TRACE|DEBUG|INFORMATION|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|CRIT|FATAL|SEVERE|ALERT|EMERGENCY"
        r"|trace|debug|verbose|http|information|info|notice|warning|warn|error|critical|crit|fatal"
        r"|Trace|Debug|Information|Info|Notice|Warning|Warn|Error|Critical|Fatal|VRB|DBG|INF|WRN|ERR|FTL)"
    ),
    "METHOD": r"(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)",
    "URL": r"""https?://[^\s"'`<>，；]+""",
    "TARGET": r"""(?:https?://|/)[^\s"'`<>，；]*""",
    "STATUS": r"[1-5]\d\d",
}
QUICK_PATTERNS = NAMED_PATTERNS | {"LEVEL": "[A-Za-z]+"}
_LEVELS = {
    "WARNING": "WARN",
    "WRN": "WARN",
    "ERR": "ERROR",
    "SEVERE": "ERROR",
    "CRITICAL": "FATAL",
    "CRIT": "FATAL",
    "FTL": "FATAL",
    "ALERT": "FATAL",
    "EMERGENCY": "FATAL",
    "INFORMATION": "INFO",
    "INF": "INFO",
    "NOTICE": "INFO",
    "HTTP": "INFO",
    "DBG": "DEBUG",
    "VERBOSE": "DEBUG",
    "VRB": "DEBUG",
    "TRACE": "DEBUG",
    "I": "INFO",
    "D": "DEBUG",
    "W": "WARN",
    "E": "ERROR",
    "F": "FATAL",
    "TRCE": "DEBUG",
    "DBUG": "DEBUG",
    "FAIL": "ERROR",
    "10": "DEBUG",
    "20": "DEBUG",
    "30": "INFO",
    "40": "WARN",
    "50": "ERROR",
    "60": "FATAL",
    "FATAL ERROR": "FATAL",
    "PARSE ERROR": "ERROR",
    "DEPRECATED": "WARN",
    "CATCHABLE FATAL ERROR": "FATAL",
    "信息": "INFO",
    "警告": "WARN",
    "严重": "ERROR",
    "PANIC": "FATAL",
    "DPANIC": "FATAL",
    "A": "INFO",
    "FINE": "DEBUG",
    "CONFIG": "INFO",
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Model):
    """How a record begins. The pattern ends in `(?P<message>.*)$`; with `next_line` the message is the line below.

    With `whole` the message is the whole line, and the pattern only tells that a record begins here.
    """

    pattern: str
    next_line: bool = False
    whole: bool = False


class Message(_Model):
    """How a writer words one line of a call. What stands behind the match is the body, where the role has one."""

    role: Role
    pattern: str
    writer: str | None = None  # as exchanges show it; the file's where not given
    logger: str | None = None  # regex on the logger's name
    direction: Literal["out", "inbound"] = "out"
    library: bool = False  # a library's own line inside a call that the client may log as well
    body: bool = True  # what follows the match is a body
    answers: bool = True  # an answer line is due after this request
    sample: tuple[str, ...]
    miss: tuple[str, ...] = ()


class Sample(_Model):
    """A line and what the head must find in it."""

    line: str
    expect: dict[str, str]


class LineFormat(_Model):
    """One file of rules/formats."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    description: str
    provenance: Literal["real program", "public file", "from documentation"]
    writers: tuple[str, ...]
    source: tuple[str, ...] = ()
    priority: int = 50  # higher is tried first
    writer: str | None = None  # as exchanges show it; the file's name where not given
    wrapper: bool = False  # a prefix in front of lines of other formats
    near: int = 1000  # characters of a message in which the words of a call stand
    head: tuple[Head, ...] = ()
    message: tuple[Message, ...] = ()
    sample: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadRule:
    """A head ready for use: `prefix` matches up to the message; `quick` finds the same in lines that `prefix` matches.

    polars takes a match apart in one pass when no two ways of matching begin alike. A list of levels does, so `quick`
    has any word in its place.
    """

    format: LineFormat
    prefix: str
    quick: str
    groups: tuple[str, ...]
    next_line: bool
    whole: bool
    python: re.Pattern[str]

    @property
    def expression(self) -> str:
        """The prefix with the whole match as group `_head`, in polars' spelling."""
        return f"^(?P<_head>{engine(self.prefix)})"

    @property
    def quick_expression(self) -> str:
        """The same by the quick form."""
        return f"^(?P<_head>{engine(self.quick)})"

    @property
    def test(self) -> str:
        """Whether a line begins a record, in polars' spelling."""
        return "^" + engine(self.prefix)


@dataclass(frozen=True, slots=True)
class MessageRule:
    """A message form ready for use."""

    writer: str  # as exchanges show it
    form: Message
    pattern: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """The message forms of one file; `union` matches where one of them does, at about the cost of any single one."""

    format: LineFormat
    union: str
    rules: tuple[MessageRule, ...]


@dataclass(frozen=True, slots=True)
class FormatSet:
    """All formats in force, most specific first."""

    formats: tuple[LineFormat, ...]
    heads: tuple[HeadRule, ...]
    wrappers: tuple[HeadRule, ...]
    groups: tuple[MessageGroup, ...]

    def named(self, name: str) -> LineFormat | None:
        """The format of that name."""
        return next((f for f in self.formats if f.name == name), None)


def normal_level(level: str | None) -> str | None:
    """A level as RECORDS spells it: DEBUG, INFO, WARN, ERROR or FATAL; unknown words in upper case."""
    if not level:
        return None
    upper = level.strip().upper()
    return _LEVELS.get(upper, upper)


def expand(pattern: str, named: dict[str, str] = NAMED_PATTERNS) -> str:
    """`%{NAME}` replaced by the named pattern; `\\d` and `\\w` mean ASCII. Raises KeyError for an unknown name."""
    return _ascii(re.sub(r"%\{([A-Z]+)\}", lambda m: named[m[1]], pattern))


def _ascii(pattern: str) -> str:
    parts, inside = [], False
    for sign in re.findall(r"\\.|\[\^?\]?|.", pattern, re.S):
        if sign in (r"\d", r"\w"):
            letters = "0-9" if sign == r"\d" else "A-Za-z0-9_"
            parts.append(letters if inside else f"[{letters}]")
            continue
        inside = sign[0] == "[" or (inside and sign != "]")
        parts.append(sign)
    return "".join(parts)


def engine(pattern: str) -> str:
    """A pattern as polars gets it: word borders between ASCII, so that a Chinese letter before GET is one."""
    return pattern.replace(r"\b", r"(?-u:\b)")
