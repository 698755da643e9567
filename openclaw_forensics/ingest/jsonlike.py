"""JSON that may be broken: values one after the other, as far as they parse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from openclaw_forensics.errors import Problem

ESCAPE = "surrogateescape"  # how bytes that are not UTF-8 are carried through a text, so that offsets stay true
JSON = json.JSONDecoder(strict=False)  # control characters in strings are let through
_SPACE = re.compile(r"[\s,]*")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Walker:
    """The JSON values of a text one after the other; one that does not parse gives None and is skipped.

    The text is bytes decoded with ESCAPE.

    `offset` is that of the text in the file, `opening` how a value begins, to find the next one after a broken one;
    `last` says that no more text follows. `closed` tells where the list ended, `cut` that the text ends in a value.
    """

    def __init__(self, text: str, offset: int = 0, opening: str | None = None, *, last: bool = True) -> None:
        self._text, self._offset, self._opening, self._last = text, offset, opening, last
        self.problems: list[Problem] = []
        self.start = 0
        self.cut = False
        self.closed: int | None = None
        self.broken = 0

    def __iter__(self) -> Iterator[Any]:
        at = 0
        while True:
            at = space_end(self._text, at)
            if at >= len(self._text):
                return
            if self._text[at] == "]":
                self.closed = at
                return
            self.start = at
            try:
                value, at = JSON.raw_decode(self._text, at)
            except (json.JSONDecodeError, RecursionError, ValueError) as exc:
                at = self._skip(at, exc)
                if at < 0:
                    return
                yield None
                continue
            yield value

    def _skip(self, at: int, exc: Exception) -> int:
        """Where the next entry begins after one that does not parse; -1 when none does."""
        where = exc.pos if isinstance(exc, json.JSONDecodeError) else at
        following = self._text.find(self._opening, at + 1) if self._opening else -1
        if following < 0 and (not self._last or where >= len(self._text.rstrip()) - 1 or _is_open(exc)):
            self.cut = True
            self.broken += len(self._text[at:].encode("utf-8", ESCAPE))
            return -1
        end = following if following >= 0 else len(self._text)
        self.broken += len(self._text[at:end].encode("utf-8", ESCAPE))
        reason = exc.msg if isinstance(exc, json.JSONDecodeError) else "nested too deeply"
        self.complain("malformed", f"an entry does not parse ({reason}); it is left out", where)
        return following

    def complain(self, kind: Any, message: str, at: int) -> None:
        """Record a problem at a place in the text."""
        offset = self._offset + len(self._text[:at].encode("utf-8", ESCAPE))
        self.problems.append(Problem(kind, message, offset=offset))


def _is_open(exc: Exception) -> bool:
    return isinstance(exc, json.JSONDecodeError) and exc.msg.startswith("Unterminated string")


def space_end(text: str, at: int) -> int:
    """Where white space and commas from `at` on end."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def without_surrogates(value: Any) -> Any:
    """`value` with halves of surrogate pairs, which no UTF-8 can hold, replaced."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value) if not value.isascii() else value
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value
