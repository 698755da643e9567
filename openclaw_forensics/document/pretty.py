"""JSON laid out for people: only white space changes; literals, key order, duplicate keys and escapes stay as sent."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)')
_DEEPEST = 200
_INDENT = "  "


def layout(text: str) -> str | None:
    """`text` with one value per line, or None where it is not balanced JSON-like text."""
    body = text.strip()
    if not body or body[0] not in "{[":
        return None
    parts = _TOKEN.split(body)
    if "".join(parts[::2]).strip():  # what stands between the tokens
        return None
    return _lines(parts[1::2])


def _lines(pieces: list[str]) -> str | None:
    out: list[str] = []
    stack: list[str] = []
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else ""
        if piece in "{[" and len(piece) == 1:
            stack.append("}" if piece == "{" else "]")
            if len(stack) > _DEEPEST:
                return None
            out.append(piece if following == stack[-1] else piece + "\n" + _INDENT * len(stack))
        elif piece in "}]" and len(piece) == 1:
            if not stack or stack.pop() != piece:
                return None
            out.append(piece if pieces[place - 1] in ("{", "[") else "\n" + _INDENT * len(stack) + piece)
        elif piece == ",":
            out.append(",\n" + _INDENT * len(stack))
        else:
            out.append(": " if piece == ":" else piece)
    return None if stack else "".join(out)
