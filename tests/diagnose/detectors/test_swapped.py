"""Values in each other's fields, told from wrong values by the forms in accepted requests."""

from __future__ import annotations

import json

import pytest

from openclaw_forensics.platforms.model import ErrorRow
from tests.diagnose.detectors.asked import API, acme, call, capture, found

ERRORS = (ErrorRow.model_validate({"code": "bad", "cause": "schema.invalid_value"}),)
GOOD = {"order": "70010001", "to": {"zip": "60614", "phone": "3125550147", "mail": "a@shop.example", "city": "Reno"}}


def ship(minutes, to, **others):
    body = json.dumps({"order": f"7001000{minutes}", "to": GOOD["to"] | to})
    return call(minutes, f"{API}/shipments?shop=1", method="POST", body=body, **others)


def shifted(*rows):
    pack = acme().model_copy(update={"errors": ERRORS})
    return found(capture(rows, pack=pack), "schema.shifted_fields")


REFUSED = {"status": 400, "answer": '{"code":"bad","message":"zip is invalid"}'}


@pytest.mark.parametrize(
    "to",
    [
        {"zip": "2145550188", "phone": "75201"},
        {"zip": "b@shop.example", "phone": "75201", "mail": "2145550188"},
        {"phone": "b@shop.example", "mail": "2145550188"},
    ],
    ids=["swapped", "all slipped by one", "mail and telephone"],
)
def test_values_in_each_others_fields(to):
    [root] = shifted(ship(0, {}), ship(1, to, **REFUSED))
    assert (root.judgement.party, len(root.owned.direct)) == ("erp", 1)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([ship(0, {}), ship(1, {"zip": "752"}, **REFUSED)], id="one wrong value"),
        pytest.param([ship(0, {}), ship(1, {"zip": "2145550188"}, **REFUSED)], id="one field twice"),
        pytest.param([ship(1, {"zip": "2145550188", "phone": "75201"}, **REFUSED)], id="no accepted request"),
        pytest.param([ship(0, {}), ship(1, {"zip": "2145550188", "phone": "75201"})], id="accepted"),
        pytest.param([ship(0, {}), ship(1, {"zip": "214****188", "phone": "75***"}, **REFUSED)], id="hidden"),
        pytest.param(
            [ship(0, {}), ship(2, {"zip": "2145550188"}), ship(1, {"zip": "2145550188", "phone": "75201"}, **REFUSED)],
            id="a field of several forms",
        ),
    ],
)
def test_what_is_no_slip(rows):
    assert shifted(*rows) == []
