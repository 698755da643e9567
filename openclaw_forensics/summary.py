"""What a batch wrote down: every platform and shop of a log export, and the incidents found in them.

The same promises as the result document: UTC by the capture's own clock, no wall-clock time, every order stated.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from openclaw_forensics.result import Alternative, Labels, Number, Severity, Time, Timeline, Timezone, Tool, Verdict
from openclaw_forensics.words import Text


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(_Model):
    """The time that the batch covers."""

    first_at: Time | None = None
    last_at: Time | None = None
    timezone: Timezone = Timezone(name="UTC", assumed=False)


class Group(_Model):
    """One platform and shop. Without a verdict nothing needs action there."""

    platform: str | None = None
    shop: str | None = None
    exchanges: int = 0
    failures: int = 0
    verdict: Verdict | None = None
    timeline: Timeline = Timeline()


class Incident(_Model):
    """One root cause. The fingerprint is made of cause, platform, shop and operation: the same in every night."""

    fingerprint: str
    report: str  # path of its report, relative to the summary
    root_cause: str | None = None
    cause: str
    party: str
    origin: str
    severity: Severity
    confidence: Number
    summary: Text
    alternatives: tuple[Alternative, ...] = ()
    platform: str | None = None
    shop: str | None = None
    first_at: Time | None = None
    last_at: Time | None = None
    ongoing: bool = False
    failures: int = 0
    explains: int = 0
    trend: Literal["new", "continuing", "worse", "recovered"] | None = None  # against earlier nights


class Unread(_Model):
    """A file that could not be read."""

    path: str
    problem: str


class UnexplainedCount(_Model):
    """Failures that no rule explains, over all groups."""

    failures: int = 0


class Summary(_Model):
    """The whole summary. Incidents stand in the order of the verdict."""

    schema_version: Literal["1"] = "1"
    tool: Tool
    labels: Labels = Labels()
    input: Span = Span()
    groups: tuple[Group, ...] = ()
    incidents: tuple[Incident, ...] = ()
    unread: tuple[Unread, ...] = ()
    unexplained: UnexplainedCount = UnexplainedCount()
    notices: tuple[Text, ...] = ()  # tokens running out, a clock that will leave its window
