"""What stands around a call in the same log: the library's own line, the wrapper's lines, exceptions.

Everything here decides whether a second mention is the same call seen twice, belongs to a call as context, or is a call
of its own. Two mentions belong together by trace id, else by thread within five seconds with no other call between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from openclaw_forensics.exchanges import RECORDS, conform
from openclaw_forensics.ingest.exceptions import CLASS
from openclaw_forensics.ingest.textlog_rows import locator

NEAR = timedelta(seconds=5)
_NEWS = ("response_body", "response_headers", "client", "error", "transport_error", "method")
_ASKED = (*_NEWS, "status", "target", "url", "host")  # of a call that something may be said of later
_PATH = r"^(?:[a-zA-Z]+://[^/?#]*)?([^?#]*)"


def drop_library(calls: pl.DataFrame) -> pl.DataFrame:
    """Without the library lines (urllib3, httpx) of calls that the client logs as well."""
    if not calls["library"].any():
        return calls
    own, library = calls.filter(~pl.col("library")), calls.filter(pl.col("library"))
    if own.is_empty() or library.is_empty():
        return calls
    keys = ["_thread", "_path", "status"]
    left = _keyed(library).with_row_index("i")
    right = _keyed(own).select(*keys, "line", pl.col("line").alias("n_line"), "end", "method", "end_at")
    right = right.rename({"end": "n_end", "method": "n_method", "end_at": "n_at"})
    left = left.sort("line")
    inside = left.join_asof(right.sort("line"), on="line", by=keys, strategy="backward", check_sortedness=False)
    after = left.join_asof(right.sort("line"), on="line", by=keys, strategy="forward", check_sortedness=False)
    beside = pl.concat([after, inside])
    same = pl.col("n_method").is_null() | (pl.col("n_method") == pl.col("method"))
    gap = (pl.col("n_at") - pl.col("end_at")).dt.total_seconds().abs().fill_null(0)
    within = inside.filter(same & (pl.col("n_end") >= pl.col("line")))["i"].to_list()
    one_line = pl.col("n_line") == pl.col("n_end")
    near = (pl.col("n_line") - pl.col("line")).abs() <= 3
    before = beside.filter(same & one_line & near & (gap <= NEAR.total_seconds()))
    gone = set(within) | set(before.unique("n_line", keep="last", maintain_order=True)["i"].to_list())
    kept = library.with_row_index("i").filter(~pl.col("i").is_in(list(gone))).drop("i")
    return pl.concat([own, kept]).sort("line", maintain_order=True)


def _keyed(calls: pl.DataFrame) -> pl.DataFrame:
    return calls.with_columns(
        pl.col("thread").fill_null("").alias("_thread"),
        pl.coalesce("target", "url").str.extract(_PATH, 1).alias("_path"),
    )


def merge_envelopes(calls: pl.DataFrame) -> pl.DataFrame:
    """A call without target around exactly one call with a target, in one thread: one call in two layers."""
    bare = pl.all_horizontal(pl.col("url", "target", "host").is_null()) & (pl.col("end") > pl.col("line"))
    outer = calls.filter(bare).with_columns(pl.col("thread").fill_null("").alias("_thread")).with_row_index("o")
    inner = calls.with_row_index("i").filter(~bare).with_columns(pl.col("thread").fill_null("").alias("_thread"))
    if outer.is_empty() or inner.is_empty():
        return calls
    slim = inner.select("i", "_thread", pl.col("line").alias("i_line"), pl.col("end").alias("i_end")).sort("i_line")
    first = outer.sort("line").join_asof(
        slim, left_on="line", right_on="i_line", by="_thread", strategy="forward", check_sortedness=False
    )
    last = outer.sort("end").join_asof(
        slim, left_on="end", right_on="i_line", by="_thread", strategy="backward", check_sortedness=False
    )
    both = first.join(last.select("o", pl.col("i").alias("i2")), on="o").filter(
        (pl.col("i") == pl.col("i2")) & (pl.col("i_end") <= pl.col("end"))
    )
    if both.is_empty():
        return calls
    rows = calls.rows(named=True)
    for wrap in both.iter_rows(named=True):
        row = rows[wrap["i"]]
        for name in ("request_body", "request_body_state", "response_body", "response_body_state", "client", "status"):
            row[name] = row[name] if row[name] is not None else wrap[name]
        row["line"], row["end"] = min(row["line"], wrap["line"]), max(row["end"], wrap["end"])
    kept = pl.DataFrame(rows, schema=calls.schema)
    gone = outer.join(both.select("o"), on="o")["line"].to_list()
    return kept.filter(~(bare & pl.col("line").is_in(gone))).sort("line", maintain_order=True)


def nearest(places: pl.DataFrame, calls: pl.DataFrame, *, around: bool) -> list[int | None]:
    """For each place (line, at, thread, trace_id) the position of the call it belongs to, None where there is none.

    `around` also accepts a call of the same thread that is under way at that line, or else the next one.
    """
    if places.is_empty() or calls.is_empty():
        return [None] * places.height
    done = (
        calls.with_row_index("c")
        .select("c", "line", "end", "end_at", pl.col("thread").fill_null("").alias("_thread"), "trace_id")
        .rename({"line": "c_line", "trace_id": "c_trace"})
        .sort("end", maintain_order=True)
    )
    asked = (
        places.with_row_index("p")
        .select(
            "p",
            "line",
            (pl.col("line") - 1).alias("_before"),
            "at",
            pl.col("thread").fill_null("").alias("_thread"),
            "trace_id",
        )
        .sort("line", maintain_order=True)
    )
    behind = _behind(asked, done)
    traced = asked.filter(pl.col("trace_id").is_not_null()).join_asof(
        done.filter(pl.col("c_trace").is_not_null()).drop("_thread").rename({"c_trace": "trace_id"}),
        left_on="_before",
        right_on="end",
        by="trace_id",
        strategy="backward",
        check_sortedness=False,
    )
    found = asked.join(behind.select("p", pl.col("c").alias("by_thread")), on="p", how="left").join(
        traced.select("p", pl.col("c").alias("by_trace")), on="p", how="left"
    )
    order = ["by_trace", "by_thread"]
    if around:
        ahead = asked.join_asof(
            done, left_on="line", right_on="end", by="_thread", strategy="forward", check_sortedness=False
        )
        soon = (pl.col("end_at") - pl.col("at")).dt.total_seconds().is_between(0, NEAR.total_seconds()).fill_null(False)
        ahead = ahead.select(
            "p",
            pl.when(pl.col("c_line") <= pl.col("line")).then("c").alias("by_place"),
            pl.when(soon).then("c").alias("by_next"),
        )
        found, order = found.join(ahead, on="p", how="left"), ["by_place", *order, "by_next"]
    chosen = found.select("p", pl.coalesce(order).alias("c")).sort("p")
    return chosen["c"].to_list()


def _behind(asked: pl.DataFrame, done: pl.DataFrame) -> pl.DataFrame:
    """The last call of the same thread that ended before the place, if near enough and of no other trace."""
    last = asked.join_asof(
        done, left_on="_before", right_on="end", by="_thread", strategy="backward", check_sortedness=False
    )
    gap = (pl.col("at") - pl.col("end_at")).dt.total_seconds()
    near = gap.is_between(-1, NEAR.total_seconds()).fill_null((pl.col("line") - pl.col("end")) <= 3)
    other = (pl.col("trace_id") != pl.col("c_trace")).fill_null(False)
    return last.with_columns(pl.when(near & ~other).then("c").alias("c"))


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the answers and failures that closed no request."""

    calls: pl.DataFrame  # as before, enriched by what was said of them later
    own: pl.DataFrame  # those that are calls of their own
    bare: pl.DataFrame  # those that are records


def settle(left: pl.DataFrame, calls: pl.DataFrame) -> Settled:
    """Lay each one to the call it speaks of, or let it stand for itself where it has a target and an outcome."""
    added: dict[str, dict[int, Any]] = {}
    kinds: list[str] = []
    places = nearest(left, calls, around=False)
    for event, at, row in zip(left.iter_rows(named=True), places, _rows(calls.select(_ASKED), places), strict=True):
        if at is not None and row is not None and _same_call(event, row):
            kinds.append("context")
            for name, value in _news(row, event).items():
                added.setdefault(name, {}).setdefault(at, value)
        else:
            kinds.append("own" if _has_target(event) else "bare")
    for name, values in added.items():
        held = calls[name]
        new = pl.Series(name, list(values.values()), dtype=held.dtype)
        calls = calls.with_columns(_scattered(held, list(values), new))
    kind = pl.Series("kind", kinds, dtype=pl.String)
    return Settled(calls, left.filter(kind == "own"), left.filter(kind == "bare"))


def _rows(frame: pl.DataFrame, places: Sequence[int | None]) -> Iterator[dict[str, Any] | None]:
    """The row at each place, None for None."""
    there = frame[[at for at in places if at is not None]].iter_rows(named=True)
    return (None if at is None else next(there) for at in places)


def _scattered(held: pl.Series, rows: list[int], new: pl.Series) -> pl.Series:
    """`held` with `new` at `rows`; nested columns cannot be scattered into, hence concatenation and gather."""
    if not held.dtype.is_nested():
        return held.scatter(rows, new)
    positions = list(range(held.len()))
    for index, row in enumerate(rows):
        positions[row] = held.len() + index
    return pl.concat([held, new]).gather(positions).rename(held.name)


def _same_call(event: dict[str, Any], row: dict[str, Any]) -> bool:
    if event["role"] == "answer":  # only a part that the call lacks can be the same answer
        return (
            row["response_body"] is None
            and event["response_body"] is not None
            and event["status"] in (None, row["status"])
        )
    for name in ("status", "method"):
        if event[name] is not None and row[name] is not None and event[name] != row[name]:
            return False
    if event["transport_error"] is not None and row["status"] is not None:
        return False
    mine, theirs = _path(event), _path(row)
    if mine and theirs and not (mine.endswith(theirs) or theirs.endswith(mine)):
        return False
    if event["host"] and theirs and row["host"] and event["host"] != row["host"]:
        return False
    if event["status"] is None and event["transport_error"] is None:
        return row["response_body"] is None or (row["status"] or 0) >= 400
    return row["status"] is not None or row["transport_error"] is not None


def _path(call: dict[str, Any]) -> str:
    url: str = call["target"] or call["url"] or ""
    if "://" in url:
        url = "/" + url.split("://", 1)[1].partition("/")[2]
    return url.split("?", 1)[0].rstrip("/")


def _news(row: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """What the event tells that the call does not."""
    news = {name: event[name] for name in _NEWS if row[name] is None and event[name] is not None}
    if "response_body" in news:
        news["response_body_state"] = event["response_body_state"]
    return news


def _has_target(event: dict[str, Any]) -> bool:
    outcome = any(event[name] is not None for name in ("status", "transport_error", "response_body", "error"))
    place = any(event[name] is not None for name in ("url", "target", "host"))
    if event["client"] is not None and event["role"] == "answer":
        place = place or any(ch.isalpha() for ch in event["client"])
    return outcome and (place or event["client"] is not None)


def record_rows(records: pl.DataFrame, calls: pl.DataFrame, path: str) -> pl.DataFrame:
    """Rows of RECORDS; `exchange_id` is the locator of the call that an error belongs to."""
    told = [_told(m or "", r) for m, r in records.select("message", "rest").rows()]
    texts, stacks = [t for t, _ in told], [s for _, s in told]
    grave = records["level"].is_in(["ERROR", "FATAL"]).fill_null(False).to_list()
    places = nearest(records, calls, around=True)
    linked = [
        _locator(call["line"], call["end"]) if call is not None and (g or s) else None
        for call, g, s in zip(_rows(calls.select("line", "end"), places), grave, stacks, strict=True)
    ]
    frame = records.with_columns(
        pl.lit(path).alias("source_file"),
        locator(pl.col("line"), pl.col("end")).alias("locator"),
        pl.Series("message", texts, dtype=pl.String),
        pl.Series("exception", stacks, dtype=pl.String),
        pl.Series("exchange_id", linked, dtype=pl.String),
    )
    return conform(frame, RECORDS)


_STACK_BEGINS = re.compile(
    r"^[ \t]*(?:Traceback \(most recent call last\)|Stack trace:|\[stacktrace\]|#0 |at [\w$.<]|File \""
    r"|Caused by: |---> )"
    rf"|^(?:Uncaught )?{CLASS.pattern}(?::|$)|^\w*Error: ",
    re.M,
)


def _told(message: str, rest: str | None) -> tuple[str, str | None]:
    """The message, and the stack as written where one follows; a body between the two belongs to the message."""
    if not rest:
        return message, None
    begin = _STACK_BEGINS.search(rest[:200_000])
    if begin is None:
        return f"{message}\n{rest}", None
    before = rest[: begin.start()].rstrip()
    return (f"{message}\n{before}" if before else message), rest[begin.start() :]


def _locator(line: int, end: int) -> str:
    return f"lines:{line}-{end}" if end > line else f"lines:{line}"
