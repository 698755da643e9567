"""Every sample: what was planted is what the analyser says, and healthy traffic raises no alarm."""

from __future__ import annotations

import pytest

from tests.samples.shelf import FAULTY, FOLDERS, captures, expectation, result_of

HEALTHY = [name for name in FOLDERS if name not in FAULTY]


@pytest.mark.parametrize("name", FAULTY)
def test_the_planted_cause_and_party_are_the_verdict(name):
    verdict, expected = result_of(name).verdict, expectation(name)

    assert verdict is not None
    said = {key: getattr(verdict, key) for key in ("cause", "party", "origin", "severity")}
    assert said == {key: expected[key] for key in said}
    assert {a.cause for a in verdict.alternatives} >= set(expected.get("alternatives", ()))


@pytest.mark.parametrize("name", FAULTY)
def test_the_planted_cause_is_the_shops_and_the_only_error(name):
    result = result_of(name)
    errors = [
        r
        for r in result.root_causes
        if r.severity == "error" and r.cause not in expectation(name).get("alternatives", ())
    ]

    assert [(r.cause, r.shop) for r in errors] == [(expectation(name)["cause"], expectation(name)["shop"])]


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_traffic_has_no_error(name):
    result, expected = result_of(name), expectation(name)

    assert [r.cause for r in result.root_causes if r.severity == "error"] == []
    assert result.unexplained.failures == 0
    assert sorted({r.cause for r in result.root_causes if r.severity == "info"}) == sorted(expected.get("info", ()))
    assert (result.verdict and result.verdict.cause) == expected.get("verdict")


@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_is_read_whole_and_every_failure_has_an_owner(name):
    result = result_of(name)

    assert [p for f in result.input.files for p in f.problems] == []
    assert len(result.input.files) == len(captures(name))
    owned = sum(r.failures + r.explains for r in result.root_causes)
    assert owned + result.unexplained.failures == result.input.failures
