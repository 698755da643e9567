"""Which view a file name's suffix asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from openclaw_forensics.errors import UsageError
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.result import Result

Renderer = Callable[[Result, Lang, str], str]


def _html(result: Result, lang: Lang, name: str) -> str:
    from openclaw_forensics.report import html

    return html.render(result, lang, name)


def _json(result: Result, lang: Lang, name: str) -> str:
    from openclaw_forensics.report import document

    return document.render(result)


def _markdown(result: Result, lang: Lang, name: str) -> str:
    from openclaw_forensics.report import markdown

    return markdown.render(result, lang)


def _sarif(result: Result, lang: Lang, name: str) -> str:
    from openclaw_forensics.report import sarif

    return sarif.render(result, lang)


def _ticket(result: Result, lang: Lang, name: str) -> str:
    from openclaw_forensics.report import ticket

    return ticket.render(result, lang)


def _junit(result: Result, lang: Lang, name: str) -> str:
    from openclaw_forensics.report import junit

    return junit.render(result, lang)


# A view is imported when it is asked for: Jinja alone takes as long to import as a small capture to read.
RENDERERS: dict[str, Renderer] = {
    ".html": _html,
    ".json": _json,
    ".md": _markdown,
    ".sarif": _sarif,
    ".txt": _ticket,
    ".xml": _junit,
}


def renderer(name: str) -> Renderer:
    """The view for a file name. Raises UsageError when its suffix names none."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in RENDERERS:
        known = " ".join(RENDERERS)
        raise UsageError(f"{name}: no report has the suffix {suffix or '(none)'}; known are {known}")
    return RENDERERS[suffix]
