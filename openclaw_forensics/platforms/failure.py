"""What an answer says: the envelope that fits it, its code, message and fields, the items in it that failed.

The first envelope of the pack that fits is read. Where it yields no code, `common` is asked: OAuth errors, problem
documents, block pages, plain text. Bodies that are cut or printed by a language are read through `tolerant`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.model import Envelope, Expected, ItemFailures, Operation

MAX_CODE = 200  # characters kept of a code
MAX_MESSAGE = 4_000  # and of a message
MAX_FIELDS = 50
MAX_ITEMS = 500  # failed items kept of one answer
EXCEPTION = r"(?:Exception|Error)\b"  # how the classes of exceptions end, whatever the language
MAX_EXAMINED = 10_000  # items looked at
_EXCEPTION = re.compile(EXCEPTION)
_BLANKS = re.compile(r"\s+")


@dataclass(slots=True)
class Outcome:
    """The annotated columns that come from an answer."""

    failure: str | None = None
    code: str | None = None
    subcode: str | None = None
    message: str | None = None
    fields: list[str] | None = None
    request_id: str | None = None
    items: list[dict[str, str | None]] | None = None
    expected: bool = False


@dataclass(slots=True)
class _Said:
    """A code with its sub-code, message and fields, from one envelope or one item."""

    code: str | None
    subcode: str | None
    message: str | None
    fields: list[str]


class _Reading:
    """One envelope's view of one answer; each part is looked up when it is first asked for."""

    def __init__(self, message: Message, envelope: Envelope) -> None:
        self._message, self._envelope = message, envelope

    @cached_property
    def code(self) -> str | None:
        return _word(places.value(self._envelope.code, self._message))

    @cached_property
    def message(self) -> str | None:
        return _sentence(places.value(self._envelope.message, self._message))

    @cached_property
    def fields(self) -> list[str]:
        return list(dict.fromkeys(places.values(self._envelope.fields, self._message)))[:MAX_FIELDS]

    @cached_property
    def request_id(self) -> str | None:
        return _word(places.value(self._envelope.request_id, self._message))

    @cached_property
    def fine(self) -> bool:
        asked = self._envelope.ok_when
        return bool(asked) and places.all_hold(asked, self._message) is True

    @cached_property
    def fails(self) -> bool:
        groups = self._envelope.failed_when
        return any(places.all_hold(group, self._message) is True for group in groups) and not self.fine

    @cached_property
    def items(self) -> list[dict[str, str | None]]:
        rules = self._envelope.item_failures
        if not rules or self.fine:
            return []
        return [item for rule in rules for item in _items(self._message, rule)][:MAX_ITEMS]

    def said(self) -> _Said:
        """Code, sub-code, message and fields."""
        subcode = _word(places.value(self._envelope.subcode, self._message))
        return _Said(self.code, subcode, self.message, self.fields)


def judge(
    message: Message, operation: Operation | None, envelopes: Iterable[Envelope], common: Iterable[Envelope]
) -> Outcome:
    """The outcome of an outgoing exchange whose answer has to be read."""
    out = Outcome(failure=_without_answer(message))
    if out.failure is not None:
        return out
    status = message.row.get("status")
    own = _first(message, operation, envelopes)
    general = [] if own and (own.code or own.fine) else list(_all(message, operation, common))
    _take(out, own, general, in_items=status is None or status < 400)
    if out.code is None and (status is None or status >= 400):
        _take_loosely(out, message, operation, envelopes)
    if out.code is None and status is not None and status >= 400:
        _take_labels(out, message)
    if status is not None and status >= 400:
        out.failure = "status"
    elif status is None and is_exception(message) and (out.code or out.message):
        out.failure = "body"
    elif (status is None or 200 <= status < 300) and not (own and own.fine):
        fails = (own is not None and (own.fails or bool(own.items))) or any(g.fails or g.items for g in general)
        out.failure = "body" if fails else None
    if out.failure is not None and operation and _is_expected(operation.expected, status, out):
        out.failure, out.expected = None, True
    if out.failure is None and not out.expected:
        return Outcome(request_id=out.request_id)
    return out


def is_exception(message: Message) -> bool:
    """Whether the exchange is only known from an exception of the client, which quotes the answer."""
    return _EXCEPTION.search((message.get("client_class") or "")[:1024]) is not None


def _without_answer(message: Message) -> str | None:
    """transport or no_answer; a request that the client cancelled, or that the capture ends on, is neither."""
    row = message.row
    if row.get("status") is not None or row.get("answer_state") in ("cancelled", "open"):
        return None
    if row.get("transport_error") is not None:
        return "transport"
    return "no_answer" if row.get("answer_state") == "missing" else None


def read_answer(message: Message, common: Iterable[Envelope]) -> Outcome:
    """What our own answer to a callback says; whether it failed is judged by the pack's acknowledgement."""
    out = Outcome()
    _take(out, None, list(_all(message, None, common)))
    return out


def _take(out: Outcome, own: _Reading | None, general: list[_Reading], *, in_items: bool = False) -> None:
    """Own values first; a code and its message come from one envelope, or from the first item that failed."""
    failing = [g for g in general if g.fails]
    coded = next((g for g in (*failing, *general) if g.code), None)
    worded = next((g for g in (*failing, *general) if g.message), None)
    read = own if own and own.code else coded
    source = read.said() if read else None
    if own and own.items and not own.fails and (in_items or source is None):
        first = own.items[0]
        source = _Said(first["code"], None, first["message"] or own.message, [])
    if source is not None:
        out.code, out.subcode, out.message = source.code, source.subcode, source.message
        out.fields = source.fields[:MAX_FIELDS] or None
    if own and own.message and not out.message:
        out.message = own.message
    if not out.message and worded:
        out.message = worded.message
    if own and own.fields and not out.fields:
        out.fields = own.fields[:MAX_FIELDS]
    out.request_id = next((r.request_id for r in (own, coded, worded) if r and r.request_id), None)
    items = own.items if own and own.items else next((g.items for g in general if g.items), [])
    out.items = items or None


def _take_loosely(out: Outcome, message: Message, operation: Operation | None, own: Iterable[Envelope]) -> None:
    """Code and message by the ends of the pack's pointers, where the body is only a part of what it was."""
    for envelope in own:
        if _fits(envelope, message, operation) is not False:
            code = _word(places.loose_value(envelope.code, message))
            if code is not None:
                out.code = code
                out.subcode = _word(places.loose_value(envelope.subcode, message))
                out.message = _sentence(places.loose_value(envelope.message, message)) or out.message
                return


def _take_labels(out: Outcome, message: Message) -> None:
    """Code and message that the capture's own columns name beside the exchange, where the answer yields no code."""
    told = {label["name"]: label["value"] for label in message.row.get("labels") or ()}
    if (code := _word(told.get("error_code"))) is not None:
        out.code, out.message = code, _sentence(told.get("error_message")) or out.message


def _first(message: Message, operation: Operation | None, envelopes: Iterable[Envelope]) -> _Reading | None:
    """The first envelope that fits; where none does for sure, the first that an unknown path or host may hide."""
    perhaps: Envelope | None = None
    for envelope in envelopes:
        fits = _fits(envelope, message, operation)
        if fits:
            return _Reading(message, envelope)
        if fits is None and perhaps is None:
            perhaps = envelope
    return None if perhaps is None else _Reading(message, perhaps)


def _all(message: Message, operation: Operation | None, envelopes: Iterable[Envelope]) -> Iterator[_Reading]:
    return (_Reading(message, e) for e in envelopes if _fits(e, message, operation))


def _fits(envelope: Envelope, message: Message, operation: Operation | None) -> bool | None:
    """Whether the envelope's keys match; None where the path or host they ask for was not recorded."""
    path, host = message.get("api_path") or message.get("path"), message.get("host")
    if envelope.path is not None and path is not None and places.compiled(envelope.path).search(path[:4096]) is None:
        return False
    if envelope.host is not None and host is not None and places.compiled(envelope.host).search(host[:512]) is None:
        return False
    if envelope.operations and (
        operation is None or not any(fnmatchcase(operation.id, glob) for glob in envelope.operations)
    ):
        return False
    if places.all_hold(envelope.when, message) is not True:
        return False
    known = (envelope.path is None or path is not None) and (envelope.host is None or host is not None)
    return True if known else None


def _word(text: str | None) -> str | None:
    """A code or id: blanks of every kind around it are the writer's, not its own."""
    return (text.replace("\u00a0", " ").strip()[:MAX_CODE] or None) if text is not None else None


def _sentence(text: str | None) -> str | None:
    """A message on one line with plain blanks, so that patterns need not know how it was laid out."""
    return (_BLANKS.sub(" ", text[: 2 * MAX_MESSAGE]).strip()[:MAX_MESSAGE] or None) if text is not None else None


def _items(message: Message, rule: ItemFailures) -> Iterator[dict[str, str | None]]:
    place = places.parse(rule.items)
    if place.kind != "json":
        return
    valid, tree = message.json(place.side)
    root: Any = tree if valid else message.tree(place.side)
    examined = 0
    for pointer, item in jsonpointer.nodes(root, jsonpointer.pointer(place.argument)):
        for where, each in _each(pointer, item):
            examined += 1
            if examined > MAX_EXAMINED:
                return
            inner = Message.of_json("response", each)
            if any(places.test(test, inner) is True for test in rule.failed_when):
                yield {
                    "pointer": where,
                    "object_id": _word(places.value(rule.object_id, inner)),
                    "code": _word(places.value(rule.code, inner)),
                    "message": _sentence(places.value(rule.message, inner)),
                }


def _each(pointer: str, node: Any) -> Iterator[tuple[str, Any]]:
    """The items of an array, or a lone object that stands in place of one."""
    if isinstance(node, list):
        yield from ((f"{pointer}/{i}", item) for i, item in enumerate(node))
    elif isinstance(node, dict) and node:
        yield pointer, node


def _is_expected(rows: Iterable[Expected], status: int | None, out: Outcome) -> bool:
    return any(
        (row.status is None or row.status == status)
        and (row.code is None or row.code == out.code)
        and (
            row.message is None
            or (out.message is not None and places.compiled(row.message).search(out.message) is not None)
        )
        for row in rows
    )
