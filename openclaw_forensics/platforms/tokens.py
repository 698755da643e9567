"""Tokens that an answer issues: their kind, their fingerprint, and how long they are said to live."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from openclaw_forensics.platforms import places
from openclaw_forensics.platforms.masks import fingerprint, is_masked
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Issued

MAX_SECONDS = 1e13  # a life or end beyond this is no number of seconds

Token = dict[str, Any]  # kind, token (fingerprint), expires_in_s


def issued(message: Message, rule: Issued, key: bytes) -> list[Token] | None:
    """The tokens in a token answer, None where it carries none."""
    at: datetime | None = message.row.get("started_at")
    found: list[Token] = []
    kinds = (
        ("access_token", rule.access_token, rule.expires_in),
        ("refresh_token", rule.refresh_token, rule.refresh_expires_in),
    )
    for kind, where, life in kinds:
        value = places.value(where, message)
        if value is not None:
            mark = None if is_masked(value) else fingerprint(value, key)
            lasts = seconds(places.value(life, message), rule.expires_unit, at)
            found.append({"kind": kind, "token": mark, "expires_in_s": lasts})
    return found or None


def seconds(text: str | None, unit: str, at: datetime | None) -> float | None:
    """A life in seconds; absolute ends are counted from `at`, the exchange's own time."""
    if text is None:
        return None
    try:
        if unit == "iso8601":
            end = datetime.fromisoformat(text.strip())
            ends_at = (end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp()
        else:
            ends_at = float(text) / (1000 if unit in ("ms", "epoch_ms") else 1)
    except (ValueError, OverflowError):
        return None
    if not 0 <= ends_at < MAX_SECONDS:
        return None
    if unit in ("s", "ms"):
        return ends_at
    return None if at is None else ends_at - at.timestamp()
