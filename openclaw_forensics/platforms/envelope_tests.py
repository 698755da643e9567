"""Runs the tests that lie beside envelopes: each through the whole annotation, as its pack's own traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from openclaw_forensics import exchanges as schema
from openclaw_forensics.platforms.annotate import annotate_recognised
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.platforms.options import AnnotateOptions
from openclaw_forensics.platforms.rawmessage import row_of
from openclaw_forensics.platforms.recognise import recognise

FAILED = "failed"  # beside the frame's columns a test may expect this: whether `failure` is set


@dataclass(frozen=True, slots=True)
class TestResult:
    """What one test gave. `differences`: column -> (expected, got)."""

    envelope: int
    number: int
    failed: bool
    differences: dict[str, tuple[Any, Any]]


def run_envelope_tests(pack: Pack, packs: PackSet) -> list[TestResult]:
    """The results of all tests of a pack, in order."""
    tests = [(e, n, test) for e, env in enumerate(pack.platform.envelope) for n, test in enumerate(env.test)]
    if not tests:
        return []
    options = AnnotateOptions(key=b"tests")
    frame = schema.frame_of([row_of(test.request, test.response) for _, _, test in tests], schema.EXCHANGES)
    frame = recognise(frame, packs, options)
    platform = None if pack.platform.kind == "common" else pack.platform.id
    frame = frame.with_columns(pl.lit(platform, dtype=pl.String).alias("platform"), direction=pl.lit("out"))
    found = annotate_recognised(frame, packs, options).to_dicts()
    return [
        TestResult(e, n, row["failure"] is not None, _differences(test.expect, row))
        for (e, n, test), row in zip(tests, found, strict=True)
    ]


def _differences(expected: dict[str, Any], row: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    got = {**row, FAILED: row["failure"] is not None}
    unknown = {name: (value, "no such column") for name, value in expected.items() if name not in got}
    wrong = {name: (value, got[name]) for name, value in expected.items() if name in got and got[name] != value}
    return unknown | wrong
