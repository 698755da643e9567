"""Whether a failure healed, when, and by whom: the client's own retry, or a change that somebody made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.platforms.message import parse_json

OWN_RETRY = timedelta(minutes=15)  # contracts.md of the field: healed by the client's own attempts within this time

Row = dict[str, Any]
_Key = tuple[object, ...]
_KEY_COLUMNS = ["platform", "operation_key", "direction"]
_WHO = pl.coalesce("shop", "identity")
_KEYS = [*_KEY_COLUMNS, "who"]
_COMPARED = ["started_at", "host", "path", "method", "query", "request_body"]
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Recovery:
    """The success that ended a failure."""

    row: int
    at: datetime | None
    by_client: bool


class Recoveries:
    """Finds for each failing row the success that ends it."""

    def __init__(self, frame: Frame, writes: frozenset[str], volatile: frozenset[str]) -> None:
        """`writes`: operations that change something; `volatile`: parameter names that differ in every call."""
        self._frame, self._writes, self._volatile = frame, writes, volatile
        self._ends = self._index()
        asked = sorted({*self._ends, *self._ends.values()})
        parts = frame.exchanges.lazy().select(pl.col(_COMPARED).gather(asked)).collect()
        self._parts = dict(zip(asked, parts.iter_rows(), strict=True))

    def _index(self) -> dict[int, int]:
        """Failing row -> the next success of the same key; for a write on a known object, of that object."""
        if not self._frame.failures:
            return {}
        columns = ["row", "object_id", *_KEYS]
        table = self._frame.exchanges.lazy().with_columns(who=_WHO)
        good = (
            table.filter(self._frame.is_good)
            .join(_keys_frame(self._frame.failures).lazy(), on=_KEYS, how="semi", nulls_equal=True)
            .select(columns)
            .collect()
        )
        failing = table.filter("failed").select(columns).collect()
        one_object = pl.col("operation_key").is_in(sorted(self._writes)) & pl.col("object_id").is_not_null()
        ends: dict[int, int] = {}
        for rows, objects, able in (
            (failing.filter(~one_object), pl.lit(""), good),
            (failing.filter(one_object), pl.col("object_id"), good.filter(pl.col("object_id").is_not_null())),
            (failing.filter(one_object), pl.lit(""), good.filter(pl.col("object_id").is_null())),
        ):
            for row, end in _next(rows, able, objects):
                ends[row] = min(end, ends.get(row, end))
        return ends

    def find(self, failing: Row) -> Recovery | None:
        """The first later success of the same platform, shop and operation; for a write, of the same object too."""
        end = self._ends.get(failing["row"])
        if end is None:
            return None
        healed_at = self._parts[end][0]
        return Recovery(end, _time(healed_at), self._by_client(failing, end))

    def _by_client(self, failing: Row, end: int) -> bool:
        failed_at, *sent, sent_query, sent_body = self._parts[failing["row"]]
        healed_at, *good, good_query, good_body = self._parts[end]
        if failed_at is None or healed_at is None or healed_at - failed_at > OWN_RETRY:
            return False
        if failing["direction"] == "callback":
            return True
        if sent != good:  # another host: somebody moved the call
            return False
        same_query = self._plainly(sent_query) == self._plainly(good_query)
        same_query = same_query or self._steady(sent_query) == self._steady(good_query)
        return same_query and (sent_body == good_body or self._body(sent_body) == self._body(good_body))

    def _plainly(self, query: object) -> list[str]:
        """What is steady in a query as written: two that agree in this agree decoded as well."""
        parts = str(query or "")[:65536].split("&")
        return sorted(p for p in parts if p.partition("=")[0].lower() not in self._volatile)

    def _steady(self, query: object) -> list[tuple[str, str]]:
        pairs = parse_qsl(str(query or "")[:65536], keep_blank_values=True)
        return sorted((k, v) for k, v in pairs if k.lower() not in self._volatile)

    def _body(self, body: object) -> object:
        text = str(body or "")
        valid, tree = parse_json(text)
        if valid:
            return self._without_volatile(tree, 0)
        if "=" in text and not text.lstrip().startswith(("{", "[", "<")):
            return self._steady(text)
        return text

    def _without_volatile(self, node: object, depth: int) -> object:
        if depth > _DEEPEST:
            return None
        if isinstance(node, dict):
            kept = {k: v for k, v in node.items() if str(k).lower() not in self._volatile}
            return {k: self._without_volatile(v, depth + 1) for k, v in kept.items()}
        if isinstance(node, list):
            return [self._without_volatile(v, depth + 1) for v in node]
        return node


def _next(failing: pl.DataFrame, good: pl.DataFrame, objects: pl.Expr) -> list[tuple[int, int]]:
    """(failing row, next good row) of the same key and object."""
    if failing.is_empty() or good.is_empty():
        return []
    key = pl.concat_str([*(pl.col(k).fill_null("\x00") for k in _KEYS), objects], separator="\x01").alias("key")
    joined = failing.select("row", key).sort("row").join_asof(
        good.select(pl.col("row").alias("end"), key).sort("end"),
        left_on="row", right_on="end", by="key", strategy="forward", check_sortedness=False,
    )  # fmt: skip
    return list(joined.drop_nulls("end").select("row", "end").iter_rows())


def _key(row: Mapping[str, object]) -> _Key:
    who = row["shop"] if row["shop"] is not None else row["identity"]
    return (row["platform"], who, row["operation_key"], row["direction"])


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def last_good_before(frame: Frame, rows: Iterable[Row]) -> datetime | None:
    """When the same operations of the same shop last succeeded before the first of `rows`."""
    listed = list(rows)
    times = [t for r in listed if (t := _time(r["started_at"]))]
    if not times:
        return None
    good = frame.exchanges.lazy().filter(frame.is_good & (pl.col("started_at") < min(times)))
    last = (
        good.select("started_at", *_KEY_COLUMNS, who=_WHO)
        .join(_keys_frame(listed).lazy(), on=_KEYS, how="semi", nulls_equal=True)
        .select(pl.col("started_at").max())
        .collect()
        .item()
    )
    return _time(last)


def _keys_frame(rows: Iterable[Row]) -> pl.DataFrame:
    """The distinct keys of `rows`."""
    keys = sorted({tuple(map(_text, _key(r))) for r in rows}, key=str)
    return pl.DataFrame(keys, schema=dict.fromkeys(["platform", "who", "operation_key", "direction"], pl.String),
                        orient="row").select(_KEYS)  # fmt: skip


def _text(value: object) -> str | None:
    return None if value is None else str(value)
