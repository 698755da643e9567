"""A request's stamp in the unit it was really written in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_forensics.platforms.model import TimestampRule
from openclaw_forensics.platforms.stamps import read_stamp

AT = datetime(2026, 3, 5, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "rule", "unit"),
    [
        ("1772676000", {}, "s"),
        ("1772676000000", {"unit": "s"}, "ms"),
        ("1772676000000000", {}, "us"),
        ("1772676000000000000", {}, "ns"),
        ("1772676000.0", {}, "s"),
        ("20260305T020000Z", {"unit": "iso8601"}, "iso8601"),
        ("2026-03-05T02:00:00Z", {"unit": "iso8601"}, "iso8601"),
        ("2026-03-05T10:00:00+08:00", {"unit": "s"}, "iso8601"),
        ("2026-03-05 10:00:00", {"unit": "text", "format": "%Y-%m-%d %H:%M:%S", "zone": "Asia/Shanghai"}, "text"),
        ("20260305100000", {"unit": "text", "format": "%Y%m%d%H%M%S", "zone": "Asia/Shanghai"}, "text"),
        ("Thu, 05 Mar 2026 02:00:00 GMT", {}, "text"),
    ],
)
def test_reads(text: str, rule: dict[str, str], unit: str) -> None:
    stamp = read_stamp(text, TimestampRule.model_validate(rule))
    assert stamp is not None
    assert (stamp.at, stamp.unit) == (AT, unit)


@pytest.mark.parametrize("text", ["", "soon", "12", "99999999999999999999", "2026-13-40", "0x69a8e0a0"])
def test_no_stamp(text: str) -> None:
    assert read_stamp(text, TimestampRule()) is None


@given(st.text(max_size=80))
def test_any_text_is_a_stamp_or_none(text: str) -> None:
    found = read_stamp(text, TimestampRule(format="%d/%m/%Y"))
    assert found is None or found.at.tzinfo is not None
