"""`scan` in its plain form, without state: one reading of the folder, a diagnosis per platform and shop."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from openclaw_forensics.analysis import Analysis
from openclaw_forensics.diagnose.diagnosis import Diagnosis, Root, diagnose
from openclaw_forensics.diagnose.frame import Beside, Frame
from openclaw_forensics.redact.document import Redacted
from openclaw_forensics.result import Labels, Result, RootCause
from openclaw_forensics.summary import (
    Group,
    Incident,
    Span,
    Summary,
    UnexplainedCount,
    Unread,
)
from openclaw_forensics.table import Table

_MOST_BESIDE = 5_000
_UNREAD = ("unreadable", "unsupported", "unrecognised", "encrypted")
Key = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Report:
    """One incident's document, and the file name it goes to."""

    name: str
    redacted: Redacted


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that a scan writes."""

    summary: Summary
    reports: tuple[Report, ...]


def scan(analysis: Analysis) -> Scan:
    """All groups of one analysis, in the order of platform and shop."""
    groups: list[Group] = []
    incidents: list[Incident] = []
    reports: list[Report] = []
    unexplained = 0
    labels = Labels()
    for key, diagnosis in _diagnoses(analysis):
        redacted = analysis.redacted_of(diagnosis)
        result = redacted.result
        labels = _joined(labels, result.labels)
        unexplained += result.unexplained.failures
        groups.append(_group(key, result))
        for place, root in enumerate(diagnosis.roots[: len(result.root_causes)]):
            if root.severity != "info":
                shown = _led_by(analysis, diagnosis, root, redacted, place)
                incident = _incident(key, shown.result, result.root_causes[place])
                incidents.append(incident)
                reports.append(Report(incident.report, shown))
    incidents.sort(key=lambda i: ({"error": 0, "warning": 1}.get(i.severity, 2), -i.failures - i.explains, i.report))
    return Scan(_summary(analysis, labels, groups, incidents, unexplained), tuple(reports))


def _diagnoses(analysis: Analysis) -> Iterator[tuple[Key, Diagnosis]]:
    whole = Frame(analysis.selection.exchanges, analysis.selection.records)
    keys = whole.kinds.select("platform", "shop").unique().sort("platform", "shop", nulls_last=True).rows()
    for platform, shop in keys:
        mine = pl.col("platform").eq_missing(pl.lit(platform, dtype=pl.String)) & pl.col("shop").eq_missing(
            pl.lit(shop, dtype=pl.String)
        )
        if whole.kinds.filter(mine & (pl.col("direction") != "inbound")).is_empty():
            continue
        exchanges = analysis.selection.exchanges.filter(mine)
        beside = Beside(
            tuple(s for s in whole.successes if (s.platform, s.shop) != (platform, shop)),
            tuple(r for r in whole.failures if (r["platform"], r["shop"]) != (platform, shop))[:_MOST_BESIDE],
        )
        records = _records_of(analysis.selection.records, exchanges, platform, alone=_alone(keys, platform))
        yield (platform, shop), diagnose(Frame(exchanges, records, beside), analysis.knowledge)


def _alone(keys: Sequence[tuple[str | None, str | None]], platform: str | None) -> bool:
    return sum(p == platform for p, _ in keys) == 1


def _records_of(records: pl.DataFrame, exchanges: Table, platform: str | None, *, alone: bool) -> pl.DataFrame:
    """Records of the group's exchanges; those that name only the platform where it has one shop."""
    linked = pl.col("exchange_id").is_in(exchanges.column("exchange_id").implode())
    loose = pl.col("exchange_id").is_null() & pl.col("platform").eq_missing(pl.lit(platform, dtype=pl.String))
    return records.filter((linked | (loose & alone)).fill_null(False))


def _led_by(analysis: Analysis, diagnosis: Diagnosis, root: Root, first: Redacted, place: int) -> Redacted:
    """The group's document with one incident in front."""
    if place == 0 and diagnosis.verdict is root:
        return first
    roots = (root, *(r for r in diagnosis.roots if r is not root))
    owner = {row: i for i, r in enumerate(roots) for row in r.owned.rows}
    return analysis.redacted_of(replace(diagnosis, roots=roots, owner=owner, verdict=root))


def _group(key: Key, result: Result) -> Group:
    return Group(
        platform=key[0],
        shop=key[1],
        exchanges=result.input.exchanges,
        failures=result.input.failures,
        verdict=result.verdict,
        timeline=result.timeline,
    )


def _incident(key: Key, result: Result, cause: RootCause) -> Incident:
    mark = fingerprint(cause)
    return Incident(
        **dict(result.verdict or ()),
        fingerprint=mark,
        report=f"reports/{_name(key)}-{cause.cause.replace('.', '-')}-{mark[:8]}.html",
        platform=key[0],
        shop=cause.shop,
        first_at=cause.first_at,
        last_at=cause.last_at,
        ongoing=cause.ongoing,
        failures=cause.failures,
        explains=cause.explains,
    )


def fingerprint(cause: RootCause) -> str:
    """Of cause, platform, shop and operation: the same incident on another night, in either language."""
    parts = (cause.cause, cause.platform or "", cause.shop or "", cause.operations[0] if cause.operations else "")
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _name(key: Key) -> str:
    """A file name that every system takes; what is not ASCII becomes a dash."""
    words = "-".join(str(part) for part in key if part is not None) or "unrecognised"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", words).strip("-")[:60] or "shop"


def _joined(one: Labels, other: Labels) -> Labels:
    return Labels(**{name: {**getattr(one, name), **getattr(other, name)} for name in Labels.model_fields})


def _summary(
    analysis: Analysis, labels: Labels, groups: list[Group], incidents: list[Incident], unexplained: int
) -> Summary:
    read = analysis.described
    unread = [Unread(path=f.path, problem=p.message) for f in read.files for p in f.problems if p.kind in _UNREAD]
    return Summary(
        tool=analysis.tool,
        labels=labels,
        input=Span(first_at=read.first_at, last_at=read.last_at, timezone=read.timezone),
        groups=tuple(groups),
        incidents=tuple(incidents),
        unread=tuple(unread),
        unexplained=UnexplainedCount(failures=unexplained),
    )
