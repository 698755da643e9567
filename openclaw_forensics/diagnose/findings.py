"""What a question to the frame answers: a finding claims exchanges or records for a cause, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from openclaw_forensics.result import Details, Difference
from openclaw_forensics.taxonomy import FixStep
from openclaw_forensics.words import Text


@dataclass(frozen=True, slots=True)
class Telling:
    """The telling part of one exchange. `pointer` is RFC 6901 into its view (/request/body/…, /response/headers/…)."""

    row: int
    pointer: str
    why: Text
    kind: str = "telling"
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Because:
    """One step of an argument, with the rows of exchanges that show it."""

    text: Text
    rows: tuple[int, ...] = ()
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleared:
    """A party that this finding rules out, or keeps in play."""

    party: str
    excluded: bool
    because: Text
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Contrasted:
    """A failing exchange beside a comparable good one."""

    failing: int
    good: int
    basis: Text
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """A change on somebody's side that the finding follows from."""

    who: str
    what: Text
    announced_at: str | None = None
    effective_at: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause with the rows that show it: `rows` fail, `affected` succeed, `records` are log records.

    Rows and records are positions in the prepared frames. `where` tells platform, shop and identity.
    """

    rule: str
    cause: str
    confidence: float
    platform: str | None
    shop: str | None
    identity: str | None
    party: str | None = None
    origin: str | None = None
    rows: tuple[int, ...] = ()
    affected: tuple[int, ...] = ()
    records: tuple[int, ...] = ()
    alternatives: tuple[str, ...] = ()
    because: tuple[Because, ...] = ()
    cleared: tuple[Cleared, ...] = ()
    telling: tuple[Telling, ...] = ()
    contrast: Contrasted | None = None
    changed: Changed | None = None
    fix: tuple[FixStep, ...] = ()
    sources: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    explains_rows: tuple[int, ...] = ()  # further failing rows that are its consequence, known by the detector itself
    details: Details = field(default_factory=Details)
    expected_text: Text | None = None  # what the documentation demands, for the ticket
    proof: bool = False
    signs: int = 1
    against: int = 0
    capped_by: str | None = None
    unverified: bool = False
    repaired: bool | None = None  # without failing rows: whether the effect is repaired within the capture
    severity: Literal["warning", "info"] | None = None  # at most this
