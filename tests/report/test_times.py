"""Zones and clocks as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from babel.dates import format_datetime

from openclaw_forensics.report import times

NOON = datetime(2026, 3, 17, 12, 0, 5, 120_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "clock", "offset"),
    [
        ("UTC", "12:00", "UTC"),
        ("UTC+8", "20:00", "UTC+8"),
        ("+08:00", "20:00", "UTC+8"),
        ("-0330", "08:30", "UTC-3:30"),
        ("Asia/Shanghai", "20:00", "UTC+8"),
        ("../../etc/passwd", "12:00", "UTC"),
        ("Nowhere/Land", "12:00", "UTC"),
        ("+99:00", "12:00", "UTC"),
    ],
)
def test_a_zone_is_a_name_or_an_offset(name: str, clock: str, offset: str) -> None:
    here = times.local(NOON, name)
    assert (times.clock(here), times.offset_name(here)) == (clock, offset)


@pytest.mark.parametrize("edge", [datetime.min, datetime.max])
def test_the_ends_of_the_calendar_are_no_fault(edge: datetime) -> None:
    assert times.local(edge.replace(tzinfo=UTC), "UTC+8") is not None
    assert times.local(edge.replace(tzinfo=UTC), "UTC-8") is not None


def test_clocks() -> None:
    assert times.clock(NOON, seconds=True) == "12:00:05"
    assert times.clock(NOON, millis=True) == "12:00:05.120"
    assert times.utc(NOON + timedelta(hours=1)) == "2026-03-17T13:00:05Z"
    assert times.day_clock(NOON, "en") == "17 Mar 12:00"
    assert times.day_clock(NOON, "zh") == "03-17 12:00"


@pytest.mark.parametrize("month", range(1, 13))
def test_english_months_are_those_of_the_cldr(month: int) -> None:
    at = datetime(2026, month, 7, 4, 5, tzinfo=UTC)
    assert times.day_clock(at, "en") == format_datetime(at, "d MMM HH:mm", locale="en")
