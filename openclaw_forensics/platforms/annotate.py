"""Turns read exchanges into annotated ones; everything that is known about a platform comes from its pack.

Healthy rows get their columns by vectorised expressions. Only rows that failed, or whose body looks as if it might say
so, are read one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from openclaw_forensics import exchanges as schema
from openclaw_forensics.platforms import acks, failure, identity, labelled, operations, recognise, tokens
from openclaw_forensics.platforms.candidates import Suspicion
from openclaw_forensics.platforms.failure import Outcome
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Operation, Pack
from openclaw_forensics.platforms.operations import OperationTable
from openclaw_forensics.platforms.options import AnnotateOptions

CALLBACK_OPERATION = "webhook"  # of a callback whose topic is not known; a known one is "webhook.<topic>"
_PROOF = (
    "url", "host", "path", "api_path", "query", "status", "started_at", "answer_state", "transport_error",
    "client_class", "request_headers", "request_headers_state", "request_body", "request_body_state",
    "response_headers", "response_headers_state", "response_body", "response_body_state",
)  # fmt: skip
# What no annotation looks at: not copied when the rows of several platforms are parted and put together again.
_ASIDE = (
    "exchange_id", "source_file", "locator", "line", "format", "writer", "raw_stamp", "time_quality", "zone_basis",
    "port", "http_version", "transport_error_text", "trace_id", "thread", "client_address", "server_address",
    "also_seen",
)  # fmt: skip
_OUTCOME = {
    "failure": pl.String(),
    "error_code": pl.String(),
    "error_subcode": pl.String(),
    "error_message": pl.String(),
    "error_fields": pl.List(pl.String),
    "answered_id": pl.String(),
    "item_failures": schema.ITEM_FAILURES,
    "expected_outcome": pl.Boolean(),
}


def annotate(
    exchanges: pl.DataFrame, records: pl.DataFrame, packs: PackSet, options: AnnotateOptions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both frames with everything that the packs know; `identity` stays null, it is set by link.

    Rows keep their order. Raises RuleError when a pack that the input needs is wrong.
    """
    named = recognise.recognise_records(schema.conform(records, schema.RECORDS), packs)
    frame = recognise.recognise(schema.conform(exchanges, schema.EXCHANGES), packs, options)
    frame = recognise.by_records(frame, named)
    return annotate_recognised(frame, packs, options), named


def annotate_recognised(frame: pl.DataFrame, packs: PackSet, options: AnnotateOptions) -> pl.DataFrame:
    """The annotated frame for one whose rows already name their platform (as `recognise` leaves it)."""
    platforms = frame["platform"].unique().sort()
    whole, aside = frame, _ASIDE if len(platforms) > 1 else ()
    frame = frame.drop(aside)
    parts: list[pl.DataFrame] = []
    rows: list[pl.Series] = []
    for platform in platforms:
        where = frame["platform"].eq_missing(platform).arg_true()
        part = frame if len(where) == frame.height else frame[where]
        pack = packs.common if platform is None else packs.pack(platform)
        parts.append(_annotate_platform(part, pack, packs, options.key))
        rows.append(where)
    if not parts:
        return schema.empty(schema.EXCHANGES)
    if len(parts) == 1:
        return parts[0]
    order = pl.concat(rows).alias("row").to_frame().with_row_index("at").sort("row")["at"]
    together = pl.concat([part.drop(aside) for part in parts], rechunk=True)  # rows taken from many chunks cost tenfold
    annotated = together[order]
    return schema.conform(annotated.with_columns(whole.select(aside)), schema.EXCHANGES)


def _annotate_platform(frame: pl.DataFrame, pack: Pack, packs: PackSet, key: bytes) -> pl.DataFrame:
    """All rows are of one platform, or of none."""
    is_callback = frame["direction"] == "callback"
    sides = (
        (is_callback.arg_true(), _annotate_callbacks),
        ((~is_callback).arg_true(), _annotate_calls),
    )
    done = [
        (rows, side(frame if len(rows) == frame.height else frame[rows], pack, packs, key))
        for rows, side in sides
        if len(rows)
    ]
    if len(done) == 1:
        return done[0][1]
    order = pl.concat([rows for rows, _ in done]).alias("row").to_frame().with_row_index("at").sort("row")["at"]
    return pl.concat([part for _, part in done], rechunk=True)[order]


def _annotate_calls(frame: pl.DataFrame, pack: Pack, packs: PackSet, key: bytes) -> pl.DataFrame:
    common = packs.common
    table = packs.once(OperationTable, pack.platform.id, lambda: OperationTable(pack))
    chosen = operations.assign(frame, table)
    names, steps = identity.steps(chosen, table.operations)
    held = identity.of_calls(frame, pack, common, chosen, table.operations)
    region, environment = identity.region_and_environment(frame, pack)
    known = {
        **identity.finish(labelled.completed(held, frame), frame.height, key),
        "operation": names,
        "step": steps,
        "region": region,
        "environment": environment,
        "issued_tokens": _issued(frame, chosen, pack, key),
    }
    suspicions = (
        packs.once(Suspicion, pack.platform.id, lambda: Suspicion(pack)),
        packs.once(Suspicion, common.platform.id, lambda: Suspicion(common)),
    )
    rows = _to_read(frame, suspicions)
    return _assemble(frame, known, rows, _outcomes(frame[rows], chosen[rows], pack, common))


def _to_read(frame: pl.DataFrame, suspicions: Iterable[Suspicion]) -> pl.Series:
    """Positions of calls that failed, or whose body has to be read to know. Inbound rows never fail."""
    status = pl.col("status")
    unanswered = status.is_null() & (pl.col("transport_error").is_not_null() | (pl.col("answer_state") == "missing"))
    thrown = status.is_null() & pl.col("client_class").str.contains(failure.EXCEPTION).fill_null(False)
    out = pl.col("direction") == "out"
    marks = frame.select(
        failed=(out & ((status >= 400) | unanswered | thrown)).fill_null(False),
        maybe=(out & (status.is_null() | status.is_between(200, 299)) & ~unanswered.fill_null(False)).fill_null(False),
    )
    maybe = marks["maybe"].arg_true()
    bodies, paths = frame["response_body"][maybe], frame["api_path"][maybe]
    doubted = [maybe[each.rows(bodies, paths)] for each in dict.fromkeys(suspicions)]
    return pl.concat([marks["failed"].arg_true(), *doubted]).unique().sort()


def _outcomes(frame: pl.DataFrame, chosen: pl.Series, pack: Pack, common: Pack) -> list[Outcome]:
    own = pack.platform.envelope if pack.platform.id != common.platform.id else ()
    general = common.platform.envelope
    found = []
    for row, index in zip(frame.select(*_PROOF, "labels").iter_rows(named=True), chosen, strict=True):
        operation = None if index is None else pack.operations[index]
        found.append(failure.judge(Message(row), operation, own, general))
    return found


def _issued(frame: pl.DataFrame, chosen: pl.Series, pack: Pack, key: bytes) -> pl.Series:
    granting = [i for i, op in enumerate(pack.operations) if op.grant not in (None, "revoke")]
    fine = frame["status"].is_null() | frame["status"].is_between(200, 299)
    rows = (chosen.is_in(granting) & fine & frame["response_body"].is_not_null()).fill_null(False).arg_true()
    dtype = schema.ANNOTATED_COLUMNS["issued_tokens"]
    nothing = pl.repeat(None, frame.height, dtype=dtype, eager=True)
    if rows.is_empty():
        return nothing
    found = [
        tokens.issued(Message(r), pack.platform.issued, key) for r in frame[rows].select(_PROOF).iter_rows(named=True)
    ]
    full: list[Any] = [None] * frame.height
    for row, each in zip(rows, found, strict=True):
        full[row] = each
    return pl.Series(full, dtype=dtype)


def _annotate_callbacks(frame: pl.DataFrame, pack: Pack, packs: PackSet, key: bytes) -> pl.DataFrame:
    common = packs.common
    held = identity.of_callbacks(frame, pack, common)
    ack = pack.webhooks.ack if pack.webhooks else acks.DEFAULT
    status = pl.col("status")
    transport = status.is_null() & pl.col("transport_error").is_not_null()
    silent = status.is_null() & (pl.col("answer_state") == "missing").fill_null(False)
    failed = (
        pl.when(transport)
        .then(pl.lit("transport"))
        .when(silent)
        .then(pl.lit("no_answer"))
        .when(acks.refused(ack))
        .then(pl.lit("ack"))
    )
    verdict = frame.select(failed.alias("failure"))["failure"]
    rows = verdict.is_not_null().arg_true()
    outcomes = [
        failure.read_answer(Message(r), common.platform.envelope)
        for r in frame[rows].select(_PROOF).iter_rows(named=True)
    ]
    for outcome, kind in zip(outcomes, verdict[rows], strict=True):
        outcome.failure = kind
    known = {
        **identity.finish(labelled.completed(held, frame), frame.height, key),
        "operation": _topics(held["topic"], pack),
        "step": pl.repeat("webhook", frame.height, dtype=pl.String, eager=True),
        "region": frame["region"],
        "environment": frame["environment"],
    }
    return _assemble(frame, known, rows, outcomes)


def _topics(found: pl.Series, pack: Pack) -> pl.Series:
    topics = {t.id.casefold(): t.id for t in (pack.webhooks.topics if pack.webhooks else ())}
    known = {topic: topics.get(topic.strip().casefold()) for topic in found.drop_nulls().unique()}
    names = [f"{CALLBACK_OPERATION}.{name}" if name else CALLBACK_OPERATION for name in known.values()]
    return found.replace_strict(list(known), names, default=CALLBACK_OPERATION, return_dtype=pl.String)


def _assemble(
    frame: pl.DataFrame, known: dict[str, pl.Series], rows: pl.Series, outcomes: Sequence[Outcome]
) -> pl.DataFrame:
    """One frame in the order of the schema: what was read, what is known of every row, what the read answers say."""
    table = pl.DataFrame(
        {
            "row": rows.cast(pl.UInt32),
            "failure": [o.failure for o in outcomes],
            "error_code": [o.code for o in outcomes],
            "error_subcode": [o.subcode for o in outcomes],
            "error_message": [o.message for o in outcomes],
            "error_fields": [o.fields for o in outcomes],
            "answered_id": [o.request_id for o in outcomes],
            "item_failures": [o.items for o in outcomes],
            "expected_outcome": [o.expected or None for o in outcomes],
        },
        schema={"row": pl.UInt32(), **_OUTCOME},
    )
    base = frame.drop([*_OUTCOME, *known], strict=False).with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), **known
    )
    joined = base.join(table, on="row", how="left", maintain_order="left")
    joined = joined.with_columns(pl.coalesce("answered_id", "request_id").alias("request_id"))
    return schema.conform(joined, schema.EXCHANGES)


def operation_of(pack: Pack, name: str) -> Operation | None:
    """The operation of that id."""
    return next((operation for operation in pack.operations if operation.id == name), None)
