"""Rule files, read and checked: `rules.toml` and `detectors.toml` of each pack that the input needs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter, ValidationError

from openclaw_forensics import cache
from openclaw_forensics.diagnose import conditions, detector_names
from openclaw_forensics.diagnose.conditions import ConditionError, compile_condition
from openclaw_forensics.diagnose.detector_names import NAMES
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.errors import RuleError
from openclaw_forensics.platforms.model import When
from openclaw_forensics.resources import rules_dir
from openclaw_forensics.taxonomy import FixStep, taxonomy
from openclaw_forensics.words import Text

RULE_FILES = ("rules.toml", "detectors.toml")
EVERYWHERE = "common"  # the folder of what holds on every platform
_MODELS = (Rule, When, FixStep, Text)
_MAKERS = (__name__, conditions.__name__, detector_names.__name__, *(kind.__module__ for kind in _MODELS))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rule with its compiled conditions."""

    rule: Rule
    path: str
    when: pl.Expr


def load_rules(folders: Iterable[tuple[str, Path]]) -> list[Loaded]:
    """Rules of the folders `(pack id, path)`, in order. Raises RuleError naming file and rule."""
    loaded = []
    for pack, folder in folders:
        for name in RULE_FILES:
            path = folder / name
            if path.is_file():
                loaded += load_file(path, pack)
    return loaded


def checked_rules(folders: Iterable[tuple[str, Path]]) -> list[Loaded]:
    """As `load_rules`, without the rules' tests; files that were checked at an earlier start are not checked again."""
    kept = TypeAdapter(tuple[Rule, ...])
    vocabulary = (rules_dir() / "taxonomy.toml").read_bytes()
    loaded = []
    for pack, folder in folders:
        for path in (folder / name for name in RULE_FILES):
            if path.is_file():
                contents = [path.read_bytes(), vocabulary, pl.__version__.encode()]
                rules = cache.checked(f"rules-{pack}", kept, contents, partial(_untested, path, pack), *_MAKERS)
                loaded += [_compiled(rule, path) for rule in rules]
    return loaded


def _untested(path: Path, pack: str) -> tuple[Rule, ...]:
    return tuple(loaded.rule.model_copy(update={"test": ()}) for loaded in load_file(path, pack))


def _compiled(rule: Rule, path: Path) -> Loaded:
    """A rule that is known to be right."""
    sequences = (s.when for s in (rule.after, rule.before, rule.absent) if s is not None)
    for condition in (rule.when_, *sequences):
        conditions.take_patterns(condition)
    return Loaded(rule, str(path), compile_condition(rule.when_, rule.frame))


def load_file(path: Path, pack: str) -> list[Loaded]:
    """Rules of one file; a rule in a pack asks only of that platform's exchanges."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(str(path), str(error)) from error
    tables = data.get("rule", [])
    if not isinstance(tables, list) or data.keys() - {"rule"}:
        raise RuleError(str(path), "a rule file holds [[rule]] tables and nothing else")
    return [_load(table, path, None if pack == EVERYWHERE else pack) for table in tables]


def _load(table: object, path: Path, platform: str | None) -> Loaded:
    try:
        rule = Rule.model_validate(table)
    except ValidationError as error:
        name = table.get("id", "?") if isinstance(table, dict) else "?"
        first = error.errors(include_url=False)[0]
        raise RuleError(str(path), f"rule {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if rule.platform is None and platform is not None:
        rule = rule.model_copy(update={"platform": platform})
    known = taxonomy().causes
    for cause in (rule.cause, *rule.alternatives, *rule.explains):
        if cause not in known:
            raise RuleError(str(path), f"rule {rule.id}: unknown cause {cause}")
    if rule.detector is not None and rule.detector not in NAMES:
        raise RuleError(str(path), f"rule {rule.id}: no detector {rule.detector}; known: {', '.join(NAMES)}")
    try:
        for sequence in (rule.after, rule.before, rule.absent):
            if sequence is not None:
                compile_condition(sequence.when, "exchanges")
        return Loaded(rule, str(path), compile_condition(rule.when_, rule.frame))
    except ConditionError as error:
        raise RuleError(str(path), f"rule {rule.id}: {error}") from error
