"""Which platform each exchange belongs to, and which requests are its callbacks.

In this order: a pack's own host; a declared gateway; the best signature (a tie decides nothing); for callbacks also the
path, the given receiver and a hook's words; the platform that an exported table names in a column; last the one that
the user named, where anything speaks for it.
"""

from __future__ import annotations

import polars as pl

from openclaw_forensics.platforms import callbacks, given, labelled
from openclaw_forensics.platforms.hosts import HostIndex, by_host
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.options import AnnotateOptions
from openclaw_forensics.platforms.signs import ANYONE, HITS, SignIndex, best, hit_rows

RECORD_TEXT = 4096  # characters of a record that patterns look at
LOUD = ("ERROR", "WARN", "WARNING", "FATAL", "CRITICAL", "SEVERE", "EMERG", "ALERT", "CRIT")


def recognise(exchanges: pl.DataFrame, packs: PackSet, options: AnnotateOptions) -> pl.DataFrame:
    """`exchanges` with direction, platform, environment, region and the helper column api_path filled in.

    Raises RuleError when a given platform's pack is wrong.
    """
    frame = exchanges.drop("platform", "environment", "region", "api_path", strict=False)
    frame = pl.concat([frame, by_host(frame, packs.once(HostIndex, "", lambda: HostIndex(packs)))], how="horizontal")
    is_api = pl.col("platform").is_not_null() & (pl.col("host_role") != "webhook")
    forwarded = (pl.col("direction") == "inbound") & is_api  # the log of a proxy that our own calls go through
    frame = frame.with_columns(pl.when(forwarded).then(pl.lit("out")).otherwise("direction").alias("direction"))
    frame = frame.with_columns(host_known=pl.col("platform").is_not_null())
    frame = _by_signs(frame, packs.once(SignIndex, "", lambda: SignIndex(packs)))
    frame = _by_path(frame, packs, options)
    frame = _by_label(frame, packs)
    return _by_given(frame, packs, options).drop("host_role", "host_known")


def _fill(frame: pl.DataFrame, rows: pl.Series, **values: pl.Series | str) -> pl.DataFrame:
    if rows.is_empty():
        return frame
    changed = []
    for name, value in values.items():
        new = pl.Series([value] * len(rows), dtype=pl.String) if isinstance(value, str) else value
        changed.append(frame[name].scatter(rows, new))
    return frame.with_columns(changed)


def _by_signs(frame: pl.DataFrame, index: SignIndex) -> pl.DataFrame:
    rest = frame["platform"].is_null().arg_true()
    if rest.is_empty():
        return frame
    found = best(index.hits(frame[rest]))
    rows = rest[found["row"]]
    told = found["platform"] != ANYONE
    frame = _fill(frame, rows.filter(told), platform=found["platform"].filter(told))
    callback = found["callback"] | (frame["direction"][rows] == "inbound")
    return _fill(frame, rows.filter(callback), direction="callback")


def _by_path(frame: pl.DataFrame, packs: PackSet, options: AnnotateOptions) -> pl.DataFrame:
    """Callbacks by receiver, by a path that names a pack, and with given platforms by a hook's words."""
    receiver = frame.with_columns(receiver=callbacks.is_receiver(options.receivers))["receiver"]
    rows = (receiver | ~frame["host_known"]).arg_true()
    inbound = pl.col("direction") == "inbound"
    hook = callbacks.is_post() & callbacks.says_hook()
    posted = callbacks.is_post() & ~pl.col("host_known") & (inbound | (hook & ~callbacks.from_browser()))
    marks = frame[rows].select(
        receiver[rows].alias("receiver"), posted.alias("posted"), hook.alias("hook"), side=pl.col("direction")
    )
    marks = marks.with_columns(row=rows)
    marks = marks.filter((pl.col("receiver") | pl.col("posted")).fill_null(False))
    if marks.is_empty():
        return frame
    asked = marks["row"]
    marks = marks.with_columns(
        platform=callbacks.named_in(frame["path"][asked], packs.names()), known=frame["platform"][asked]
    )
    words = pl.lit(bool(options.platforms)) & pl.col("hook") & pl.col("known").is_null()
    named = pl.col("platform").is_not_null() & pl.col("platform").eq_missing(pl.coalesce("known", "platform"))
    named &= ~(pl.col("known").is_not_null() & (pl.col("side") == "out"))  # a call by its own signs, as to /webhooks
    is_callback = pl.col("receiver") | (pl.col("posted") & (named | words))
    found = marks.filter(is_callback)
    frame = _fill(frame, found["row"], direction="callback")
    new = found.filter(pl.col("platform").is_not_null() & pl.col("known").is_null())
    return _fill(frame, new["row"], platform=new["platform"])


def _by_label(frame: pl.DataFrame, packs: PackSet) -> pl.DataFrame:
    rows = frame.select(pl.col("platform").is_null() & pl.col("labels").is_not_null()).to_series().arg_true()
    if rows.is_empty():
        return frame
    found = labelled.platforms(frame[rows], packs.titles() | packs.names())
    return _fill(frame, rows.filter(found.is_not_null()), platform=found.drop_nulls())


def _by_given(frame: pl.DataFrame, packs: PackSet, options: AnnotateOptions) -> pl.DataFrame:
    if not options.platforms:
        return frame
    unknown = pl.col("platform").is_null()
    callback = pl.col("direction") == "callback"
    marks = frame.select(
        (unknown & callback).alias("callback"), (unknown & (pl.col("direction") == "out")).alias("out")
    )
    if len(options.platforms) == 1:
        frame = _fill(frame, marks["callback"].arg_true(), platform=options.platforms[0])
    rows = marks["out"].arg_true()
    if rows.is_empty():
        return frame
    return _fill(frame, rows, platform=given.best_given(frame[rows], packs, options.platforms))


def recognise_records(records: pl.DataFrame, packs: PackSet) -> pl.DataFrame:
    """`records` with the platform that their text names; only loud ones and those with an exception are read."""
    loud = (pl.col("level").is_in(LOUD) | pl.col("exception").is_not_null()).fill_null(False)
    rows = records.select(loud.alias("loud"))["loud"].arg_true()
    base = records.with_columns(pl.lit(None, dtype=pl.String).alias("platform"))
    if rows.is_empty():
        return base
    text = pl.concat_str(["logger", "message", "exception"], separator="\n", ignore_nulls=True)
    texts = records[rows].select(text.str.slice(0, RECORD_TEXT).alias("text"))["text"]
    found = best(_record_hits(texts, packs))
    return _fill(base, rows[found["row"]], platform=found["platform"])


def by_records(frame: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the platform of calls without an address (a client's bare exception), by their own records."""
    rows = frame.select(pl.col("platform").is_null() & pl.col("host").is_null()).to_series().arg_true()
    if rows.is_empty():
        return frame
    named = records.filter(pl.col("platform").is_not_null() & pl.col("exchange_id").is_not_null())
    named = named.unique("exchange_id", keep="first").select("exchange_id", pl.col("platform").alias("told"))
    found = frame[rows].select("exchange_id").join(named, on="exchange_id", how="left", maintain_order="left")["told"]
    return _fill(frame, rows.filter(found.is_not_null()), platform=found.drop_nulls())


def _record_hits(texts: pl.Series, packs: PackSet) -> pl.DataFrame:
    """As `SignIndex.hits`, for texts of records. One pass over all patterns at once sorts out most texts."""
    signs = [(p, s.record, s.weight) for p, h in packs.heads.items() for s in h.platform.recognise if s.record]
    told = texts.str.contains("|".join(f"(?:{pattern})" for _, pattern, _ in signs) or "$^").fill_null(False)
    rows = told.arg_true()
    some = texts[rows]
    hits = [pl.DataFrame(schema=HITS)]
    for platform, pattern, weight in signs if len(rows) else ():
        where = rows.filter(some.str.contains(pattern).fill_null(False))
        hits.append(hit_rows(where, platform, weight))
    return pl.concat(hits)


def out_of_scope(packs: PackSet, options: AnnotateOptions) -> pl.Expr:
    """Rows positively recognised as a marketplace that the user did not ask for; carriers and ERPs stay in."""
    if not options.platforms:
        return pl.lit(False)
    others = [
        platform
        for platform, head in packs.heads.items()
        if head.platform.kind == "marketplace" and platform not in options.platforms
    ]
    return pl.col("platform").is_in(others).fill_null(False)
