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


SAMPLE = 2_000  # rows that tell whether a column repeats itself


def is_masked(value: str) -> bool:
    """Whether `value` stands in place of the real one."""
    return _MASKED.search(value[:4096]) is not None


def fingerprint(value: str, key: bytes) -> str:
    """16 hexadecimal digits that recognise `value` within one run (BLAKE2b keyed with the run's own key)."""
    return hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=8, key=key).hexdigest()


def fingerprints(values: pl.Series, key: bytes) -> pl.Series:
    """Fingerprints of a text column; masked, blank and null values have none."""
    text = values.alias("v").to_frame()
    usable = (pl.col("v").str.strip_chars() != "") & ~pl.col("v").str.contains(MASKED)
    shown = text.select(pl.when(usable).then(pl.col("v")))["v"]
    begun = hashlib.blake2b(digest_size=8, key=key)

    def mark(value: str) -> str:
        digest = begun.copy()
        digest.update(value.encode("utf-8", "replace"))
        return digest.hexdigest()

    if shown.head(SAMPLE).n_unique() * 2 > min(SAMPLE, len(shown)):
        return pl.Series([None if v is None else mark(v) for v in shown.to_list()], dtype=pl.String)
    distinct = shown.drop_nulls().unique()
    marks = pl.Series([mark(value) for value in distinct.to_list()], dtype=pl.String)
    return shown.replace_strict(distinct, marks, default=None, return_dtype=pl.String)
