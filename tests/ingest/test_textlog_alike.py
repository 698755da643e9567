"""A long log is read wording by wording, a short one line by line: the calls must be the same."""

from __future__ import annotations

import polars as pl
import pytest

from openclaw_forensics.ingest.calls import read_calls
from openclaw_forensics.ingest.lineformat import load_formats
from openclaw_forensics.ingest.stamps import Calendar
from openclaw_forensics.ingest.textlog_records import learn_layout, split_records
from tests.ingest.wordings import LINES, long_log, mutated

SLICE = 500  # lines, too few to sort them by wording
CASES = {
    "as written": long_log(1),
    "another order": long_log(2),
    "mutated": mutated(long_log(3), 3),
    "mutated twice": mutated(mutated(long_log(4), 4), 5),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_wordings_and_single_lines_tell_the_same_calls(text: str) -> None:
    formats = load_formats()
    data = text.encode()
    layout = learn_layout(data[:60_000], formats)
    records = split_records(data, layout, offset=0, line=1, calendar=Calendar(None))
    whole = read_calls(records, formats.groups)
    pieces = [
        read_calls(records.slice(begin, SLICE), formats.groups).with_columns(pl.col("row") + begin)
        for begin in range(0, records.height, SLICE)
    ]
    single = pl.concat(pieces).with_columns(pl.col("row").cast(pl.UInt32))
    assert whole.height > LINES // 2
    assert whole.equals(single)


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_heads_are_the_same_in_a_long_log_and_line_by_line(text: str) -> None:
    formats = load_formats()
    data = text.encode()
    layout = learn_layout(data[:60_000], formats)
    records = split_records(data, layout, offset=0, line=1, calendar=Calendar(None))
    assert records["size"].sum() == len(data)
    for record in records.sample(200, seed=1).iter_rows(named=True):
        own = data[record["offset"] : record["offset"] + record["size"]]
        alone = split_records(own, layout, offset=record["offset"], line=record["line"], calendar=Calendar(None))
        assert alone.height == 1
        assert alone.row(0, named=True) == record
