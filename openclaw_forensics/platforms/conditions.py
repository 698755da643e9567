"""Tests of the place language on whole frames, three-valued like `places.test`: null is unknown."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import polars as pl

from openclaw_forensics.platforms import columns, places
from openclaw_forensics.platforms.facts import Test
from openclaw_forensics.platforms.masks import MASKED
from openclaw_forensics.platforms.message import TEXT_LIMIT, Message

_ROW_COLUMNS = ("url", "query", "host", "path", "status", "request_headers", "request_body", "response_headers")
_SEVERAL = frozenset({"query", "form", "param"})  # kinds whose place may hold several values
_RAW = msgspec.json.Decoder(msgspec.Raw)
_BODIES = frozenset({"json", "param", "xml", "form"})


def test_series(frame: pl.DataFrame, condition: Test) -> pl.Series:
    """The test's result for every row. Rows that a column alone does not decide are asked one by one."""
    parsed = places.parse(condition.place)
    if "*" in parsed.argument or parsed.kind in ("xml", "basic", "oauth"):
        return _where_worth(frame, condition, parsed)
    value = columns.evaluate(frame, [condition.place])[condition.place].alias("value")
    seen, doubtful = _seen(parsed), _doubtful(parsed)
    table = frame.with_columns(value).select(
        _result(condition, seen).alias("result"), doubtful.fill_null(False).alias("doubtful"), pl.col("value")
    )
    if not table["doubtful"].any():
        return table["result"]
    redone = _one_by_one(frame.filter(table["doubtful"]), condition)
    rows = table["doubtful"].arg_true()
    return table["result"].scatter(rows, redone)


def _where_worth(frame: pl.DataFrame, condition: Test, parsed: places.Place) -> pl.Series:
    """Row by row where the place may hold something or JSON is broken; elsewhere it is absent, or was not recorded."""
    asked = columns.worth_reading(frame, condition.place)
    if parsed.kind == "json":
        asked = asked | _no_json(frame[f"{parsed.side}_body"])
    if asked.all():
        return _one_by_one(frame, condition)
    absent = pl.when(_seen(parsed)).then(pl.lit(condition.exists is False)).otherwise(None)
    result = frame.select(absent.alias("result"))["result"]
    return result.scatter(asked.arg_true(), _one_by_one(frame.filter(asked), condition)) if asked.any() else result


def _result(condition: Test, seen: pl.Expr) -> pl.Expr:
    value = pl.col("value")
    absent = pl.when(seen).then(pl.lit(condition.exists is False)).otherwise(pl.lit(None, dtype=pl.Boolean))
    if condition.exists is False:
        present: pl.Expr = pl.lit(False)
    else:
        asks = _asks(condition)
        masked = value.str.contains(MASKED)
        present = pl.when(~masked).then(pl.all_horizontal(asks)) if asks else pl.lit(True)
    return pl.when(value.is_not_null()).then(present).otherwise(absent)


def _asks(condition: Test) -> list[pl.Expr]:
    value = pl.col("value")
    asks = []
    if condition.equals is not None:
        asks.append(value == condition.equals)
    if condition.one_of is not None:
        asks.append(value.is_in(list(condition.one_of)))
    if condition.none_of is not None:
        asks.append(~value.is_in(list(condition.none_of)))
    if condition.re is not None:
        asks.append(value.str.slice(0, TEXT_LIMIT).str.contains(condition.re))
    return asks


def _part_seen(part: str) -> pl.Expr:
    known = pl.col(f"{part}_state")
    return (known.is_in(["recorded", "empty"])).fill_null(pl.col(part).is_not_null())


def _seen(place: places.Place) -> pl.Expr:
    """Whether an absent value is absent for sure."""
    query = (pl.col("query").fill_null("") != "") | (pl.col("url").is_not_null() & _part_seen("request_headers"))
    body = _part_seen(f"{place.side}_body")
    match place.kind:
        case "query":
            return query
        case "param":
            return query & body
        case "host" | "path" | "status":
            return pl.col(place.kind).is_not_null()
        case "header" | "bearer" | "basic":
            return _part_seen(f"{place.side}_headers")
    return body


def _doubtful(place: places.Place) -> pl.Expr:
    """Rows where the first value alone does not decide, or a body may be broken."""
    doubt = pl.lit(False)
    if place.kind in _SEVERAL:
        text = pl.col("query" if place.kind == "query" else "request_body")
        doubt = doubt | (text.str.count_matches(f"{place.argument}=", literal=True) > 1)
        if place.kind == "param":
            doubt = doubt | (pl.col("query").str.count_matches(f"{place.argument}=", literal=True) > 1)
    if place.kind in _BODIES:
        body = pl.col(f"{place.side}_body")
        suspect = pl.col("value").is_null() & (body.str.strip_chars() != "")
        broken = pl.when(suspect).then(body).map_batches(_no_json, return_dtype=pl.Boolean)
        doubt = doubt | (suspect & broken)
    return doubt


def _no_json(bodies: pl.Series) -> pl.Series:
    """Whether a body is anything but JSON; null bodies are not."""

    def broken(text: str | None) -> bool:
        if text is None:
            return False
        try:
            _RAW.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            return True
        return text[:1] == '"'  # may be JSON inside a string

    return pl.Series([broken(text) for text in bodies.to_list()], dtype=pl.Boolean)


def _one_by_one(frame: pl.DataFrame, condition: Test) -> pl.Series:
    wanted = {*columns.needs([condition.place]), *_ROW_COLUMNS, *(c for c in frame.columns if c.endswith("_state"))}
    rows = frame.select(c for c in frame.columns if c in wanted)
    results = [places.test(condition, Message(row)) for row in rows.iter_rows(named=True)]
    return pl.Series("result", results, dtype=pl.Boolean)


def all_series(frame: pl.DataFrame, conditions: Iterable[Test]) -> pl.Series:
    """Three-valued AND of several tests; without any, True."""
    parts = [test_series(frame, condition).alias(str(i)) for i, condition in enumerate(conditions)]
    if not parts:
        return pl.Series("result", [True] * frame.height, dtype=pl.Boolean)
    return pl.DataFrame(parts).select(pl.all_horizontal(pl.all()).alias("result"))["result"]
