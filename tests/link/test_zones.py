"""Stamps without a zone: given, inferred from the server's clock, else assumed and marked."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from openclaw_forensics.errors import UsageError
from openclaw_forensics.exchanges import RECORDS, empty, frame_of
from openclaw_forensics.link.zones import ZoneUsed, parse_zone
from openclaw_forensics.link.zones import settle as settle_parts
from tests.link.rows import START, exchanges


def settle(
    frame: pl.DataFrame, records: pl.DataFrame, given: str | None
) -> tuple[pl.DataFrame, pl.DataFrame, ZoneUsed]:
    zones, moved = settle_parts([frame], records, given)
    return zones.moved(frame), moved, zones.used


def dated(value: str) -> list[dict[str, str]]:
    return [{"name": "Date", "value": value}]


def test_given_zone_moves_only_zoneless_stamps() -> None:
    frame = exchanges({"zone_basis": "assumed", "at": 0}, {"zone_basis": "given", "at": 0})
    moved, _, zone = settle(frame, empty(RECORDS), "Asia/Shanghai")
    assert moved["started_at"].to_list() == [datetime(2026, 3, 16, 22, tzinfo=UTC), START]
    assert moved["zone_basis"].to_list() == ["given", "given"]
    assert not zone.assumed


def test_zone_is_inferred_from_the_servers_date() -> None:
    rows = [
        {"zone_basis": "assumed", "at": s, "response_headers": dated(f"Mon, 16 Mar 2026 22:00:{s:02d} GMT")}
        for s in (0, 10, 20)
    ]
    moved, _, zone = settle(exchanges(*rows), empty(RECORDS), None)
    assert zone.name == "UTC+08:00"
    assert moved["started_at"][0] == datetime(2026, 3, 16, 22, tzinfo=UTC)
    assert set(moved["zone_basis"]) == {"inferred"}


def test_zone_is_inferred_from_an_epoch_in_the_request() -> None:
    epoch = int(datetime(2026, 3, 16, 22, tzinfo=UTC).timestamp())
    moved, _, zone = settle(
        exchanges({"zone_basis": "assumed", "at": 0, "request_timestamp": str(epoch)}), empty(RECORDS), None
    )
    assert zone.name == "UTC+08:00"
    assert moved["started_at"][0] == datetime(2026, 3, 16, 22, tzinfo=UTC)


def served(*stamps: str) -> pl.DataFrame:
    rows = [{"zone_basis": "given", "format": "accesslog", "source_file": "web/a.log", "raw_stamp": s} for s in stamps]
    return exchanges(*rows)


def logged(folder: str) -> pl.DataFrame:
    row = {"source_file": f"{folder}/error.log", "zone_basis": "assumed", "at": START, "logger": "nginx"}
    return frame_of([row], RECORDS)


def test_a_servers_error_log_has_the_zone_of_its_access_log() -> None:
    _, moved, zone = settle(served("17/Mar/2026:06:00:00 +0800"), logged("web"), None)
    assert (moved["at"][0], moved["zone_basis"][0]) == (datetime(2026, 3, 16, 22, tzinfo=UTC), "inferred")
    assert (zone.name, zone.assumed, zone.inferred) == ("UTC+08:00", False, True)


@pytest.mark.parametrize(
    ("stamps", "folder"),
    [
        pytest.param(["29/Mar/2026:00:30:00 +0100", "29/Mar/2026:03:30:00 +0200"], "web", id="two zones"),
        pytest.param(["17/Mar/2026:06:00:00 +0800"], "other", id="another folder"),
    ],
)
def test_access_logs_that_tell_no_zone_for_it_leave_it_assumed(stamps: list[str], folder: str) -> None:
    _, moved, zone = settle(served(*stamps), logged(folder), None)
    assert (moved["at"][0], moved["zone_basis"][0], zone.assumed) == (START, "assumed", True)


def test_an_offset_that_no_zone_has_infers_nothing() -> None:
    frame = exchanges({"zone_basis": "assumed", "at": 0, "response_headers": dated("Tue, 17 Mar 2026 06:07:00 GMT")})
    moved, _, zone = settle(frame, empty(RECORDS), None)
    assert zone.assumed
    assert moved["started_at"][0] == START


def test_nothing_to_go_by_is_assumed() -> None:
    _, _, zone = settle(exchanges({"zone_basis": "assumed"}), empty(RECORDS), None)
    assert (zone.name, zone.assumed) == ("UTC", True)


@pytest.mark.parametrize("name", ["Asia/Nowhere", "+25:00", "../etc/passwd", "8"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        parse_zone(name)
