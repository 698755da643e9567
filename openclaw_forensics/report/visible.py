"""Captured text made fit to be seen: what would hide, reorder or end a line is written out as its code point.

Right-to-left overrides and zero-width characters can make a log line read as something else (Unicode Technical Report
36, section 2.6); lone surrogates and NUL cannot be written to a file or a page at all.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """`text` with hidden, reordering and control characters as ⟨U+202E⟩; line ends and tabs stay."""
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int | None = None) -> str:
    """`visible` text on one line: line ends as ⏎, tabs as spaces; cut to `limit` characters with a sign."""
    said = visible(text).replace("\n", "⏎").replace("\t", " ")
    return said if limit is None or len(said) <= limit else said[: limit - 1] + "…"


def cut_middle(text: str, limit: int) -> str:
    """`text` with its middle left out, so that it has at most `limit` characters; the end is worth more."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 3
    return text[:head] + "…" + text[len(text) - (limit - 1 - head) :]
