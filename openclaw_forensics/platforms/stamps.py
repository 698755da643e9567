"""A request's own stamp: the instant it names, and the unit it was really written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from openclaw_forensics.platforms.model import TimestampRule

_EPOCH = re.compile(r"^[0-9]{9,19}(?:\.[0-9]{1,9})?$")
_BASIC = "%Y%m%dT%H%M%SZ"  # ISO 8601 basic, as AWS SigV4 writes it
# Digits of a present-day epoch tell its unit: 10 for seconds, 13, 16 and 19 for milli-, micro- and nanoseconds.
_UNITS = ((11, "s", 1), (14, "ms", 1_000), (17, "us", 1_000_000), (20, "ns", 1_000_000_000))


@dataclass(frozen=True, slots=True)
class Stamp:
    """The instant in UTC, and the unit as written: s, ms, us, ns, iso8601 or text."""

    at: datetime
    unit: str


def read_stamp(text: str, rule: TimestampRule) -> Stamp | None:
    """Read a stamp in any usual form; `rule` gives the format and zone of a written-out one. None if it is none."""
    text = text.strip()[:64]
    if rule.unit == "text" and rule.format is not None and (at := _parsed(text, rule.format)) is not None:
        return Stamp(_in_zone(at, rule.zone), "text")  # fourteen digits may be a date as well
    if _EPOCH.match(text):
        return _epoch(text)
    for form in (rule.format, _BASIC):
        if form is not None:
            at = _parsed(text, form)
            if at is not None:
                return Stamp(_in_zone(at, rule.zone), "text" if form == rule.format else "iso8601")
    try:
        return Stamp(_in_zone(datetime.fromisoformat(text), rule.zone), "iso8601")
    except ValueError:
        return _http_date(text)


def _http_date(text: str) -> Stamp | None:
    """An HTTP date (RFC 9110, 5.6.7)."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return Stamp(_in_zone(at, "UTC"), "text")


def _epoch(text: str) -> Stamp | None:
    whole = text.partition(".")[0]
    for digits, unit, factor in _UNITS:
        if len(whole) < digits:
            try:
                return Stamp(datetime.fromtimestamp(float(text) / factor, UTC), unit)
            except (ValueError, OverflowError, OSError):
                return None
    return None


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # the zone follows
    except ValueError:
        return None


def _in_zone(at: datetime, zone: str) -> datetime:
    if at.tzinfo is None:
        try:
            at = at.replace(tzinfo=UTC if zone.upper() == "UTC" else ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            at = at.replace(tzinfo=UTC)
    return at.astimezone(UTC)
