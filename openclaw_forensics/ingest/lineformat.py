"""Line formats of text logs as data: `rules/formats/*.toml`, loaded, checked by their own samples, fitted to a file.

A format says how a record's first line begins (`head`) and how a writer words its calls (`message`). One whose samples
do not match does not load. The user's own formats come before the shipped ones.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl
from polars.exceptions import ComputeError
from pydantic import ValidationError

from openclaw_forensics.errors import RuleError
from openclaw_forensics.ingest.lineformat_model import (
    CALL_GROUPS,
    HEAD_GROUPS,
    QUICK_PATTERNS,
    FormatSet,
    HeadRule,
    LineFormat,
    MessageGroup,
    MessageRule,
    Sample,
    engine,
    expand,
)
from openclaw_forensics.resources import rules_dir

_TAIL = "(?P<message>.*)$"
_UNNAMED = re.compile(r"\(\?P<\w+>")
_EITHER = "%{ISO}|%{CLOCK}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One checked format, ready for use."""

    form: LineFormat
    heads: tuple[HeadRule, ...]
    group: MessageGroup | None


@lru_cache(maxsize=8)
def load_formats(user_dirs: tuple[Path, ...] = ()) -> FormatSet:
    """The user's formats, then the shipped ones. Raises RuleError for a file that is wrong or fails its samples."""
    loaded: dict[str, tuple[int, Loaded]] = {}
    for folder, boost in [*((d, 1000) for d in user_dirs), (rules_dir() / "formats", 0)]:
        for path in sorted(folder.glob("*.toml")):
            one = read_format(path, shipped=not boost)
            if one is not None:  # the user's own format of a name replaces the shipped one
                loaded.setdefault(one.form.name, (one.form.priority + boost, one))
    ranked = [one for _, one in sorted(loaded.values(), key=lambda pair: -pair[0])]
    heads = [rule for one in ranked for rule in one.heads]
    return FormatSet(
        tuple(one.form for _, one in loaded.values()),
        tuple(rule for rule in heads if not rule.format.wrapper),
        tuple(rule for rule in heads if rule.format.wrapper),
        tuple(one.group for one in ranked if one.group is not None),
    )


def read_format(path: Path, *, shipped: bool = False) -> Loaded | None:
    """One checked format file; None for a table of another kind, without name, head and message. Raises RuleError.

    Whether polars' engine takes the patterns of a `shipped` file is a matter of the tests, not of every start.
    """
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
    if form.head and not form.sample:
        raise RuleError(str(path), "a format with a [[head]] needs at least one [[sample]]")
    heads, rules = _heads(form, path), _messages(form, path)
    if not shipped:
        for pattern in (*(rule.test for rule in heads), *(rule.pattern for rule in rules)):
            _check_engine(pattern, path)
    for sample in form.sample:
        _check_sample(sample, heads, path)
    union = "|".join(f"(?:{_UNNAMED.sub('(?:', rule.pattern)})" for rule in rules)
    return Loaded(form, tuple(heads), MessageGroup(form, union, tuple(rules)) if rules else None)


def _compile(pattern: str, path: Path) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise RuleError(str(path), f"pattern {pattern!r}: {error}") from error


def _check_engine(pattern: str, path: Path) -> None:
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except ComputeError as error:
        raise RuleError(str(path), f"pattern {pattern!r}: {error}") from error


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
        for variant in (
            [written.replace(_EITHER, n) for n in ("%{ISO}", "%{CLOCK}")] if _EITHER in written else [written]
        ):
            prefix = _expanded(variant, path)
            python = _compile("^" + prefix, path)
            groups = tuple(name for name in python.groupindex if name in HEAD_GROUPS)
            quick = expand(variant, QUICK_PATTERNS)
            rules.append(HeadRule(form, prefix, quick, groups, head.next_line, head.whole, python))
    return rules


def _messages(form: LineFormat, path: Path) -> list[MessageRule]:
    rules = []
    for message in form.message:
        pattern = _expanded(message.pattern, path)
        compiled = _compile(pattern, path)
        if unknown := compiled.groupindex.keys() - CALL_GROUPS:
            raise RuleError(str(path), f"unknown group {sorted(unknown)[0]!r} in a message pattern")
        writer = message.writer or form.writer or form.name
        rule = MessageRule(writer, message, engine(pattern), tuple(compiled.groupindex))
        _check_message(rule, compiled, path)
        rules.append(rule)
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


def _check_message(rule: MessageRule, compiled: re.Pattern[str], path: Path) -> None:
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
