"""summary.json of a batch: what needs action per platform and shop, and which report tells it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from openclaw_forensics.result import Alternative, Labels, Number, Severity, Time, Timeline, Timezone, Tool
from openclaw_forensics.words import Text


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SummaryInput(_Model):
    """The time that the folder covers."""

    first_at: Time | None = None
    last_at: Time | None = None
    timezone: Timezone = Timezone(name="UTC", assumed=False)


class GroupVerdict(_Model):
    """A group's verdict in short."""

    cause: str
    party: str
    origin: str
    severity: Severity
    confidence: Number
    summary: Text
    alternatives: tuple[Alternative, ...] = ()


class Group(_Model):
    """One platform and shop."""

    platform: str | None
    shop: str | None
    exchanges: int
    failures: int
    verdict: GroupVerdict | None = None
    timeline: Timeline = Timeline()


class Incident(GroupVerdict):
    """One root cause that needs action. `fingerprint` is made of cause, platform, shop and operation."""

    fingerprint: str
    report: str  # path relative to index.html
    platform: str | None
    shop: str | None
    first_at: Time | None = None
    last_at: Time | None = None
    ongoing: bool = False
    failures: int = 0
    explains: int = 0


class Unread(_Model):
    """A file that could not be read."""

    path: str
    problem: str


class SummaryUnexplained(_Model):
    """Failures that no rule explains."""

    failures: int = 0


class Summary(_Model):
    """The whole summary."""

    schema_version: Literal["1"] = "1"
    tool: Tool
    labels: Labels = Labels()
    input: SummaryInput = SummaryInput()
    groups: tuple[Group, ...] = ()
    incidents: tuple[Incident, ...] = ()
    unread: tuple[Unread, ...] = ()
    unexplained: SummaryUnexplained = SummaryUnexplained()
