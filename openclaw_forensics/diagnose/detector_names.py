"""The detectors there are: modules of detectors/, as rules name them."""

from __future__ import annotations

NAMES = (
    "tokens",
    "clock",
    "callbacks",
    "fields",
    "swapped",
    "new_field",
    "outage",
    "signature",
    "deprecation",
    "mixup",
    "duplicates",
    "sync",
    "receivers",
    "front",
)
