"""A table in files answers as the same rows in memory do, and so does an analysis of one."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from openclaw_forensics import table
from openclaw_forensics.analysis import analyze, read_exchanges
from openclaw_forensics.exchanges import EXCHANGES
from openclaw_forensics.settings import Settings
from openclaw_forensics.table import Spool, Table

SCHEMA = {"n": pl.Int64(), "word": pl.String(), "never": pl.String()}
SAMPLES = Path(__file__).resolve().parent.parent / "samples"
FOLDERS = sorted(p.parent for p in SAMPLES.glob("*/README.md"))


def filled(held: int | None) -> Table:
    """Five parts of four rows, one column left out because it holds nothing."""
    spool = Spool(SCHEMA, held)
    for part in range(5):
        rows = range(4 * part, 4 * part + 4)
        spool.add(pl.DataFrame({"n": list(rows), "word": [None if n % 3 == 0 else f"w{n % 4}" for n in rows]}))
    return spool.table()


@pytest.fixture(params=[pytest.param(None, id="in memory"), pytest.param(0, id="in files")])
def rows(request: pytest.FixtureRequest) -> Table:
    return filled(request.param)


def test_only_what_does_not_fit_goes_to_files() -> None:
    assert filled(None).in_memory
    assert not filled(0).in_memory


def test_rows_keep_their_order_and_positions(rows: Table) -> None:
    whole = rows.lazy().collect()
    assert rows.height == 20
    assert whole["row"].to_list() == whole["n"].to_list() == list(range(20))
    assert rows.column("word").to_list()[:5] == [None, "w1", "w2", None, "w0"]
    assert whole["never"].null_count() == 20


@pytest.mark.parametrize("columns", [None, ["word", "n"]], ids=["all", "some"])
@pytest.mark.parametrize("places", [[17, 0, 9, 9, 8], [], [3]], ids=["scattered", "none", "one"])
def test_rows_are_taken_in_the_order_asked_for(rows: Table, places: list[int], columns: list[str] | None) -> None:
    found = rows.take(pl.Series(places, dtype=pl.Int64), columns)
    assert found["n"].to_list() == places
    assert [c for c in found.columns if c != "row"] == (columns or list(SCHEMA))


def test_a_filter_keeps_order_and_counts_anew(rows: Table) -> None:
    kept = rows.filter(pl.col("word") == "w1").lazy().collect()
    assert kept.select("row", "n").rows() == [(0, 1), (1, 5), (2, 13), (3, 17)]
    assert rows.filter(pl.col("n") > 99).lazy().collect().height == 0


def test_positions_survive_a_query_that_is_pushed_into_the_files(rows: Table) -> None:
    found = rows.lazy().filter((pl.col("word") == "w2") & (pl.col("row") > 5)).select("row", "n").collect()
    assert found.rows() == [(10, 10), (14, 14)]


def test_nothing_is_a_table_too() -> None:
    assert Spool(SCHEMA, 0).table().lazy().collect().columns == ["row", *SCHEMA]


def test_files_go_with_the_table() -> None:
    held = filled(0)
    assert held.folder is not None
    folder = Path(held.folder.path)
    assert len(list(folder.iterdir())) == 5
    del held
    assert not folder.exists()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_an_analysis_says_the_same_of_a_capture_in_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, settings = [folder.as_posix()], Settings()
    in_memory = analyze(paths, settings)
    monkeypatch.setattr(table, "HELD", 0)
    monkeypatch.setattr("openclaw_forensics.link.linking.PART_ROWS", 7)
    in_files = analyze(paths, settings)
    assert not in_files.capture.exchanges.in_memory
    assert in_files.result == in_memory.result


def test_exchanges_given_out_outlive_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = read_exchanges([FOLDERS[0].as_posix()]).collect()
    monkeypatch.setattr(table, "HELD", 0)
    exchanges = read_exchanges([FOLDERS[0].as_posix()])
    assert exchanges.collect_schema().names() == list(EXCHANGES)
    assert (
        exchanges.collect()
        .select("exchange_id", "url", "shop", "identity")
        .equals(plain.select("exchange_id", "url", "shop", "identity"))
    )
