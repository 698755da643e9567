"""`formats list|try`: capture and log formats, and trying one's own on a file."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_forensics.cli import options as o

app = typer.Typer(help="Capture and log formats: list them, or try a file.", no_args_is_help=True)


@app.command("list")
def list_formats(formats: o.Formats = None) -> None:
    """List every format with the writers it covers and what it was tested on."""
    from openclaw_forensics.ingest.catalogue import listed

    for entry in listed(tuple(formats or ())):
        typer.echo(f"{entry.name:24} {entry.provenance:20} {entry.writers}")


@app.command("try")
def try_file(
    file: Annotated[str, typer.Argument(help="A file to read.")],
    formats: o.Formats = None,
    input_format: o.InputFormat = None,
) -> None:
    """Read a file and show what was recognised, why, the first exchanges, and the lines nobody understood."""
    from openclaw_forensics.ingest.catalogue import tried

    typer.echo(tried(file, tuple(formats or ()), input_format))
