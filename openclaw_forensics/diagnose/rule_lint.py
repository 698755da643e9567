"""Checks rules as their authors wrote them: what does not load, what lacks a source or a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from openclaw_forensics.diagnose.load import EVERYWHERE, RULE_FILES, Loaded, load_file
from openclaw_forensics.errors import RuleError
from openclaw_forensics.platforms.lint import LintFinding
from openclaw_forensics.platforms.lints import Level
from openclaw_forensics.platforms.load import PackSet

UNVERIFIED_AT_MOST = 0.6  # confidence that an unverified rule may claim


def lint_rules(packs: PackSet) -> list[LintFinding]:
    """Findings over the rule files of all packs, by file."""
    found: list[LintFinding] = []
    loaded: list[tuple[str, Loaded]] = []
    for name in (EVERYWHERE, *packs.ids()):
        for path in (folder / file for folder in packs.folders.get(name, ()) for file in RULE_FILES):
            if not path.is_file():
                continue
            try:
                loaded += [(name, rule) for rule in load_file(path, name)]
            except RuleError as error:
                what = str(error).removeprefix(f"{error.path}: ")
                found.append(
                    LintFinding(name, path.as_posix(), error.line, "does-not-load", "error", what, "correct it")
                )
    for name, rule in loaded:
        found += _lint(name, rule)
    return sorted([*found, *_twice(loaded)], key=lambda f: (f.file, f.line or 0, f.name, f.what))


def _lint(pack: str, loaded: Loaded) -> Iterator[LintFinding]:
    rule = loaded.rule
    path = Path(loaded.path)
    line = _line_of(path, rule.id)

    def finding(name: str, level: Level, what: str, recommendation: str) -> LintFinding:
        return LintFinding(pack, path.as_posix(), line, name, level, f"{rule.id}: {what}", recommendation)

    if not rule.id.startswith(f"{pack}."):
        yield finding("foreign-id", "error", "the id does not begin with the pack's", f"call it {pack}.…")
    if not rule.source:
        yield finding("no-source", "error", "no source", "say where the fact is published")
    if rule.detector is None and not rule.when_:
        yield finding("no-condition", "error", "neither a condition nor a detector", "say when the rule holds")
    if rule.detector is None and not any(t.hit is not None for t in rule.test):
        yield finding("no-hit", "error", "no test that must hit", "add a [[rule.test]] with hit")
    if rule.detector is None and not any(t.miss is not None for t in rule.test):
        yield finding("no-near-miss", "error", "no near miss", "add a [[rule.test]] with miss: other cause, same look")
    if rule.unverified and rule.confidence > UNVERIFIED_AT_MOST:
        yield finding("unverified-alone", "warning", f"confidence {rule.confidence}", f"at most {UNVERIFIED_AT_MOST}")
    if (rule.after or rule.before or rule.absent) and not any(isinstance(t.hit, list) for t in rule.test):
        yield finding("untested-sequence", "warning", "no test of the sequence", "give a list of rows in time order")


def _line_of(path: Path, rule_id: str) -> int | None:
    lines = path.read_text("utf-8").splitlines()
    return next(
        (n for n, line in enumerate(lines, 1) if line.strip().startswith("id") and f'"{rule_id}"' in line), None
    )


def _twice(loaded: Sequence[tuple[str, Loaded]]) -> Iterator[LintFinding]:
    counts = Counter(rule.rule.id for _, rule in loaded)
    for pack, rule in loaded:
        if counts[rule.rule.id] > 1:
            what = f"{rule.rule.id} stands more than once"
            yield LintFinding(pack, Path(rule.path).as_posix(), None, "same-id", "error", what, "give it another id")
