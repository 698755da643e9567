"""The command line: parses, calls, prints. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys

from openclaw_forensics.cli.app import run, stop_on_sigterm

__all__ = ["main"]

_COLLECT_AFTER = 250_000  # new containers; the default of 700 looks through young, living objects all the time

# How soon polars' allocator gives memory back: its half second lets a large capture look twice its size.
_GIVE_BACK = "dirty_decay_ms:100,muzzy_decay_ms:0"


def main() -> None:
    """The entry point; never shows a traceback, and never returns."""
    gc.set_threshold(_COLLECT_AFTER)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looks through every installed package for them
    os.environ.setdefault("_RJEM_MALLOC_CONF", _GIVE_BACK)
    stop_on_sigterm()
    _end(run(sys.argv[1:]))


def _end(code: int) -> None:
    """End at once: the interpreter would take down one by one all objects that end with the process anyway."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or there is none
            stream.flush()
    atexit._run_exitfuncs()
    os._exit(code)
