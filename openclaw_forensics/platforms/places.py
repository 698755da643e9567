"""The place language of `platforms.model` on single exchanges: present, absent, or in a part that was not recorded.

The three are kept apart because no cause of the kind "it is missing" may rest on a part that was not recorded.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, cast
from xml.etree.ElementTree import Element

from openclaw_forensics.platforms import jsonpointer
from openclaw_forensics.platforms.facts import Test
from openclaw_forensics.platforms.masks import is_masked
from openclaw_forensics.platforms.message import TEXT_LIMIT, Message, Side, clean

MAX_VALUES = 1_000  # values that one place yields

State = Literal["present", "absent", "unknown"]


class Found(NamedTuple):
    """What a place holds: `values` is empty unless `state` is present."""

    state: State
    values: tuple[str, ...] = ()


ABSENT = Found("absent")
UNKNOWN = Found("unknown")


class Place(NamedTuple):
    """A place, taken apart."""

    side: Side
    kind: str
    argument: str


compiled = functools.cache(re.compile)  # `re` itself forgets: all packs together have more patterns than it keeps


@functools.cache
def parse(place: str) -> Place:
    """Take `side.kind:argument` apart."""
    head, _, argument = place.partition(":")
    side, _, kind = head.partition(".")
    return Place(cast("Side", side), kind, argument)


def find(place: str, message: Message) -> Found:
    """What `place` holds in this exchange; looked up once for each message."""
    found = message.found.get(place)
    if found is None:
        parsed = parse(place)
        found = message.found[place] = _FINDERS[parsed.kind](parsed, message)
    return found


def values(places: Iterable[str], message: Message) -> list[str]:
    """The values of the first place that yields any which is not blank."""
    for place in places:
        if found := [v for v in find(place, message).values if v.strip()]:
            return found
    return []


def value(places: Iterable[str], message: Message) -> str | None:
    """The first value that is not blank of the first place that yields one."""
    found = values(places, message)
    return found[0] if found else None


def loose_value(places: Iterable[str], message: Message) -> str | None:
    """As `value`, but only by the ends of JSON pointers: for a log that quotes the inner part of a body alone."""
    for place in map(parse, places):
        if place.kind == "json":
            valid, tree = message.json(place.side)
            root = tree if valid else message.tree(place.side)
            tokens = jsonpointer.pointer(place.argument)
            for start in range(1, len(tokens)):
                found = next((text for text in _walk(root, tokens[start:]) if text.strip()), None)
                if found is not None:
                    return clean(found)
    return None


def state(places: Iterable[str], message: Message) -> State:
    """Present where any place holds a value; absent only where every place was recorded and holds none."""
    states = {find(place, message).state for place in places}
    return "present" if "present" in states else "unknown" if "unknown" in states else "absent"


def _found(items: Iterable[str], seen: bool | None) -> Found:
    taken = tuple(map(clean, itertools.islice(items, MAX_VALUES)))
    if taken:
        return Found("present", taken)
    return ABSENT if seen else UNKNOWN


def _query(place: Place, message: Message) -> Found:
    return _found(message.query().get(place.argument, ()), message.query_seen())


def _form(place: Place, message: Message) -> Found:
    return _found(message.form().get(place.argument, ()), message.seen("request", "body"))


def _param(place: Place, message: Message) -> Found:
    key = place.argument.replace("~", "~0").replace("/", "~1")
    tried = (_query(place, message), _form(place, message), _json(Place("request", "json", f"/{key}"), message))
    for found in tried:
        if found.state == "present":
            return found
    return UNKNOWN if UNKNOWN in tried else ABSENT


def _header(place: Place, message: Message) -> Found:
    found = message.headers(place.side).get(place.argument.lower(), ())
    return _found(found[:1], message.seen(place.side, "headers"))


def _json(place: Place, message: Message) -> Found:
    tokens = jsonpointer.pointer(place.argument)
    seen = message.seen(place.side, "body")
    valid, tree = message.json(place.side)
    if valid:
        return _found(_walk(tree, tokens), seen)
    text = message.text(place.side)
    if not text or not text.strip():
        return ABSENT if seen else UNKNOWN
    if text.lstrip("\ufeff \t\r\n").startswith("<") or (place.side == "request" and message.form()):
        return ABSENT if seen else UNKNOWN
    broken = message.tree(place.side)
    return _found(_walk(broken, tokens), None)


def _walk(node: Any, tokens: tuple[str, ...]) -> Iterator[str]:
    """Texts at the end of a pointer; null and empty containers are no values."""
    ends = jsonpointer.ends(node, tokens)
    return (text for end in ends if (text := jsonpointer.text_of(end)) is not None)


def _xml(place: Place, message: Message) -> Found:
    root, seen = message.xml(place.side), message.seen(place.side, "body")
    steps = tuple(place.argument.split("/"))
    if root is not None:
        return _found(_elements(root, steps), seen)
    text = message.text(place.side)
    if not text or not text.lstrip("\ufeff \t\r\n").startswith("<") or steps[-1].startswith("@"):
        return ABSENT if seen else UNKNOWN
    tag = re.escape(steps[-1])
    cut = re.search(rf"<(?:[\w.-]{{1,60}}:)?{tag}(?:\s[^<>]{{0,500}})?>([^<]{{0,4000}})", text[:TEXT_LIMIT])
    return Found("present", (clean(cut[1].strip()),)) if cut and cut[1].strip() else UNKNOWN


def _elements(node: Element, steps: tuple[str, ...]) -> Iterator[str]:
    if not steps:
        text = "".join(node.itertext()).strip() if len(node) else (node.text or "").strip()
        if text:
            yield text
        return
    head, rest = steps[0], steps[1:]
    if head.startswith("@"):
        yield from (v for k, v in node.attrib.items() if _local(k) == head[1:])
        return
    for child in node:
        if head == "*" or _local(child.tag) == head:
            yield from _elements(child, rest)


def _local(name: object) -> str:
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def _group(pattern: str, text: str | None) -> tuple[str, ...]:
    match = compiled(pattern).search(text[:TEXT_LIMIT]) if text is not None else None
    if not match:
        return ()
    found = match[1] if match.re.groups else match[0]
    return () if found is None else (found,)


def _host(place: Place, message: Message) -> Found:
    return _found(_group(place.argument, message.get("host")), message.get("host") is not None)


def _path(place: Place, message: Message) -> Found:
    return _found(_group(place.argument, message.get("path")), message.get("path") is not None)


def _body_text(place: Place, message: Message) -> Found:
    return _found(_group(place.argument, message.text(place.side)), message.seen(place.side, "body"))


def _bearer(_: Place, message: Message) -> Found:
    token = message.authorization("bearer")
    return _found(() if token is None else (token,), message.seen("request", "headers"))


def _basic(place: Place, message: Message) -> Found:
    pair = message.basic()
    found = () if pair is None else (pair[0] if place.argument == "user" else pair[1],)
    return _found(found, message.seen("request", "headers"))


def _oauth(place: Place, message: Message) -> Found:
    for found in (_query(place, message), _form(place, message)):
        if found.state == "present":
            return found
    sent = (value for name, value in message.oauth() if name == place.argument)
    seen = message.query_seen() and message.seen("request", "headers") and message.seen("request", "body")
    return _found(sent, seen)


def _status(_: Place, message: Message) -> Found:
    status = message.row.get("status")
    return UNKNOWN if status is None else Found("present", (str(status),))


_FINDERS = {
    "query": _query,
    "form": _form,
    "param": _param,
    "header": _header,
    "json": _json,
    "xml": _xml,
    "host": _host,
    "path": _path,
    "text": _body_text,
    "bearer": _bearer,
    "basic": _basic,
    "oauth": _oauth,
    "status": _status,
}


def test(condition: Test, message: Message) -> bool | None:
    """Whether the test holds; None where the part was not recorded or the value is masked.

    A place without a value fails every test but `exists = false`; of several values one that holds is enough.
    """
    found = find(condition.place, message)
    if found.state == "unknown":
        return None
    if found.state == "absent":
        return condition.exists is False
    if condition.exists is False:
        return False
    results = [_holds(condition, each) for each in found.values]
    return True if True in results else None if None in results else False


def _holds(condition: Test, each: str) -> bool | None:
    asks = (condition.equals, condition.one_of, condition.none_of, condition.re)
    if all(ask is None for ask in asks):
        return True
    if is_masked(each):
        return None
    return (
        (condition.equals is None or each == condition.equals)
        and (condition.one_of is None or each in condition.one_of)
        and (condition.none_of is None or each not in condition.none_of)
        and (condition.re is None or compiled(condition.re).search(each[:TEXT_LIMIT]) is not None)
    )


def all_hold(conditions: Iterable[Test], message: Message) -> bool | None:
    """Three-valued AND: False as soon as one fails, None where one is unknown, else True."""
    unknown = False
    for condition in conditions:
        result = test(condition, message)
        if result is False:
            return False
        unknown = unknown or result is None
    return None if unknown else True
