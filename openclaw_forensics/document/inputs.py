"""What was read, in numbers: files, platforms, shops, zone, and what had to be taken for granted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest.reading import FileRead
from openclaw_forensics.ingest.walk import Unreadable
from openclaw_forensics.link.zones import ZoneUsed
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.result import Assumption, FileProblem, Input, InputFile, Shop, Timezone
from openclaw_forensics.selection import Selection
from openclaw_forensics.settings import Settings
from openclaw_forensics.words import Text, same

_MOST_PROBLEMS = 100
_UNREAD = ("unreadable", "unsupported", "unrecognised", "encrypted")


class Captured(Protocol):
    """What a capture tells of itself."""

    files: list[FileRead]
    unreadable: list[Unreadable]
    zone: ZoneUsed
    other_platforms: dict[str, int]
    bodies_dropped: int
    clock_offsets_ms: dict[str, float]
    nothing_fits: bool


def describe_input(frame: Frame, capture: Captured, selection: Selection, packs: PackSet, settings: Settings) -> Input:
    """The `input` of the document."""
    kinds = frame.kinds
    first, last = frame.bounds
    return Input(
        files=_files(capture, kinds, frame.records),
        exchanges=frame.height,
        failures=len(frame.failures),
        callbacks=frame.count(pl.col("direction") == "callback"),
        inbound_other=frame.count(pl.col("direction") == "inbound"),
        records=frame.records.height,
        first_at=first,
        last_at=last,
        platforms=_distinct(pl.concat([kinds["platform"], frame.records["platform"]])),
        environments=_distinct(kinds["environment"]),
        shops=tuple(
            Shop(platform=p, shop=s)
            for p, s in kinds.filter(pl.col("shop").is_not_null()).select("platform", "shop").unique().sort(
                "platform", "shop", nulls_last=True
            ).iter_rows()
        ),
        other_platforms=capture.other_platforms,
        timezone=Timezone(name=capture.zone.name, assumed=capture.zone.assumed),
        assumptions=tuple(_assumptions(capture, frame.height, yearless=_yearless(frame))),
        scope=_scope(capture, selection, packs, settings),
    )  # fmt: skip


def _distinct(column: pl.Series) -> tuple[str, ...]:
    return tuple(sorted(str(v) for v in column.drop_nulls().unique()))


def _files(capture: Captured, kinds: pl.DataFrame, records: pl.DataFrame) -> tuple[InputFile, ...]:
    by_file = dict(kinds.group_by("source_file").agg(pl.col("rows").list.len().sum()).iter_rows())
    records_by_file = dict(records.group_by("source_file").len().iter_rows())
    files = [
        InputFile(
            path=f.path,
            sha256=f.sha256,
            format=f.format,
            writer=f.writer,
            bytes=f.bytes,
            exchanges=by_file.get(f.path, 0),
            records=records_by_file.get(f.path, 0),
            clock_offset_ms=capture.clock_offsets_ms.get(f.path),
            problems=_problems(f.problems),
            balance=_balance(f),
        )
        for f in capture.files
    ]
    files += [InputFile(path=u.path, problems=_problems((u.problem,))) for u in capture.unreadable]
    return tuple(sorted(files, key=lambda f: f.path))


def _problems(problems: Iterable[Problem]) -> tuple[FileProblem, ...]:
    listed = [FileProblem(kind=p.kind, line=p.line, offset=p.offset, message=p.message) for p in problems]
    return tuple(listed[:_MOST_PROBLEMS])


def _balance(file: FileRead) -> dict[str, int]:
    shown = {"exchanges": file.balance.exchanges, "records": file.balance.records, "problems": file.balance.problems}
    irrelevant = {f"irrelevant: {reason}": size for reason, size in sorted(file.balance.irrelevant.items())}
    return {k: v for k, v in (shown | irrelevant).items() if v}


def _assumptions(capture: Captured, exchanges: int, *, yearless: bool) -> Iterable[Assumption]:
    if capture.zone.assumed:
        yield Assumption(kind="timezone", text=phrase("zone_assumed"))
    elif capture.zone.inferred:
        yield Assumption(kind="timezone", text=phrase("zone_inferred", zone=capture.zone.name))
    if yearless:
        yield Assumption(kind="year", text=phrase("year_unknown"))
    if capture.bodies_dropped:
        kept = exchanges - capture.bodies_dropped
        yield Assumption(kind="sample", text=phrase("bodies_sampled", kept=kept, all=exchanges))


def _yearless(frame: Frame) -> bool:
    """Whether times are told that no year is known of (ingest.years)."""
    told = (pl.col("time_quality") == "missing") & pl.col("started_at").is_not_null()
    return bool(frame.exchanges.select(told.any()).collect().item())


def _scope(capture: Captured, selection: Selection, packs: PackSet, settings: Settings) -> Text | None:
    """The sentence that comes first when the question does not fit the capture."""
    given = [packs.resolve(p) for p in settings.platforms if p != "auto"]
    if capture.nothing_fits:
        found = ", ".join(sorted(capture.other_platforms))
        return phrase("scope_mismatch", given=same(", ".join(given)), found=same(found))
    if selection.empty_filter is not None:
        near = ", ".join(selection.nearest) or "-"
        return phrase("filter_empty", filter=same(selection.empty_filter), nearest=same(near))
    held = [f for f in capture.files if f.bytes]
    bad = sum(any(p.kind in _UNREAD for p in f.problems) for f in held) + len(capture.unreadable)
    total = len(capture.files) + len(capture.unreadable)
    if bad:
        return phrase("scope_unread", bad=bad, all=total)
    if len(held) < len(capture.files):
        return phrase("scope_empty", empty=len(capture.files) - len(held), all=total)
    if given and not set(given) & set(selection.exchanges.distinct("platform")["platform"]):
        return phrase("scope_nothing", given=same(", ".join(given)))
    return None
