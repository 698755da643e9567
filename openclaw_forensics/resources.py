"""Where the shipped rules and report templates lie: inside the installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{name}/ is missing from this installation of openclaw-forensics")


def rules_dir() -> Path:
    """The folder of the shipped rules. Raises FileNotFoundError when the installation lacks it."""
    return _find("rules")


def templates_dir() -> Path:
    """The folder of the shipped report templates. Raises FileNotFoundError when the installation lacks it."""
    return _find("report_templates")
