"""The result document: what every report is a view of, and the JSON that other programs rely on.

A function of input, options and rules alone: no wall-clock time, no random id, floats rounded to 4 places. Times are
RFC 3339 in UTC by the capture's own clock. `evidence` lists hold indices into the root cause's own `evidence`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from openclaw_forensics.errors import ProblemKind
from openclaw_forensics.words import Text

SCHEMA_VERSION = "1"


def rfc3339(at: datetime) -> str:
    """`at` in UTC, with as many fraction digits (0, 3 or 6) as it needs."""
    at = at.astimezone(UTC)
    spec = "seconds" if at.microsecond == 0 else "milliseconds" if at.microsecond % 1000 == 0 else "microseconds"
    return at.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


Time = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
Number = Annotated[float, PlainSerializer(lambda x: round(x, 4), return_type=float, when_used="json")]
Severity = Literal["error", "warning", "info"]
Failure = Literal["transport", "no_answer", "status", "body", "ack"]
Role = Literal["cause", "symptom", "contrast"]
Lane = Literal["erp", "network", "platform", "receiver", "carrier"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tool(_Model):
    """Who made this document."""

    name: str = "openclaw-forensics"
    version: str
    rules_version: str


class FileProblem(_Model):
    """Something in one file that could not be used."""

    kind: ProblemKind
    line: int | None = None
    offset: int | None = None
    message: str


class InputFile(_Model):
    """One file that was read, or could not be."""

    path: str
    sha256: str | None = None
    format: str | None = None
    writer: str | None = None
    bytes: int | None = None
    exchanges: int = 0
    records: int = 0
    clock_offset_ms: Number | None = None
    problems: tuple[FileProblem, ...] = ()
    balance: dict[str, int] = {}  # bytes by what became of them


class Shop(_Model):
    """A shop of a platform."""

    platform: str | None
    shop: str


class Timezone(_Model):
    """The zone of stamps that carry none."""

    name: str
    assumed: bool


class Assumption(_Model):
    """Something taken for granted."""

    kind: str
    text: Text


class Input(_Model):
    """What was read."""

    files: tuple[InputFile, ...] = ()
    exchanges: int = 0
    failures: int = 0
    callbacks: int = 0
    inbound_other: int = 0
    records: int = 0
    first_at: Time | None = None
    last_at: Time | None = None
    platforms: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    shops: tuple[Shop, ...] = ()
    other_platforms: dict[str, int] = {}
    timezone: Timezone = Timezone(name="UTC", assumed=False)
    assumptions: tuple[Assumption, ...] = ()
    scope: Text | None = None  # said first when the given platform does not fit, or files could not be read


class Label(_Model):
    """Words for an id."""

    name: Text
    plain: Text


class Labels(_Model):
    """Words for the ids of this document."""

    causes: dict[str, Label] = {}
    parties: dict[str, Label] = {}
    origins: dict[str, Label] = {}
    operations: dict[str, Label] = {}
    platforms: dict[str, Label] = {}


class Alternative(_Model):
    """What it may be instead."""

    cause: str
    party: str


class Verdict(_Model):
    """The first root cause, or that none is given."""

    root_cause: str | None
    cause: str
    party: str
    origin: str
    severity: Severity
    confidence: Number
    summary: Text
    alternatives: tuple[Alternative, ...] = ()


class ConfidenceBasis(_Model):
    """Where a confidence comes from."""

    proof: bool = False
    signs: int = 1
    against: int = 0
    capped_by: str | None = None


class Attempts(_Model):
    """How often an operation was tried and failed, from the first failure to the last consequence."""

    operation: str | None
    all: int
    failed: int


class Change(_Model):
    """A change that this follows from."""

    who: str
    what: Text
    announced_at: str | None = None
    effective_at: str | None = None
    source: str | None = None


class Evidence(_Model):
    """One place in the input."""

    exchange: str | None = None
    file: str
    line: int | None = None
    locator: str | None = None
    at: Time | None = None
    method: str | None = None
    url: str | None = None
    status: int | None = None
    quote: str | None = None
    role: Role = "cause"


class Reason(_Model):
    """One step of the argument."""

    text: Text
    evidence: tuple[int, ...] = ()


class PartyView(_Model):
    """Another party: why it is not, or why it may be."""

    party: str
    excluded: bool
    because: Text
    evidence: tuple[int, ...] = ()


class Difference(_Model):
    """One difference between a failing and a good exchange."""

    pointer: str
    kind: Literal["changed", "only_failing", "only_good"]
    failing: str | None = None
    good: str | None = None
    expected: bool = False


class ContrastView(_Model):
    """A failing exchange beside a comparable good one."""

    failing: str
    good: str
    basis: Text
    differences: tuple[Difference, ...] = ()


class Step(_Model):
    """One thing to do."""

    party: str
    text: Text


class Ticket(_Model):
    """What to ask the other side."""

    question: Text
    expected: Text | None = None
    actual: Text | None = None
    exchange: str | None = None


class QuotedRequest(_Model):
    """A request to quote to support."""

    id: str
    at: Time | None = None
    status: int | None = None
    exchange: str | None = None


class QuoteToSupport(_Model):
    """What support needs to find the calls."""

    requests: tuple[QuotedRequest, ...] = ()


class Fix(_Model):
    """What to do, by whom, and how to see that it worked."""

    steps: tuple[Step, ...] = ()
    verify: tuple[Text, ...] = ()
    sources: tuple[str, ...] = ()
    ticket: Ticket | None = None
    quote_to_support: QuoteToSupport = QuoteToSupport()


class Confirm(_Model):
    """How to make sure of a cause before anything is changed: what to look at, and what the capture lacks for it."""

    code: str | None = None  # the error code, where it is the sign
    missing: Text | None = None  # not recorded, and would tell more
    steps: tuple[Text, ...] = ()  # imperatives


class TokenUse(_Model):
    """One use of a token."""

    exchange: str
    at: Time | None = None
    ok: bool


class TokenLife(_Model):
    """The life of one token; names are pseudonyms."""

    name: str
    kind: str
    issued_at: Time | None = None
    expires_at: Time | None = None
    basis: Literal["issued", "derived", "unknown"] = "unknown"
    replaced_by: str | None = None
    uses: tuple[TokenUse, ...] = ()


class ClockPoint(_Model):
    """Request stamp minus server clock, at one exchange."""

    exchange: str
    at: Time | None = None
    offset_ms: Number
    error_ms: Number
    ok: bool


class Clock(_Model):
    """The measured clock offset."""

    window_past_s: Number | None = None
    window_future_s: Number | None = None
    offset_ms: Number | None = None
    drift_ms_per_day: Number | None = None
    points: tuple[ClockPoint, ...] = ()


class Candidate(_Model):
    """A near name."""

    name: str
    score: Number
    why: Text


class FieldView(_Model):
    """A field that differs."""

    pointer: str
    kind: str
    failing: str | None = None
    good: str | None = None
    candidates: tuple[Candidate, ...] = ()
    seen: int | None = None
    of: int | None = None
    first_at: Time | None = None
    documented: bool | None = None
    exchange: str | None = None


class Details(_Model):
    """Typed per cause."""

    tokens: tuple[TokenLife, ...] | None = None
    clock: Clock | None = None
    fields: tuple[FieldView, ...] | None = None


class RootCause(_Model):
    """One independent cause, with its evidence and the argument."""

    id: str
    cause: str
    party: str
    origin: str
    severity: Severity
    confidence: Number
    confidence_basis: ConfidenceBasis = ConfidenceBasis()
    platform: str | None = None
    environment: str | None = None
    region: str | None = None
    app: str | None = None
    shop: str | None = None
    host: str | None = None
    exit_address: str | None = None
    operations: tuple[str, ...] = ()
    first_at: Time | None = None
    last_at: Time | None = None
    ongoing: bool = False
    last_good_at: Time | None = None
    recovered_at: Time | None = None
    recovered_by: Literal["client", "change"] | None = None
    failures: int = 0
    explains: int = 0
    affected: int = 0
    records: int = 0
    attempts: tuple[Attempts, ...] = ()
    change: Change | None = None
    summary: Text
    reasoning: tuple[Reason, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    parties: tuple[PartyView, ...] = ()
    contrast: ContrastView | None = None
    confirm: Confirm = Confirm()
    fix: Fix = Fix()
    rule: str
    alternatives: tuple[Alternative, ...] = ()
    details: Details = Details()


class Unexplained(_Model):
    """Failures that no rule explains."""

    failures: int = 0
    samples: tuple[Evidence, ...] = ()


class Hidden(_Model):
    """A place where a value was replaced by a pseudonym."""

    pointer: str
    start: int | None = None
    end: int | None = None
    name: str
    length: int | None = None


class Message(_Model):
    """One side of an exchange."""

    headers: tuple[tuple[str, str], ...] | None = None
    headers_state: str = "not_recorded"
    body: str | None = None
    body_state: str = "not_recorded"
    body_size: int | None = None
    truncated_by: Literal["source", "report"] | None = None
    state_reason: str | None = None
    decoded: str | None = None
    decoded_by: tuple[str, ...] = ()
    decrypted_with: str | None = None
    hidden: tuple[Hidden, ...] = ()


class Mark(_Model):
    """The telling part; `pointer` is RFC 6901 into this exchange (/request/body/…, /response/headers/…)."""

    pointer: str
    kind: str
    missing: bool = False
    why: Text


class LanePath(_Model):
    """Which sides a call reached. In JSON: from, to, broken_at."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)

    from_: Lane = Field(alias="from")
    to: Lane
    broken_at: Lane | None = None


class SourcePlace(_Model):
    """Where an exchange was seen."""

    file: str
    line: int | None = None
    locator: str | None = None
    raw_stamp: str | None = None


class ExchangeView(_Model):
    """One exchange, redacted and bounded."""

    id: str
    platform: str | None = None
    environment: str | None = None
    app: str | None = None
    shop: str | None = None
    client_address: str | None = None
    server_address: str | None = None
    operation: str | None = None
    direction: str
    at: Time | None = None
    duration_ms: Number | None = None
    attempt: int = 1
    method: str | None = None
    url: str | None = None
    status: int | None = None
    transport_error: str | None = None
    transport_error_text: str | None = None
    failed: bool = False
    failure: Failure | None = None
    root_cause: str | None = None
    recovered: bool = False
    error_code: str | None = None
    error_message: str | None = None
    request_id: str | None = None
    object_id: str | None = None
    path: LanePath
    request: Message
    response: Message
    stack: str | None = None
    marks: tuple[Mark, ...] = ()
    sources: tuple[SourcePlace, ...] = ()


class Series(_Model):
    """Counts per bucket."""

    platform: str | None = None
    shop: str | None = None
    operation: str | None = None
    direction: str
    start: Time
    ok: tuple[int, ...]
    failed: tuple[int, ...]


class Gap(_Model):
    """A time from which nothing was recorded. In JSON: from, to."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)

    from_: Time = Field(alias="from")
    to: Time


class TimelineMark(_Model):
    """Something that happened."""

    at: Time
    kind: Literal["onset", "recovery", "token_issued", "token_expired", "deploy", "version", "announcement"]
    text: Text
    root_cause: str | None = None


class Timeline(_Model):
    """Traffic over time."""

    bucket_s: int = 60
    series: tuple[Series, ...] = ()
    gaps: tuple[Gap, ...] = ()
    marks: tuple[TimelineMark, ...] = ()


class Check(_Model):
    """A rule or detector, and what it said."""

    rule: str
    cause: str
    result: Literal["hit", "sound", "not_applicable"]
    exchanges: int = 0
    missing: tuple[str, ...] = ()


class Blind(_Model):
    """What this capture cannot show."""

    what: Text
    how_to_capture: Text


class Redaction(_Model):
    """What was hidden."""

    hidden: dict[str, int] = {}
    ids_hidden: bool = False


class Notice(_Model):
    """Something worth knowing that is no cause."""

    id: str
    text: Text
    at: Time | None = None
    evidence: tuple[Evidence, ...] = ()


class Result(_Model):
    """The whole document."""

    schema_version: Literal["1"] = "1"
    tool: Tool
    options: dict[str, Any] = {}
    case: dict[str, Any] | None = None
    input: Input
    labels: Labels = Labels()
    verdict: Verdict | None = None
    root_causes: tuple[RootCause, ...] = ()
    unexplained: Unexplained = Unexplained()
    exchanges: tuple[ExchangeView, ...] = ()
    timeline: Timeline = Timeline()
    checks: tuple[Check, ...] = ()
    blind: tuple[Blind, ...] = ()
    redaction: Redaction = Redaction()
    notices: tuple[Notice, ...] = ()
