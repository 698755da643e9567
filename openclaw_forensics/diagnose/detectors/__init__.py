"""Questions that a condition cannot ask: one module each, named by a rule that carries its thresholds and words.

A detector is a function `detect(question) -> list[Finding]`; detector_names.py lists the modules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from openclaw_forensics.diagnose.contrasts import Contrasts
from openclaw_forensics.diagnose.detector_names import NAMES
from openclaw_forensics.diagnose.findings import Finding
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import Knowledge
from openclaw_forensics.diagnose.rule import Rule
from openclaw_forensics.result import Check


@dataclass(frozen=True, slots=True)
class Question:
    """What a detector is given; `so_far` are the findings of rules and catalogues."""

    frame: Frame
    knowledge: Knowledge
    contrasts: Contrasts
    rule: Rule
    so_far: tuple[Finding, ...]

    def number(self, name: str) -> float:
        """A threshold of the rule. Raises KeyError when the rule lacks it."""
        return float(self.rule.params[name])  # type: ignore[arg-type]

    def words(self, name: str) -> tuple[str, ...]:
        """A list of the rule. Raises KeyError when the rule lacks it."""
        value = self.rule.params[name]
        return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a detector found, and over how many exchanges it could judge."""

    findings: list[Finding]
    judged: int


def _function(name: str) -> Callable[[Question], Answer]:
    if name not in NAMES:
        raise KeyError(f"no detector {name!r}; known: {', '.join(NAMES)}")
    detect: Callable[[Question], Answer] = import_module(f"{__name__}.{name}").detect
    return detect


def run_all(
    frame: Frame, knowledge: Knowledge, contrasts: Contrasts, so_far: Sequence[Finding]
) -> tuple[list[Finding], list[Check]]:
    """Findings of every rule that names a detector, and what each said."""
    findings: list[Finding] = []
    checks: list[Check] = []
    for loaded in knowledge.rules:
        rule: Any = loaded.rule
        if rule.detector is None:
            continue
        answer = _function(rule.detector)(Question(frame, knowledge, contrasts, rule, tuple(so_far)))
        findings += answer.findings
        result = "hit" if answer.findings else "sound" if answer.judged else "not_applicable"
        checks.append(Check(rule=rule.id, cause=rule.cause, result=result, exchanges=answer.judged))
    return findings, checks
