"""Every shipped rule over every sample: the compiled condition and the plain one agree on every row."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from openclaw_forensics.analysis import analyze
from openclaw_forensics.diagnose.conditions import keys_of
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.load import EVERYWHERE, Loaded, load_rules
from openclaw_forensics.diagnose.matching import with_places
from openclaw_forensics.platforms.load import load
from tests.diagnose.naive import holds

SAMPLES = sorted(p.parent for p in (Path(__file__).parents[2] / "samples").rglob("captures"))
PACKS = load()
RULES = [
    rule
    for rule in load_rules([(n, f) for n in (EVERYWHERE, *PACKS.ids()) for f in PACKS.folders.get(n, ())])
    if rule.rule.detector is None
]
ROWS = 150


def table_of(rule: Loaded, frame: Frame) -> pl.DataFrame:
    if rule.rule.frame == "records":
        return frame.records.head(ROWS)
    places = sorted({k.column for k in keys_of(rule.rule.when_) if k.is_place})
    interesting = pl.concat([frame.failed.head(ROWS), frame.exchanges.head(20).collect()])
    return with_places(interesting, places) if places else interesting


def test_there_are_samples_and_rules() -> None:
    assert len(SAMPLES) >= 4
    assert len(RULES) > 40


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.name)
def test_compiled_agrees_with_naive(sample: Path) -> None:
    analysis = analyze([str(sample / "captures")])
    frame = Frame(analysis.capture.exchanges, analysis.capture.records)
    for rule in RULES:
        table = table_of(rule, frame)
        if table.is_empty():
            continue
        got = table.select(hit=rule.when)["hit"].to_list()
        got = got * table.height if len(got) == 1 else got
        want = [holds(rule.rule.when_, row) for row in table.to_dicts()]
        assert [g is True for g in got] == [w is True for w in want], rule.rule.id
