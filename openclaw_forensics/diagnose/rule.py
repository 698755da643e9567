"""What a rule may say: the pydantic model of one `[[rule]]` in a `rules.toml`.

`when` is a condition in Sigma's manner: a table of `column` or `column|modifier` keys (all must hold), a list means
any of its values, and `all`, `any` (lists of tables) and `not` (a table) nest. Modifiers: contains, startswith,
endswith, re, in, lt, lte, gt, gte, exists, cased. Text compares without case unless `cased`. A column that was not
recorded makes a condition unknown, which is neither true nor false; only true is a hit. A key may also be a place
(`request.json:/a|exists`), with the same modifiers.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from openclaw_forensics.platforms.model import When
from openclaw_forensics.taxonomy import FixStep
from openclaw_forensics.words import Text

Scalar = str | int | float | bool | None
# Conditions nest freely; compile checks columns, modifiers and types with the rule's file and id at hand.
Condition = dict[str, object]
Row = dict[str, Any]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RuleTest(_Model):
    """Rows that must hit, or must not although they look alike. Columns not named are unknown."""

    hit: Row | list[Row] | None = None
    miss: Row | list[Row] | None = None


class Sequence(_Model):
    """Another exchange before or after, of the same `same` columns, within seconds, or at least so many away."""

    when: Condition
    least_s: float | None = None
    within_s: float | None = None
    same: tuple[str, ...] = ()


class Rule(_Model):
    """One rule: a condition (or a detector) with its cause, its words, its source and its tests."""

    id: str
    cause: str
    party: str | None = None
    origin: str | None = None
    frame: Literal["exchanges", "records"] = "exchanges"
    among: Literal["failures", "successes", "all"] = "failures"
    platform: str | None = None  # the pack's own id where the rule lies in a pack
    when_: Annotated[Condition, Field(alias="when")] = {}
    after: Sequence | None = None
    before: Sequence | None = None
    absent: Sequence | None = None  # no such exchange follows
    at_least: int = 1
    within_s: float | None = None  # `at_least` of them within this time
    same: tuple[str, ...] = ()  # columns that group the count
    detector: str | None = None  # name of a module under diagnose/detectors
    params: dict[str, float | int | str | bool | list[str]] = {}
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.7
    alternatives: tuple[str, ...] = ()
    contrasts: tuple[When, ...] = ()  # first that holds changes cause, party or confidence
    explains: tuple[str, ...] = ()  # causes of the same identity, until the next success
    notice: bool = False
    source: tuple[str, ...]
    checked: date
    unverified: bool = False
    wrong_when: Text  # how this rule can be wrong
    title: Text
    why: Text
    fix: tuple[FixStep, ...] = ()
    test: tuple[RuleTest, ...] = ()
