"""The pages for everybody: axe-core finds nothing, nothing scrolls sideways at 400 % zoom, nothing needs scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from openclaw_forensics.report import html, index
from openclaw_forensics.report.catalogue import LANGS, Lang
from tests.report import framed
from tests.report.documents import DOCUMENTS
from tests.report.test_browser import browse
from tests.report.test_index import summary

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
]

RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
FOUND = f"axe.run(document, {RULES}).then(r => r.violations.map(v => [v.id, v.nodes.length, '' + v.nodes[0].target]))"
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"
HIDDEN = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
DARK = "--blink-settings=preferredColorScheme=0"
NAMES = ["token_cascade", "clock_skew", "new_field", "several_causes", "undetermined", "sound", "index"]


@cache
def page(name: str, lang: Lang) -> str:
    return (
        index.render(summary(), lang, "page.html")
        if name == "index"
        else html.render(DOCUMENTS[name](), lang, "page.html")
    )


@pytest.mark.skipif(framed.axe() is None, reason="axe-playwright-python is not installed")
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("width", "flags"), [(1280, ()), (320, (DARK,))], ids=["wide-light", "narrow-dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(tmp_path: Path, name: str, lang: Lang, width: int, flags: tuple[str, ...]) -> None:
    script = framed.axe()
    assert script is not None
    axe = script.read_text("utf-8")
    assert framed.asked(tmp_path, page(name, lang), FOUND, *flags, width=width, before=axe) == []


def test_the_dark_scheme_is_what_the_flag_asks_for(tmp_path: Path) -> None:
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    assert framed.asked(tmp_path, page("sound", "en"), dark, DARK, width=1280) is True


@pytest.mark.parametrize("style", ["", framed.SPACED], ids=["plain", "spaced"])
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_scrolls_sideways_at_400_percent(tmp_path: Path, name: str, lang: Lang, style: str) -> None:
    question = f"[innerWidth, {SIDEWAYS}, {HIDDEN}]"
    assert framed.asked(tmp_path, page(name, lang), question, width=320, style=style) == [320, 0, 0]


def printed(folder: Path, text: str) -> str:
    pdf = folder / "page.pdf"
    browse(folder, text, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    run = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True)
    return run.stdout.decode("utf-8")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_without_scripts_the_same_is_read(tmp_path: Path) -> None:
    text = page("token_cascade", "en")
    stripped = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)  # as mail and ticket systems do
    assert stripped != text
    assert printed(tmp_path, stripped) == printed(tmp_path, text)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
@pytest.mark.parametrize("name", ["token_cascade", "new_field"])
def test_print_holds_picture_exchange_and_the_whole_ticket(tmp_path: Path, name: str) -> None:
    words = printed(tmp_path, page(name, "en"))
    wanted = ["Which side each call reached", "The telling exchange", "12 NOT RECORDED", "【未录制】", "sha256"]
    assert [w for w in wanted if w not in words] == []
