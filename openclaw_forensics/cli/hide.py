"""Captured text as commands show it outside the document: secrets hidden, on one line, cut to size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

WIDTH = 160  # characters of one captured text


def hider(extra: tuple[Path, ...] = ()) -> Callable[[str], str]:
    """A function that makes captured text fit to be shown; one secret keeps its name over all calls."""
    from openclaw_forensics.platforms.load import load
    from openclaw_forensics.redact.names import names
    from openclaw_forensics.redact.texts import Texts
    from openclaw_forensics.redact.vault import Vault, finish, scrub
    from openclaw_forensics.report.visible import one_line

    known = names(head.platform for head in load(extra=extra).heads.values())
    texts = Texts(known, Vault(known.prefixes))
    return lambda text: one_line(finish(texts.hide(scrub(text)))[0], WIDTH)
