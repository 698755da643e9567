"""The page in a real browser: it draws, says nothing on the console, fits the first screen, opens what is linked to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from openclaw_forensics.report import html
from openclaw_forensics.report.catalogue import LANGS, Lang
from tests.report.documents import DOCUMENTS

CHROMIUM = shutil.which("chromium") or "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
]


def browse(folder: Path, text: str, *flags: str, size: str = "1280,720", at: str = "") -> tuple[str, str]:
    """Open `text` in a new profile; standard output and what the page said on the console."""
    page = folder / "page.html"
    page.write_text(text, "utf-8")
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", f"--window-size={size}", *flags, f"{page.as_uri()}{at}"]
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    said = [line for line in run.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
    return run.stdout.decode("utf-8", "replace"), "\n".join(said)


def measured(text: str, script: str) -> str:
    """The page without its policy and with a script that writes a number into its title."""
    probe = f"<script>addEventListener('load', () => {{ document.title = 'measured ' + ({script}); }})</script>"
    return POLICY.sub("", text).replace("</body>", f"{probe}</body>")


def measure(folder: Path, text: str, script: str, size: str) -> float:
    dom, _ = browse(folder, measured(text, script), "--dump-dom", size=size)
    found = re.search(r"<title>measured ([\d.-]+)</title>", dom)
    assert found is not None, dom[:400]
    return float(found[1])


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("size", ["1280,720", "390,844"])
def test_it_draws_and_the_console_stays_silent(tmp_path: Path, lang: Lang, size: str) -> None:
    picture = tmp_path / "page.png"
    text = html.render(DOCUMENTS["token_cascade"](), lang, "page.html")
    _, console = browse(tmp_path, text, f"--screenshot={picture}", size=size)
    assert console == ""
    assert picture.stat().st_size > 30_000


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ["token_cascade", "clock_skew", "new_field", "undetermined", "several_causes"])
def test_the_verdict_fits_the_first_screen(tmp_path: Path, name: str, lang: Lang) -> None:
    text = html.render(DOCUMENTS[name](), lang, "page.html")
    script = "document.querySelector('#verdict .jump').getBoundingClientRect().bottom"
    assert measure(tmp_path, text, script, "1280,720") <= 720


@pytest.mark.parametrize("size", ["1280,720", "500,844"])
@pytest.mark.parametrize("name", ["token_cascade", "new_field"])
def test_nothing_scrolls_sideways(tmp_path: Path, name: str, size: str) -> None:
    text = html.render(DOCUMENTS[name](), "zh", "page.html")
    script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert measure(tmp_path, text, script, size) <= 0


def test_a_link_to_an_exchange_opens_it(tmp_path: Path) -> None:
    text = html.render(DOCUMENTS["token_cascade"](), "zh", "page.html")
    dom, console = browse(tmp_path, text, "--dump-dom", at="#E30")
    assert console == ""
    assert re.findall(r'<details class="row [^"]*" open=""><summary>(E\d+) ', dom) == ["E30"]


@pytest.mark.parametrize("place", ["rc2", "rc2-fix", "capture", "words"])
def test_a_link_into_a_folded_section_opens_it(tmp_path: Path, place: str) -> None:
    text = html.render(DOCUMENTS["several_causes"](), "zh", "page.html")
    script = f"document.getElementById('{place}').closest('details').open ? 1 : 0"
    folded, _ = browse(tmp_path, measured(text, script), "--dump-dom")
    opened, _ = browse(tmp_path, measured(text, script), "--dump-dom", at=f"#{place}")
    assert "<title>measured 0</title>" in folded
    assert "<title>measured 1</title>" in opened


def test_the_script_makes_its_own_controls(tmp_path: Path) -> None:
    text = html.render(DOCUMENTS["token_cascade"](), "en", "page.html")
    assert "<button" not in text
    dom, _ = browse(tmp_path, text, "--dump-dom")
    assert dom.count('class="copy"') >= 3
    assert 'type="search"' in dom


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
@pytest.mark.parametrize("name", ["token_cascade", "several_causes", "sound"])
def test_print_is_short_and_begins_with_the_verdict(tmp_path: Path, name: str) -> None:
    text = html.render(DOCUMENTS[name](), "en", "page.html")
    pdf = tmp_path / "page.pdf"
    browse(tmp_path, text, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    pages = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True).stdout.decode()
    sheets = pages.rstrip("\f\n").split("\f")
    assert len(sheets) <= 12
    verdict = re.search(r"<h1[^>]*>(.*?)</h1>", text)
    assert verdict is not None
    assert verdict[1].split()[0] in sheets[0]
    assert "page.html" in sheets[0]
    assert f"1/{len(sheets)}" in sheets[0]


@pytest.mark.parametrize(("size", "picture", "table"), [("1280,720", 1, 0), ("600,844", 0, 1)])
def test_on_a_narrow_screen_the_table_replaces_the_picture(tmp_path: Path, size: str, picture: int, table: int) -> None:
    text = html.render(DOCUMENTS["token_cascade"](), "zh", "page.html")
    shown = "document.querySelector('#when {}').checkVisibility({{contentVisibilityAuto: true}}) ? 1 : 0"
    assert measure(tmp_path, text, shown.format("svg.picture"), size) == picture
    height = "document.querySelector('#when figure > details').getBoundingClientRect().height > 60 ? 1 : 0"
    assert measure(tmp_path, text, height, size) == table
