"""How one file words its calls, learnt from its first lines: fixed words with slots for what changes.

    request POST https://api.example.com/orders body={"page":1}  ->  request <method> <url> body=

The general reader takes the first records apart; a wording is kept when it finds the same as the general reader in
every one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from openclaw_forensics.ingest.fragments import FRAGMENT
from openclaw_forensics.ingest.lineformat_model import NAMED_PATTERNS

OFTEN = 8  # of the first records that a wording must fit to be learnt
MOST = 16  # wordings of one file
_ADDRESS = r"[^\s\"'`<>{}|\\^\[\](),;，。；]"
SLOTS = {
    "method": NAMED_PATTERNS["METHOD"],
    "url": f"https?://{_ADDRESS}+",
    "target": f"/{_ADDRESS}*",
    "status": "[1-5][0-9][0-9]",
    "ms": r"[0-9]+(?:\.[0-9]+)?",
}
_HOLDS = {"method": "[A-Z]", "url": _ADDRESS, "target": _ADDRESS, "status": "[0-9]", "ms": "[0-9.]"}
_ROLES = {"request": ("method", "url", "target"), "answer": ("status", "ms", "url", "method")}
_SIDE = {"request": "request", "answer": "response"}
# A value that one line alone does not settle, or that no slot stands for.
_BEYOND = ("key", "error", "transport_error", "request_headers", "response_headers", "state_reason", "address")
BODY = '{"'  # how a body begins that the words stand before


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to word a request or an answer. `pattern` fits the words up to the body, from end to end."""

    role: str
    pattern: str
    body: bool  # a JSON object follows
    constants: tuple[tuple[str, Any], ...]  # of calls.FRAGMENT, the same in every such line

    @property
    def begins(self) -> str:
        """The words before the first slot."""
        return re.sub(r"\\(.)", r"\1", self.pattern[1:].split("(?P<", 1)[0])


def learn(records: pl.DataFrame, fragments: pl.DataFrame) -> dict[Wording, list[str]]:
    """The wordings of records (as split_records gives them) whose `fragments` are known, with their loggers."""
    once = fragments.filter(~pl.col("row").is_duplicated())
    lines = once.hstack(records.select("message", "rest", "logger")[once["row"]])
    found: dict[Wording, list[str]] = {}
    for row in lines.iter_rows(named=True):
        wording = _wording(row)
        if wording is not None and row["logger"] is not None:
            found.setdefault(wording, []).append(row["logger"])
    often = sorted((w for w, rows in found.items() if len(rows) >= OFTEN), key=lambda w: -len(found[w]))
    return {wording: sorted(set(found[wording])) for wording in often[:MOST]}


def _wording(row: Mapping[str, Any]) -> Wording | None:
    """The wording of one line; None where a line holds more than slots can."""
    text, role = row["message"], row["role"]
    if row["rest"] is not None or role not in _ROLES or any(row[name] is not None for name in _BEYOND):
        return None
    side = _SIDE[role]
    body, state = row[f"{side}_body"], row[f"{side}_body_state"]
    other = "response" if side == "request" else "request"
    if row[f"{other}_body"] is not None or (body is None) != (state is None):
        return None
    words = text
    if body is not None:
        if state != "recorded" or not (text.endswith(body) and body.startswith(BODY) and body.endswith("}")):
            return None
        words = text.removesuffix(body)
    if BODY in words:
        return None
    pattern = _pattern(words, {name: row[name] for name in _ROLES[role] if row[name] is not None})
    if pattern is None:
        return None
    held = {*_ROLES[role], "row", "role", f"{side}_body", f"{side}_body_state"}
    constants = tuple((name, row[name]) for name in FRAGMENT if name not in held and row[name] is not None)
    return Wording(role, pattern, body is not None, constants)


def _pattern(words: str, values: Mapping[str, Any]) -> str | None:
    """The words with slots in place of the values; None where a value's place is not certain."""
    places = []
    for name, value in values.items():
        shown = _shown(value)
        at = words.find(shown)
        if at < 0 or words.find(shown, at + 1) >= 0 or not re.fullmatch(SLOTS[name], shown):
            return None
        places.append((at, at + len(shown), name))
    places.sort()
    if not places:
        return None
    return "^" + "".join(_pieces(words, places)) + "$" if _apart(words, places) else None


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _apart(words: str, places: list[tuple[int, int, str]]) -> bool:
    """Whether each slot ends at a character that it cannot hold, so that there is one way to read the line."""
    begins = [begin for begin, _, _ in places[1:]] + [len(words) + 1]
    return all(
        end < following and (end == len(words) or re.fullmatch(_HOLDS[name], words[end]) is None)
        for (_, end, name), following in zip(places, begins, strict=True)
    )


def _pieces(words: str, places: list[tuple[int, int, str]]) -> Iterator[str]:
    done = 0
    for begin, end, name in places:
        yield re.escape(words[done:begin])
        yield f"(?P<{name}>{SLOTS[name]})"
        done = end
    yield re.escape(words[done:])
