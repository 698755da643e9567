"""The names under which validated packs are stored, so that thousands of rows are not checked again at every start."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_forensics import cache
from openclaw_forensics.platforms import model

load, store = cache.load, cache.store


def key_of(kind: str, contents: Iterable[bytes]) -> str:
    """The name of the entry for these file contents: another state of the models or readers has other names."""
    models = {found.__module__ for found in vars(model).values() if isinstance(found, type)}
    ours = sorted(name for name in models if name.startswith("openclaw_forensics"))
    return cache.key_of(kind, contents, *ours, f"{__package__}.load", f"{__package__}.parse")
