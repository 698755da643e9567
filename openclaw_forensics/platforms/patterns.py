"""Every regular expression and every place in a pack, and whether both engines take it.

Patterns run on whole columns in polars' linear-time engine and on single rows in Python's `re`, so they must mean
something to both: no look-around, no back-reference, no huge repetition.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import polars as pl
from polars.exceptions import PolarsError
from pydantic import BaseModel

from openclaw_forensics.platforms.facts import Test
from openclaw_forensics.platforms.model import (
    Ack,
    Deprecation,
    Envelope,
    ErrorRow,
    Expected,
    Operation,
    Signature,
    Webhooks,
)
from openclaw_forensics.platforms.signature_model import Scheme, SchemeParams

Loc = tuple[str | int, ...]
_FIELDS: dict[type[BaseModel], tuple[str, ...]] = {
    Test: ("re",),
    Signature: ("path", "body", "record"),
    Envelope: ("path", "host"),
    Expected: ("message",),
    Operation: ("host",),
    ErrorRow: ("match",),
    Scheme: ("placed_re", "key_suffix_re", "prefix_re"),
    SchemeParams: ("only",),
    Ack: ("body",),
    Deprecation: ("path", "host"),
    Webhooks: ("user_agents",),
}
_IN_PLACES = re.compile(r"^(?:request|response)\.(?:host|path|text):(.+)$", re.DOTALL)


def patterns(part: BaseModel) -> Iterator[tuple[Loc, str]]:
    """Where each pattern stands in `part`, and the pattern."""
    fields = _FIELDS.get(type(part), ())
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name in fields and value is not None:
            for each in value if isinstance(value, tuple) else (value,):
                yield (name,), each
        else:
            yield from _inside((name,), value)


def _inside(loc: Loc, value: object) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, BaseModel):
        yield from (((*loc, *inner), pattern) for inner, pattern in patterns(value))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _inside((*loc, index), item)
    elif isinstance(value, str):
        if loc[0] == "parts":  # of a scheme
            value, _, narrowed = value.partition(" ~ ")
            if narrowed:
                yield loc, narrowed
        if found := _IN_PLACES.match(value):
            yield loc, found[1]


@functools.lru_cache(maxsize=4096)
def fault(pattern: str) -> str | None:
    """Why a pattern cannot be used, None where it can."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"Python's engine refuses it: {error}"
    try:
        pl.Series([""]).str.contains(pattern)
    except PolarsError as error:
        first = str(error).strip().splitlines()
        reason = next((line.removeprefix("error: ") for line in first if line.startswith("error")), first[0])
        return f"polars' engine refuses it: {reason}"
    return None


def is_slow(pattern: str) -> bool:
    """Whether a hostile text can make Python's engine slow: a repetition directly inside a repetition."""
    return _nests(_parser.parse(pattern), False)


def _nests(tree: Any, inside: bool) -> bool:
    """Whether an endless repetition stands in another with nothing fixed between two rounds."""
    for op, argument in tree:
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            endless = argument[1] == _constants.MAXREPEAT
            if (inside and endless) or _nests(argument[2], endless and not _has_literal(argument[2])):
                return True
        elif op is _constants.SUBPATTERN:
            if _nests(argument[-1], inside and not _has_literal(argument[-1])):
                return True
        elif op is _constants.BRANCH and any(_nests(b, inside and not _has_literal(b)) for b in argument[1]):
            return True
    return False


def _has_literal(tree: Any) -> bool:
    """Whether every round has a fixed character, by which one round is told from the next."""
    return any(
        op is _constants.LITERAL or (op is _constants.SUBPATTERN and _has_literal(argument[-1]))
        for op, argument in tree
    )
