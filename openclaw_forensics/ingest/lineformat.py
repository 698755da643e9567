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
_TAIL = "(?P<message>.*)$"
_EITHER = "%{ISO}|%{CLOCK}"
_QUICK = NAMED_PATTERNS | {"LEVEL": "[A-Za-z]+"}
_UNNAMED = re.compile(r"\(\?P<\w+>")
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
    for token in re.findall(r"\\.|\[\^?\]?|.", pattern, re.S):
        if token in (r"\d", r"\w"):
            letters = "0-9" if token == r"\d" else "A-Za-z0-9_"
            parts.append(letters if inside else f"[{letters}]")
            continue
        inside = token[0] == "[" or (inside and token != "]")
        parts.append(token)
    return "".join(parts)


def engine(pattern: str) -> str:
    """A pattern as polars gets it: word borders between ASCII, so that a Chinese letter before GET is one."""
    return pattern.replace(r"\b", r"(?-u:\b)")


@lru_cache(maxsize=8)
def load_formats(user_dirs: tuple[Path, ...] = ()) -> FormatSet:
    """The user's formats, then the shipped ones. Raises RuleError for a file that is wrong or fails its samples."""
    formats: list[LineFormat] = []
    heads: list[tuple[int, int, HeadRule]] = []
    groups: list[tuple[int, int, MessageGroup]] = []
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
            if form.message:
                groups.append((rank, len(groups), _group(form, path)))
    ranked = [rule for _, _, rule in sorted(heads, key=lambda h: h[:2])]
    return FormatSet(
        tuple(formats),
        tuple(rule for rule in ranked if not rule.format.wrapper),
        tuple(rule for rule in ranked if rule.format.wrapper),
        tuple(group for _, _, group in sorted(groups, key=lambda g: g[:2])),
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
    if form.message:
        group = _group(form, path)
        for rule in group.rules:
            _check_message(rule, path)
    return form


def _compile(pattern: str, path: Path) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
        pl.select(pl.lit("").str.contains(engine(pattern)))
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
        if not (head.next_line or head.whole) and not head.pattern.endswith(_TAIL):
            raise RuleError(str(path), f"a head's pattern must end in {_TAIL}")
        written = head.pattern.removeprefix("^").removesuffix(_TAIL)
        # A pattern for two kinds of stamp is two patterns: each is then taken apart in one pass.
        for variant in [written.replace(_EITHER, n) for n in ("%{ISO}", "%{CLOCK}")] if _EITHER in written else [written]:
            prefix = _expanded(variant, path)
            compiled = _compile(f"^(?P<_head>{prefix})", path)
            groups = tuple(name for name in compiled.groupindex if name in HEAD_GROUPS)
            quick = expand(variant, _QUICK)
            rules.append(HeadRule(form, prefix, quick, groups, head.next_line, head.whole, re.compile("^" + prefix)))
    return rules


def _group(form: LineFormat, path: Path) -> MessageGroup:
    rules = tuple(_messages(form, path))
    return MessageGroup(form, "|".join(f"(?:{_UNNAMED.sub('(?:', rule.pattern)})" for rule in rules), rules)


def _messages(form: LineFormat, path: Path) -> list[MessageRule]:
    rules = []
    for message in form.message:
        pattern = _expanded(message.pattern, path)
        compiled = _compile(pattern, path)
        if unknown := compiled.groupindex.keys() - CALL_GROUPS:
            raise RuleError(str(path), f"unknown group {sorted(unknown)[0]!r} in a message pattern")
        rules.append(MessageRule(message.writer or form.writer or form.name, message, engine(pattern), tuple(compiled.groupindex)))
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
    compiled = re.compile(expand(rule.form.pattern))
    for sample in rule.form.sample:
        if not compiled.search(sample):
            raise RuleError(str(path), f"sample {sample!r} does not match {rule.pattern!r}")
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

    def begins(self, line: str) -> bool:
        """Whether this line begins a record."""
        inner = _unwrapped(line, self.wrapper) if self.wrapper is not None else None
        return any(rule.python.match((line if inner is None else inner)[:512]) for rule in self.used)


def fit_heads(lines: Iterable[str], formats: FormatSet, forced: str | None = None) -> Fit:
    """Which heads occur in these lines; each line counts for the most specific one.

    A wrapper counts when it stands in front of at least half of the lines. `forced` names the only format to try;
    raises RuleError when there is none of that name.
    """
    if forced is not None and formats.named(forced) is None:
        known = ", ".join(sorted(f.name for f in formats.formats if f.head))
        raise RuleError(forced, f"no line format of this name; there are {known}")
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
