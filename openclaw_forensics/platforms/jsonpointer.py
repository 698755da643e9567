"""JSON pointers with `*` (RFC 6901 otherwise) into parsed bodies, and JSON values as text."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from openclaw_forensics.platforms.message import Digits, parse_json


@functools.cache
def pointer(argument: str) -> tuple[str, ...]:
    """The reference tokens of an RFC 6901 pointer."""
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in argument.split("/")[1:])


def nodes(node: Any, tokens: tuple[str, ...], at: str = "") -> Iterator[tuple[str, Any]]:
    """Concrete pointer and value of everything at the end of a pointer with `*`."""
    if not tokens:
        yield at, node
        return
    head, rest = tokens[0], tokens[1:]
    if isinstance(node, str) and not isinstance(node, Digits) and node[:1] in ("{", "["):
        node = parse_json(node)[1]
    if isinstance(node, dict):
        for key in node if head == "*" else (head,) if head in node else ():
            yield from nodes(node[key], rest, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        fits = head.isascii() and head.isdecimal() and len(head) < 7 and int(head) < len(node)
        for index in range(len(node)) if head == "*" else (int(head),) if fits else ():
            yield from nodes(node[index], rest, f"{at}/{index}")


def ends(node: Any, tokens: tuple[str, ...]) -> Iterable[Any]:
    """The values of `nodes`; the usual pointer, names alone through objects, without a generator for each step."""
    for depth, name in enumerate(tokens):
        if not isinstance(node, dict) or name == "*":
            return (end for _, end in nodes(node, tokens[depth:]))
        if name not in node:
            return ()
        node = node[name]
    return (node,)


def text_of(node: Any) -> str | None:
    """A JSON value as text: strings as they are, numbers with their digits, containers as compact JSON."""
    if node is None or node in ({}, []):
        return None
    if isinstance(node, bool):
        return "true" if node else "false"
    return str(node) if isinstance(node, str) else _dump(node)


def _dump(node: Any) -> str:
    """Compact JSON that keeps a number's digits."""
    if isinstance(node, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_dump(v)}" for k, v in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_dump, node)) + "]"
    return str(node) if isinstance(node, Digits) else json.dumps(node, ensure_ascii=False)
