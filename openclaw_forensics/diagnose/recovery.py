"""Whether a failure healed, when, and by whom: the client's own retry, or a change that somebody made."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
        parts = frame.take(asked, _COMPARED)
        self._parts = dict(zip(asked, parts.iter_rows(), strict=True))

    def _index(self) -> dict[int, int]:
        """Failing row -> the next success of the same key; for a write on a known object, of that object."""
        failures = self._frame.failures
        if not failures:
            return {}
        good = self._frame.kinds.filter(self._frame.is_good).with_columns(who=_WHO)
        able = good.join(_keys_frame(failures), on=_KEYS, how="semi", nulls_equal=True)
        rows_of = able.group_by(_KEYS).agg(pl.col("rows").explode().sort())
        by_key: dict[_Key, list[int]] = {tuple(key): rows for *key, rows in rows_of.select(*_KEYS, "rows").iter_rows()}
        by_object = self._by_object(failures, by_key)
        ends: dict[int, int] = {}
        for row in failures:
            key = _key(row)
            if self._is_of_one(row):
                found = [_following(by_object.get((key, o), ()), row["row"]) for o in (row["object_id"], None)]
                end = min((place for place in found if place is not None), default=None)
            else:
                end = _following(by_key.get(key, ()), row["row"])
            if end is not None:
                ends[row["row"]] = end
        return ends

    def _is_of_one(self, row: Row) -> bool:
        """Whether it changes one known object, which only a success with that object heals."""
        return row["operation_key"] in self._writes and row["object_id"] is not None

    def _by_object(
        self, failures: Iterable[Row], by_key: Mapping[_Key, list[int]]
    ) -> dict[tuple[_Key, str | None], list[int]]:
        """Successes of writes by what they changed, as far as a failure asks for it, or no object is known."""
        asked: dict[_Key, set[str]] = defaultdict(set)
        for row in failures:
            if self._is_of_one(row):
                asked[_key(row)].add(row["object_id"])
        found: dict[tuple[_Key, str | None], list[int]] = defaultdict(list)
        for key, wanted in asked.items():
            rows = pl.Series(by_key.get(key, []), dtype=pl.Int64)
            objects = self._frame.take(rows, ["object_id"]).to_series()
            kept = objects.is_null() | objects.is_in(sorted(wanted))
            for row, changed in zip(rows.filter(kept), objects.filter(kept), strict=True):
                found[key, changed].append(row)
        return found

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
        same_query = self._same_query(str(sent_query or ""), str(good_query or ""))
        return same_query and (sent_body == good_body or self._body(sent_body) == self._body(good_body))

    def _same_query(self, sent: str, good: str) -> bool:
        """Whether two queries are steady in the same pairs; only those that are written differently are decoded."""
        one, other = Counter(sent[:65536].split("&")), Counter(good[:65536].split("&"))
        return self._steady("&".join((one - other).elements())) == self._steady("&".join((other - one).elements()))

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


def _following(rows: Sequence[int], row: int) -> int | None:
    """The first of `rows`, which are sorted, after `row`."""
    place = bisect_right(rows, row)
    return rows[place] if place < len(rows) else None


def _key(row: Mapping[str, object]) -> _Key:
    """The values of `_KEYS`."""
    who = row["shop"] if row["shop"] is not None else row["identity"]
    return (row["platform"], row["operation_key"], row["direction"], who)


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def last_good_before(frame: Frame, rows: Iterable[Row]) -> datetime | None:
    """When the same operations of the same shop last succeeded before the first of `rows`."""
    listed = list(rows)
    times = [t for r in listed if (t := _time(r["started_at"]))]
    if not times:
        return None
    good = frame.kinds.filter(frame.is_good & (pl.col("first") < min(times))).with_columns(who=_WHO)
    able = good.join(_keys_frame(listed), on=_KEYS, how="semi", nulls_equal=True)["rows"]
    until = frame.span(min(times), min(times))[0]
    lasts = (rows[place - 1] for rows in able if (place := bisect_left(rows, until)))  # each kind's rows are in order
    last = max(lasts, default=None)
    return None if last is None else frame.at(int(last))


def _keys_frame(rows: Iterable[Row]) -> pl.DataFrame:
    """The distinct keys of `rows`."""
    keys = sorted({_key(r) for r in rows}, key=str)
    return pl.DataFrame(keys, schema=dict.fromkeys(_KEYS, pl.String), orient="row")
