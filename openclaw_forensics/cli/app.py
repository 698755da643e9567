"""The typer application, UTF-8 on every stream, and one exit code per kind of ending."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from openclaw_forensics import version
from openclaw_forensics.cli import analyze, doctor, explain, formats, rules, scan, unbuilt
from openclaw_forensics.errors import ForensicsError

OUR_FAULT = 3
INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    name="openclaw-forensics",
    help="Offline forensics for failing ERP-to-marketplace integrations: what broke, since when, and who has to act.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.command)
app.command("scan")(scan.command)
app.add_typer(rules.app, name="rules")
app.add_typer(formats.app, name="formats")
app.command("explain")(explain.command)
app.command("doctor")(doctor.command)
unbuilt.add_to(app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"openclaw-forensics {version()}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Offline forensics for failing ERP-to-marketplace integrations: what broke, since when, and who has to act."""


def run(arguments: list[str], application: typer.Typer = app) -> int:
    """Run one command line and return its exit code. Raises nothing."""
    _utf8()
    try:
        result: object = _asked(application, arguments)(
            arguments, prog_name="openclaw-forensics", standalone_mode=False
        )
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except typer.Abort:
        return INTERRUPTED
    except TyperException as error:
        said = error.format_message()
        bare = said.startswith("Usage:")  # a command without arguments answers with its help
        typer.echo(said if bare else f"openclaw-forensics: {said} (see --help)", err=True)
        return 2
    except ForensicsError as error:
        typer.echo(f"openclaw-forensics: {error}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except (BrokenPipeError, SystemExit):  # typer itself turns a broken pipe into SystemExit
        _close_stdout()
        return 0
    except BaseException as error:  # the last line of defence: a user never sees a traceback
        return _our_fault(error)


def _asked(application: typer.Typer, arguments: list[str]) -> typer.Typer:
    """The application with the asked command alone, where one is asked: building all takes longer than parsing."""
    commands = [c for c in application.registered_commands if c.name in arguments[:1]]
    groups = [g for g in application.registered_groups if g.name in arguments[:1]]
    if not commands and not groups:
        return application  # the help, an option or a mistake: needs the names of all
    narrow = copy.copy(application)
    narrow.registered_commands, narrow.registered_groups = commands, groups
    return narrow


class Terminated(BaseException):
    """SIGTERM: unwinds the stack, so that temporary files go."""


def stop_on_sigterm() -> None:
    """Let SIGTERM end the program in order."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGTERM, _terminated)


def _utf8() -> None:
    """UTF-8 output whatever the console's code page; unencodable characters never end the run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _terminated(*_: object) -> None:
    raise Terminated


def _close_stdout() -> None:
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _our_fault(error: BaseException) -> int:
    if os.environ.get("OPENCLAW_FORENSICS_DEBUG"):
        raise error
    kind = type(error).__name__
    typer.echo(
        f"openclaw-forensics: a fault of this program ({kind}: {str(error)[:300]}). "
        "Set OPENCLAW_FORENSICS_DEBUG=1 to see where, and report it.",
        err=True,
    )
    return OUR_FAULT
