"""Tokens that an answer issues."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openclaw_forensics.platforms.masks import fingerprint
from openclaw_forensics.platforms.model import Issued
from openclaw_forensics.platforms.tokens import issued, seconds
from tests.platforms.rows import KEY, message

AT = datetime(2026, 1, 1, tzinfo=UTC)
RULE = Issued(
    access_token=("response.json:/access_token",),
    refresh_token=("response.json:/refresh_token",),
    expires_in=("response.json:/expires_in",),
)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("3600", "s", 3600.0),
        ("3600000", "ms", 3600.0),
        ("1767229200", "epoch_s", 3600.0),
        ("1767229200000", "epoch_ms", 3600.0),
        ("2026-01-01T01:00:00Z", "iso8601", 3600.0),
        ("2026-01-01T09:00:00+08:00", "iso8601", 3600.0),
        ("soon", "s", None),
        ("nan", "s", None),
        ("-5", "s", None),
        ("1e300", "s", None),
        (None, "s", None),
    ],
)
def test_lives(text: str | None, unit: str, expected: float | None) -> None:
    assert seconds(text, unit, AT) == expected


def test_absolute_ends_need_the_exchanges_time() -> None:
    assert seconds("1767229200", "epoch_s", None) is None


def test_both_tokens() -> None:
    answer = '{"access_token":"aaaa","refresh_token":"rrrr","expires_in":60}'
    assert issued(message("https://a.example/", answer=answer), RULE, KEY) == [
        {"kind": "access_token", "token": fingerprint("aaaa", KEY), "expires_in_s": 60.0},
        {"kind": "refresh_token", "token": fingerprint("rrrr", KEY), "expires_in_s": None},
    ]


def test_a_masked_token_was_issued_all_the_same() -> None:
    found = issued(message("https://a.example/", answer='{"access_token":"***"}'), RULE, KEY)
    assert found == [{"kind": "access_token", "token": None, "expires_in_s": None}]


def test_no_token() -> None:
    assert issued(message("https://a.example/", answer="{}"), RULE, KEY) is None
