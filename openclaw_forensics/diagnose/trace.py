"""Why a rule hit or not, on a real capture: which of its conditions were true, false or unknown, on which exchange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from openclaw_forensics.diagnose.catalogue import Catalogue, Considered
from openclaw_forensics.diagnose.conditions import compile_condition, keys_of
from openclaw_forensics.diagnose.contrasts import Contrasts
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.load import Loaded
from openclaw_forensics.diagnose.matching import with_places
from openclaw_forensics.diagnose.rules import among, run_rules
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import ErrorRow, Pack
from openclaw_forensics.platforms.places import all_hold

State = Literal["true", "false", "unknown"]
_MOST_ROWS = 2_000  # exchanges or records that one rule is tried on
_ALIKE = ("platform", "error_code", "error_subcode", "status", "operation", "transport_error")
_STATES: dict[bool | None, State] = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How often one condition was true, false and unknown, and what it was on the row that came nearest."""

    condition: str
    true: int
    false: int
    unknown: int
    nearest: State


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule on one capture. `nearest` is the row that met most conditions; `claimed` met counts and sequences."""

    loaded: Loaded
    asked: int
    hits: int
    claimed: int
    nearest: Mapping[str, object] | None
    conditions: tuple[Counts, ...]

    @property
    def near(self) -> bool:
        """Whether it hit, or some row missed one condition and met another that not every row meets."""
        met = [c for c in self.conditions if c.nearest == "true"]
        telling = any(c.true < self.asked for c in met)
        return self.hits > 0 or (telling and len(met) == len(self.conditions) - 1)


@dataclass(frozen=True, slots=True)
class FailureTrace:
    """Catalogue rows beside failures that look alike: the exchange, how many there are, the rows, best first."""

    exchange: Mapping[str, object]
    alike: int
    considered: tuple[Considered, ...]


def trace_rules(frame: Frame, rules: Sequence[Loaded]) -> Iterator[RuleTrace]:
    """Each rule that is a condition, on the exchanges or records that it looks at."""
    contrasts = Contrasts(frame, frozenset(), {})
    for loaded in rules:
        if loaded.rule.detector is None:
            yield _trace(frame, loaded, contrasts)


def _trace(frame: Frame, loaded: Loaded, contrasts: Contrasts) -> RuleTrace:
    rule = loaded.rule
    if rule.frame == "records":
        own = pl.lit(True) if rule.platform is None else pl.col("platform") == rule.platform
        asked_of = frame.records.lazy().filter(own)
    else:
        asked_of = frame.exchanges.filter(among(frame, rule))
    base = asked_of.head(_MOST_ROWS).collect()
    parts = {name: {name: value} for name, value in rule.when_.items()}
    if base.is_empty() or not parts:
        return RuleTrace(loaded, base.height, 0, 0, None, ())
    if places := sorted({key.column for key in keys_of(rule.when_) if key.is_place}):
        base = with_places(base, places)
    asked = [compile_condition(part, rule.frame).alias(f"when:{n}") for n, part in enumerate(parts.values())]
    table = base.with_columns(asked).with_columns(met=pl.sum_horizontal(pl.col("^when:.*$").fill_null(False)))
    nearest = table.row(table["met"].arg_max() or 0, named=True)
    conditions = tuple(
        _counts(f"{name} = {value!r}", table[f"when:{n}"], nearest[f"when:{n}"])
        for n, (name, value) in enumerate(rule.when_.items())
    )
    hits = int((table["met"] == len(parts)).sum())
    findings = run_rules(frame, [loaded], contrasts)[0] if hits else []
    claimed = sum(len(f.rows) + len(f.affected) + len(f.records) for f in findings)
    return RuleTrace(loaded, base.height, hits, claimed, nearest, conditions)


def _counts(condition: str, results: pl.Series, nearest: bool | None) -> Counts:
    true, unknown = int(results.sum() or 0), results.null_count()
    return Counts(condition, true, results.len() - true - unknown, unknown, _STATES[nearest])


def trace_catalogue(frame: Frame, packs: Mapping[str, Pack], everywhere: Pack | None) -> Iterator[FailureTrace]:
    """Failures that look alike, most first, with every catalogue row that knows their code or fits them."""

    def holds(entry: ErrorRow, row: dict[str, object]) -> bool:
        return all_hold(entry.tests, Message(frame.full(int(str(row["row"]))))) is True

    catalogues = {name: Catalogue(name, pack.errors, holds) for name, pack in packs.items()}
    common = Catalogue("http", everywhere.errors if everywhere else (), holds)
    groups: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in frame.failures:
        if row["direction"] == "out":
            key = tuple(
                row[c] for c in ("platform", "error_code", "error_subcode", "status", "operation", "transport_error")
            )
            groups.setdefault(key, []).append(row)
    for rows in sorted(groups.values(), key=len, reverse=True):
        own = catalogues.get(str(rows[0]["platform"]))
        found = [*(own.considered(rows[0]) if own else ()), *common.considered(rows[0])]
        found.sort(key=lambda c: (not all(c.keys.values()), -c.weight))
        yield FailureTrace(rows[0], len(rows), tuple(found))
