"""What had to be taken for granted stands in the document."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_forensics.analysis import analyze

CALL = 'erp1 app[12]: POST https://partner.shopeemobile.com/api/v2/order/get_order_list?shop_id=12 200 {"error":""}\n'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("app.log", {"timezone", "year"}, id="nothing tells the year"),
        pytest.param("app-2026-03-17.log", {"timezone"}, id="the file's name tells it"),
    ],
)
def test_a_year_that_nothing_tells_is_said_to_be_unknown(tmp_path: Path, name: str, expected: set[str]) -> None:
    log = tmp_path / name
    log.write_text("".join(f"Mar 17 06:00:0{n} {CALL}" for n in range(3)), encoding="utf-8")
    result = analyze([log.as_posix()]).result
    assert result.input.exchanges == 3
    assert {a.kind for a in result.input.assumptions} == expected
