"""What a request asks for, without what differs in every call (token, stamp, signature, ids of the attempt)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import Json, parse_json, parse_pairs
from openclaw_forensics.platforms.model import Pack

_SEEN = frozenset({"recorded", "empty", "reconstructed"})
_DEEPEST = 60


def volatile_names(packs: Mapping[str, Pack], everywhere: Pack | None, more: tuple[str, ...] = ()) -> frozenset[str]:
    """Names, lower case, of parameters, keys and headers that differ in every call of these platforms."""
    names = {name.lower() for name in more}
    for pack in (*packs.values(), *((everywhere,) if everywhere else ())):
        p = pack.platform.places
        for place in (*p.token, *p.refresh_token, *p.timestamp, *p.signature, *p.idempotency_key):
            names.add(place.partition(":")[2].rpartition("/")[2].lower())
    return frozenset(names - {""})


def content(row: Mapping[str, Any], volatile: frozenset[str]) -> str | None:
    """Method, address and body in one canonical text; None where the request was not recorded in full."""
    state, body = row["request_body_state"], row["request_body"]
    if state not in _SEEN or (state != "empty" and body is None) or row["path"] is None:
        return None
    if is_masked(body or "") or is_masked(row["query"] or ""):
        return None
    query = _pairs(row["query"] or "", volatile)
    return "\n".join((row["method"] or "", row["host"] or "", row["path"], query, _body(body or "", volatile)))


def body_of(row: Mapping[str, Any], volatile: frozenset[str]) -> str | None:
    """The body alone in canonical form; None where it was not recorded in full, or is masked."""
    if row["request_body_state"] not in _SEEN or row["request_body"] is None or is_masked(row["request_body"]):
        return None
    return _body(row["request_body"], volatile)


def _pairs(text: str, volatile: frozenset[str]) -> str:
    pairs = ((n, v) for n, held in parse_pairs(text).items() if n.lower() not in volatile for v in held)
    return repr(sorted(pairs))


def _body(text: str, volatile: frozenset[str]) -> str:
    valid, tree = parse_json(text)
    if valid:
        return json.dumps(_without(tree, volatile, 0), sort_keys=True, ensure_ascii=False)
    if "=" in text and not text.lstrip().startswith("<"):
        return _pairs(text.strip(), volatile)
    return " ".join(text.split())


def _without(node: Json | Any, volatile: frozenset[str], depth: int) -> Any:
    if depth > _DEEPEST:
        return str(node)
    if isinstance(node, dict):
        return {k: _without(v, volatile, depth + 1) for k, v in node.items() if k.lower() not in volatile}
    if isinstance(node, list):
        return [_without(v, volatile, depth + 1) for v in node]
    return node
