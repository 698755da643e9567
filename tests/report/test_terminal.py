"""The terminal summary: 24 lines of 80 columns, in plain words."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from openclaw_forensics.report import terminal
from openclaw_forensics.report.catalogue import LANGS, Lang
from openclaw_forensics.report.wrap import width, wrap
from tests.report.documents import DOCUMENTS, token_cascade
from tests.report.hostile import HOSTILE, with_text

CASES = [pytest.param(name, lang, id=f"{name}-{lang}") for name in DOCUMENTS for lang in LANGS]


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_it_fits_the_screen(name: str, lang: Lang) -> None:
    rows = [text for text, _ in terminal.lines(DOCUMENTS[name](), lang, 80, ("openclaw-report.html",))]
    assert len(rows) <= terminal.LINES
    assert max(map(width, rows)) <= 80
    assert [r for r in rows if r.strip()[:1] in set("。，）」；")] == []


def test_hostile_text_neither_widens_nor_colours_it() -> None:
    rows = [text for text, _ in terminal.lines(with_text(HOSTILE + "\x1b[31m\n"), "zh")]
    assert len(rows) <= terminal.LINES
    assert max(map(width, rows)) <= 80
    assert "\x1b" not in "".join(rows)


def test_piped_output_is_plain() -> None:
    out = io.StringIO()
    terminal.render(token_cascade(), "zh", Console(file=out, width=80), ("a.html", "a.txt"))
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().startswith("责任方 ERP  很可能 0.87  未恢复")
    assert "erp.log:1204" in out.getvalue()
    assert "已解释 143/150" in out.getvalue()


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        pytest.param("甲乙丙丁。", 8, ["甲乙丙", "丁。"], id="no-line-begins-with-a-stop"),
        pytest.param("ab （甲）", 5, ["ab", "（甲", "）"], id="too-narrow-for-its-bracket"),
        pytest.param("one two three", 8, ["one two", "three"], id="words"),
        pytest.param("abcdefghij", 4, ["abcd", "efgh", "ij"], id="long-word"),
        pytest.param("  1 a", 80, ["  1 a"], id="indent-stays"),
    ],
)
def test_wrapping(text: str, columns: int, lines: list[str]) -> None:
    assert wrap(text, columns) == lines
