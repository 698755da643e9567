"""What `analyze` does, from files to the redacted document; the only place that knows all rooms."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO

import polars as pl

from openclaw_forensics import version
from openclaw_forensics.diagnose.diagnosis import Diagnosis, diagnose
from openclaw_forensics.diagnose.frame import Frame, marked
from openclaw_forensics.diagnose.knowledge import Knowledge
from openclaw_forensics.diagnose.load import checked_rules
from openclaw_forensics.document.assemble import Known, assemble
from openclaw_forensics.document.inputs import describe_input
from openclaw_forensics.exchanges import ANNOTATED_COLUMNS, EXCHANGES, RECORDS, conform, empty
from openclaw_forensics.ingest.api import Part, ReadOptions
from openclaw_forensics.ingest.reading import FileRead, Reading
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.walk import Unreadable, walk
from openclaw_forensics.link.linking import link
from openclaw_forensics.link.zones import ZoneUsed
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.load import load as load_packs
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.platforms.options import AnnotateOptions
from openclaw_forensics.redact.document import Redacted, redact
from openclaw_forensics.report.sentences import root_cause_summary, verdict_summary
from openclaw_forensics.result import Input, Result, Tool
from openclaw_forensics.selection import Selection, select
from openclaw_forensics.settings import Settings
from openclaw_forensics.table import Spool, Table

ANNOTATED_TOGETHER = 40_000  # exchanges; annotation has a price for each call
_STILL_READ: list[Table] = []  # given out as lazy frames: their files have to stay until the end of the process
KEPT_BODIES = 64  # successes whose bodies are kept, per operation and shop in one part


@dataclass(slots=True)
class Capture:
    """Everything read: annotated frames, linked, and the account of each file."""

    exchanges: Table  # marked, in order
    records: pl.DataFrame
    files: list[FileRead] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    zone: ZoneUsed = field(default_factory=lambda: ZoneUsed("UTC", assumed=False))
    other_platforms: dict[str, int] = field(default_factory=dict)
    bodies_dropped: int = 0
    clock_offsets_ms: dict[str, float] = field(default_factory=dict)  # by file, against a fuller sighting
    nothing_fits: bool = False  # none of the given platforms was recognised
    key: bytes = b""


@dataclass
class Analysis:
    """One analysis: what was read, what it means, and the document of it."""

    settings: Settings
    packs: PackSet
    capture: Capture
    selection: Selection

    @cached_property
    def loaded(self) -> Mapping[str, Pack]:
        """Packs of the platforms in the capture."""
        found = self.capture.exchanges.distinct("platform")["platform"].drop_nulls().to_list()
        found += self.capture.records["platform"].drop_nulls().unique().to_list()
        return {name: self.packs.pack(name) for name in sorted(set(found)) if name in self.packs.heads}

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """All questions asked of the selected frames."""
        return diagnose(Frame(self.selection.exchanges, self.selection.records), self.knowledge)

    @cached_property
    def knowledge(self) -> Knowledge:
        """What the packs say, as far as this input needs them."""
        folders = [(name, f) for name in ("common", *self.loaded) for f in self.packs.folders.get(name, ())]
        rules = checked_rules(folders)
        return Knowledge(self.loaded, self.packs.common, rules, self.settings.secrets, self.settings.now)

    @cached_property
    def tool(self) -> Tool:
        """Who makes the documents."""
        return Tool(version=version(), rules_version=rules_version(self.packs))

    @cached_property
    def described(self) -> Input:
        """What was read, over all platforms and shops."""
        frame = Frame(self.selection.exchanges, self.selection.records)
        return describe_input(frame, self.capture, self.selection, self.packs, self.settings)

    @cached_property
    def redacted(self) -> Redacted:
        """The document, redacted, with its sentences, and what outputs are checked against."""
        return self.redacted_of(self.diagnosis)

    @property
    def result(self) -> Result:
        """The redacted document."""
        return self.redacted.result

    def redacted_of(self, diagnosis: Diagnosis) -> Redacted:
        """The redacted document of one diagnosis."""
        known = Known(self.packs, self.loaded, self.tool.version, self.tool.rules_version)
        read = describe_input(diagnosis.frame, self.capture, self.selection, self.packs, self.settings)
        result = assemble(diagnosis, read, self.settings, known)
        key = self.capture.key
        safe = redact(result, self.capture.exchanges, self.loaded, self.packs, self.settings, key)
        return Redacted(_with_sentences(safe.result), safe.vault)


def analyze(paths: Sequence[str], settings: Settings | None = None, stdin: BinaryIO | None = None) -> Analysis:
    """Read `paths` and prepare every answer. Raises UsageError for settings that cannot be followed, RuleError for
    a broken rule file; never for bad input, which is recorded."""
    settings = settings or Settings()
    packs = load_packs(extra=settings.rules_dirs)
    capture = read_capture(paths, settings, packs, stdin)
    return Analysis(settings, packs, capture, select(capture.exchanges, capture.records, settings))


def read_capture(paths: Sequence[str], settings: Settings, packs: PackSet, stdin: BinaryIO | None = None) -> Capture:
    """Stage 1 and link: files to annotated, linked frames."""
    ids = tuple(packs.resolve(p) for p in settings.platforms if p != "auto")
    reader = _Stage1(settings, packs, ids)
    with closing(reader):
        for source in walk(list(paths), stdin):
            if isinstance(source, Unreadable):
                reader.unreadable.append(source)
            else:
                reader.read(source)
    return _linked(reader, settings, packs, ids)


class _Stage1:
    """Files to parts of annotated exchanges and records."""

    def __init__(self, settings: Settings, packs: PackSet, ids: tuple[str, ...]) -> None:
        self._settings, self._packs = settings, packs
        self.key = hashlib.blake2b(repr(ids).encode(), digest_size=16).digest()
        self._options = AnnotateOptions(key=self.key, platforms=ids, receivers=settings.receivers)
        self._read_options = ReadOptions(formats_dirs=settings.formats_dirs)
        self.exchanges = Spool(EXCHANGES)
        self.records: list[pl.DataFrame] = []
        self.files: list[FileRead] = []
        self.unreadable: list[Unreadable] = []
        self.bodies_dropped = 0
        self._beside: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    def read(self, source: Source) -> None:
        """Read one source part by part; a few parts are annotated together, then their good bodies thinned.

        Of a large capture the next parts are read meanwhile: polars works outside the interpreter's lock.
        """
        reading = Reading(source, self._read_options, self._settings.input_format)
        held: list[Part] = []
        for part in reading.parts():
            held.append(part)
            if sum(p.exchanges.height for p in held) >= ANNOTATED_TOGETHER:
                self._settle()
                self._beside = self._beside or ThreadPoolExecutor(1, "annotate")
                self._pending = self._beside.submit(self._annotate, held)
                held = []
        self._settle()
        if held:
            self._annotate(held)
        self.files.append(reading.result())

    def close(self) -> None:
        """End the thread that annotates, where there is one."""
        if self._beside is not None:
            self._beside.shutdown()

    def _settle(self) -> None:
        """Wait for the parts that are being annotated. Raises what annotation raises."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def _annotate(self, parts: Sequence[Part]) -> None:
        read, logged = pl.concat([p.exchanges for p in parts]), pl.concat([p.records for p in parts])
        exchanges, records = annotate(read, logged, self._packs, self._options)
        kept, dropped = thin(exchanges)
        self.bodies_dropped += dropped
        self.exchanges.add(kept.select(c for c in kept if c.null_count() < len(c)))
        self.records.append(records)


def thin(exchanges: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Bodies of successes kept only for the first and last of each operation and shop; failures keep theirs."""
    good = pl.col("failure").is_null() & (pl.col("step").fill_null("") != "token")
    keys = ["platform", "operation", "shop"]
    first = pl.int_range(pl.len()).over(keys)
    surplus = good & (first >= KEPT_BODIES) & (first < pl.len().over(keys) - KEPT_BODIES)
    gone = exchanges.select(surplus.fill_null(False)).to_series()  # once, not once a column
    dropped = int(gone.sum())
    if not dropped:
        return exchanges, 0
    bodies = ["request_body", "response_body", "request_body_bytes", "response_body_bytes"]
    return exchanges.with_columns(pl.when(gone).then(None).otherwise(pl.col(b)).alias(b) for b in bodies), dropped


def _linked(stage: _Stage1, settings: Settings, packs: PackSet, ids: tuple[str, ...]) -> Capture:
    """With given ids, exchanges of another marketplace are counted and left out; carriers and ERPs stay in."""
    records = pl.concat([conform(f, RECORDS) for f in stage.records]) if stage.records else empty(RECORDS)
    markets = [i for i, head in packs.heads.items() if head.platform.kind == "marketplace" and i not in ids]
    linked = link(
        stage.exchanges.table(),
        records,
        {file.path: file.series for file in stage.files},
        timezone=settings.timezone,
        outside=markets if ids else (),
        finish=marked,
    )
    recognised = {*linked.exchanges.distinct("platform")["platform"], *linked.records["platform"]}
    return Capture(
        exchanges=linked.exchanges,
        records=linked.records,
        files=stage.files,
        unreadable=stage.unreadable,
        zone=linked.zone,
        other_platforms=dict(linked.outside),
        bodies_dropped=stage.bodies_dropped,
        clock_offsets_ms=dict(linked.clock_offsets_ms),
        nothing_fits=bool(ids) and bool(linked.outside) and not recognised & set(ids),
        key=stage.key,
    )


def _with_sentences(result: Result) -> Result:
    causes = tuple(
        c.model_copy(update={"summary": root_cause_summary(c, result.labels, result.input)}) for c in result.root_causes
    )
    result = result.model_copy(update={"root_causes": causes})
    if result.verdict is None:
        return result
    verdict = result.verdict.model_copy(update={"summary": verdict_summary(result)})
    return result.model_copy(update={"verdict": verdict})


def rules_version(packs: PackSet) -> str:
    """The youngest date at which a pack's head was checked, and how many packs there are."""
    dates = sorted(str(h.platform.checked) for h in packs.heads.values() if h.platform.checked)
    return f"{dates[-1] if dates else 'unknown'}+{len(packs.heads)}"


def read_exchanges(paths: Iterable[str], settings: Settings | None = None) -> pl.LazyFrame:
    """The exchanges of `paths`, annotated and linked, with the public columns of `exchanges.EXCHANGES`.

    Not redacted. Raises UsageError and RuleError as `analyze` does.
    """
    settings = settings or Settings()
    packs = load_packs(extra=settings.rules_dirs)
    capture = read_capture(list(paths), settings, packs, sys.stdin.buffer if "-" in paths else None)
    _STILL_READ.append(capture.exchanges)
    return capture.exchanges.lazy().select(*EXCHANGES)


__all__ = ["ANNOTATED_COLUMNS", "Analysis", "analyze", "read_exchanges"]
