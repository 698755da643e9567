"""Lines of a given display width: a Han character takes two columns, and no line begins with closing punctuation."""

from __future__ import annotations

import re

from rich.cells import cell_len

_TOKEN = re.compile(
    r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\s+|[^\s\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]+"
)
_NO_START = "。，、；：？！）」』》〉】…,.;:?!)]}%"
_NO_END = "（「『《〈【([{"


def width(text: str) -> int:
    """The columns that `text` takes."""
    return cell_len(text)


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `columns`."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def clip(text: str, columns: int) -> str:
    """`text` cut to `columns`, with a sign."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def clip_middle(text: str, columns: int) -> str:
    """`text` cut at its beginning to `columns`, with a sign: a file's name and line matter, its folders less."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 1:
        text = text[1:]
    return "…" + text


def _pieces(text: str) -> list[str]:
    """Unbreakable pieces: closing punctuation stays with what it closes, opening with what it opens."""
    pieces: list[str] = []
    for token in _TOKEN.findall(text):
        glued = pieces and not pieces[-1].isspace() and (token[0] in _NO_START or pieces[-1][-1] in _NO_END)
        if glued and not token.isspace():
            pieces[-1] += token
        else:
            pieces.append(token)
    return pieces


def wrap(text: str, columns: int, indent: str = "") -> list[str]:
    """`text` in lines of at most `columns`; lines after the first begin with `indent`. Longer words are split."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if piece.isspace():
            line += piece if line.strip() or not lines else ""
            continue
        if width(line) + width(piece) > columns and line.strip():
            lines.append(line.rstrip())
            line = indent
        while width(line) + width(piece) > columns:
            room = max(1, columns - width(line))
            take = next((n for n in range(len(piece), 0, -1) if width(piece[:n]) <= room), 1)
            lines.append(line + piece[:take])
            line, piece = indent, piece[take:]  # noqa: PLW2901 - the rest of the same word
        line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines
