"""Tagged netstrings, `LENGTH:PAYLOADTYPE`, with mitmproxy's type `;` for text, read in bounds.

Grammar: https://tnetstrings.info and mitmproxy's io/tnetstring.py. A length has at most 12 digits.
"""

from __future__ import annotations

import re

Value = bytes | str | int | float | bool | None | list["Value"] | dict[str, "Value"]

DEPTH = 40
_LENGTH = re.compile(rb"(\d{1,12}):")
_DIGITS = 13  # of a length, its colon included
_ITEMS = 1_000_000  # of one record


class BrokenTnetstring(ValueError):
    """The bytes are no tnetstring; `at` is where, `cut` whether they merely end too soon."""

    def __init__(self, message: str, at: int, *, cut: bool = False) -> None:
        super().__init__(message)
        self.at, self.cut = at, cut


def length_of(data: bytes, at: int = 0) -> tuple[int, int]:
    """The length that a tnetstring announces and where its payload begins. Raises BrokenTnetstring."""
    found = _LENGTH.match(data, at)
    if found is None:
        rest = data[at : at + _DIGITS]
        raise BrokenTnetstring("no length", at, cut=not rest or (rest.isdigit() and len(rest) < _DIGITS))
    return int(found.group(1)), found.end()


def parse(data: bytes, at: int = 0) -> tuple[Value, int]:
    """One value and where the next begins; dictionary keys become text. Raises BrokenTnetstring."""
    return _Parser(data).value(at, DEPTH)


class _Parser:
    def __init__(self, data: bytes) -> None:
        self._data, self._left = data, _ITEMS

    def value(self, at: int, depth: int) -> tuple[Value, int]:
        size, start = length_of(self._data, at)
        end = start + size
        if end >= len(self._data):
            raise BrokenTnetstring("longer than what is left", at, cut=True)
        self._left -= 1
        if depth <= 0 or self._left <= 0:
            raise BrokenTnetstring("nested too deeply or too many items", at)
        kind = self._data[end]
        if kind == 0x5D:  # ]
            return self._items(start, end, depth), end + 1
        if kind == 0x7D:  # }
            items = self._items(start, end, depth)
            return dict(zip(map(_key, items[::2]), items[1::2], strict=False)), end + 1
        return self._scalar(kind, self._data[start:end], at), end + 1

    def _items(self, at: int, end: int, depth: int) -> list[Value]:
        items: list[Value] = []
        while at < end:
            item, at = self.value(at, depth - 1)
            if at > end:
                raise BrokenTnetstring("an item reaches beyond its list", at)
            items.append(item)
        return items

    def _scalar(self, kind: int, payload: bytes, at: int) -> Value:
        try:
            match chr(kind):
                case ",":
                    return payload
                case ";":
                    return payload.decode("utf-8", "replace")
                case "#":
                    return int(payload[:40])
                case "^":
                    return float(payload[:40])
                case "!":
                    return payload == b"true"
                case "~":
                    return None
        except ValueError as exc:
            raise BrokenTnetstring("not a number", at) from exc
        raise BrokenTnetstring(f"unknown type {chr(kind)!r}", at)


def _key(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
