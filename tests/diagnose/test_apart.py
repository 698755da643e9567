"""Too many calls, says the platform, and the capture shows one a minute: nobody is named for it."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms.model import ErrorRow
from tests.diagnose.detectors.asked import API, acme, call, capture, found

ERRORS = (ErrorRow.model_validate({"code": "limit", "cause": "rate.throttled", "party": "erp", "confidence": 0.9}),)


def refused(minutes, words="slow down"):
    return call(minutes, f"{API}/orders?shop=1", status=429, answer=f'{{"code":"limit","message":"{words}"}}')


def passed(minutes):
    return call(minutes, f"{API}/orders?shop=1", answer="{}")


APART = [refused(n) for n in range(1, 5)]


@pytest.mark.parametrize(
    ("rows", "party"),
    [
        pytest.param([passed(0), *APART], "undetermined", id="one a minute"),
        pytest.param([*(passed(n / 60) for n in range(20)), *APART], "erp", id="after a burst"),
        pytest.param([refused(n / 60) for n in range(8)], "erp", id="a burst"),
        pytest.param(APART[:3], "erp", id="too few to tell"),
        pytest.param([refused(n, "daily quota used up") for n in range(5)], "erp", id="the day's quota"),
        pytest.param([row | {"started_at": None} for row in APART], "erp", id="no times"),
    ],
)
def test_who_is_named_for_too_many_calls(rows, party):
    (root,) = found(capture(rows, pack=acme().model_copy(update={"errors": ERRORS})), "rate.throttled")
    assert root.judgement.party == party
