"""Line formats of text logs as data: `rules/formats/*.toml`, each with the samples that prove it.

A format says how a record's first line begins (`head`) and how a writer words its calls (`message`). Both are regular
expressions in the syntax that polars' linear-time engine and Python share, with `%{LEVEL}`-style names for what recurs.
A format whose samples do not match does not load. The user's own formats come before the shipped ones.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import polars as pl
from polars.exceptions import ComputeError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from openclaw_forensics.errors import RuleError
from openclaw_forensics.resources import rules_dir

HEAD_GROUPS = frozenset({"stamp", "level", "thread", "logger", "trace_id", "message"})
CALL_GROUPS = frozenset(
    {"method", "url", "target", "host", "port", "status", "version", "ms", "seconds", "error", "client", "key",
     "address", "request_body", "begin"}
)  # fmt: skip
Role = Literal["request", "answer", "exchange", "failure", "record", "ignore"]

NAMED_PATTERNS = {
    "ISO": r"\d{4}[-/]\d\d[-/]\d\d[T _]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?",
    "CLOCK": r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?",
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
_TAIL = "(?P<message>.*)$"
_LEVELS = {
    "WARNING": "WARN", "WRN": "WARN", "ERR": "ERROR", "SEVERE": "ERROR", "CRITICAL": "FATAL", "CRIT": "FATAL", "FTL": "FATAL",
    "ALERT": "FATAL", "EMERGENCY": "FATAL", "INFORMATION": "INFO", "INF": "INFO", "NOTICE": "INFO", "HTTP": "INFO",
    "DBG": "DEBUG", "VERBOSE": "DEBUG", "VRB": "DEBUG", "TRACE": "DEBUG", "I": "INFO", "D": "DEBUG", "W": "WARN",
    "E": "ERROR", "F": "FATAL", "TRCE": "DEBUG", "DBUG": "DEBUG", "FAIL": "ERROR", "10": "DEBUG", "20": "DEBUG",
    "30": "INFO", "40": "WARN", "50": "ERROR", "60": "FATAL", "FATAL ERROR": "FATAL", "PARSE ERROR": "ERROR",
    "DEPRECATED": "WARN", "CATCHABLE FATAL ERROR": "FATAL", "信息": "INFO", "警告": "WARN", "严重": "ERROR", "PANIC": "FATAL",
    "DPANIC": "FATAL", "A": "INFO", "FINE": "DEBUG", "CONFIG": "INFO",
}  # fmt: skip


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
    marks: tuple[str, ...] = ()  # one of these literals occurs in every match; makes reading fast
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
    wrapper: bool = False  # a prefix in front of lines of other formats
    head: tuple[Head, ...] = ()
    message: tuple[Message, ...] = ()
    sample: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadRule:
    """A head ready for use: `prefix` matches up to the message."""

    format: LineFormat
    prefix: str
    groups: tuple[str, ...]
    next_line: bool
    whole: bool
    python: re.Pattern[str]

    @property
    def expression(self) -> str:
        """The prefix with the whole match as group `_head`."""
        return f"^(?P<_head>{self.prefix})"


@dataclass(frozen=True, slots=True)
class MessageRule:
    """A message form ready for use."""

    writer: str
    form: Message
    pattern: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormatSet:
    """All formats in force, most specific first."""

    formats: tuple[LineFormat, ...]
    heads: tuple[HeadRule, ...]
    wrappers: tuple[HeadRule, ...]
    messages: tuple[MessageRule, ...]

    def named(self, name: str) -> LineFormat | None:
        """The format of that name."""
        return next((f for f in self.formats if f.name == name), None)


def normal_level(level: str | None) -> str | None:
    """A level as RECORDS spells it: DEBUG, INFO, WARN, ERROR or FATAL; unknown words in upper case."""
    if not level:
        return None
    upper = level.strip().upper()
    return _LEVELS.get(upper, upper)


def expand(pattern: str) -> str:
    """`%{NAME}` replaced by the named pattern. Raises KeyError for an unknown name."""
    return re.sub(r"%\{([A-Z]+)\}", lambda m: NAMED_PATTERNS[m[1]], pattern)


@lru_cache(maxsize=8)
def load_formats(user_dirs: tuple[Path, ...] = ()) -> FormatSet:
    """The user's formats, then the shipped ones. Raises RuleError for a file that is wrong or fails its samples."""
    formats: list[LineFormat] = []
    heads: list[tuple[int, int, HeadRule]] = []
    messages: list[tuple[int, int, MessageRule]] = []
    seen: set[str] = set()
    for folder, boost in [*((d, 1000) for d in user_dirs), (rules_dir() / "formats", 0)]:
        for path in sorted(folder.glob("*.toml")):
            form = read_format(path)
            if form is None or form.name in seen:
                continue  # the user's own format of that name replaces the shipped one
            seen.add(form.name)
            formats.append(form)
            rank = -(form.priority + boost)
            heads += [(rank, len(heads) + i, rule) for i, rule in enumerate(_heads(form, path))]
            messages += [(rank, len(messages) + i, rule) for i, rule in enumerate(_messages(form, path))]
    ranked = [rule for _, _, rule in sorted(heads, key=lambda h: h[:2])]
    return FormatSet(
        tuple(formats),
        tuple(rule for rule in ranked if not rule.format.wrapper),
        tuple(rule for rule in ranked if rule.format.wrapper),
        tuple(rule for _, _, rule in sorted(messages, key=lambda m: m[:2])),
    )


def read_format(path: Path) -> LineFormat | None:
    """One checked format file; None for a table of another kind, without name, head and message. Raises RuleError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if not table.keys() & {"name", "head", "message"}:
            return None
        form = LineFormat.model_validate(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(str(path), str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RuleError(str(path), f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not form.head and not form.message:
        raise RuleError(str(path), "a format needs at least one [[head]] or [[message]]")
    heads = _heads(form, path)
    for sample in form.sample:
        _check_sample(sample, heads, path)
    if heads and not form.sample:
        raise RuleError(str(path), "a format with a [[head]] needs at least one [[sample]]")
    for rule in _messages(form, path):
        _check_message(rule, path)
    return form


def _compile(pattern: str, path: Path) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
        pl.select(pl.lit("").str.contains(pattern))
    except (re.error, ComputeError) as error:
        raise RuleError(str(path), f"pattern {pattern!r}: {error}") from error
    return compiled


def _expanded(pattern: str, path: Path) -> str:
    try:
        return expand(pattern)
    except KeyError as error:
        raise RuleError(str(path), f"unknown name %{{{error.args[0]}}} in a pattern") from error


def _heads(form: LineFormat, path: Path) -> list[HeadRule]:
    rules = []
    for head in form.head:
        pattern = _expanded(head.pattern, path).removeprefix("^")
        if not (head.next_line or head.whole) and not pattern.endswith(_TAIL):
            raise RuleError(str(path), f"a head's pattern must end in {_TAIL}")
        prefix = pattern.removesuffix(_TAIL)
        compiled = _compile(f"^(?P<_head>{prefix})", path)
        groups = tuple(name for name in compiled.groupindex if name in HEAD_GROUPS)
        rules.append(HeadRule(form, prefix, groups, head.next_line, head.whole, re.compile("^" + prefix)))
    return rules


def _messages(form: LineFormat, path: Path) -> list[MessageRule]:
    rules = []
    for message in form.message:
        pattern = _expanded(message.pattern, path)
        compiled = _compile(pattern, path)
        if unknown := compiled.groupindex.keys() - CALL_GROUPS:
            raise RuleError(str(path), f"unknown group {sorted(unknown)[0]!r} in a message pattern")
        rules.append(MessageRule(form.name, message, pattern, tuple(compiled.groupindex)))
    return rules


def _check_sample(sample: Sample, heads: list[HeadRule], path: Path) -> None:
    for rule in heads:
        found = rule.python.match(sample.line)
        if found is None:
            continue
        message = sample.line if rule.whole else sample.line[found.end() :]
        got = {k: (v or "").strip() for k, v in found.groupdict().items()} | {"message": message}
        wrong = {key: got.get(key) for key, value in sample.expect.items() if got.get(key) != value}
        if not wrong:
            return
        raise RuleError(str(path), f"sample {sample.line!r}: found {wrong}")
    raise RuleError(str(path), f"sample {sample.line!r} does not match")


def _check_message(rule: MessageRule, path: Path) -> None:
    compiled = re.compile(rule.pattern)
    for sample in rule.form.sample:
        if not compiled.search(sample):
            raise RuleError(str(path), f"sample {sample!r} does not match {rule.pattern!r}")
        if rule.form.marks and not any(mark in sample for mark in rule.form.marks):
            raise RuleError(str(path), f"sample {sample!r} holds none of the marks {rule.form.marks}")
    for line in rule.form.miss:
        if compiled.search(line):
            raise RuleError(str(path), f"{line!r} must not match {rule.pattern!r}")


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the heads fit a piece of text."""

    used: tuple[HeadRule, ...]  # those with a line of their own, in the order in which they are tried
    wrapper: HeadRule | None
    lines: int
    matched: int
    hits: dict[str, int]  # by format name

    @property
    def share(self) -> float:
        """The share of the lines that begin a record."""
        return self.matched / self.lines if self.lines else 0.0


def fit_heads(lines: Iterable[str], formats: FormatSet, forced: str | None = None) -> Fit:
    """Which heads occur in these lines; each line counts for the most specific one.

    A wrapper counts when it stands in front of at least half of the lines. `forced` names the only format to try.
    """
    texts = [line for line in lines if line.strip()]
    wrapper = None
    for rule in formats.wrappers:
        inner = [_unwrapped(line, rule) for line in texts]
        if texts and sum(i is not None for i in inner) * 2 > len(texts):
            wrapper, texts = rule, [line if i is None else i for line, i in zip(texts, inner, strict=True)]
            break
    rules = [r for r in formats.heads if forced is None or r.format.name == forced]
    hits: dict[int, int] = {}
    matched = 0
    for line in texts:
        head = line[:512]
        for index, rule in enumerate(rules):
            if rule.python.match(head):
                hits[index] = hits.get(index, 0) + 1
                matched += 1
                break
    used = tuple(rules[i] for i in sorted(hits)) or (tuple(rules) if forced else ())
    names: dict[str, int] = {}
    for index, count in hits.items():
        name = rules[index].format.name
        names[name] = names.get(name, 0) + count
    return Fit(used, wrapper, len(texts), matched, names)


def _unwrapped(line: str, rule: HeadRule) -> str | None:
    found = rule.python.match(line[:512])
    return None if found is None else line[found.end() :]
