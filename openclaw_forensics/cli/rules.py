"""`rules list|show|lint|test|try|new`: the knowledge, readable and testable by its users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.errors import UsageError

app = typer.Typer(help="The knowledge: list, show, lint and test rules.", no_args_is_help=True)


@app.command("list")
def list_rules(rules: o.Rules = None) -> None:
    """List every pack with what it knows."""
    from openclaw_forensics.diagnose.shelf import overview

    for line in overview(tuple(rules or ())):
        typer.echo(line)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A rule id, or PACK.CODE for a catalogue row.")],
    rules: o.Rules = None,
    lang: o.Lang = None,
) -> None:
    """Show one rule or catalogue row: what it says, its source, how it can be wrong."""
    from openclaw_forensics.diagnose.shelf import describe

    typer.echo(describe(name, tuple(rules or ()), o.language(lang)))


@app.command("lint")
def lint(rules: o.Rules = None, only: Annotated[list[str] | None, typer.Option("--pack")] = None) -> int:
    """Check every rule file: sources, dates, ids, patterns, tests, signature vectors."""
    from openclaw_forensics.platforms.lint import lint as run_lint
    from openclaw_forensics.resources import rules_dir

    findings = [f for f in run_lint([rules_dir(), *(rules or [])]) if not only or f.pack in only]
    for finding in findings:
        typer.echo(str(finding))
    errors = sum(f.level == "error" for f in findings)
    typer.echo(f"{errors} errors, {len(findings) - errors} warnings")
    return int(errors > 0)


@app.command("test")
def run_tests_beside(rules: o.Rules = None) -> int:
    """Run the tests that lie beside the rules."""
    from openclaw_forensics.diagnose.rule_tests import run_tests

    failures, count = run_tests(tuple(rules or ()))
    for failure in failures:
        typer.echo(failure)
    typer.echo(f"{count} tests, {len(failures)} failed")
    return int(bool(failures))


@app.command("try", context_settings={"ignore_unknown_options": True})
def try_rules(arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
    """Show which conditions were true, false or unknown on a capture (not built yet)."""
    raise UsageError("rules try is not built yet")


@app.command("new", context_settings={"ignore_unknown_options": True})
def new(arguments: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None) -> None:
    """Start a pack (not built yet)."""
    raise UsageError("rules new is not built yet")
