"""The shipped packs: their signature vectors reproduce and their envelope tests hold."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms.envelope_tests import run_envelope_tests
from openclaw_forensics.platforms.lint import check_vector
from openclaw_forensics.platforms.load import load

PACKS = load()
VECTORS = [
    pytest.param(name, s, v, id=f"{name}-{scheme.id}-{v}")
    for name in PACKS.ids()
    for s, scheme in enumerate(PACKS.pack(name).schemes)
    for v in range(len(scheme.tests))
]


@pytest.mark.parametrize(("name", "scheme", "vector"), VECTORS)
def test_vectors(name: str, scheme: int, vector: int) -> None:
    pack = PACKS.pack(name)
    assert check_vector(pack, pack.schemes[scheme], pack.schemes[scheme].tests[vector]) is None


@pytest.mark.parametrize("name", ["common", *PACKS.ids()])
def test_envelopes(name: str) -> None:
    results = run_envelope_tests(PACKS.pack(name), PACKS)
    assert [(r.envelope, r.number, r.differences) for r in results if r.differences] == []
