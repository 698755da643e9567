"""Commands that are promised and not built yet: each says so and exits 2."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_forensics.errors import UsageError

PROMISED = {
    "compare": "Why one client succeeds and the other fails (not built yet).",
    "loop": "Is the minimum integration loop complete and sound (not built yet).",
    "schema": "Field baselines: learn, diff, import (not built yet).",
    "export": "Exchanges as Parquet, NDJSON, HAR, curl, stubs (not built yet).",
}


def add_to(app: typer.Typer) -> None:
    """Register every promised command."""
    for name, text in PROMISED.items():
        app.command(name, help=text, context_settings={"ignore_unknown_options": True})(_refusal(name))


def _refusal(name: str):  # type: ignore[no-untyped-def]
    def refuse(arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
        raise UsageError(f"{name} is not built yet")

    return refuse
