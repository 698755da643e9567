"""The command line: parses, calls, prints. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import gc
import sys

from openclaw_forensics.cli.app import run, stop_on_sigterm

__all__ = ["main"]

_COLLECT_AFTER = 250_000  # new containers; the default of 700 looks through young, living objects all the time


def main() -> None:
    """The entry point; never shows a traceback."""
    gc.set_threshold(_COLLECT_AFTER)
    stop_on_sigterm()
    code = run(sys.argv[1:])
    gc.freeze()  # or the interpreter, on its way out, looks twice through all that ends with it anyway
    sys.exit(code)
