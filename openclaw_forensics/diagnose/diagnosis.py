"""All questions asked, owners assigned, parties judged, in the order of the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from openclaw_forensics.diagnose import detectors
from openclaw_forensics.diagnose.attribution import Attribution, Owned, merge
from openclaw_forensics.diagnose.catalogue import Catalogue
from openclaw_forensics.diagnose.claims import catalogue_findings
from openclaw_forensics.diagnose.contrasts import Contrasts
from openclaw_forensics.diagnose.created import created
from openclaw_forensics.diagnose.findings import Finding
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import Knowledge, relations
from openclaw_forensics.diagnose.own_tests import OwnTests
from openclaw_forensics.diagnose.party import Judgement, Parties
from openclaw_forensics.diagnose.recovery import Recoveries, Recovery
from openclaw_forensics.diagnose.rules import run_rules
from openclaw_forensics.diagnose.told import told_findings, without
from openclaw_forensics.platforms.annotate import CALLBACK_OPERATION
from openclaw_forensics.result import Check, Severity
from openclaw_forensics.words import Text

AHEAD = "api.deprecation_ahead"
UNCLASSIFIED = "unknown.unclassified"
_SINGLE_SIGN = 0.6
_UNVERIFIED = 0.39
Row = dict[str, Any]
_ORDER: dict[str, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Root:
    """A root cause, weighed."""

    owned: Owned
    judgement: Judgement
    severity: Severity
    confidence: float
    capped_by: str | None
    recoveries: Mapping[int, Recovery]
    first_at: datetime | None
    last_at: datetime | None
    ongoing: bool
    recovered_at: datetime | None
    recovered_by: Literal["client", "change"] | None

    @property
    def finding(self) -> Finding:
        """The merged finding."""
        return self.owned.finding

    @property
    def weight(self) -> int:
        """What the verdict sorts by after severity."""
        f = self.finding
        return len(self.owned.direct) + len(self.owned.explained) + len(f.affected) + len(f.records)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that the document is made of."""

    frame: Frame
    roots: tuple[Root, ...]
    verdict: Root | Literal["unclassified"] | None
    unexplained: tuple[int, ...]  # failing rows without an owner
    owner: Mapping[int, int]  # failing row -> index into roots
    recovered: frozenset[int]  # failing rows that healed
    checks: tuple[Check, ...] = ()
    unclassified_severity: Severity = "error"
    lives: Mapping[str, float] = field(default_factory=dict)


def diagnose(frame: Frame, knowledge: Knowledge) -> Diagnosis:
    """Ask every question of one frame."""
    frame.operation_names = _operation_names(knowledge)
    refreshing = frozenset(
        o.id for pack in knowledge.packs.values() for o in pack.operations if o.grant == "refresh_token"
    )
    lives = {k: p.platform.tokens.access_life_s for k, p in knowledge.packs.items() if p.platform.tokens.access_life_s}
    contrasts = Contrasts(frame, refreshing, {k: float(v) for k, v in lives.items() if v})
    findings, checks = run_rules(frame, knowledge.rules, contrasts)
    from_answers, told = _catalogue(frame, knowledge, contrasts)
    findings = [*without(findings, told), *from_answers, *told]
    detected, asked = detectors.run_all(frame, knowledge, contrasts, tuple(findings))
    owned = Attribution(frame, relations(), refreshing).assign(merge([*findings, *detected]))
    return _weigh(frame, knowledge, contrasts, owned, (*checks, *asked))


def _operation_names(knowledge: Knowledge) -> dict[tuple[str, str], Text]:
    named = {(k, o.id): o.name for k, pack in knowledge.packs.items() for o in pack.operations}
    hooks = ((k, pack.webhooks) for k, pack in knowledge.packs.items())
    return named | {(k, f"{CALLBACK_OPERATION}.{t.id}"): t.name for k, h in hooks if h is not None for t in h.topics}


def _catalogue(frame: Frame, knowledge: Knowledge, contrasts: Contrasts) -> tuple[list[Finding], list[Finding]]:
    """What the catalogues say of answers, and of answers that only a record tells."""
    holds = OwnTests(frame).hold
    catalogues = {name: Catalogue(name, pack.errors, holds) for name, pack in knowledge.packs.items()}
    common = knowledge.everywhere
    everywhere = Catalogue("http", common.errors if common else (), holds)
    found = catalogue_findings(frame.failures, catalogues, everywhere, contrasts)
    return found, told_findings(frame, knowledge.packs, common)


def _weigh(
    frame: Frame, knowledge: Knowledge, contrasts: Contrasts, owned: Sequence[Owned], checks: tuple[Check, ...]
) -> Diagnosis:
    app_owners = {k: p.platform.app_owner for k, p in knowledge.packs.items() if p.platform.app_owner}
    parties = Parties(frame, relations(), contrasts, app_owners)
    recoveries = Recoveries(frame, _writes(knowledge), _volatile(knowledge))
    found = {r["row"]: recoveries.find(r) for r in frame.failures}
    found |= created(frame, found)
    roots = [_root(frame, o, parties, found) for o in owned]
    roots.sort(key=_order)
    owner = {row: i for i, root in enumerate(roots) for row in root.owned.rows}
    unexplained = tuple(r for r in sorted(frame.failing) if r not in owner)
    severity = _severity_of(frame, list(unexplained), found) if unexplained else "info"
    return Diagnosis(
        frame=frame,
        roots=tuple(roots),
        verdict=_verdict(frame, roots, unexplained, severity),
        unexplained=unexplained,
        owner=owner,
        recovered=frozenset(r for r, heal in found.items() if heal is not None),
        checks=checks,
        unclassified_severity=severity,
        lives={k: float(v) for k, v in contrasts.lives.items()},
    )


def _writes(knowledge: Knowledge) -> frozenset[str]:
    return frozenset(o.id for p in knowledge.packs.values() for o in p.operations if o.write)


def _volatile(knowledge: Knowledge) -> frozenset[str]:
    """Parameter names that differ in every call: token, stamp, signature, ids of the attempt."""
    names = set()
    for pack in knowledge.packs.values():
        places = pack.platform.places
        for place in (*places.token, *places.timestamp, *places.signature, *places.idempotency_key):
            names.add(place.partition(":")[2].rpartition("/")[2].lower())
    return frozenset(names)


def _root(frame: Frame, owned: Owned, parties: Parties, found: Mapping[int, Recovery | None]) -> Root:
    confidence, capped_by = _confidence(owned)
    owned.finding = replace(owned.finding, confidence=confidence)
    severity = _severity(frame, owned, found)
    rows = owned.direct or list(owned.finding.affected)
    times = sorted(t for r in rows if (t := frame.at(r)))
    if not times:
        stamps = (frame.record(r)["at"] for r in owned.finding.records)
        times = sorted(t for t in stamps if isinstance(t, datetime))
    healed = {r: heal for r in owned.rows if (heal := found.get(r)) is not None}
    ongoing = len(healed) < len(owned.rows) if owned.rows else owned.finding.repaired is not True
    ends = [heal.at for heal in healed.values() if heal.at is not None]
    by_client = all(h.by_client for h in healed.values())
    return Root(
        owned=owned,
        judgement=parties.judge(owned),
        severity=severity,
        confidence=confidence,
        capped_by=capped_by,
        recoveries=healed,
        first_at=times[0] if times else None,
        last_at=times[-1] if times else None,
        ongoing=ongoing and severity != "info",
        recovered_at=max(ends) if ends and not ongoing else None,
        recovered_by=None if ongoing or not healed else "client" if by_client else "change",
    )


def _confidence(owned: Owned) -> tuple[float, str | None]:
    finding = owned.finding
    confidence, capped_by = finding.confidence, finding.capped_by
    single = len(owned.rows) + len(finding.affected) + len(finding.records) <= 1
    if finding.cause in relations().single_sign_cap and single and not finding.proof and confidence > _SINGLE_SIGN:
        confidence, capped_by = _SINGLE_SIGN, "single sign"
    if finding.unverified and confidence > _UNVERIFIED:
        confidence, capped_by = _UNVERIFIED, "unverified"
    return confidence, capped_by


def _severity(frame: Frame, owned: Owned, found: Mapping[int, Recovery | None]) -> Severity:
    finding = owned.finding
    if finding.cause == AHEAD:
        return "warning"
    unowned: Severity = "warning" if finding.repaired else "error"
    severity = _severity_of(frame, owned.rows, found) if owned.rows else unowned
    if finding.severity is not None and _ORDER[severity] < _ORDER[finding.severity]:
        return finding.severity
    return severity


def _severity_of(frame: Frame, rows: Sequence[int], found: Mapping[int, Recovery | None]) -> Severity:
    heals = [found.get(r) for r in rows]
    if any(heal is None for heal in heals):
        return "error"
    return "info" if all(heal is not None and heal.by_client for heal in heals) else "warning"


def _order(root: Root) -> tuple[object, ...]:
    first = root.first_at.replace(tzinfo=None) if root.first_at else datetime.max
    return (
        root.finding.cause == AHEAD,
        _ORDER[root.severity],
        -root.weight,
        -root.confidence,
        first,
        root.finding.cause,
    )


def _verdict(
    frame: Frame, roots: Sequence[Root], unexplained: Sequence[int], severity: Severity
) -> Root | Literal["unclassified"] | None:
    """The first root cause, unless unexplained failures outnumber all errors together, or nothing needs action."""
    ours = [r for r in unexplained if _counts(frame.failing[r])]
    explained = sum(len(r.owned.rows) for r in roots if r.severity == "error")
    if ours and len(ours) > explained:
        heavier = [r for r in roots if r.severity == "error" and not r.owned.rows]
        if severity == "info":
            return None if not heavier else heavier[0]
        return "unclassified"
    acting = [r for r in roots if r.severity != "info"]
    others = [r for r in acting if r.finding.cause != AHEAD]
    if others:
        return others[0]
    return acting[0] if acting and not frame.failures else None


def _counts(row: Row) -> bool:
    return row["platform"] is not None or row["direction"] == "callback"
