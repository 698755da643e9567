"""The whole document from a diagnosis, without its sentences and before anything is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.diagnose.diagnosis import AHEAD, UNCLASSIFIED, Diagnosis, Root
from openclaw_forensics.diagnose.findings import Telling
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.document.blind import blind_spots
from openclaw_forensics.document.causes import alternatives, exchange_evidence, root_cause
from openclaw_forensics.document.decrypt import AesKey, aes_keys
from openclaw_forensics.document.labels import labels
from openclaw_forensics.document.timeline import timeline
from openclaw_forensics.document.views import by_time, exchange_view
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.result import (
    Alternative,
    ExchangeView,
    Input,
    Labels,
    Notice,
    Result,
    RootCause,
    Tool,
    Unexplained,
    Verdict,
)
from openclaw_forensics.settings import Settings
from openclaw_forensics.taxonomy import taxonomy
from openclaw_forensics.words import same

MAX_EXCHANGES = 200
MAX_ROOTS = 50
_SAMPLES = 10
_UNEXPLAINED_CONFIDENCE = 0.3


@dataclass(frozen=True, slots=True)
class Known:
    """What the document quotes beside the diagnosis."""

    packs: PackSet
    loaded: Mapping[str, Pack]
    version: str
    rules_version: str


def assemble(diagnosis: Diagnosis, read: Input, settings: Settings, known: Known) -> Result:
    """The document; summaries are empty until they are written from the redacted parts."""
    roots = diagnosis.roots[:MAX_ROOTS]
    ids = [f"rc{n}" for n in range(1, len(roots) + 1)]
    causes = tuple(root_cause(diagnosis, root, ident) for root, ident in zip(roots, ids, strict=True))
    verdict = _verdict(diagnosis, causes)
    return Result(
        tool=Tool(version=known.version, rules_version=known.rules_version),
        options=settings.shown(),
        case=settings.case.model_dump(mode="json", exclude_none=True) if settings.case else None,
        input=read,
        labels=_labels(diagnosis, causes, verdict, read, known),
        verdict=verdict,
        root_causes=causes,
        unexplained=_unexplained(diagnosis),
        exchanges=_exchanges(diagnosis, causes, {n: aes_keys(settings.secrets, p) for n, p in known.loaded.items()}),
        timeline=timeline(diagnosis.frame, roots, ids),
        checks=tuple(sorted(diagnosis.checks, key=lambda c: (c.result != "hit", c.rule))),
        blind=blind_spots(diagnosis.frame),
        notices=_notices(causes),
    )


def _verdict(diagnosis: Diagnosis, causes: Sequence[RootCause]) -> Verdict | None:
    chosen = diagnosis.verdict
    if chosen is None:
        return None
    if not isinstance(chosen, Root):
        named = [Alternative(cause=c.cause, party=c.party) for c in causes]
        return Verdict(
            root_cause=None, cause=UNCLASSIFIED, party="undetermined", origin="unknown",
            severity=diagnosis.unclassified_severity, confidence=_UNEXPLAINED_CONFIDENCE, summary=same(""),
            alternatives=tuple(dict.fromkeys(named)),
        )  # fmt: skip
    cause = causes[diagnosis.roots.index(chosen)]
    return Verdict(
        root_cause=cause.id, cause=cause.cause, party=cause.party, origin=cause.origin, severity=cause.severity,
        confidence=cause.confidence, summary=same(""), alternatives=alternatives(chosen.finding.alternatives, chosen),
    )  # fmt: skip


def _notices(causes: Sequence[RootCause]) -> tuple[Notice, ...]:
    """What will end is said among the notices too: it needs action, but later."""
    return tuple(
        Notice(
            id=f"{c.cause}:{c.rule.rpartition('.')[2]}:{c.shop or ''}",
            text=c.reasoning[0].text if c.reasoning else taxonomy().causes[c.cause].name,
            at=c.first_at,
            evidence=c.evidence[:3],
        )
        for c in causes
        if c.cause == AHEAD
    )


def _unexplained(diagnosis: Diagnosis) -> Unexplained:
    rows = diagnosis.unexplained
    samples = tuple(exchange_evidence(diagnosis.frame.full(r), "symptom") for r in rows[:_SAMPLES])
    return Unexplained(failures=len(rows), samples=samples)


def _labels(
    diagnosis: Diagnosis, causes: Sequence[RootCause], verdict: Verdict | None, read: Input, known: Known
) -> Labels:
    named = {c.cause for c in causes} | {a.cause for c in causes for a in c.alternatives}
    named |= {c.cause for c in diagnosis.checks if c.cause}
    if verdict is not None:
        named.add(verdict.cause)
    table = diagnosis.frame.kinds.select("platform", "operation").unique(maintain_order=True)
    operations = [(p, o) for p, o in table.iter_rows() if o is not None]
    platforms = [*read.platforms, *read.other_platforms]
    return labels(named, operations, platforms, known.packs, known.loaded)


def _exchanges(
    diagnosis: Diagnosis, causes: Sequence[RootCause], keys: Mapping[str, Sequence[AesKey]]
) -> tuple[ExchangeView, ...]:
    """All that evidence names, the contrasts, then the failing ones by time."""
    frame = diagnosis.frame
    named = dict.fromkeys(e.exchange for c in causes for e in c.evidence if e.exchange)
    numbers = _numbers(frame, named)
    chosen = [numbers[i] for i in named if i in numbers]
    chosen += _contrasts(diagnosis, chosen)
    chosen += [r["row"] for r in frame.failures]
    rows = list(dict.fromkeys(chosen))[:MAX_EXCHANGES]
    attempts = _attempt_numbers(frame)
    stacks = _stacks(frame, frame.take(rows, ["exchange_id"])["exchange_id"].to_list())
    telling: dict[int, list[Telling]] = {}
    for root in diagnosis.roots:
        for mark in root.finding.telling:
            telling.setdefault(mark.row, []).append(mark)
    full = sorted((frame.full(r) for r in rows), key=by_time)
    return tuple(
        exchange_view(
            row,
            failed=bool(row["failed"]),
            root_cause=_owner(diagnosis, row["row"], causes),
            recovered=row["row"] in diagnosis.recovered,
            attempt=attempts.get(row["row"], 1),
            stack=stacks.get(row["exchange_id"]),
            telling=telling.get(row["row"], []),
            keys=keys.get(row["platform"], ()),
        )
        for row in full
    )


def _owner(diagnosis: Diagnosis, row: int, causes: Sequence[RootCause]) -> str | None:
    place = diagnosis.owner.get(row)
    return causes[place].id if place is not None and place < len(causes) else None


def _numbers(frame: Frame, ids: Iterable[str]) -> dict[str, int]:
    return frame.rows_of("exchange_id", ids)


def _contrasts(diagnosis: Diagnosis, chosen: Sequence[int]) -> list[int]:
    """One good exchange per operation that the evidence names."""
    frame = diagnosis.frame
    operations = set(frame.take(chosen, ["operation_key"])["operation_key"])
    good = frame.kinds.filter(frame.is_good & pl.col("operation_key").is_in(sorted(operations)))
    last = good.group_by("operation_key").agg(pl.col("rows").explode().max())
    return [int(r) for r in last["rows"].sort()]


def _attempt_numbers(frame: Frame) -> dict[int, int]:
    """Which attempt at the same request a failing exchange is, counted from its first failure."""
    seen: Counter[tuple[object, ...]] = Counter()
    numbers = {}
    for row in frame.failures:
        key = (row["platform"], row["shop"], row["operation_key"], row["path"], row["object_id"])
        seen[key] += 1
        numbers[row["row"]] = seen[key]
    return numbers


def _stacks(frame: Frame, ids: Sequence[str]) -> dict[str, str]:
    table = frame.records.filter(pl.col("exchange_id").is_in(list(ids)) & pl.col("exception").is_not_null())
    stacks: dict[str, str] = {}
    for ident, exception in table.select("exchange_id", "exception").iter_rows():
        stacks.setdefault(str(ident), str(exception))
    return stacks
