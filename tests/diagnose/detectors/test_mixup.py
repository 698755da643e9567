"""Sandbox and production: a credential of one side refused by the other, and what only looks like it."""

from __future__ import annotations

import pytest

from tests.diagnose.detectors.asked import API, TEST, acme, call, capture, found

CAUSE = "env.sandbox_production_mixup"
REFUSED = '{"code":"invalid_token","message":"The access token is invalid"}'
ERRORS = [{"code": "invalid_token", "cause": "auth.access_token_expired"}]


def _pack(**head):
    return acme(**head).model_copy(update={"errors": _rows()})


def _rows():
    from openclaw_forensics.platforms.model import ErrorRow

    return tuple(ErrorRow.model_validate(e) for e in ERRORS)


def test_a_token_that_production_accepts_and_the_sandbox_refuses_is_on_the_wrong_side():
    rows = [
        call(0, f"{API}/orders?shop=1"),
        call(5, f"{TEST}/orders?shop=1", status=401, answer=REFUSED),
        call(6, f"{API}/orders?shop=1"),
    ]
    [root] = found(capture(rows, pack=_pack()), CAUSE)
    assert (root.owned.direct, root.judgement.party) == ([1], "erp")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [call(0, f"{API}/orders?shop=1"), call(5, f"{TEST}/orders?shop=1", status=401, answer=REFUSED)],
            id="it may have run out",
        ),
        pytest.param(
            [
                call(0, f"{TEST}/orders?shop=1"),
                call(5, f"{TEST}/orders?shop=1", status=401, answer=REFUSED),
                call(6, f"{API}/orders?shop=1"),
            ],
            id="the sandbox took it before",
        ),
        pytest.param(
            [
                call(0, f"{API}/orders?shop=1"),
                call(5, f"{TEST}/orders?shop=1", status=503),
                call(6, f"{API}/orders?shop=1"),
            ],
            id="not refused for its credentials",
        ),
        pytest.param(
            [
                call(0, f"{API}/orders?shop=1", token=None),
                call(5, f"{TEST}/orders?shop=1", status=401, answer=REFUSED, token="another-token"),
                call(6, f"{API}/orders?shop=1", token=None),
            ],
            id="another token",
        ),
    ],
)
def test_what_only_looks_like_it(rows):
    assert found(capture(rows, pack=_pack()), CAUSE) == []


MARKS = [{"place": "request.query:app", "re": "-SBX-"}]


def test_a_sandbox_value_refused_by_production():
    rows = [call(0, f"{API}/orders?app=erp-SBX-1&shop=1", status=401, answer=REFUSED)]
    [root] = found(capture(rows, pack=_pack(sandbox_marks=MARKS)), CAUSE)
    assert root.finding.confidence == pytest.approx(0.85)


def test_a_sandbox_value_refused_by_the_sandbox_is_no_mixup():
    rows = [call(0, f"{TEST}/orders?app=erp-SBX-1&shop=1", status=401, answer=REFUSED)]
    assert found(capture(rows, pack=_pack(sandbox_marks=MARKS)), CAUSE) == []


def test_writing_to_production_first_is_a_remark_and_no_verdict():
    rows = [
        call(0, f"{API}/shipments?app=a1&shop=1", method="POST", body='{"order":"7"}'),
        call(9, f"{TEST}/orders?app=a1&shop=1"),
    ]
    diagnosis = capture(rows)
    [root] = found(diagnosis, CAUSE)
    assert (root.severity, diagnosis.verdict) == ("info", None)


def test_production_alone_is_no_remark():
    rows = [call(0, f"{API}/shipments?app=a1&shop=1", method="POST", body='{"order":"7"}')]
    assert found(capture(rows), CAUSE) == []
