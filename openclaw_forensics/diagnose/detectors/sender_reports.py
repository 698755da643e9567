"""What the sender of callbacks says about its own deliveries: no answer at its limit, none at all, a private address.

Such a report is a call to a receiver that no pack knows. Failing at the sender's limit, the receiver was slow or the
path swallowed it; failing at once, it was not reached. Which of the two sides it was, a report alone never tells.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from datetime import datetime, timedelta

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.words import Text, same

Row = dict[str, object]
_Off = dict[str, list[tuple[datetime, int]]]  # file -> when a record of it says that a webhook was switched off
_UNREACHED = ("dns", "connect", "tls", "proxy")
_LOCAL_NAME = re.compile(r"(?i)^localhost$|\.(?:local|localhost|localdomain|lan|home|intranet)$")


def reports(question: Question) -> list[Finding]:
    """Findings of unanswered deliveries, per receiver."""
    groups: dict[tuple[str, object], list[Row]] = defaultdict(list)
    off = _switched_off(question)
    hook, elsewhere = (re.compile("|".join(question.words(n))) for n in ("report_words", "not_receivers"))
    for row in question.frame.failures:
        host = str(row["host"] or "").lower()
        if not host or not _is_unanswered(row) or elsewhere.search(host):
            continue
        words = f"{row['path'] or ''} {row['client_class'] or ''} {row['transport_error_text'] or ''}"
        kind = _kind(question, row, host, off, says_so=hook.search(words[:4000]) is not None)
        if kind is not None:
            groups[kind, host].append(row)
    return [_finding(question, kind, rows, off) for (kind, _), rows in groups.items()]


def _is_unanswered(row: Row) -> bool:
    return row["direction"] == "out" and row["operation"] is None and row["status"] is None


def _kind(question: Question, row: Row, host: str, off: _Off, *, says_so: bool) -> str | None:
    """private, refused, slow or unreached; None where this is no report of an unanswered delivery, or tells nothing."""
    if is_private(host):
        return "private" if says_so or _disabled_record(row, off) is not None else None
    if not says_so:
        return None
    if row["transport_error"] == "dns":
        return "private"
    if row["transport_error"] in _UNREACHED:
        return "refused"
    return _by_duration(question, row)


def _by_duration(question: Question, row: Row) -> str | None:
    duration = row["duration_ms"]
    if isinstance(duration, int | float):
        return "slow" if duration >= question.number("sender_limit_ms") else "unreached"
    return "slow" if row["transport_error"] == "timeout" else None


def is_private(host: str) -> bool:
    """Whether nobody outside can reach this address (RFC 1918, RFC 4193, loopback, names of a local network).

    Addresses kept for documentation stand for public ones.
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return _LOCAL_NAME.search(host) is not None
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_loopback or any(address in n for n in _PRIVATE)
    return address.is_loopback or address.is_link_local or address in _UNIQUE_LOCAL


_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")))
_UNIQUE_LOCAL = ipaddress.IPv6Network("fc00::/7")


def _switched_off(question: Question) -> _Off:
    """Records that say that a webhook was switched off, by file, in order."""
    pattern = "(?i)" + "|".join(question.words("disabled_words"))
    table = question.frame.records.filter(pl.col("at").is_not_null() & pl.col("message").str.contains(pattern))
    off: _Off = defaultdict(list)
    for file, at, row in table.select("source_file", "at", "row").iter_rows():
        off[str(file)].append((at, int(row)))
    return off


def _disabled_record(row: Row, off: _Off) -> int | None:
    """A record of the same log that says so within the hour after this failure."""
    at = row["started_at"]
    if not isinstance(at, datetime):
        return None
    held = off.get(str(row["source_file"]), [])
    return next((n for when, n in held if timedelta() <= when - at <= timedelta(hours=1)), None)


def _finding(question: Question, kind: str, rows: list[Row], off: _Off) -> Finding:
    numbers = tuple(int(str(r["row"])) for r in rows)
    host = same(str(rows[0]["host"]))
    record = _disabled_record(rows[-1], off) if kind == "private" else None
    text = _words(kind, rows, host)
    steps = [Because(text, numbers[:3])]
    if record is not None:
        steps.append(Because(phrase("report_disabled"), (), (record,)))
    cause = "webhook.slow_ack" if kind == "slow" else "webhook.unreachable"
    sure = question.number(
        f"confidence_{kind}" if len(rows) > 1 or kind in ("private", "refused") else "confidence_lone"
    )
    other = "webhook.unreachable" if kind == "slow" else "webhook.slow_ack"
    return Finding(
        rule=question.rule.id, cause=cause, confidence=sure, platform=_text(rows[0]["platform"]),
        shop=_text(rows[0]["shop"]), identity=_text(rows[0]["identity"]), rows=numbers,
        party="seller" if kind == "private" else "undetermined",
        origin="configuration" if kind == "private" else "unknown",
        records=() if record is None else (record,), because=tuple(steps),
        alternatives=() if kind == "private" else (other, "net.timeout"),
        telling=tuple(Telling(n, "/request/url" if kind == "private" else "/duration_ms", text) for n in numbers[:3]),
        sources=question.rule.source,
    )  # fmt: skip


def _words(kind: str, rows: list[Row], host: Text) -> Text:
    if kind == "private":
        return phrase("report_private", host=host)
    lasted = [d for r in rows if isinstance(d := r["duration_ms"], int | float)]
    if kind == "slow" and lasted:
        return phrase("report_slow", count=len(rows), seconds=f"{max(lasted) / 1000:g}")
    return phrase("report_slow_plain" if kind == "slow" else "report_unreached", count=len(rows))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
