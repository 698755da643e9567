"""Masked values have no fingerprint; equal secrets have equal ones within a run and not across runs."""

from __future__ import annotations

import polars as pl
import pytest

from openclaw_forensics.platforms.masks import SAMPLE, fingerprint, fingerprints, is_masked


@pytest.mark.parametrize(
    "value",
    [
        "***",
        "abc***def",
        "[REDACTED]",
        "masked",
        "Bearer [FILTERED]",
        "xxxx",
        "XXXXXXXX",
        "<access_token>",
        "{{token}}",
        "…",
    ],
)
def test_masks(value: str) -> None:
    assert is_masked(value)


@pytest.mark.parametrize(
    "value", ["Atza|IwEBIPOq3Lyo", "d*e", "xx-1", "a<b>c", "unmaskedness", "APP_USR-5519022", "1767", "secretly"]
)
def test_real_values(value: str) -> None:
    assert not is_masked(value)


def test_fingerprint_depends_on_value_and_key() -> None:
    assert fingerprint("a", b"k1") == fingerprint("a", b"k1")
    assert fingerprint("a", b"k1") != fingerprint("b", b"k1")
    assert fingerprint("a", b"k1") != fingerprint("a", b"k2")
    assert len(fingerprint("a", b"k1")) == 16


@pytest.mark.parametrize("repeats", [1, SAMPLE], ids=["distinct", "repeating"])
def test_column_equals_single_values(repeats: int) -> None:
    values = ["a", "***", None, " ", "b"] * repeats
    expected = [fingerprint("a", b"k"), None, None, None, fingerprint("b", b"k")] * repeats
    assert fingerprints(pl.Series(values, dtype=pl.String), b"k").to_list() == expected
