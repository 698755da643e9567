"""Root cause against symptom: findings of one cause merge, consequences fold, every failure gets at most one owner."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.findings import Finding
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import Relation, Relations

Row = dict[str, Any]
_LEAD = timedelta(minutes=15)  # a refused call that made the client refresh comes at most this long before it
_FAR = datetime.max
_CEILING = 0.95  # several signs never make a proof


@dataclass(slots=True)
class Owned:
    """A merged finding with the failing rows that it owns directly and those that follow from it."""

    finding: Finding
    rules: tuple[str, ...]
    direct: list[int] = field(default_factory=list)
    explained: list[int] = field(default_factory=list)

    @property
    def rows(self) -> list[int]:
        """All failing rows it owns, in order."""
        return sorted([*self.direct, *self.explained])


def merge(findings: Iterable[Finding]) -> list[Owned]:
    """One per (cause, platform, shop): rows unite, the surest speaks, independent kinds of sign add confidence."""
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.cause, finding.platform, finding.shop or finding.identity].append(finding)
    return [_merged(group) for group in groups.values()]


def _merged(group: list[Finding]) -> Owned:
    group = sorted(group, key=lambda f: (-f.confidence, f.rule))
    lead = group[0]
    kinds = {f.rule for f in group}
    kinds_of_sign = {_kind(f) for f in group}
    confidence = lead.confidence
    for kind in sorted(kinds_of_sign - {_kind(lead)}):
        other = max(f.confidence for f in group if _kind(f) == kind)
        confidence = 1 - (1 - confidence) * (1 - other)
    if len(kinds_of_sign) > 1:
        confidence = max(lead.confidence, min(confidence, _CEILING))
    because = tuple(dict.fromkeys(b for f in group for b in f.because))
    return Owned(
        replace(
            lead,
            confidence=confidence,
            rows=tuple(sorted({r for f in group for r in f.rows})),
            affected=tuple(sorted({r for f in group for r in f.affected})),
            records=tuple(sorted({r for f in group for r in f.records})),
            because=because[:8],
            cleared=tuple(dict.fromkeys(c for f in group for c in f.cleared)),
            telling=tuple(dict.fromkeys(t for f in group for t in f.telling))[:12],
            contrast=next((f.contrast for f in group if f.contrast), None),
            changed=next((f.changed for f in group if f.changed), None),
            details=max((f.details for f in group), key=lambda d: len(d.model_fields_set)),
            expected_text=next((f.expected_text for f in group if f.expected_text), None),
            sources=tuple(dict.fromkeys(s for f in group for s in f.sources)),
            explains=tuple(dict.fromkeys(e for f in group for e in f.explains)),
            explains_rows=tuple(sorted({r for f in group for r in f.explains_rows})),
            proof=any(f.proof for f in group),
            signs=max(*(f.signs for f in group), len(kinds_of_sign)),
            against=max(f.against for f in group),
            unverified=all(f.unverified for f in group),
            severity=lead.severity if all(f.severity for f in group) else None,
        ),
        tuple(sorted(kinds)),
    )


def _shows_the_same(owned: Owned, other: Owned) -> bool:
    """Without failures of its own: a consequence that rests on exchanges which `other`, its cause, shows already."""
    affected = set(owned.finding.affected)
    return (
        owned is not other
        and not owned.direct
        and bool(affected)
        and owned.finding.cause in other.finding.explains
        and affected <= {*other.finding.affected, *other.direct}
    )


def _kind(finding: Finding) -> str:
    """Findings of one detector or one catalogue are one kind of sign."""
    return finding.rule.rsplit(".", 1)[0]


class Attribution:
    """Assigns owners over one frame."""

    def __init__(self, frame: Frame, relations: Relations, refreshing: frozenset[str]) -> None:
        self._frame, self._relations = frame, relations
        self._refreshing = refreshing
        self._ranks: dict[int, tuple[float, datetime, str]] = {}  # by the identity of what is being assigned

    def assign(self, owned: Sequence[Owned]) -> list[Owned]:
        """Give each failing row at most one owner; those left with nothing to show are dropped."""
        claims: dict[int, list[Owned]] = defaultdict(list)
        for candidate in owned:
            for row in candidate.finding.rows:
                claims[row].append(candidate)
        direct = {row: min(c, key=self._rank) for row, c in claims.items()}
        explained = self._explained(owned, direct)
        for row, owner in explained.items():
            owner.explained.append(row)
        for row, owner in direct.items():
            if row not in explained:
                owner.direct.append(row)
        kept = [o for o in owned if o.direct or o.explained or self._stands_alone(o)]
        kept = [o for o in kept if not self._only_symptom(o)]
        return [o for o in kept if not any(_shows_the_same(o, other) for other in kept)]

    @staticmethod
    def _stands_alone(owned: Owned) -> bool:
        return bool(owned.finding.affected or owned.finding.records)

    @staticmethod
    def _only_symptom(owned: Owned) -> bool:
        """Explained rows keep a cause only beside something of its own."""
        return not owned.direct and not owned.finding.affected and not owned.finding.records

    def _rank(self, owned: Owned) -> tuple[float, datetime, str]:
        if id(owned) not in self._ranks:
            first = min((t for r in owned.finding.rows if (t := self._at(r))), default=_FAR)
            self._ranks[id(owned)] = (-owned.finding.confidence, first, owned.finding.cause)
        return self._ranks[id(owned)]

    def _at(self, row: int) -> datetime | None:
        value = self._frame.failing[row]["started_at"] if row in self._frame.failing else self._frame.at(row)
        return value.replace(tzinfo=None) if isinstance(value, datetime) else None

    def _explained(self, owned: Sequence[Owned], direct: dict[int, Owned]) -> dict[int, Owned]:
        chosen: dict[int, Owned] = {}
        for candidate in sorted(owned, key=self._rank):
            own_rows = {r for r in candidate.finding.rows if direct.get(r) is candidate}
            if not own_rows:
                continue
            for row in self._consequences(candidate, own_rows, direct):
                if row not in own_rows and row not in chosen:
                    chosen[row] = candidate
        # A cause that is itself explained explains nothing further.
        return {r: o for r, o in chosen.items() if not any(x in chosen for x in o.finding.rows)}

    def _consequences(self, candidate: Owned, own_rows: set[int], direct: dict[int, Owned]) -> Iterable[int]:
        yield from (r for r in candidate.finding.explains_rows if r in self._frame.failing)
        finding = candidate.finding
        for relation in self._relations.relation:
            if finding.cause not in relation.causes:
                continue
            roots = [self._frame.failing[r] for r in sorted(own_rows)]
            if relation.only_from is not None:
                roots = [r for r in roots if r["step"] == relation.only_from]
            if roots:
                yield from self._related(finding, relation, roots, direct)
        for cause in finding.explains:
            yield from self._related(
                finding, Relation(causes=(finding.cause,), explains=(cause,), until="success"),
                [self._frame.failing[r] for r in sorted(own_rows)], direct,
            )  # fmt: skip

    def _related(
        self, finding: Finding, relation: Relation, roots: Sequence[Row], direct: dict[int, Owned]
    ) -> Iterable[int]:
        windows = self._windows(finding, relation, roots)
        for row, owner in direct.items():
            other = owner.finding
            if other.cause not in relation.explains or other.platform != finding.platform:
                continue
            if other.identity != finding.identity:
                continue
            at = self._at(row)
            if at is None or any(start <= at < end for start, end in windows):
                yield row

    def _windows(self, finding: Finding, relation: Relation, roots: Sequence[Row]) -> list[tuple[datetime, datetime]]:
        starts = sorted(t for r in roots if (t := self._at(r["row"])))
        if not starts:
            return [(datetime.min, _FAR)]
        ends = self._ends(finding, relation, roots)
        windows: list[tuple[datetime, datetime]] = []
        for start in starts:
            place = bisect_right(ends, start)
            windows.append((self._lead(finding, start, relation), ends[place] if place < len(ends) else _FAR))
        return windows

    def _lead(self, finding: Finding, start: datetime, relation: Relation) -> datetime:
        """The refused call that made the client refresh belongs to the cascade as well."""
        if relation.until != "refresh":
            return start
        good = [
            s.last.replace(tzinfo=None)
            for s in self._frame.successes
            if s.identity == finding.identity and s.platform == finding.platform and s.last and s.step != "token"
            and s.last.replace(tzinfo=None) < start
        ]  # fmt: skip
        return max([start - _LEAD, *good])

    def _ends(self, finding: Finding, relation: Relation, roots: Sequence[Row]) -> list[datetime]:
        if relation.until == "end":
            return []
        operations = self._refreshing if relation.until == "refresh" else {str(r["operation_key"]) for r in roots}
        ending = pl.col("operation_key").is_in(sorted(operations))
        if relation.until == "refresh" and not operations:
            ending = pl.col("step") == "token"
        ends = (
            self._frame.exchanges.filter(
                self._frame.is_good
                & pl.col("platform").eq_missing(pl.lit(finding.platform, dtype=pl.String))
                & pl.col("identity").eq_missing(pl.lit(finding.identity, dtype=pl.String))
                & ending
                & pl.col("started_at").is_not_null()
            )
            .select(pl.col("started_at").sort())
            .collect()
        )
        return [at.replace(tzinfo=None) for at in ends["started_at"]]
