"""`rules list|show|lint|test|try|new`: the knowledge, readable and testable by its users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.cli.outputs import say

if TYPE_CHECKING:
    from openclaw_forensics.diagnose.trace import FailureTrace, RuleTrace

app = typer.Typer(help="The knowledge: list, show, lint and test rules.", no_args_is_help=True)
Packs = Annotated[list[str] | None, typer.Option("--pack", help="Only this pack; repeatable.")]
Shown = Callable[[str], str]
MOST_ROWS = 6  # catalogue rows shown for one failure


@app.command("list")
def list_rules(rules: o.Rules = None) -> None:
    """List every pack with what it knows."""
    from openclaw_forensics.diagnose.shelf import overview

    for line in overview(tuple(rules or ())):
        say(line)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A rule id, or PACK.CODE for a catalogue row.")],
    rules: o.Rules = None,
    lang: o.Lang = None,
) -> None:
    """Show one rule or catalogue row: what it says, its source, how it can be wrong."""
    from openclaw_forensics.diagnose.shelf import describe

    say(describe(name, tuple(rules or ()), o.language(lang)))


@app.command("lint")
def lint(rules: o.Rules = None, pack: Packs = None) -> int:
    """Check every rule file: sources, dates, ids, patterns, tests, signature vectors."""
    from openclaw_forensics.diagnose.shelf import findings

    found = [f for f in findings(tuple(rules or ())) if not pack or f.pack in pack]
    for finding in found:
        say(str(finding))
    errors = sum(f.level == "error" for f in found)
    say(f"{errors} errors, {len(found) - errors} warnings")
    return int(errors > 0)


@app.command("test")
def run_tests_beside(rules: o.Rules = None) -> int:
    """Run the tests that lie beside the rules."""
    from openclaw_forensics.diagnose.rule_tests import run_tests

    failures, count = run_tests(tuple(rules or ()))
    for failure in failures:
        say(failure)
    say(f"{count} tests, {len(failures)} failed")
    return int(bool(failures))


@app.command("try")
def try_rules(
    paths: Annotated[list[str], typer.Argument(metavar="CAPTURE...", help="Files, folders, globs.")],
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule, near or not; repeatable.")] = None,
    pack: Packs = None,
    every: Annotated[bool, typer.Option("--all", help="Rules of which no condition was met as well.")] = False,
    rules: o.Rules = None,
    platform: o.Platforms = None,
    input_format: o.InputFormat = None,
    formats: o.Formats = None,
    receiver: o.Receiver = None,
) -> None:
    """Show per rule which conditions were true, false or unknown, and the catalogue rows beside each failure."""
    from openclaw_forensics.analysis import analyze
    from openclaw_forensics.cli.hide import hider
    from openclaw_forensics.diagnose.frame import Frame
    from openclaw_forensics.diagnose.trace import trace_catalogue, trace_rules

    settings = o.settings_of(
        platforms=platform, rules=rules, input_format=input_format, formats=formats, receiver=receiver
    )
    shown = hider(tuple(rules or ()))
    analysis = analyze(paths, settings)
    known, frame = analysis.knowledge, Frame(analysis.selection.exchanges, analysis.selection.records)
    say(f"{frame.height} exchanges, {len(frame.failures)} failing, {frame.records.height} records")
    for trace in trace_rules(frame, known.rules):
        name = trace.loaded.rule.id
        wanted = name in rule if rule else (every or trace.near) and (not pack or name.split(".")[0] in pack)
        if wanted:
            say("\n".join(_rule(trace, shown)))
    if not rule:
        for failure in trace_catalogue(frame, known.packs, known.everywhere):
            say("\n".join(_failure(failure, shown)))


@app.command("new")
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of your own rules.")],
    pack: Annotated[str, typer.Argument(metavar="ID", help="The new pack's id: small letters, digits, _.")],
) -> None:
    """Write a skeleton pack that lints, to put real facts in."""
    from openclaw_forensics.diagnose.skeleton import begin

    for path in begin(folder, pack, datetime.now(UTC).date()):
        say(path.as_posix())
    say(f"next: rules lint --rules {folder.as_posix()} --pack {pack}; rules test --rules {folder.as_posix()}")


def _rule(trace: RuleTrace, shown: Shown) -> Iterator[str]:
    rule = trace.loaded.rule
    yield f"{rule.id}: {trace.claimed} claimed of {trace.hits} that met the condition, of {trace.asked} {rule.frame}"
    if trace.hits and not trace.claimed:
        yield "  the condition held; its count or sequence did not"
    if trace.nearest is not None:
        yield f"  nearest: {_place(trace.nearest, shown)}"
    for c in trace.conditions:
        yield f"  {c.nearest:8}{shown(c.condition)}  (all: {c.true} true, {c.false} false, {c.unknown} unknown)"


def _failure(trace: FailureTrace, shown: Shown) -> Iterator[str]:
    row = trace.exchange
    what = " ".join(shown(str(row[c])) for c in ("status", "error_code", "error_subcode", "error_message") if row[c])
    yield f"failure, {trace.alike} alike: {_place(row, shown)}: {what or row['transport_error'] or 'no answer'}"
    for entry in trace.considered[:MOST_ROWS]:
        missed = [key for key, held in entry.keys.items() if not held]
        held = [key for key, held in entry.keys.items() if held]
        state = f"not: {', '.join(missed)}" if missed else "fits"
        yield f"  {entry.rule} -> {entry.entry.cause}, weight {entry.weight}, {state}; held: {', '.join(held) or '-'}"
    if not trace.considered:
        yield "  no catalogue row knows this code"


def _place(row: Mapping[str, object], shown: Shown) -> str:
    file, line = row.get("source_file"), row.get("line")
    where = f"{file}:{line}" if line is not None else f"{file} {row.get('locator')}"
    target = row.get("operation") or row.get("path") or row.get("message") or ""
    return f"{where} {row.get('method') or ''} {shown(str(target))}"
