"""The last look at a finished output: no hidden value may stand in it, in any spelling. Fails closed."""

from __future__ import annotations

import base64
import html
import json

from openclaw_forensics.errors import LeakError
from openclaw_forensics.redact.vault import CLOSE, OPEN, Vault


def check(output: str, vault: Vault, what: str) -> None:
    """Raise LeakError when a hidden value stands in `output`; names its kind and place, never its value."""
    if OPEN in output or CLOSE in output:
        raise LeakError(f"{what}: a mark of the redaction is left over; the output was not written")
    for value, name in vault.values():
        for form in _forms(value):
            place = output.find(form)
            if place >= 0:
                line = output.count("\n", 0, place) + 1
                raise LeakError(f"{what}: line {line} would have shown {name}; the output was not written")


def _forms(value: str) -> set[str]:
    return {
        value,
        html.escape(value),
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(value)[1:-1],
        base64.b64encode(value.encode()).decode().rstrip("="),
    }
