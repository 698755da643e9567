"""Which view a file name's suffix asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from openclaw_forensics.errors import UsageError
from openclaw_forensics.report import document, html, junit, markdown, sarif, ticket
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.result import Result

Renderer = Callable[[Result, Lang, str], str]

RENDERERS: dict[str, Renderer] = {
    ".html": html.render,
    ".json": lambda result, lang, name: document.render(result),
    ".md": lambda result, lang, name: markdown.render(result, lang),
    ".sarif": lambda result, lang, name: sarif.render(result, lang),
    ".txt": lambda result, lang, name: ticket.render(result, lang),
    ".xml": lambda result, lang, name: junit.render(result, lang),
}


def renderer(name: str) -> Renderer:
    """The view for a file name. Raises UsageError when its suffix names none."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in RENDERERS:
        known = " ".join(RENDERERS)
        raise UsageError(f"{name}: no report has the suffix {suffix or '(none)'}; known are {known}")
    return RENDERERS[suffix]
