"""Times for people: the capture's own zone in sentences, UTC where the two sides compare."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from openclaw_forensics.report.catalogue import Lang

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?")
# Abbreviated months of English (CLDR 45, calendar gregorian, format MMM).
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BEIJING = timezone(timedelta(hours=8))


@functools.cache
def zone(name: str) -> tzinfo:
    """The zone called `name`: an IANA name, or an offset like UTC+8 or +08:00. UTC when it is neither."""
    if (found := _OFFSET.fullmatch(name)) is not None:
        sign = -1 if found[1] == "-" else 1
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return timezone(sign * timedelta(minutes=minutes)) if minutes < 24 * 60 else UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown name, a path in it, a folder
        return UTC


def offset_name(at: datetime) -> str:
    """UTC+8, UTC-3:30 or UTC, for an aware time."""
    minutes = round((at.utcoffset() or timedelta()).total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02}" if rest else "")


def clock(at: datetime, *, seconds: bool = False, millis: bool = False) -> str:
    """14:02, 14:02:11 or 14:02:11.123 in the zone that `at` carries."""
    spec = "milliseconds" if millis else "seconds" if seconds else "minutes"
    return at.replace(tzinfo=None).time().isoformat(spec)


def day_clock(at: datetime, lang: Lang) -> str:
    """03-17 14:02, in English 17 Mar 14:02."""
    return f"{at:%m-%d %H:%M}" if lang == "zh" else f"{at.day} {_MONTHS[at.month - 1]} {at:%H:%M}"


def utc(at: datetime) -> str:
    """2026-03-17T06:02:11Z, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(at: datetime, name: str) -> datetime:
    """`at` in the zone called `name`; unchanged where that would leave the calendar."""
    try:
        return at.astimezone(zone(name))
    except (OverflowError, ValueError):
        return at
