"""Writes a scan: reports, the index page and summary.json, each after its last look."""

from __future__ import annotations

from pathlib import Path

from openclaw_forensics.batch.scan import Scan
from openclaw_forensics.errors import UsageError
from openclaw_forensics.redact.check import check
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.index import render as render_index
from openclaw_forensics.report.registry import renderer


def write(scan: Scan, output: Path, lang: Lang) -> None:
    """Write everything under `output`. Raises LeakError when an output would show a secret, UsageError."""
    texts: dict[str, str] = {}
    for report in scan.reports:
        name = report.name.rpartition("/")[2]
        text = renderer(name)(report.redacted.result, lang, name)
        check(text, report.redacted.vault, report.name)
        texts[report.name] = text
    texts["index.html"] = render_index(scan.summary, lang)
    texts["summary.json"] = scan.summary.model_dump_json(by_alias=True) + "\n"
    for name in ("index.html", "summary.json"):
        for report in scan.reports:
            check(texts[name], report.redacted.vault, name)
    try:
        for name, text in texts.items():
            target = output / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}") from error
