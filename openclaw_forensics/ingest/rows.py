"""Rows of the exchanges frame for readers that go message by message: what they share is said once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.exchanges import READ_COLUMNS, RECORDS, empty, frame_of
from openclaw_forensics.ingest.api import Balance, Part
from openclaw_forensics.ingest.decode import NOT_RECORDED, Body
from openclaw_forensics.ingest.neterrors import cancelled, transport_error
from openclaw_forensics.ingest.urls import url_columns, version_of

Row = dict[str, object]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Half:
    """A request or a response. `headers` None: not recorded."""

    headers: list[tuple[str, str]] | None = None
    body: Body = NOT_RECORDED
    version: str | None = None


NOTHING = Half()


@dataclass(frozen=True, slots=True)
class When:
    """When an exchange began, and how long it took in milliseconds."""

    at: datetime | None = None
    raw: str | None = None
    quality: str = "missing"
    basis: str = "given"
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `open`: the capture ends too soon to say; `error`: the client's or proxy's words."""

    status: int | None = None
    error: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One attempt, as a reader found it."""

    locator: str
    method: str | None
    url: str | None
    when: When = field(default_factory=When)
    request: Half = NOTHING
    response: Half = NOTHING
    outcome: Outcome = field(default_factory=Outcome)
    line: int | None = None
    client_address: str | None = None
    server_address: str | None = None
    reason: str | None = None  # said of the whole, before what the bodies say
    direction: str = "out"

    def row(self) -> Row:
        """The row of READ_COLUMNS, but for what the URL's parts and the file tell."""
        status = self.outcome.status if self.outcome.status and 100 <= self.outcome.status <= 999 else None
        error = self.outcome.error
        reasons = [self.reason, self.request.body.reason, self.response.body.reason]
        return {
            "locator": self.locator,
            "line": self.line,
            "direction": self.direction,
            "method": self.method.upper() if self.method else None,
            "url": self.url,
            "started_at": self.when.at,
            "raw_stamp": self.when.raw,
            "time_quality": self.when.quality if self.when.at else "missing",
            "zone_basis": self.when.basis,
            "duration_ms": self.when.duration_ms,
            "http_version": version_of(self.response.version) or version_of(self.request.version),
            "status": status,
            "answer_state": _answer_state(status, self.outcome),
            "transport_error": transport_error(error) if error and status is None else None,
            "transport_error_text": error[:4000] if error else None,
            "client_address": _address(self.client_address),
            "server_address": _address(self.server_address),
            "state_reason": next((reason for reason in reasons if reason), None),
            **_half("request", self.request),
            **_half("response", self.response),
        }


def part_of(
    exchanges: list[Exchange], problems: list[Problem], balance: Balance, name: str, writer: str | None = None
) -> Part:
    """One part of the rows of `exchanges`."""
    frame = frame_of([exchange.row() for exchange in exchanges], READ_COLUMNS)
    frame = frame.with_columns(
        *url_columns(frame["url"]), pl.lit(name).alias("format"), pl.lit(writer, dtype=pl.String).alias("writer")
    )
    return Part(frame, empty(RECORDS), tuple(problems), balance, writer=writer)


def problem_part(problem: Problem, size: int) -> Part:
    """A part that says why `size` bytes gave nothing."""
    return part_of([], [problem], Balance(problems=size), "")


def epoch(seconds: object) -> datetime | None:
    """An instant from epoch seconds, None when it is no time between 1970 and 2200."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < 7_258_118_400:
        return None
    return _EPOCH + timedelta(seconds=seconds)


def _answer_state(status: int | None, outcome: Outcome) -> str:
    if status is not None:
        return "answered"
    if outcome.error:
        return "cancelled" if cancelled(outcome.error) else "missing"
    return "open" if outcome.open else "missing"


def _half(side: str, half: Half) -> Row:
    headers = [{"name": name, "value": value} for name, value in half.headers] if half.headers else None
    return {
        f"{side}_headers": headers,
        f"{side}_headers_state": "recorded" if headers else "not_recorded",
        f"{side}_body": half.body.text,
        f"{side}_body_bytes": half.body.bytes,
        f"{side}_body_exact": half.body.exact,
        f"{side}_body_state": half.body.state,
    }


def _address(address: str | None) -> str | None:
    return address.removeprefix("::ffff:").strip("[] ") or None if address else None


def iso(text: str | None, duration_ms: float | None = None) -> When:
    """When, from an ISO 8601 stamp with any number of fraction digits; one without a zone is kept as if it were UTC."""
    took = duration_ms if duration_ms is not None and duration_ms >= 0 else None
    if not text or text.startswith("0001-"):  # .NET's zero: not reached
        return When(None, text or None, duration_ms=took)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return When(None, text, duration_ms=took)
    quality = "exact" if at.microsecond or "." in text else "second"
    if at.tzinfo is None:
        return When(at.replace(tzinfo=UTC), text, quality, "assumed", took)
    try:
        return When(at.astimezone(UTC), text, quality, "given", took)
    except OverflowError:
        return When(None, text, duration_ms=took)
