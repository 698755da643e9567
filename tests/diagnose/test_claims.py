"""Catalogue rows for an answer: telling words of common/ before a pack's bare code, not before its own words."""

from __future__ import annotations

from datetime import date

import pytest

from openclaw_forensics.diagnose.catalogue import Catalogue
from openclaw_forensics.diagnose.claims import _match
from openclaw_forensics.platforms.model import ErrorRow

ROW = {
    "platform": "one", "error_code": "1000", "error_subcode": None, "status": 200, "operation": None, "step": None,
    "error_message": "The seller status is inactive", "item_failures": None,
}  # fmt: skip


def catalogue(name: str, **fields: object) -> Catalogue:
    row = ErrorRow.model_validate({"source": ["https://one.example/"], "checked": date(2026, 1, 1), **fields})
    return Catalogue(name, (row,), lambda entry, exchange: True)


TELLING = {"match": r"\bseller\b.{0,30}\binactive\b", "insistent": True, "cause": "auth.account_not_eligible"}


@pytest.mark.parametrize(
    ("own", "telling", "cause"),
    [
        pytest.param({"code": "1000"}, TELLING, "auth.account_not_eligible", id="bare-code"),
        pytest.param({"code": "1000", "match": "inactive"}, TELLING, "api.platform_outage", id="the-packs-own-words"),
        pytest.param({"code": "1000"}, TELLING | {"insistent": False}, "api.platform_outage", id="ordinary-words"),
        pytest.param({"code": "1000"}, TELLING | {"match": "buyer"}, "api.platform_outage", id="other-words"),
    ],
)
def test_telling_words_go_before_a_bare_code(own: dict[str, object], telling: dict[str, object], cause: str) -> None:
    found = _match(ROW, catalogue("one", cause="api.platform_outage", **own), catalogue("http", **telling))
    assert found is not None
    assert found.entry.cause == cause
