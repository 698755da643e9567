"""`formats list|try`: capture and log formats, and trying one's own on a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.cli.outputs import say

if TYPE_CHECKING:
    from openclaw_forensics.ingest.catalogue import Trial

app = typer.Typer(help="Capture and log formats: list them, or try a file.", no_args_is_help=True)
Shown = Callable[[str], str]


@app.command("list")
def list_formats(formats: o.Formats = None) -> None:
    """List every format with the writers it covers and what it was tested on."""
    from openclaw_forensics.ingest.catalogue import listed

    o.check_own((), formats or ())
    for entry in listed(tuple(formats or ())):
        tested = f"tested on: {entry.provenance}" if entry.provenance else ""
        say(f"{entry.name:28} {tested:32} {', '.join(entry.writers) or entry.description}")


@app.command("try")
def try_file(
    file: Annotated[str, typer.Argument(help="A file to read.")],
    formats: o.Formats = None,
    input_format: o.InputFormat = None,
) -> int:
    """Read a file and show what was recognised, why, the first exchanges, and the lines nobody understood."""
    from openclaw_forensics.cli.hide import hider
    from openclaw_forensics.ingest.archives import Unreadable
    from openclaw_forensics.ingest.catalogue import tried

    o.check_own((), formats or (), input_format)
    shown, understood = hider(), False
    for trial in tried(file, tuple(formats or ()), input_format):
        if isinstance(trial, Unreadable):
            typer.echo(f"openclaw-forensics: {trial.path}: {trial.problem.message}", err=True)
        else:
            understood |= trial.format is not None or trial.bytes == 0
            say("\n".join(_lines(trial, shown)))
    return 0 if understood else 2


def _lines(trial: Trial, shown: Shown) -> Iterator[str]:
    read_as = trial.format or "no format known to this program"
    yield f"{trial.path}: {read_as}, writer {shown(trial.writer or 'unknown')}, {trial.encoding or 'no text'}"
    yield "scores:"
    for name, sniff in trial.scores:
        if sniff.score or name == trial.format:
            yield f"  {sniff.score:3}  {name:12} {sniff.reason}"
    yield f"    0  {sum(not s.score for _, s in trial.scores)} other formats: no sign of them"
    yield f"exchanges: {trial.exchange_count}, records: {trial.record_count}"
    for row in trial.exchanges.iter_rows(named=True):
        target = row["url"] or row["path"] or row["client_class"] or "?"
        outcome = row["status"] or row["transport_error"] or row["answer_state"]
        yield f"  {row['started_at']} {row['method'] or '-'} {shown(target)} -> {outcome}  {row['locator']}"
    yield from _open_ends(trial, shown)


def _open_ends(trial: Trial, shown: Shown) -> Iterator[str]:
    for problem in (p for p in trial.problems if p.line is None):
        yield f"problem: {problem.kind}: {shown(problem.message)}"
    if trial.strange:
        yield "lines that nobody understood (the first of them):"
    for line, text, why in trial.strange:
        yield f"  {line}: {shown(text)}  [{why}]"
    balance = trial.balance
    yield f"bytes: {trial.bytes}, of which"
    used = ("exchanges", balance.exchanges), ("records", balance.records), ("problems", balance.problems)
    for reason, size in [*used, *sorted(balance.irrelevant.items())]:
        if size:
            yield f"  {size:>12}  {reason}"
