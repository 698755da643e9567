"""The command line: parses, calls, prints. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys

from openclaw_forensics.cli.app import run, stop_on_sigterm

__all__ = ["main"]


def main() -> None:
    """The entry point; never shows a traceback."""
    stop_on_sigterm()
    sys.exit(run(sys.argv[1:]))
