"""Contrasts where the log hides the tokens: the shop stands for its token until a new one is fetched."""

from __future__ import annotations

import pytest

from openclaw_forensics.diagnose.contrasts import Contrasts, Group
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.load import load
from tests.diagnose.detectors.asked import API, acme, call
from tests.link.rows import with_identity
from tests.platforms import rows as made

REFUSED = {"status": 401, "body": '{"code":"invalid_token","message":"invalid token"}'}
LIST, SHIP, REFRESH = f"{API}/orders?shop=7", f"{API}/shipments?shop=7", f"{API}/stock?shop=7"
OTHERS = f"{API}/orders?shop=8"


def one(minutes, url, **others):
    return call(minutes, url, token=None, **({"method": "POST"} if url != LIST else {}) | others)


def holds(contrast, rows):
    """What the contrast says of the only failing call; stock updates play the part of a refresh."""
    placed = [
        {"exchange_id": f"x{n}", "source_file": "a", "line": n, "zone_basis": "given", "time_quality": "exact"} | r
        for n, r in enumerate(rows)
    ]
    exchanges, records = annotate(made.frame(*placed), made.records(), load().with_pack(acme()), made.options())
    frame = Frame(with_identity(exchanges), records)
    contrasts = Contrasts(frame, frozenset({"stock.update"}), {})
    return contrasts.holds(contrast, Group(frame, frame.failures))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([one(0, SHIP, **REFUSED), one(1, LIST)], True, id="another operation passes"),
        pytest.param([one(0, SHIP, **REFUSED), one(1, OTHERS, method="GET")], None, id="another shop"),
        pytest.param([one(0, SHIP, **REFUSED), one(40, LIST)], None, id="too late"),
        pytest.param([one(0, SHIP, **REFUSED), one(1, REFRESH), one(2, LIST)], None, id="after a new token"),
        pytest.param([one(0, LIST), one(1, SHIP, **REFUSED)], None, id="only before"),
    ],
)
def test_a_hidden_token_works_elsewhere(rows, expected):
    assert holds("token_works_elsewhere", rows) is expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([one(0, LIST), one(1, SHIP, **REFUSED)], True, id="the shop's call passed"),
        pytest.param([one(0, OTHERS, method="GET"), one(1, SHIP, **REFUSED)], None, id="another shop's"),
        pytest.param([one(0, SHIP, **REFUSED), one(1, LIST)], None, id="only after"),
    ],
)
def test_a_hidden_token_worked_before(rows, expected):
    assert holds("token_worked_before", rows) is expected


TOKEN = "https://api.mercadolibre.com/oauth/token"
DEAD = {"status": 400, "body": '{"error":"invalid_grant","message":"Error validating grant.","status":400}'}


def renewal(minutes, **others):
    """A token call whose form was not logged."""
    return call(minutes, TOKEN, token=None, method="POST", request_body_state="not_recorded", **others)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([renewal(0), renewal(360, **DEAD)], True, id="the same call passed before"),
        pytest.param([renewal(0, **DEAD), renewal(360)], False, id="only after"),
        pytest.param([renewal(0, **DEAD)], False, id="never"),
    ],
)
def test_a_renewal_passed_before(rows, expected):
    assert holds("refresh_worked_before", rows) is expected
