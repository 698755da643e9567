"""The last look fails closed, in every spelling of a value."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest

from openclaw_forensics.errors import LeakError
from openclaw_forensics.redact.check import check
from openclaw_forensics.redact.vault import Vault

VALUE = 'Atzr|IQEB<"LjAs&Ahh/+=='


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        html.escape(VALUE),
        quote(VALUE, safe=""),
        json.dumps(VALUE)[1:-1],
        base64.b64encode(VALUE.encode()).decode(),
    ],
    ids=["plain", "html", "percent", "json", "base64"],
)
def test_leak_is_refused(form: str) -> None:
    vault = Vault()
    vault.name("refresh_token", VALUE)
    with pytest.raises(LeakError) as caught:
        check(f"line one\nbefore {form} after", vault, "report.html")
    assert "refresh_token#1" in str(caught.value)
    assert "line 2" in str(caught.value)
    assert VALUE not in str(caught.value)


def test_clean_output_passes() -> None:
    vault = Vault()
    vault.name("refresh_token", VALUE)
    check("refresh_token#1 was refused", vault, "report.html")


def test_left_over_marks_are_refused() -> None:
    with pytest.raises(LeakError):
        check("\ue000x\ue001", Vault(), "report.html")
