"""What a pack may say: the pydantic models behind the TOML files of `rules/<platform>/`.

Places, tests and sources are in `facts`, signature schemes in `signature_model`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from openclaw_forensics.platforms.facts import Model, Place, Places, RawMessage, Sourced, Test
from openclaw_forensics.platforms.signature_model import Scheme
from openclaw_forensics.taxonomy import FixStep
from openclaw_forensics.words import Text

Step = Literal[
    "token", "order", "stock", "ship", "tracking", "listing", "price", "report", "return", "webhook", "shop", "other"
]
# What the rest of the capture says about a group of failures. All are computed, three-valued, by diagnose/contrasts.py.
Contrast = Literal[
    "token_worked_before",  # the same token was accepted earlier in the capture
    "token_works_elsewhere",  # the same token is accepted by another operation after the first refusal
    "never_worked",  # at least two operations of this identity, all refused from the start
    "same_operation_ok",  # the same operation and shop succeeds elsewhere in the capture
    "other_shops_ok",  # another shop of the platform succeeds meanwhile
    "other_regions_ok",  # the same token or shop succeeds on another region's host
    "several_operations",  # more than one operation is refused this way
    "several_shops_failing",  # more than one shop of the app is refused this way
    "refresh_token_reused",  # this refresh token was presented before, and accepted then
    "refresh_worked_before",  # an earlier refresh of this identity succeeded
    "token_aged_out",  # the token is older in the capture than the life that the pack or its issue states
    "identity_one_app_many_shops",  # one app id serves several shops in the capture
    "sandbox_host",  # the exchange went to a sandbox host
    "passed_unchanged_later",  # the same request, unchanged, is accepted later
]


class Host(Sourced):
    """A host, as a glob over the lower-case name."""

    pattern: str
    environment: Literal["production", "sandbox"] | None = None
    region: str | None = None
    role: Literal["api", "auth", "storage", "console", "webhook"] = "api"


class Signature(Model):
    """How an exchange or record is recognised where the host does not tell: all keys given must match."""

    path: str | None = None  # regex on the path
    query: tuple[str, ...] = ()  # parameters, all present (query or form)
    request_headers: tuple[str, ...] = ()  # names, all present
    response_headers: tuple[str, ...] = ()
    body: str | None = None  # regex on request or response text
    record: str | None = None  # regex on the text of a log record, or a client class
    weight: Annotated[float, Field(gt=0, le=1)] = 0.8


class PlaceMap(Model):
    """Where identity and proof sit in a request."""

    app: Places = ()
    shop: Places = ()
    token: Places = ()
    refresh_token: Places = ()
    timestamp: Places = ()
    signature: Places = ()
    key_version: Places = ()
    object_id: Places = ()
    operation: Places = ()  # a method parameter that names the operation, where the path does not
    idempotency_key: Places = ()
    version: Places = ()


class Issued(Model):
    """Where a token answer carries what it issues."""

    access_token: Places = ()
    refresh_token: Places = ()
    expires_in: Places = ()
    refresh_expires_in: Places = ()
    expires_unit: Literal["s", "ms", "epoch_s", "epoch_ms", "iso8601"] = "s"


class ItemFailures(Model):
    """Failures of single items inside an answer that succeeded as a whole."""

    items: Place  # the array
    failed_when: tuple[Test, ...]  # places are relative to an item: response.json:/code; any one is enough
    code: Places = ()
    message: Places = ()
    object_id: Places = ()


class Envelope(Sourced):
    """How one family of answers says that something failed. The first envelope whose keys match is used."""

    id: str
    path: str | None = None  # regex on the path
    host: str | None = None  # regex on the host
    operations: tuple[str, ...] = ()
    when: tuple[Test, ...] = ()  # all must hold
    code: Places = ()
    subcode: Places = ()
    message: Places = ()
    fields: Places = ()  # names of the fields complained of
    request_id: Places = ()
    failed_when: tuple[tuple[Test, ...], ...] = ()  # a 2xx is a failure if all tests of any one group hold
    ok_when: tuple[Test, ...] = ()  # all hold: no failure, whatever else
    item_failures: tuple[ItemFailures, ...] = ()
    test: tuple[EnvelopeTest, ...] = ()


class EnvelopeTest(Model):
    """A raw exchange and the annotated columns it must yield (only those named are compared)."""

    request: RawMessage
    response: RawMessage
    expect: dict[str, str | int | bool | list[str] | None]


class TimestampRule(Sourced):
    """The stamp that a request carries: unit and allowed window against the server's clock."""

    unit: Literal["s", "ms", "iso8601", "text"] = "s"
    format: str | None = None  # strptime, for text
    zone: str = "UTC"
    window_past_s: float | None = None
    window_future_s: float | None = None


class TokenRule(Sourced):
    """Lives and rotation of tokens, and literal prefixes that tell a token's kind."""

    access_life_s: float | None = None
    refresh_life_s: float | None = None
    code_life_s: float | None = None
    rotates: bool | None = None  # a refresh returns a new refresh token and kills the old
    grace_s: float = 0  # the old access token stays good this long after a refresh
    prefixes: dict[str, str] = Field(default={})  # literal prefix -> kind, kept in pseudonyms


class Support(Model):
    """What to quote, to whom, in which words."""

    request_id: Places = ()
    words: Text | None = None
    console: str | None = None  # https address of the developers' console
    status_page: str | None = None
    ticket: str | None = None


class Platform(Sourced):
    """platform.toml."""

    id: str
    kind: Literal["marketplace", "carrier", "erp", "common"]
    name: Text
    plain: Text | None = None
    aliases: tuple[str, ...] = ()
    app_owner: Literal["erp", "seller"] | None = None  # who owns app id and secret, where the platform settles it
    hosts: tuple[Host, ...] = ()
    recognise: tuple[Signature, ...] = ()
    places: PlaceMap = PlaceMap()
    issued: Issued = Issued()
    envelope: tuple[Envelope, ...] = ()
    timestamp: TimestampRule | None = None
    tokens: TokenRule = TokenRule()
    support: Support = Support()
    secret_names: tuple[str, ...] = ()  # header, parameter and field names whose values are hidden
    personal_names: tuple[str, ...] = ()  # field names that carry personal data
    regions: dict[str, tuple[str, ...]] = Field(default={})  # region -> marketplace or site ids that belong to it
    region_places: Places = ()  # where a request names a marketplace or site id
    sandbox_marks: tuple[Test, ...] = ()  # values that belong to the sandbox only


class Expected(Sourced):
    """An answer of this operation that is no failure."""

    status: int | None = None
    code: str | None = None
    message: str | None = None  # regex
    because: Text


class FieldFact(Model):
    """A documented field of an operation's answer."""

    pointer: str
    type: Literal["string", "number", "integer", "boolean", "object", "array", "any"] = "any"
    required: bool = False
    enum: tuple[str, ...] = ()


class Operation(Sourced):
    """One operation. `path` is a template: `/orders/{orderId}`; a segment in braces matches anything but a slash."""

    id: str
    name: Text
    plain: Text | None = None  # what the seller calls this work
    step: Step = "other"
    method: str | None = None
    path: str | None = None
    host: str | None = None  # regex
    parameter: str | None = None  # value of the pack's `places.operation`
    when: tuple[Test, ...] = ()
    aliases: tuple[str, ...] = ()  # names in client libraries and logs ("getOrders")
    grant: Literal["refresh_token", "authorization_code", "client_credentials", "restricted", "revoke"] | None = None
    token: Literal["none", "seller", "grantless", "restricted"] = "seller"  # noqa: S105
    write: bool = False
    idempotency: str | None = None  # what makes two submissions the same
    shop: Places = ()
    object_id: Places = ()
    expected: tuple[Expected, ...] = ()
    required: tuple[str, ...] = ()  # pointers of request fields
    response: tuple[FieldFact, ...] = ()
    max_items: int | None = None
    items: Place | None = None  # the request array that `max_items` bounds


class When(Model):
    """If these contrasts hold (all of `contrast`, none of `unless`), these values replace the row's own."""

    contrast: tuple[Contrast, ...] = ()
    unless: tuple[Contrast, ...] = ()
    cause: str | None = None
    party: str | None = None
    origin: str | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    alternatives: tuple[str, ...] | None = None


class ErrorRow(Sourced):
    """A catalogue row. All keys given must match; of several rows that match, the one with most keys wins."""

    code: str | None = None  # exact, or with `*` as a glob
    subcode: str | None = None
    status: int | None = None
    match: str | None = None  # regex on the error message (case-insensitive)
    operation: str | None = None  # id, or glob
    step: Step | None = None
    tests: tuple[Test, ...] = ()  # further tests on the exchange
    cause: str
    party: str | None = None  # null: the cause's own
    origin: str | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.8
    alternatives: tuple[str, ...] = ()  # causes
    when: tuple[When, ...] = ()  # first that holds
    expected: bool = False  # an outcome that needs no action
    fallback: bool = False  # wording so general that a common row, which names its subject, goes first
    insistent: bool = False  # of common/: words so telling that a pack's row without words or tests gives way
    title: Text | None = None
    why: Text | None = None
    fix: tuple[FixStep, ...] = ()
    note: str | None = None


class Topic(Sourced):
    """An event that the platform pushes."""

    id: str
    name: Text
    step: Step = "webhook"


class Ack(Sourced):
    """What the platform counts as success."""

    status: tuple[int, ...] = ()  # empty: any 2xx
    body: str | None = None  # regex that the body must contain
    time_limit_s: float | None = None
    follows_redirect: bool = False
    enforced: bool = True  # false: a breach is a warning, no failure


class Webhooks(Sourced):
    """webhooks.toml."""

    recognise: tuple[Signature, ...] = ()
    user_agents: tuple[str, ...] = ()  # regexes
    topic_places: Places = ()
    event_id: Places = ()
    shop: Places = ()
    ack: Ack = Ack()
    retry_after_s: tuple[float, ...] = ()
    retries: int | None = None
    disables_after: Text | None = None
    registration: tuple[FixStep, ...] = ()
    topics: tuple[Topic, ...] = ()


class Deprecation(Sourced):
    """Something that ends."""

    id: str
    what: Text
    operations: tuple[str, ...] = ()  # globs
    path: str | None = None  # regex
    host: str | None = None  # regex
    tests: tuple[Test, ...] = ()
    announced_at: date | None = None
    effective_at: date | None = None
    replaced_by: Text | None = None
    kind: Literal["retired", "new_required_field", "new_enum_value", "form_changed", "mechanism"] = "retired"


class Pack(Model):
    """One folder under rules/."""

    platform: Platform
    operations: tuple[Operation, ...] = ()
    errors: tuple[ErrorRow, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    webhooks: Webhooks | None = None
    deprecations: tuple[Deprecation, ...] = ()
