"""`scan`: every platform and shop in a log export; an index page and one report per incident."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.cli.outcome import exit_code
from openclaw_forensics.cli.outputs import say
from openclaw_forensics.cli.progress import working
from openclaw_forensics.errors import UsageError

if TYPE_CHECKING:
    from openclaw_forensics.summary import Summary

MOST_SHOWN = 20  # incidents; the index page has them all


def command(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The folder of log exports.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")],
    state: Annotated[Path | None, typer.Option("--state", help="Memory over nights (not built yet).")] = None,
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

    with working("正在读取和分析" if chosen == "zh" else "Reading and judging", quiet=quiet):
        analysis = analyze([folder], settings)
        done = scan(analysis)
        write(done, output, chosen)
    if not quiet:
        say("\n".join(_lines(done.summary, output, chosen)))
    return exit_code(analysis.described.files, [i.severity for i in done.summary.incidents], level, strict=strict)


def _lines(summary: Summary, output: Path, lang: o.Language) -> Iterator[str]:
    from openclaw_forensics.report.visible import one_line

    for incident in summary.incidents[:MOST_SHOWN]:
        where = " · ".join(one_line(p) for p in (incident.platform, incident.shop) if p)
        report = output / incident.report
        yield f"{incident.severity:8}{where}: {incident.cause} ({incident.party})  {report.as_posix()}"
    errors = sum(i.severity == "error" for i in summary.incidents)
    counts = len(summary.groups), errors, len(summary.unread)
    index = (output / "index.html").as_posix()
    if lang == "zh":
        yield "{} 个店铺，{} 个错误，{} 个文件没读出来：".format(*counts) + index
    else:
        yield "{} shops, {} errors, {} files not read: ".format(*counts) + index
