"""Words without which a pattern cannot match, so that of many patterns few have to be compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<class>\[\^?\]?(?:[^\]\\]|\\.)*\])|(?P<count>\{[^{}]*\})"
    r"|(?P<plain>[\w\u3400-\u9fff ,;:'/&-]+)|(?P<sign>.)",
    re.ASCII | re.DOTALL,
)
_SETTING = re.compile(r"\(\?[aiLmsux-]")
_NUMERIC = frozenset("xuUN0123456789")  # escapes that go on behind their first character
_FOLDED = re.compile("[\u0130\u0131\u017f\u212a]")  # match i, s or k when case does not count, and stay what they are


def needles(pattern: str) -> tuple[str, ...] | None:
    """One word of each alternative of `pattern`, in lower case; None where one has no word that must stand there."""
    if _SETTING.search(pattern):
        return None
    best = [""]
    for run in _runs(pattern):
        if run is None:
            return None
        if run == "|":
            best.append("")
        elif len(run) > len(best[-1]):
            best[-1] = run
    return tuple(dict.fromkeys(word.lower() for word in best)) if all(best) else None


def may_match(text: str, words: tuple[str, ...] | None) -> bool:
    """Whether a pattern with these needles, for which case does not count, has to be asked about `text`."""
    if words is None or _FOLDED.search(text):
        return True
    low = text.lower()
    return any(word in low for word in words)


def _runs(pattern: str) -> Iterator[str | None]:
    """Plain characters outside of groups that stand side by side; `|` between alternatives; None: not understood."""
    depth, run = 0, ""
    for token in _TOKEN.finditer(pattern):
        if token.lastgroup == "plain" and not depth:
            run += token[0]
            continue
        if token.lastgroup == "escaped" and token["escaped"] in _NUMERIC:
            yield None
        optional = token.lastgroup == "count" or token[0] in ("?", "*")
        yield run[:-1] if optional else run
        run = ""
        depth += (token[0] == "(") - (token[0] == ")")
        if token[0] == "|" and not depth:
            yield "|"
    yield run
