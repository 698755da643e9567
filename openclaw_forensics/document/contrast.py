"""A failing exchange beside the nearest comparable success: what differs, and which differences are expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import polars as pl

from openclaw_forensics.diagnose.diagnosis import Diagnosis, Root
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import parse_json
from openclaw_forensics.result import ContrastView, Difference

Row = Mapping[str, Any]
MAX_ROWS = 40
_VALUE = 200
_DEEPEST = 24
_ITEM_KEYS = ("sku", "orderItemId", "order_item_id", "item_id", "id")
# Differ in every call: correlation ids, tracing, lengths, dates, connection bookkeeping.
_EXPECTED_HEADERS = (
    "date", "content-length", "x-request-id", "traceparent", "tracestate", "x-amzn-trace-id", "cf-ray", "etag",
    "age", "x-trace-id", "x-correlation-id", "cookie", "set-cookie", "expires", "last-modified", "connection",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contrast:
    """The view and the position of the good exchange."""

    view: ContrastView
    good_row: int


def contrast_view(diagnosis: Diagnosis, root: Root) -> Contrast | None:
    """The contrast of a root cause: the detector's own, else the nearest success of the same operation and shop."""
    own = root.finding.contrast
    frame = diagnosis.frame
    if own is not None:
        failing_row, good_row, basis = own.failing, own.good, own.basis
    else:
        failing_row = root.owned.direct[0] if root.owned.direct else -1
        nearest = _nearest(diagnosis, failing_row) if failing_row >= 0 else None
        if nearest is None:
            return None
        good_row, basis = nearest, phrase("contrast_same_shop")
    failing, good = frame.full(failing_row), frame.full(good_row)
    differences = own.differences if own is not None and own.differences else tuple(_differences(failing, good))
    shown = sorted(differences, key=lambda d: d.expected)[:MAX_ROWS]
    view = ContrastView(failing=failing["exchange_id"], good=good["exchange_id"], basis=basis, differences=tuple(shown))
    return Contrast(view, good_row)


def _nearest(diagnosis: Diagnosis, row: int) -> int | None:
    frame = diagnosis.frame
    failing = frame.failing[row]
    wanted = (
        frame.is_good
        & (pl.col("operation_key") == str(failing["operation_key"]))
        & (pl.col("direction") == str(failing["direction"]))
        & pl.col("platform").eq_missing(pl.lit(failing["platform"], dtype=pl.String))
        & pl.col("identity").eq_missing(pl.lit(failing["identity"], dtype=pl.String))
    )
    same = frame.rows_of_kinds(wanted)
    if same.is_empty():
        return None
    at = failing["started_at"]
    if not isinstance(at, datetime):
        return int(same[0])
    distances = (frame.started.gather(same) - at).dt.total_microseconds().abs()
    return int(same[distances.arg_min() or 0])


def _differences(failing: Row, good: Row) -> Iterator[Difference]:
    yield from _of_maps("/url", _query(failing), _query(good), _volatile(failing))
    for side in ("request", "response"):
        if failing[f"{side}_headers"] is not None and good[f"{side}_headers"] is not None:
            yield from _of_maps(
                f"/{side}/headers", _headers(failing, side), _headers(good, side), frozenset(_EXPECTED_HEADERS)
            )
    yield from _of_maps("/request/body", _body(failing), _body(good), _volatile(failing))
    if failing["status"] != good["status"]:
        yield Difference(
            pointer="/status", kind="changed", failing=_short(failing["status"]), good=_short(good["status"]),
            expected=True,
        )  # fmt: skip


def _of_maps(
    base: str, failing: Mapping[str, str], good: Mapping[str, str], volatile: frozenset[str]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*failing, *good]):
        a, b = failing.get(name), good.get(name)
        if a == b:
            continue
        kind = "changed" if a is not None and b is not None else "only_failing" if b is None else "only_good"
        leaf = name.rpartition("/")[2].lower()
        expected = leaf in volatile or _names_an_id(leaf)
        pointer = base + (name if name.startswith("/") else f"/{name}")
        yield Difference(pointer=pointer, kind=kind, failing=_short(a), good=_short(b), expected=expected)


def _names_an_id(name: str) -> bool:
    plain = name.lower().replace("-", "").replace("_", "")
    return plain.endswith(("id", "time", "timestamp", "token", "sign", "signature", "nonce", "date", "secret"))


def _volatile(row: Row) -> frozenset[str]:
    return frozenset({"timestamp", "sign", "signature", "access_token", "nonce", "t"})


def _query(row: Row) -> dict[str, str]:
    return dict(parse_qsl((row["query"] or "")[:65536], keep_blank_values=True)[:200])


def _headers(row: Row, side: str) -> dict[str, str]:
    return {h["name"].lower(): h["value"] or "" for h in row[f"{side}_headers"][:200]}


def _body(row: Row) -> dict[str, str]:
    text = row["request_body"] or ""
    valid, tree = parse_json(text)
    if valid:
        return dict(_leaves("", tree, 0))
    if "=" in text and not text.lstrip().startswith("<"):
        return dict(parse_qsl(text[:65536], keep_blank_values=True)[:200])
    return {}


def _leaves(pointer: str, node: object, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(node, dict):
        for key, child in list(node.items())[:500]:
            yield from _leaves(f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}", child, depth + 1)
    elif isinstance(node, list):
        for place, child in enumerate(node[:100]):
            yield from _leaves(f"{pointer}/{_item_name(child, place)}", child, depth + 1)
    else:
        yield pointer or "/", "null" if node is None else str(node)


def _item_name(child: object, place: int) -> str:
    if isinstance(child, dict):
        for key in _ITEM_KEYS:
            if isinstance(child.get(key), str):
                return str(child[key]).replace("~", "~0").replace("/", "~1")
    return str(place)


def _short(value: object) -> str | None:
    return None if value is None else str(value)[:_VALUE]
