"""Offline forensics for failing ERP-to-marketplace integrations: what broke, since when, and who has to act."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openclaw_forensics.analysis import Analysis, analyze, read_exchanges
    from openclaw_forensics.result import Result
    from openclaw_forensics.settings import Settings

_EXPORTS = {
    "Analysis": "openclaw_forensics.analysis",
    "analyze": "openclaw_forensics.analysis",
    "read_exchanges": "openclaw_forensics.analysis",
    "Result": "openclaw_forensics.result",
    "Settings": "openclaw_forensics.settings",
}

__all__ = ["Analysis", "Result", "Settings", "analyze", "read_exchanges", "version"]


@functools.cache
def version() -> str:
    """This program's version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("openclaw-forensics")
    except PackageNotFoundError:
        return "0+unknown"


def __getattr__(name: str) -> Any:
    """Import on first use, so that `--version` and `--help` stay quick."""
    if name in _EXPORTS:
        from importlib import import_module

        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(name)
