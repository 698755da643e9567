"""`doctor`: versions, packs, formats, and what is missing on this machine."""

from __future__ import annotations

import platform
import sys

import typer


def command() -> None:
    """Show versions, packs, formats, encodings, and what is missing on this machine."""
    from importlib.metadata import version as installed

    from openclaw_forensics import version
    from openclaw_forensics.ingest.registry import names
    from openclaw_forensics.platforms.load import load
    from openclaw_forensics.resources import rules_dir, templates_dir

    packs = load()
    lines = [
        f"openclaw-forensics {version()}, Python {platform.python_version()}, {platform.system()}",
        "libraries: " + ", ".join(f"{n} {installed(n)}" for n in ("polars", "pydantic", "orjson", "msgspec", "jinja2")),
        f"rules: {rules_dir()} ({len(packs.heads)} packs: {', '.join(packs.ids())})",
        f"templates: {templates_dir()}",
        f"formats: {', '.join(sorted(names()))}",
        f"output encoding: {sys.stdout.encoding}, file names: {sys.getfilesystemencoding()}",
    ]
    try:
        from zoneinfo import ZoneInfo

        ZoneInfo("Asia/Shanghai")
    except Exception as error:  # the reason is what the user needs
        lines.append(f"time zones are missing: {error}; install tzdata")
    typer.echo("\n".join(lines))
