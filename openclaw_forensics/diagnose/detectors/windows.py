"""Time windows and page marks of list calls, taken from query, form and JSON by names that the rule lists.

A value is an instant (epoch seconds or milliseconds, ISO 8601 with a zone) or a local time without a zone; the two are
never compared. A date alone is no instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.detectors.same_request import volatile_names

_SEEN = ("recorded", "empty", "reconstructed")
# What the questions about lists ask for; a large log would pay for each further column.
_USED = (
    "row", "started_at", "platform", "shop", "identity", "operation", "step", "object_id", "method", "query",
    "request_body", "request_body_state", "response_body", "zone_basis", "good",
)  # fmt: skip
_MOST = 200_000  # list calls read


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a request writes it: in UTC where it names an instant, else as written."""

    at: datetime
    instant: bool
    whole_minute: bool


@dataclass(frozen=True, slots=True)
class Pull:
    """One successful list call with its window; `end` is None where the call has no upper bound."""

    row: int
    at: datetime
    start: Moment
    end: Moment | None
    rest: str  # the request without window, page and what differs in every call
    zone_assumed: bool


def named(names: Iterable[str]) -> str:
    """A pattern for one of these names."""
    return "|".join(re.escape(n) for n in names)


def parameter(names: Iterable[str]) -> pl.Expr:
    """The value of the first of `names` in query, form or JSON body; case does not matter."""
    listed = named(names)
    pair = rf"(?i)(?:^|[&?])(?:{listed})=([^&]{{1,300}})"
    key = rf'(?i)"(?:{listed})"\s*:\s*"?([^",}}\]\s][^",}}\]]{{0,300}})'
    body = pl.col("request_body")
    return pl.coalesce(pl.col("query").str.extract(pair), body.str.extract(key), body.str.extract(pair))


def without(question: Question, names: Iterable[str]) -> pl.Expr:
    """Query and body without `names` and without what differs in every call."""
    known = question.knowledge
    listed = named([*names, *sorted(volatile_names(known.packs, known.everywhere, question.words("volatile")))])
    query = pl.col("query").fill_null("").str.replace_all(rf"(?i)(^|&)(?:{listed})=[^&]*", "")
    body = pl.col("request_body").fill_null("").str.slice(0, 20_000)
    body = body.str.replace_all(rf"(?i)(^|&)(?:{listed})=[^&]*", "")
    body = body.str.replace_all(rf'(?i)"(?:{listed})"\s*:\s*(?:"[^"]*"|[^,}}\]]*),?', "")
    return pl.concat_str([query, body.str.replace_all(r"[\s,]", "")], separator=" ")


def is_unknown() -> pl.Expr:
    """Whether a request's parameters may lie in a part that was not recorded or not kept."""
    state = pl.col("request_body_state")
    lost = ~state.is_in(_SEEN) | (state.is_in(["recorded", "reconstructed"]) & pl.col("request_body").is_null())
    return lost.fill_null(True) & (pl.col("method") != "GET").fill_null(True)


def who() -> pl.Expr:
    """Whose call it is."""
    return pl.coalesce("shop", "identity").fill_null("?")


def lists(question: Question) -> pl.DataFrame:
    """Calls out of known operations that change nothing."""
    writes = [o.id for p in question.knowledge.packs.values() for o in p.operations if o.write]
    out = (pl.col("direction") == "out") & pl.col("platform").is_not_null() & pl.col("operation").is_not_null()
    steps = pl.col("step").is_in(question.words("list_steps"))
    listed = out & steps & ~pl.col("operation").is_in(writes)
    table = question.frame.where(listed).head(_MOST).select(_USED)
    return table.with_columns(who=who(), unknown=is_unknown()).collect()


def pulls(question: Question, table: pl.DataFrame) -> dict[tuple[str, str, str], list[Pull]]:
    """Successful pulls with a window, by (platform, whose, operation), in order."""
    from_names, to_names = question.words("from_names"), question.words("to_names")
    gone = [*from_names, *to_names, *question.words("page_names")]
    wanted = (
        table.lazy()
        .filter(pl.col("good") & pl.col("started_at").is_not_null())
        .with_columns(start=parameter(from_names), end=parameter(to_names))
        .filter(pl.col("start").is_not_null())
        .with_columns(rest=without(question, gone))
        .select("row", "started_at", "platform", "who", "operation", "start", "end", "rest", "zone_basis")
        .collect()
    )
    found: dict[tuple[str, str, str], list[Pull]] = {}
    for row, at, platform, whose, operation, start, end, rest, zone in wanted.iter_rows():
        first, last = moment(start), None if end is None else moment(end)
        if first is not None and (end is None or last is not None):
            pull = Pull(int(row), at, first, last, rest, zone == "assumed")
            found.setdefault((platform, whose, operation), []).append(pull)
    return found


def moment(text: str) -> Moment | None:
    """A time as a request writes it; None where it is none, or a date alone."""
    value = unquote_plus(text).strip().strip('"')
    if value.isascii() and value.isdecimal() and len(value) in (10, 13):
        seconds = int(value) / (1000 if len(value) == 13 else 1)
        return Moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds), True, int(seconds) % 60 == 0)
    value = re.sub(r" (\d\d:?\d\d)$", r"+\1", value) if re.match(r"\d{4}-\d\d-\d\dT", value) else value
    if len(value) < 16 or len(value) > 40:
        return None
    try:
        parsed = datetime.fromisoformat(value)
        local = parsed.tzinfo is None
        at = parsed.replace(tzinfo=UTC) if local else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Moment(at, not local, at.second == 0 and at.microsecond == 0)
