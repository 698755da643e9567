"""Whether a failure healed, when, and by whom: the client's own retry, or a change that somebody made."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.platforms.message import parse_json

OWN_RETRY = timedelta(minutes=15)  # contracts.md of the field: healed by the client's own attempts within this time

Row = dict[str, object]
_Key = tuple[object, ...]
_ANY = object()  # any business object
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
        self._good: dict[_Key, tuple[list[int], list[Row]]] = {}
        self._index()

    def _index(self) -> None:
        wanted = {_key(r) for r in self._frame.failures}
        if not wanted:
            return
        operations = sorted({str(r["operation_key"]) for r in self._frame.failures})
        columns = ["row", "started_at", "platform", "shop", "identity", "operation_key", "object_id", "direction",
                   "path", "method", "query", "request_body"]  # fmt: skip
        good = self._frame.exchanges.filter(self._frame.is_good & pl.col("operation_key").is_in(operations))
        by_key: dict[_Key, list[Row]] = defaultdict(list)
        for row in good.select(columns).iter_rows(named=True):
            if (key := _key(row)) in wanted:
                by_key[*key, _ANY].append(row)
                by_key[*key, row["object_id"]].append(row)
        self._good = {k: ([int(str(r["row"])) for r in rows], rows) for k, rows in by_key.items()}

    def find(self, failing: Row) -> Recovery | None:
        """The first later success of the same platform, shop and operation; for a write, of the same object too."""
        key, number = _key(failing), int(str(failing["row"]))
        one_object = str(failing["operation_key"]) in self._writes and failing["object_id"] is not None
        objects: tuple[object, ...] = (failing["object_id"], None) if one_object else (_ANY,)
        later = []
        for wanted in objects:
            numbers, rows = self._good.get((*key, wanted), ([], []))
            if (place := bisect_right(numbers, number)) < len(rows):
                later.append(rows[place])
        if not later:
            return None
        row = min(later, key=lambda r: int(str(r["row"])))
        return Recovery(int(str(row["row"])), _time(row["started_at"]), self._by_client(failing, row))

    def _by_client(self, failing: Row, good: Row) -> bool:
        failed_at, healed_at = _time(failing["started_at"]), _time(good["started_at"])
        if failed_at is None or healed_at is None or healed_at - failed_at > OWN_RETRY:
            return False
        if failing["direction"] == "callback":
            return True
        sent = self._frame.full(int(str(failing["row"])))
        if sent["path"] != good["path"] or sent["method"] != good["method"]:
            return False
        return self._steady(sent["query"]) == self._steady(good["query"]) and self._body(
            sent["request_body"]
        ) == self._body(good["request_body"])

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


def _key(row: Mapping[str, object]) -> _Key:
    who = row["shop"] if row["shop"] is not None else row["identity"]
    return (row["platform"], who, row["operation_key"], row["direction"])


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def last_good_before(frame: Frame, rows: Iterable[Row]) -> datetime | None:
    """When the same operations of the same shop last succeeded before the first of `rows`."""
    listed = list(rows)
    keys = {_key(r) for r in listed}
    times = [t for r in listed if (t := _time(r["started_at"]))]
    if not times:
        return None
    first = min(times)
    good = frame.exchanges.filter(
        frame.is_good
        & (pl.col("started_at") < first)
        & pl.col("operation_key").is_in(sorted({str(r["operation_key"]) for r in listed}))
    ).select("started_at", "platform", "shop", "identity", "operation_key", "direction")
    best: datetime | None = None
    for row in good.iter_rows(named=True):
        at = _time(row["started_at"])
        if at is not None and _key(row) in keys and (best is None or at > best):
            best = at
    return best
