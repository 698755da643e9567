"""JSON laid out for people: only white space changes; literals, key order, duplicate keys and escapes stay as sent."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_DEEPEST = 200
_INDENT = "  "


def layout(text: str) -> str | None:
    """`text` with one value per line, or None where it is not balanced JSON-like text."""
    body = text.strip()
    if not body or body[0] not in "{[":
        return None
    tokens = _TOKEN.findall(body)
    if sum(map(len, tokens)) != len(re.sub(r'("(?:[^"\\]|\\.)*")|\s+', r"\1", body)):
        return None
    return _lines(tokens)


def _lines(tokens: list[str]) -> str | None:
    out: list[str] = []
    stack: list[str] = []
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token in "{[" and len(token) == 1:
            stack.append("}" if token == "{" else "]")
            if len(stack) > _DEEPEST:
                return None
            out.append(token if following == stack[-1] else token + "\n" + _INDENT * len(stack))
        elif token in "}]" and len(token) == 1:
            if not stack or stack.pop() != token:
                return None
            out.append(token if tokens[place - 1] in ("{", "[") else "\n" + _INDENT * len(stack) + token)
        elif token == ",":
            out.append(",\n" + _INDENT * len(stack))
        else:
            out.append(": " if token == ":" else token)
    return None if stack else "".join(out)
