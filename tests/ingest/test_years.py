"""The year of stamps that have none comes from what lies nearest; where nothing tells it, the time is missing."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from openclaw_forensics.ingest.reading import read_source
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.stamps import nearest_year
from openclaw_forensics.ingest.walk import walk
from tests.ingest.readers import rows

CALL = 'Dec 31 23:59:58 host erp[8]: POST https://one.example/o {"a":1}\nJan  1 00:00:01 host erp[8]: 200 {"code":0}\n'


def started(folder: Path, name: str) -> tuple[datetime, str]:
    """The start of the only call in that file, read beside the others of the folder, and its time's quality."""
    (source,) = (s for s in walk([str(folder)]) if isinstance(s, Source) and s.path.endswith(name))
    row = rows(read_source(source)).row(0, named=True)
    return row["started_at"].replace(tzinfo=None), row["time_quality"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        pytest.param("erp.log-20240101", "", id="the file's name"),
        pytest.param("erp.log", "Dec 31 23:59:59 host erp[8]: Date: Sun, 31 Dec 2023 23:59:59 GMT\n", id="a header"),
        pytest.param("erp.log", 'Jan  1 00:00:02 host erp[8]: {"timestamp":1704067202}\n', id="a signed epoch"),
    ],
)  # fmt: skip
def test_the_file_itself_tells_the_year(tmp_path: Path, name: str, more: str) -> None:
    (tmp_path / name).write_text(CALL + more, encoding="utf-8")
    assert started(tmp_path, name) == (datetime(2023, 12, 31, 23, 59, 58), "second")


@pytest.mark.parametrize(
    ("other", "text"),
    [
        pytest.param("proxy-2024-01-01.log", "nothing\n", id="its name"),
        pytest.param("proxy.log", "2024-01-01T00:00:03Z ERROR late\n", id="its lines"),
        pytest.param("proxy.log", "2024-04-01T00:00:03Z ERROR much later\n", id="its lines of another month"),
    ],
)
def test_a_file_beside_tells_the_year(tmp_path: Path, other: str, text: str) -> None:
    (tmp_path / "erp.log").write_text(CALL, encoding="utf-8")
    (tmp_path / other).write_text(text, encoding="utf-8")
    assert started(tmp_path, "erp.log") == (datetime(2023, 12, 31, 23, 59, 58), "second")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("", id="nothing"),
        pytest.param('Jan  1 00:00:02 host erp[8]: {"created_at":"2019-06-02 10:00:00"}\n', id="an old order's date"),
    ],
)
def test_an_unknown_year_is_no_time(tmp_path: Path, more: str) -> None:
    (tmp_path / "erp.log").write_text(CALL + more, encoding="utf-8")
    assert started(tmp_path, "erp.log")[1] == "missing"


@pytest.mark.parametrize(
    ("month", "day", "near", "expected"),
    [
        pytest.param(12, 31, date(2024, 1, 1), date(2023, 12, 31), id="back over New Year"),
        pytest.param(1, 1, date(2023, 12, 31), date(2024, 1, 1), id="on over New Year"),
        pytest.param(2, 29, date(2025, 2, 28), date(2024, 2, 29), id="a leap day"),
        pytest.param(2, 30, date(2025, 2, 28), None, id="no day"),
    ],
)
def test_the_nearest_year(month: int, day: int, near: date, expected: date | None) -> None:
    assert nearest_year(month, day, near) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "E0517 15:04:22.619632 811 erp.go:253] token refresh failed\n"
            "I0517 15:04:23.619632 811 erp.go:9] Date: Fri, 17 May 2024 15:04:23 GMT\n",
            datetime(2024, 5, 17, 15, 4, 22, 619632),
            id="klog",
        ),
        pytest.param(
            "17/06/09 20:10:40 ERROR client.Orders: token refresh failed\n",
            datetime(2017, 6, 9, 20, 10, 40),
            id="Spark",
        ),
    ],
)
def test_short_days(tmp_path: Path, text: str, expected: datetime) -> None:
    (tmp_path / "erp.log").write_text(text, encoding="utf-8")
    (source,) = (s for s in walk([str(tmp_path)]) if isinstance(s, Source))
    (part,) = read_source(source).parts
    assert part.records["at"][0].replace(tzinfo=None) == expected
