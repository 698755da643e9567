"""A read that finds nothing and a PUT that creates it: the client's question, no failure that waits for somebody."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms.model import ErrorRow
from tests.diagnose.detectors.asked import API, acme, call, capture, found

ERRORS = (ErrorRow.model_validate({"code": "none", "cause": "business.not_found"}),)
ITEM = f"{API}/items/A-1?shop=1"


def missed(minutes, url=ITEM, method="GET"):
    return call(minutes, url, method=method, status=404, answer='{"code":"none","message":"no such item"}')


def put(minutes, url=ITEM, method="PUT", status=200):
    return call(minutes, url, method=method, status=status, body='{"title":"x"}', answer="{}")


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        pytest.param([missed(0), put(1)], "info", id="created"),
        pytest.param([missed(0, method="HEAD"), put(1)], "info", id="asked by HEAD"),
        pytest.param([missed(0)], "error", id="never created"),
        pytest.param([put(0), missed(1)], "error", id="gone since"),
        pytest.param([missed(0), put(1, f"{API}/items/B-2?shop=1")], "error", id="another one"),
        pytest.param([missed(0), put(20)], "error", id="much later"),
        pytest.param([missed(0), put(1, method="POST")], "error", id="no creation"),
        pytest.param([missed(0), put(1, status=500)], "error", id="creation failed"),
    ],
)
def test_what_a_missing_object_means(rows, severity):
    (root,) = found(capture(rows, pack=acme().model_copy(update={"errors": ERRORS})), "business.not_found")
    assert root.severity == severity
