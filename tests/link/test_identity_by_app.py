"""An app joins what names no shop, but never two shops: a token refresh names the app and the token, not the shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from openclaw_forensics.exchanges import EXCHANGES, frame_of
from tests.link.rows import with_identity

START = datetime(2026, 11, 18, 6, tzinfo=UTC)


def _row(minute: int, **fields: object) -> dict[str, object]:
    return {"exchange_id": f"e{minute}", "platform": "market", "started_at": START + timedelta(minutes=minute)} | fields


def _refresh(minute: int, refresh_token: str, access_token: str) -> dict[str, object]:
    issued = [{"kind": "access_token", "token": access_token, "expires_in_s": 3600.0}]
    return _row(minute, app="app", refresh_token=refresh_token, issued_tokens=issued)


TWO_SHOPS = [
    _refresh(0, "r1", "a1"),
    _row(1, token="a1", shop="north"),
    _refresh(2, "r2", "a2"),
    _row(3, token="a2", shop="south"),
    _row(4, app="app", refresh_token="r1"),
]
TWO_UNNAMED = [_refresh(0, "r1", "a1"), _refresh(1, "r2", "a2"), _row(2, token="a1"), _row(3, token="a2")]
ONE_ROTATING = [
    _refresh(0, "r1", "a1"),
    _row(1, token="a1", shop="north"),
    _refresh(2, "r2", "a2"),
    _row(3, token="a2"),
]
ONLY_THE_APP = [_row(0, app="app"), _row(1, token="a1", shop="north", app="app")]


@pytest.mark.parametrize(
    ("rows", "identities", "shops"),
    [
        pytest.param(
            TWO_SHOPS, ["i1", "i1", "i2", "i2", "i1"], ["north", "north", "south", "south", "north"], id="shops"
        ),
        pytest.param(TWO_UNNAMED, ["i1", "i2", "i1", "i2"], [None] * 4, id="interleaved-tokens"),
        pytest.param(ONE_ROTATING, ["i1"] * 4, ["north"] * 4, id="one-shop"),
        pytest.param(ONLY_THE_APP, ["i1", "i1"], ["north", "north"], id="app-alone"),
    ],
)
def test_one_app(rows: list[dict[str, object]], identities: list[str], shops: list[str | None]) -> None:
    linked = with_identity(frame_of(rows, EXCHANGES))

    assert linked["identity"].to_list() == identities
    assert linked["shop"].to_list() == shops
