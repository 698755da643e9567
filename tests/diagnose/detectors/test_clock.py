"""The sender's clock by its stamps: a steady offset is the clock's, an old stamp sent again is a held one."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms.model import ErrorRow
from tests.diagnose.detectors.asked import API, START, acme, call, capture

ERRORS = (ErrorRow.model_validate({"code": "stamp", "cause": "sign.timestamp_skew", "confidence": 0.6}),)
REFUSED = '{"code":"stamp","message":"Timestamp is expired"}'


def _pack():
    pack = acme(timestamp={"unit": "s", "window_past_s": 300, "window_future_s": 300})
    return pack.model_copy(update={"errors": ERRORS})


def _refused(at: float, stamp: float):
    """Seen by a proxy whose clock is right: `at` and `stamp` in seconds from the start."""
    made = int(START.timestamp() + stamp)
    date = {"Date": f"Tue, 17 Mar 2026 06:{int(at) // 60:02d}:{int(at) % 60:02d} GMT"}
    return call(
        at / 60, f"{API}/orders?shop=1&ts={made}", status=403, answer=REFUSED, response=date,
        zone_basis="given", time_quality="exact",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        pytest.param([_refused(t, t - 420) for t in (0, 60, 200, 900)], "sign.timestamp_skew", id="steady-offset"),
        pytest.param(
            [_refused(t + d, t - 420) for t in (0, 300, 900) for d in (0, 0.4)], "sign.timestamp_skew", id="same-second"
        ),
        pytest.param([_refused(t, -400) for t in (0, 60, 200, 900)], "sign.timestamp_stale", id="one-stamp-again"),
        pytest.param(
            [_refused(t, t - o) for t, o in ((0, 400), (60, 700), (200, 1000))], "sign.timestamp_stale", id="held"
        ),
    ],
)
def test_what_the_offset_shows(rows, cause):
    roots = capture(rows, pack=_pack()).roots

    assert [root.owned.finding.cause for root in roots] == [cause]
