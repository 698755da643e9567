"""Masked values and fingerprints: how two appearances of one secret are recognised without keeping it."""

from __future__ import annotations

import hashlib
import re

import polars as pl

# Stars anywhere; a whole value that is a placeholder word, a run of x or dots, or stands in angle brackets.
MASKED = (
    r"(?i)\*{3,}|•{3,}|^[\[<({]?\s*(?:redacted|filtered|masked|hidden|removed|sanitized|secret|private)\s*[\])>}]?$"
    r"|^x{4,}$|x{8,}|^<[^<>]*>$|^\{\{.*\}\}$|^(?:\.{3,}|…)$|\[(?:redacted|filtered|masked|hidden)\]|^-?masked-?$|-masked\b"
)
_MASKED = re.compile(MASKED)


def is_masked(value: str) -> bool:
    """Whether `value` stands in place of the real one."""
    return _MASKED.search(value[:4096]) is not None


def fingerprint(value: str, key: bytes) -> str:
    """16 hexadecimal digits that recognise `value` within one run (BLAKE2b keyed with the run's own key)."""
    return hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=8, key=key).hexdigest()


def fingerprints(values: pl.Series, key: bytes) -> pl.Series:
    """Fingerprints of a text column; masked, blank and null values have none."""
    distinct = values.drop_nulls().unique()
    distinct = distinct.filter((distinct.str.strip_chars() != "") & ~distinct.str.contains(MASKED))
    if distinct.is_empty():
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    marks = pl.Series([fingerprint(value, key) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, marks, default=None, return_dtype=pl.String)
