"""Lines of a block as runs of text, pills and marks.

A pseudonym becomes a pill only where the document says that one stands, so that captured text which merely reads like
one cannot pose as it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from openclaw_forensics.report.layout import Layout, Piece, Pointer
from openclaw_forensics.report.minimal import place
from openclaw_forensics.report.visible import visible
from openclaw_forensics.result import Hidden

_HEX = re.compile(r"(?:[0-9a-fA-F]{2}\s?)+")

Kind = Literal["text", "pill", "mark"]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of one line. A pill carries the length of what it hides."""

    kind: Kind
    text: str
    length: int | None = None


@dataclass(slots=True)
class Line:
    """One line of a block. `mark` is the number of the telling mark that it carries."""

    runs: list[Run] = field(default_factory=list)
    mark: int | None = None
    ghost: bool = False


def add(value: int | None, offset: int) -> int | None:
    """A place moved by `offset`; None stays None."""
    return None if value is None else value + offset


def by_name(source: str, laid: Layout, where: Pointer) -> tuple[int, int, int] | None:
    """The line of an XML element or a plain text's word, where the text has no structure of its own."""
    if laid.formatted or not where:
        return None
    at = source.find(where[-1])
    return (at, at + len(where[-1]), source.count("\n", 0, at)) if at >= 0 and where[-1] else None


def line_of(laid: Layout, source: str, word: str | None) -> int | None:
    """The line on which a word of the source begins."""
    at = source.find(word) if word else -1
    if at < 0:
        return None
    for number, line in enumerate(laid.lines):
        if any(piece.start is not None and piece.start <= at < piece.start + len(piece.text) for piece in line):
            return number
    return None


def pills(source: str, laid: Layout, hidden: list[Hidden]) -> list[tuple[int, int, Hidden]]:
    """Where the document says that a pseudonym stands, and the text agrees: (start, end, what is hidden)."""
    found = []
    for item in hidden:
        start, end = item.start, item.end
        if start is None or end is None:
            span = laid.spans.get(place(item.pointer)[1:])
            start = source.find(item.name, span[0], span[1]) if span else -1
            end = start + len(item.name)
        if start >= 0 and source[start:end] == item.name:
            found.append((start, end, item))
    return sorted(found, key=lambda f: f[0])


def split(pieces: list[Piece], pills: list[tuple[int, int, Hidden]]) -> list[Run]:
    """The runs of one line: captured text made visible, pills in their places."""
    runs: list[Run] = []
    for piece in pieces:
        if piece.start is None:
            runs.append(Run("text", piece.text))
            continue
        at, end = piece.start, piece.start + len(piece.text)
        for start, stop, item in pills:
            if at <= start and stop <= end:
                runs += [Run("text", visible(piece.text[at - piece.start : start - piece.start]))]
                runs += [Run("pill", item.name, item.length)]
                at = stop
        runs.append(Run("text", visible(piece.text[at - piece.start :])))
    return _merged([run for run in runs if run.text])


def _merged(runs: list[Run]) -> list[Run]:
    made: list[Run] = []
    for run in runs:
        plain = run.kind == "text" and made and made[-1].kind == "text"
        if plain and not (len(made) == 1 and made[0].text.isspace()):
            made[-1] = Run("text", made[-1].text + run.text)
        else:
            made.append(run)
    return made


def hex_lines(text: str) -> list[Line]:
    """The first 16 lines of 16 bytes; text that is hex already is only put in lines."""
    packed = "".join(text.split()) if _HEX.fullmatch(text[:4096]) else text[:256].encode("utf-8", "replace").hex()
    rows = [packed[i : i + 32] for i in range(0, min(len(packed), 512), 32)]
    return [
        Line([Run("text", f"{n * 16:04x}  " + " ".join(row[i : i + 2] for i in range(0, len(row), 2)))])
        for n, row in enumerate(rows)
    ]
