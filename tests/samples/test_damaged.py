"""Captures cut anywhere, empty, or not captures at all: what is left is read, what is lost is told with its place."""

from __future__ import annotations

import random

import pytest

from openclaw_forensics.exchanges import EXCHANGES
from tests.samples.shelf import FOLDERS, analysis_of, captures, result_of, verdict_of

SEED, CUTS, DOCUMENTS = 20261118, 200, 25
MOST = 60_000  # bytes left of a cut file: what a cut does shows in its last lines
FILES = [path for name in FOLDERS for path in captures(name) if path.stat().st_size]
# Formats whose end tells whether it is the end; a log may end after any line.
CLOSED = (".har", ".mitm")


def _cuts(seed, count):
    chance = random.Random(seed)
    cases = []
    for number in range(count):
        path = chance.choice(FILES)
        size = chance.randrange(1, min(path.stat().st_size, MOST))
        cases.append(pytest.param(path, size, id=f"{number}-{path.parent.parent.name}-{path.name}-{size}"))
    return cases


@pytest.mark.parametrize(("path", "size"), _cuts(SEED, CUTS))
def test_a_cut_file_keeps_its_exchanges_and_names_the_cut(path, size, tmp_path):
    cut = tmp_path / path.name
    cut.write_bytes(path.read_bytes()[:size])

    capture = analysis_of([cut]).capture

    [file] = capture.files
    assert list(capture.exchanges.schema)[: len(EXCHANGES)] == list(EXCHANGES)
    assert all(p.line is not None or p.offset is not None for p in file.problems)
    if path.suffix in CLOSED and size < path.stat().st_size - 1:
        assert file.problems


@pytest.mark.parametrize(("path", "size"), _cuts(SEED + 1, DOCUMENTS))
def test_a_cut_file_still_makes_a_document_that_adds_up(path, size, tmp_path):
    cut = tmp_path / path.name
    cut.write_bytes(path.read_bytes()[:size])

    result = analysis_of([cut]).result

    owned = sum(r.failures + r.explains for r in result.root_causes)
    assert owned + result.unexplained.failures == result.input.failures
    assert result.input.files[0].bytes == size


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("empty.log", b"", id="empty"),
        pytest.param("noise.log", bytes(range(256)) * 64, id="binary"),
        pytest.param("noise.har", random.Random(SEED).randbytes(20_000), id="random"),
    ],
)
@pytest.mark.parametrize("sample", ["token-cascade", "healthy/scanner-noise"])
def test_what_is_no_capture_is_named_and_changes_nothing(sample, name, content, tmp_path):
    stray = tmp_path / name
    stray.write_bytes(content)

    result = analysis_of([*captures(sample), stray]).result

    [file] = [f for f in result.input.files if f.path.endswith(name)]
    assert file.problems
    assert file.exchanges == 0
    assert verdict_of(result) == verdict_of(result_of(sample))
