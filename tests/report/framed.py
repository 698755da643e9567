"""A page in a frame of any width in a real Chromium: a window is never narrower than 500 pixels, a frame may be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.report.test_browser import CHROMIUM, FLAGS, POLICY

OPENED = "document.querySelectorAll('details').forEach(d => { d.open = true; });"
# WCAG 2.2, 1.4.12: what a reader may set without losing anything.
SPACED = "*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
OUTER = """<!doctype html><meta charset="utf-8"><title>waiting</title><pre id="said"></pre>
<script>addEventListener('message', e => { document.getElementById('said').textContent = e.data; });</script>
<iframe src="page.html" width="%d" height="800"></iframe>"""


def axe() -> Path | None:
    """The axe-core script that comes with the package axe-playwright-python; None where that is not installed."""
    found = find_spec("axe_playwright_python")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (script := Path(folder) / "axe.min.js").is_file():
            return script
    return None


def asked(folder: Path, text: str, question: str, *flags: str, width: int, style: str = "", before: str = "") -> Any:
    """What `question`, an expression that may be a promise, says in the page once all its folds are open."""
    probe = (
        f"<style>{style}</style><script>{before}</script><script>addEventListener('load', async () => {{ {OPENED} "
        f"parent.postMessage(JSON.stringify(await ({question})), '*'); }});</script>"
    )
    head, _, tail = POLICY.sub("", text).rpartition("</body>")
    (folder / "page.html").write_text(f"{head}{probe}</body>{tail}", "utf-8")
    outer = folder / "outer.html"
    outer.write_text(OUTER % width, "utf-8")
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--window-size=1400,900", *flags]
    command += ["--virtual-time-budget=60000", "--dump-dom", outer.as_uri()]
    run = subprocess.run(command, capture_output=True, timeout=240, check=False)
    said = re.search(r'<pre id="said">(.+?)</pre>', run.stdout.decode("utf-8", "replace"), re.DOTALL)
    assert said is not None, run.stderr.decode("utf-8", "replace")[-800:]
    return json.loads(said[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
