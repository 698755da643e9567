# ruff: noqa: E501  log lines stand as their writers print them
"""What a container runtime or a collector put around lines is taken off, whatever the lines are."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from openclaw_forensics.ingest.reading import FileRead
from tests.ingest.readers import read, rows

CALL = '{"level":"info","msg":"api call","method":"GET","url":"https://one.example/a","status":503}'
TIMED = '{"time":"2024-05-01T10:00:00.25Z",' + CALL[1:]
ALARM = '{"level":"error","msg":"token expired"}'


def docker(text: str, stream: str = "stdout", second: int = 0, **more: object) -> str:
    return (
        json.dumps(
            {"log": text, "stream": stream, "time": f"2024-05-01T10:00:0{second}{'' if second else '.5'}Z", **more}
        )
        + "\n"
    )


def messages(result: FileRead) -> list[str]:
    return [message for part in result.parts for message in part.records["message"]]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(docker(TIMED + "\n") + docker(ALARM + "\n"), id="docker json-file"),
        pytest.param(docker(TIMED, logtag="F") + docker(ALARM, logtag="F"), id="fluent-bit"),
        pytest.param(docker(TIMED) + docker(ALARM), id="shipper without line ends"),
        pytest.param(f"2024-05-01T10:00:00.5Z stdout F {TIMED}\n2024-05-01T10:00:01.5Z stderr F {ALARM}\n", id="cri"),
        pytest.param(f"erp-1  | {TIMED}\nerp-1  | {ALARM}\n", id="compose"),
        pytest.param(f"May  1 10:00:00 host erp[811]: {TIMED}\nMay  1 10:00:01 host erp[811]: {ALARM}\n", id="syslog"),
        pytest.param(
            f"2024-05-01T10:00:00+0000 host erp[811]: {TIMED}\n2024-05-01T10:00:01+0000 host erp[811]: {ALARM}\n",
            id="journalctl -o short-iso",
        ),
    ],
)
def test_json_lines_behind_a_wrapping_are_read_by_their_keys(text: str) -> None:
    result = read(text.encode(), "erp.log")
    row = rows(result).row(0, named=True)
    assert (row["url"], row["status"], row["locator"]) == ("https://one.example/a", 503, "lines:1")
    assert row["started_at"] == datetime(2024, 5, 1, 10, 0, 0, 250000, tzinfo=UTC)
    assert messages(result) == ["token expired"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(docker(CALL + "\n"), id="docker json-file"),
        pytest.param(f"2024-05-01T10:00:00.500000000Z stdout F {CALL}\n", id="cri"),
    ],
)
def test_an_object_without_a_time_has_the_collectors(text: str) -> None:
    assert rows(read(text.encode(), "erp.log"))["started_at"][0] == datetime(2024, 5, 1, 10, 0, 0, 500000, tzinfo=UTC)


ASKED = '2024-05-01 10:00:00.120 INFO  [j] c.e.A - POST https://one.example/x {"a":1}'
TOLD = '2024-05-01 10:00:00.420 INFO  [j] c.e.A - 403 {"code":7}'
OTHER = "2024-05-01 10:00:00.130 WARN  [k] c.e.B - slow"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"2024-05-01T10:00:00.5Z stdout P {ASKED[:-2]}\n2024-05-01T10:00:00.5Z stderr F {OTHER}\n"
            f"2024-05-01T10:00:00.5Z stdout F {ASKED[-2:]}\n2024-05-01T10:00:01.0Z stdout F {TOLD}\n",
            id="cri",
        ),
        pytest.param(
            docker(ASKED[:-2]) + docker(OTHER + "\n", "stderr") + docker(ASKED[-2:] + "\n") + docker(TOLD + "\n", second=1),
            id="docker json-file",
        ),
        pytest.param(
            docker(ASKED[:-2], kubernetes={"pod_name": "a"}) + docker(OTHER + "\n", kubernetes={"pod_name": "b"})
            + docker(ASKED[-2:] + "\n", kubernetes={"pod_name": "a"}) + docker(TOLD + "\n", kubernetes={"pod_name": "a"}),
            id="two pods",
        ),
    ],
)  # fmt: skip
def test_a_line_that_was_cut_goes_on_in_its_own_stream(text: str) -> None:
    result = read(text.encode(), "erp.log")
    row = rows(result).row(0, named=True)
    assert (row["request_body"], row["status"], row["locator"]) == ('{"a":1}', 403, "lines:1-4")
    assert messages(result) == ["slow"]


def test_a_cut_line_whose_rest_never_comes_keeps_nothing_back() -> None:
    text = f"2024-05-01T10:00:00.5Z stdout P {OTHER}\n" + f"2024-05-01T10:00:01.5Z stderr F {OTHER}\n" * 3
    assert messages(read(text.encode(), "erp.log"))[0] == "slow"


def test_an_access_line_behind_cri_has_the_clients_address() -> None:
    line = '203.0.113.7 - - [01/May/2024:10:00:00 +0000] "POST /hook HTTP/1.1" 200 7 "-" "Push/1.0" 80 0.012 [x-5678] [] 10.244.0.9:5678 7 0.010 200 c99\n'
    text = f"2024-05-01T10:00:00.5Z stdout F {line}" * 3
    assert set(rows(read(text.encode(), "erp.log"))["client_address"]) == {"203.0.113.7"}
