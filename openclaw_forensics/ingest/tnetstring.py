"""Tagged netstrings, `LENGTH:PAYLOADTYPE`, with mitmproxy's type `;` for text, read in bounds.

Grammar: https://tnetstrings.info and mitmproxy's io/tnetstring.py. A length has at most 12 digits.
"""

from __future__ import annotations

from collections.abc import Callable

Value = bytes | str | int | float | bool | None | list["Value"] | dict[str, "Value"]

DEPTH = 40
_DIGITS = 13  # of a length, its colon included
_ITEMS = 1_000_000  # of one record


class BrokenTnetstring(ValueError):
    """The bytes are no tnetstring; `at` is where, `cut` whether they merely end too soon."""

    def __init__(self, message: str, at: int, *, cut: bool = False) -> None:
        super().__init__(message)
        self.at, self.cut = at, cut


def length_of(data: bytes, at: int = 0) -> tuple[int, int]:
    """The length that a tnetstring announces and where its payload begins. Raises BrokenTnetstring."""
    colon = data.find(b":", at, at + _DIGITS)
    digits = data[at:colon] if colon >= 0 else data[at : at + _DIGITS]
    if colon < 0 or not digits.isdigit():
        raise BrokenTnetstring("no length", at, cut=not digits or (digits.isdigit() and len(digits) < _DIGITS))
    return int(digits), colon + 1


def parse(data: bytes, at: int = 0) -> tuple[Value, int]:
    """One value and where the next begins; dictionary keys become text. Raises BrokenTnetstring."""
    return _Parser(data).value(at, len(data), DEPTH)


def places(data: bytes, at: int = 0) -> dict[str, int]:
    """Where the values of the dictionary at `at` begin, by key, none of them parsed; empty when it is no dictionary."""
    size, at = length_of(data, at)
    end = at + size
    if end >= len(data):
        raise BrokenTnetstring("longer than what is left", at, cut=True)
    found: dict[str, int] = {}
    if data[end] != _DICTIONARY:
        return found
    parser = _Parser(data)
    while at < end:
        key, at = parser.value(at, end + 1, 1)
        found[_key(key)] = at
        size, start = length_of(data, at)
        at = start + size + 1
    if at != end:
        raise BrokenTnetstring("an item reaches beyond its list", at)
    return found


class _Parser:
    def __init__(self, data: bytes) -> None:
        self._data, self._left = data, _ITEMS

    def value(self, at: int, limit: int, depth: int) -> tuple[Value, int]:
        data = self._data
        size, start = length_of(data, at)
        end = start + size
        if end >= limit:
            raise BrokenTnetstring("longer than what is left", at, cut=True)
        self._left -= 1
        if depth <= 0 or self._left <= 0:
            raise BrokenTnetstring("nested too deeply or too many items", at)
        kind = data[end]
        if kind in (_LIST, _DICTIONARY):
            items: list[Value] = []
            while start < end:
                item, start = self.value(start, end, depth - 1)
                items.append(item)
            if kind == _LIST:
                return items, end + 1
            return dict(zip(map(_key, items[::2]), items[1::2], strict=False)), end + 1
        decode = _SCALARS.get(kind)
        if decode is None:
            raise BrokenTnetstring(f"unknown type {chr(kind)!r}", at)
        try:
            return decode(data[start:end]), end + 1
        except ValueError as exc:
            raise BrokenTnetstring("not a number", at) from exc


def _key(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _text(payload: bytes) -> Value:
    return payload.decode("utf-8", "replace")


def _same(payload: bytes) -> Value:
    return payload


def _integer(payload: bytes) -> Value:
    return int(payload[:40])


def _float(payload: bytes) -> Value:
    return float(payload[:40])


_LIST, _DICTIONARY = ord("]"), ord("}")
_SCALARS: dict[int, Callable[[bytes], Value]] = {
    ord(","): _same,
    ord(";"): _text,
    ord("#"): _integer,
    ord("^"): _float,
    ord("!"): lambda payload: payload == b"true",
    ord("~"): lambda _: None,
}
