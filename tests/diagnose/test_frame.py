"""The frame's short cuts answer as the plain operations do: sorting, filters by few values, slices by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.exchanges import EXCHANGE_ORDER, EXCHANGES, RECORDS, empty, frame_of
from openclaw_forensics.table import in_order

START = datetime(2026, 11, 24, tzinfo=UTC)


def exchanges(seconds: list[int | None]) -> pl.DataFrame:
    """One exchange per entry, some failing, some of another platform."""
    return frame_of(
        [
            {
                "exchange_id": f"x{n}",
                "started_at": None if s is None else START + timedelta(seconds=s),
                "source_file": "a.log" if n % 3 else "b.log",
                "line": n,
                "locator": f"lines:{n}",
                "direction": "out",
                "platform": "shopee" if n % 2 else None,
                "status": 500 if n % 5 == 0 else 200,
                "failure": "status" if n % 5 == 0 else None,
            }
            for n, s in enumerate(seconds)
        ],
        EXCHANGES,
    )


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param([1, 2, 3, 4], id="in order"),
        pytest.param([3, 4, 1, 2, 5], id="two runs change places"),
        pytest.param([2, 2, 1, 1, 2], id="ties are told apart by place"),
        pytest.param([None, 1, None, 0], id="no time stands last"),
        pytest.param([1, 2, None, None], id="no time stands last already"),
        pytest.param([None, None], id="no time at all"),
        pytest.param([n * 7919 % 1201 for n in range(1201)], id="more runs than are put together"),
    ],
)
def test_in_order_sorts_as_a_plain_sort_does(seconds: list[int | None]) -> None:
    frame = exchanges(seconds)
    expected = frame.sort(EXCHANGE_ORDER, nulls_last=True, maintain_order=True)
    assert in_order(frame, EXCHANGE_ORDER).equals(expected)


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        pytest.param(pl.col("failed"), [0, 5], id="failing"),
        pytest.param(pl.col("platform") == "shopee", [1, 3, 5, 7], id="unknown is no hit"),
        pytest.param(pl.col("good") & pl.col("platform").is_null(), [2, 4, 6], id="two columns"),
        pytest.param(pl.col("status") == 404, [], id="none"),
        pytest.param(pl.lit(True), list(range(8)), id="all"),
    ],
)
def test_where_and_count_are_the_filter(condition: pl.Expr, rows: list[int]) -> None:
    frame = Frame(exchanges(list(range(8))), empty(RECORDS))
    assert (frame.where(condition).collect()["row"].to_list(), frame.count(condition)) == (rows, len(rows))


def test_between_includes_both_ends() -> None:
    frame = Frame(exchanges([5, 1, 1, 3, None, 4]), empty(RECORDS))
    found = frame.between(START + timedelta(seconds=1), START + timedelta(seconds=4))
    assert found["exchange_id"].to_list() == ["x1", "x2", "x3", "x5"]


@pytest.mark.parametrize(
    ("told", "good"),
    [
        pytest.param({"platform": "shopee", "response_body": "{}"}, True, id="a platform's body without a failure"),
        pytest.param({"platform": "shopee"}, False, id="no body"),
        pytest.param({"response_body": "{}"}, False, id="nobody knows whose body"),
        pytest.param({"platform": "shopee", "response_body": "{}", "failure": "body"}, False, id="a failure"),
    ],
)
def test_an_answer_without_a_status_is_good_by_its_body(told: dict[str, object], good: bool) -> None:
    row = {"exchange_id": "x0", "direction": "out", "answer_state": "answered", **told}
    assert Frame(frame_of([row], EXCHANGES), empty(RECORDS)).take([0])["good"].item() is good
