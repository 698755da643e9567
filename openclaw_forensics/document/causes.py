"""A root cause as the document tells it: evidence, reasoning, rival explanations, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.diagnosis import Diagnosis, Root
from openclaw_forensics.diagnose.findings import Because
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.diagnose.recovery import last_good_before
from openclaw_forensics.document.contrast import Contrast, contrast_view
from openclaw_forensics.result import (
    Alternative,
    Attempts,
    Change,
    ConfidenceBasis,
    Confirm,
    Evidence,
    Fix,
    PartyView,
    QuotedRequest,
    QuoteToSupport,
    Reason,
    Role,
    RootCause,
    Step,
    Ticket,
)
from openclaw_forensics.taxonomy import taxonomy
from openclaw_forensics.words import Text, same

QUOTE = 400  # characters of an answer quoted as evidence
_SYMPTOMS = 3  # consequences shown as evidence
_REQUESTS = 25  # request ids to quote
_EVIDENCE = 30
_ROWS = 500  # exchanges that tell where and by whom
Row = Mapping[str, Any]


class EvidenceList:
    """Evidence of one root cause, each place once; answers the index of a row."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.items: list[Evidence] = []
        self._rows: dict[tuple[str, int], int] = {}

    def of_row(self, row: int, role: Role) -> int:
        """The index of an exchange, added where it is new."""
        key = ("x", row)
        if key not in self._rows:
            self._rows[key] = len(self.items)
            self.items.append(exchange_evidence(self._frame.full(row), role))
        return self._rows[key]

    def of_record(self, row: int, role: Role) -> int:
        """The index of a log record."""
        key = ("r", row)
        if key not in self._rows:
            self._rows[key] = len(self.items)
            self.items.append(record_evidence(self._frame.record(row), role))
        return self._rows[key]


def exchange_evidence(row: Row, role: Role) -> Evidence:
    """The place of an exchange, with what it was answered."""
    quote = row["response_body"] or row["transport_error_text"] or row["error_message"]
    return Evidence(
        exchange=row["exchange_id"],
        file=row["source_file"],
        line=row["line"],
        locator=row["locator"],
        at=row["started_at"],
        method=row["method"],
        url=row["url"][:2048] if row["url"] else None,
        status=row["status"],
        quote=quote[:QUOTE] if quote else None,
        role=role,
    )


def record_evidence(row: Row, role: Role) -> Evidence:
    """The place of a log record."""
    text = row["message"] or row["exception"]
    return Evidence(
        exchange=row["exchange_id"], file=row["source_file"], line=row["line"], locator=row["locator"], at=row["at"],
        quote=text[:QUOTE] if text else None, role=role,
    )  # fmt: skip


def root_cause(diagnosis: Diagnosis, root: Root, ident: str) -> RootCause:
    """The root cause without its sentence, which is made last."""
    frame, finding, owned = diagnosis.frame, root.finding, root.owned
    evidence = EvidenceList(frame)
    last_good = _last_good(frame, owned.direct)
    contrast = contrast_view(diagnosis, root)
    reasoning = _reasoning(root, evidence)
    if last_good is not None:
        reasoning = (*reasoning, _last_success(frame, last_good, contrast, evidence))
    rows = frame.brief((owned.direct or finding.affected)[:_ROWS])
    if contrast is not None:
        evidence.of_row(contrast.good_row, "contrast")
    parties = _parties(root, evidence)
    fields = _where(root, rows)
    return RootCause(
        id=ident,
        cause=finding.cause,
        party=root.judgement.party,
        origin=root.judgement.origin,
        severity=root.severity,
        confidence=root.confidence,
        confidence_basis=ConfidenceBasis(
            proof=finding.proof, signs=finding.signs, against=finding.against, capped_by=root.capped_by
        ),
        **fields,
        first_at=root.first_at,
        last_at=root.last_at,
        ongoing=root.ongoing,
        last_good_at=last_good,
        recovered_at=root.recovered_at,
        recovered_by=root.recovered_by,
        failures=len(owned.direct),
        explains=len(owned.explained),
        affected=len(finding.affected),
        records=len(finding.records),
        attempts=_attempts(frame, root),
        change=_change(root),
        summary=same(""),
        reasoning=reasoning,
        evidence=tuple(evidence.items[:_EVIDENCE]),
        parties=parties,
        contrast=contrast.view if contrast else None,
        confirm=_confirm(frame, root),
        fix=_fix(frame, root, rows),
        rule=finding.rule,
        alternatives=alternatives(finding.alternatives, root),
        details=finding.details,
    )


def alternatives(causes: Sequence[str], root: Root | None = None) -> tuple[Alternative, ...]:
    """Alternatives with the party that would have to act."""
    listed = [c for c in dict.fromkeys(causes) if root is None or c != root.finding.cause]
    return tuple(Alternative(cause=c, party=taxonomy().causes[c].party) for c in listed)


def _where(root: Root, rows: Sequence[Row]) -> dict[str, Any]:
    finding = root.finding

    def usual(column: str) -> Any:
        values = Counter(r[column] for r in rows if r[column] is not None)
        return values.most_common(1)[0][0] if values else None

    operations = Counter(r["operation"] for r in rows if r["operation"] is not None)
    return {
        "platform": finding.platform,
        "environment": usual("environment"),
        "region": usual("region"),
        "app": usual("app"),
        "shop": finding.shop or usual("shop"),
        "host": usual("host"),
        "exit_address": usual("client_address") if rows and rows[0]["direction"] == "out" else None,
        "operations": tuple(sorted(operations, key=lambda o: (-operations[o], o))),
    }


def _reasoning(root: Root, evidence: EvidenceList) -> tuple[Reason, ...]:
    steps = [_reason(b, evidence) for b in root.finding.because]
    explained = root.owned.explained
    if explained:
        places = tuple(evidence.of_row(r, "symptom") for r in explained[:_SYMPTOMS])
        steps.append(Reason(text=phrase("folded", count=len(explained)), evidence=places))
    for cleared in root.judgement.others:
        shown = [r for r in cleared.rows if r not in root.owned.rows]
        if cleared.excluded and shown:
            places = tuple(evidence.of_row(r, "contrast") for r in shown[:2])
            steps.append(Reason(text=cleared.because, evidence=places))
    for telling in root.finding.telling:
        evidence.of_row(telling.row, "cause")
    for row in root.owned.direct[:5]:
        evidence.of_row(row, "cause")
    for row in root.finding.affected[:5]:
        evidence.of_row(row, "cause")
    for record in root.finding.records[:5]:
        evidence.of_record(record, "cause")
    return _once(steps)


def _once(steps: Sequence[Reason]) -> tuple[Reason, ...]:
    """Each step once; the same words from two sides share their evidence."""
    made: dict[tuple[str, str], Reason] = {}
    for step in steps:
        key = (step.text.en, step.text.zh)
        places = (*made[key].evidence, *step.evidence) if key in made else step.evidence
        made[key] = step.model_copy(update={"evidence": tuple(dict.fromkeys(places))})
    return tuple(made.values())


def _last_success(frame: Frame, at: datetime, contrast: Contrast | None, evidence: EvidenceList) -> Reason:
    """When it last worked, with the exchange where that is the one to compare with."""
    shown = contrast is not None and frame.at(contrast.good_row) == at
    places = (evidence.of_row(contrast.good_row, "contrast"),) if contrast is not None and shown else ()
    return Reason(text=phrase("last_good", at=f"{at:%Y-%m-%d %H:%M:%S} UTC"), evidence=places)


def _reason(because: Because, evidence: EvidenceList) -> Reason:
    places = [evidence.of_row(r, "cause") for r in because.rows[:5]]
    places += [evidence.of_record(r, "cause") for r in because.records[:5]]
    return Reason(text=because.text, evidence=tuple(places))


def _parties(root: Root, evidence: EvidenceList) -> tuple[PartyView, ...]:
    return tuple(
        PartyView(
            party=c.party,
            excluded=c.excluded,
            because=c.because,
            evidence=tuple(evidence.of_row(r, "contrast") for r in c.rows[:2]),
        )
        for c in root.judgement.others
    )


def _last_good(frame: Frame, rows: Sequence[int]) -> datetime | None:
    return last_good_before(frame, [frame.failing[r] for r in rows if r in frame.failing])


def _attempts(frame: Frame, root: Root) -> tuple[Attempts, ...]:
    """All and failed calls of the operations hit, from the first failure to the last consequence."""
    rows = root.owned.rows
    times = [t for r in rows if (t := frame.at(r))]
    if not times:
        return ()
    keys = {(frame.failing[r]["operation_key"], frame.failing[r]["operation"]) for r in rows}
    shop = root.finding.shop
    start, end = frame.span(min(times), max(times))
    during = pl.element().is_between(start, end, closed="left").sum()
    counted = (
        frame.kinds.filter(
            pl.col("operation_key").is_in(sorted({str(k) for k, _ in keys}))
            & pl.col("platform").eq_missing(pl.lit(root.finding.platform, dtype=pl.String))
            & (pl.lit(shop is None) | pl.col("shop").eq_missing(pl.lit(shop, dtype=pl.String)))
        )
        .with_columns(count=pl.col("rows").list.eval(during).list.first())
        .group_by("operation_key", "operation", maintain_order=True)
        .agg(all=pl.col("count").sum(), failed=pl.col("count").filter("failed").sum())
        .filter(pl.col("all") > 0)
        .sort(["failed", "operation_key"], descending=[True, False])
    )
    return tuple(
        Attempts(operation=r["operation"] or r["operation_key"], all=r["all"], failed=r["failed"])
        for r in counted.to_dicts()
    )


def _change(root: Root) -> Change | None:
    changed = root.finding.changed
    if changed is None:
        return None
    return Change(
        who=changed.who, what=changed.what, announced_at=changed.announced_at, effective_at=changed.effective_at,
        source=changed.source,
    )  # fmt: skip


def _confirm(frame: Frame, root: Root) -> Confirm:
    """What makes sure of the cause: its own next look, and the answer's body where none was recorded."""
    first = frame.full(root.owned.direct[0]) if root.owned.direct else None
    unread = first is not None and first["status"] is not None and first["response_body_state"] == "not_recorded"
    look = taxonomy().causes[root.finding.cause].next
    return Confirm(
        code=first["error_code"] if first is not None else None,
        missing=phrase("blind_response_bodies") if unread else None,
        steps=(look,) if look is not None else (),
    )


def _fix(frame: Frame, root: Root, rows: Sequence[Row]) -> Fix:
    cause = taxonomy().causes[root.finding.cause]
    party = root.judgement.party
    steps = [*root.finding.fix, *(s for s in cause.fix if s not in root.finding.fix)]
    steps.sort(key=lambda s: s.party != party)
    first = frame.full(root.owned.direct[0]) if root.owned.direct else (rows[0] if rows else None)
    requests = [
        QuotedRequest(id=r["request_id"], at=r["started_at"], status=r["status"], exchange=r["exchange_id"])
        for r in rows
        if r["request_id"]
    ]
    question = cause.question or cause.next or phrase("capture_more")
    return Fix(
        steps=tuple(Step(party=s.party, text=Text(en=s.en, zh=s.zh)) for s in steps),
        verify=cause.verify,
        sources=tuple(dict.fromkeys([*root.finding.sources, *cause.sources]))[:8],
        ticket=Ticket(
            question=question,
            expected=root.finding.expected_text,
            actual=root.finding.because[0].text if root.finding.because else None,
            exchange=first["exchange_id"] if first else None,
        ),
        quote_to_support=QuoteToSupport(requests=tuple(requests[:_REQUESTS])),
    )
