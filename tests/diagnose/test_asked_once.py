"""What is asked once for all rows answers as the same question asked row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from openclaw_forensics.diagnose.conditions import compile_condition
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.logged import Logged
from openclaw_forensics.diagnose.matching import Neighbours
from openclaw_forensics.diagnose.rule import Sequence
from openclaw_forensics.exchanges import EXCHANGES, RECORDS, empty, frame_of

START = datetime(2026, 11, 24, tzinfo=UTC)
RECORDED = frame_of(
    [
        {"record_id": f"r{n}", "level": level, "message": message, "exception": exception}
        for n, (level, message, exception) in enumerate(
            [
                ("ERROR", "order 1 failed", "ReadTimeout: 30 s"),
                ("ERROR", "order 2 failed", "ReadTimeout: 30 s"),
                ("INFO", "order 3 sent", None),
                (None, "order 4 failed", "KeyError: 'id'"),
                ("ERROR", None, "KeyError: 'id'"),
            ]
        )
    ],
    RECORDS,
)
# Seconds, shop, status; the frame sorts exchanges without a time to its end.
CALLS = [(0, "a", 500), (0, "a", 200), (5, "b", 200), (9, "a", 500), (20, None, 200), (30, None, 500), (None, "a", 200)]


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param({}, id="nothing asked"),
        pytest.param({"exception|contains": "timeout"}, id="one column"),
        pytest.param({"message|re": "order [12]", "level": ["ERROR", "WARN"]}, id="two columns"),
        pytest.param({"not": {"exception|contains": "timeout"}}, id="unknown stays unknown"),
        pytest.param({"exception|exists": False}, id="absent"),
        pytest.param({"any": [{"level": "INFO"}, {"all": [{"message|contains": "failed"}]}]}, id="nested"),
    ],
)
def test_a_condition_over_distinct_texts_is_that_over_records(condition: dict[str, object]) -> None:
    expected = RECORDED.select(pl.repeat(True, pl.len()) & compile_condition(condition, "records")).to_series()
    assert Logged(RECORDED, [condition]).hold(condition).to_list() == expected.to_list()


def near(rows: list[dict[str, object]], row: dict[str, object], sequence: Sequence, *, earlier: bool) -> bool:
    """The same question of each other exchange in turn."""
    at = row["started_at"]
    for other in rows:
        there = other["started_at"]
        beside = other["row"] < row["row"] if earlier else other["row"] > row["row"]  # type: ignore[operator]
        if not beside or other["status"] != 200 or any(other[c] != row[c] for c in sequence.same):
            continue
        apart = abs(there - at) if isinstance(at, datetime) and isinstance(there, datetime) else None
        within, least = sequence.within_s, sequence.least_s
        if within is not None and at is not None and (apart is None or apart > timedelta(seconds=within)):
            continue
        if least is None or (apart is not None and apart >= timedelta(seconds=least)):
            return True
    return False


@pytest.mark.parametrize("earlier", [pytest.param(True, id="before"), pytest.param(False, id="after")])
@pytest.mark.parametrize(
    "bounds",
    [
        pytest.param({}, id="anywhere"),
        pytest.param({"same": ("shop",)}, id="of one shop"),
        pytest.param({"within_s": 9}, id="within seconds"),
        pytest.param({"least_s": 10}, id="at least seconds away"),
        pytest.param({"within_s": 20, "least_s": 5, "same": ("shop",)}, id="all of it"),
    ],
)
def test_neighbours_are_those_that_each_row_would_find(bounds: dict[str, object], earlier: bool) -> None:
    calls: list[dict[str, object]] = [
        {
            "exchange_id": f"x{n}", "started_at": None if s is None else START + timedelta(seconds=s),
            "source_file": "a.log", "line": n, "locator": f"lines:{n}", "direction": "out", "shop": shop,
            "status": status, "failure": "status" if status == 500 else None,
        }
        for n, (s, shop, status) in enumerate(CALLS)
    ]  # fmt: skip
    frame = Frame(frame_of(calls, EXCHANGES), empty(RECORDS))
    rows = frame.exchanges.select("row", "started_at", "shop", "status").collect().to_dicts()
    sequence = Sequence.model_validate({"when": {"status": 200}, **bounds})
    neighbours = Neighbours(frame)
    found = [neighbours.any(sequence, row, earlier=earlier) for row in rows]
    assert found == [near(rows, row, sequence, earlier=earlier) for row in rows]
