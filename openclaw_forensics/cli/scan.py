"""`scan`: every platform and shop in a log export; an index page and one report per incident."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.errors import UsageError


def command(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The folder of log exports.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")],
    state: Annotated[Path | None, typer.Option("--state", help="Remember incidents over nights (not built yet).")] = None,
    platform: o.Platforms = None,
    lang: o.Lang = None,
    timezone: o.Zone = None,
    since: o.Since = None,
    until: o.Until = None,
    input_format: o.InputFormat = None,
    formats: o.Formats = None,
    rules: o.Rules = None,
    secrets: o.SecretsFile = None,
    receiver: o.Receiver = None,
    hide_ids: o.HideIds = False,
    now: o.Now = None,
    jobs: o.Jobs = None,
    quiet: o.Quiet = False,
    strict: o.Strict = False,
    fail_on: o.FailOn = None,
) -> int:
    """Analyse a folder of log exports per platform and shop."""
    o.not_built(state=state, jobs=jobs)
    chosen, level = o.language(lang), o.fail_level(fail_on, new=True)
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is no folder")
    settings = o.settings_of(
        platforms=platform, timezone=timezone, since=since, until=until, input_format=input_format, formats=formats,
        rules=rules, receiver=receiver, secrets=secrets, hide_ids=hide_ids, now=now, strict=strict,
    )  # fmt: skip
    from openclaw_forensics.analysis import analyze
    from openclaw_forensics.batch.scan import scan
    from openclaw_forensics.batch.write import write

    analysis = analyze([folder], settings)
    done = scan(analysis)
    write(done, output, chosen)
    if not quiet:
        _say(done.summary, output)
    return _exit_code(done.summary, len(analysis.described.files), level, strict=strict)


def _say(summary, output: Path) -> None:  # type: ignore[no-untyped-def]
    errors = [i for i in summary.incidents if i.severity == "error"]
    for incident in summary.incidents[:20]:
        where = " · ".join(p for p in (incident.platform, incident.shop) if p)
        sys.stdout.write(f"{incident.severity:8}{where}: {incident.cause} ({incident.party})  {incident.report}\n")
    sys.stdout.write(
        f"{len(summary.groups)} groups, {len(errors)} errors, {len(summary.unread)} files not read: "
        f"{output / 'index.html'}\n"
    )


def _exit_code(summary, files: int, level: str | None, *, strict: bool) -> int:  # type: ignore[no-untyped-def]
    if not files or len(summary.unread) >= files or (strict and summary.unread):
        return 2
    wanted = {"error": {"error"}, "warning": {"error", "warning"}, None: set()}[level]
    return int(any(i.severity in wanted for i in summary.incidents))
