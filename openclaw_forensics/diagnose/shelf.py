"""The knowledge as a list: packs with what they know, and one rule or catalogue row in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from openclaw_forensics.diagnose.load import EVERYWHERE, load_rules
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.diagnose.rule_lint import lint_rules
from openclaw_forensics.errors import UsageError
from openclaw_forensics.platforms.lint import LintFinding, lint
from openclaw_forensics.platforms.load import PackSet, load
from openclaw_forensics.platforms.model import ErrorRow
from openclaw_forensics.resources import rules_dir
from openclaw_forensics.taxonomy import taxonomy


def overview(extra: tuple[Path, ...]) -> Iterator[str]:
    """A line per pack: operations, codes, signature schemes, topics, deprecations, rules."""
    packs = load(extra=extra)
    yield f"{'pack':18}{'kind':12}{'operations':>11}{'codes':>7}{'schemes':>8}{'topics':>7}{'ends':>6}{'rules':>6}"
    for name in (EVERYWHERE, *packs.ids()):
        pack = packs.pack(name)
        topics = len(pack.webhooks.topics) if pack.webhooks else 0
        rules = len(load_rules([(name, f) for f in packs.folders.get(name, ())]))
        yield (
            f"{name:18}{pack.platform.kind:12}{len(pack.operations):>11}{len(pack.errors):>7}{len(pack.schemes):>8}"
            f"{topics:>7}{len(pack.deprecations):>6}{rules:>6}"
        )


def check(extra: tuple[Path, ...]) -> None:
    """Read everything under the user's own folders. Raises RuleError where a file is wrong, UsageError for a folder
    that holds no rules."""
    packs = load(extra=extra)
    for root in extra:
        known = [name for name, folders in packs.folders.items() if any(f.parent == root for f in folders)]
        if not known and not (root / "gateway.toml").is_file():
            hint = "a pack is a folder in it with a platform.toml"
            if (root / "platform.toml").is_file():
                hint = f"it is a pack itself; give the folder around it, {root.parent.as_posix()}"
            raise UsageError(f"{root.as_posix()} holds neither a pack nor common/ nor gateway.toml: {hint}")
        for name in known:
            packs.pack(name)
            load_rules([(name, f) for f in packs.folders[name] if f.parent == root])


def findings(extra: tuple[Path, ...]) -> list[LintFinding]:
    """What `rules lint` has to say about the shipped packs and the user's own, by file."""
    found = lint([rules_dir(), *extra])
    if any(f.name == "does-not-load" and f.pack == "?" for f in found):
        return found
    found += lint_rules(load(extra=extra))
    return sorted(found, key=lambda f: (f.file, f.line or 0, f.name, f.what))


def describe(name: str, extra: tuple[Path, ...], lang: Literal["zh", "en"]) -> str:
    """One rule or row. Raises UsageError with the nearest names."""
    packs = load(extra=extra)
    rules = {
        loaded.rule.id: loaded.rule
        for pack in (EVERYWHERE, *packs.ids())
        for loaded in load_rules([(pack, f) for f in packs.folders.get(pack, ())])
    }
    if name in rules:
        return _rule(rules[name], lang)
    pack_name, _, code = name.partition(".")
    rows = _rows(packs, pack_name, code)
    if rows:
        return "\n\n".join(_row(row, lang) for row in rows)
    from rapidfuzz import process

    near = [m for m, _, _ in process.extract(name, sorted(rules), limit=3)]
    raise UsageError(f"no rule {name!r}; nearest: {', '.join(near)}")


def _rows(packs: PackSet, pack: str, code: str) -> list[ErrorRow]:
    if pack not in (*packs.ids(), EVERYWHERE):
        return []
    return [row for row in packs.pack(pack).errors if code in (row.code, f"{row.code}.{row.subcode}")]


def _rule(rule: Rule, lang: Literal["zh", "en"]) -> str:
    return "\n".join(
        [
            f"{rule.id}: {getattr(rule.title, lang)}",
            f"cause: {rule.cause}, confidence {rule.confidence}",
            f"when: {rule.when_}" if rule.detector is None else f"detector: {rule.detector} {rule.params}",
            getattr(rule.why, lang),
            f"wrong when: {getattr(rule.wrong_when, lang)}",
            *rule.source,
            f"checked {rule.checked}",
        ]
    )


def _row(row: ErrorRow, lang: Literal["zh", "en"]) -> str:
    cause = taxonomy().causes[row.cause]
    given = row.model_dump(exclude_defaults=True, exclude={"source", "checked", "title", "why", "fix"}, mode="json")
    lines = [f"{key}: {value}" for key, value in given.items()]
    return "\n".join([*lines, getattr(cause.name, lang), *row.source, f"checked {row.checked}"])
