"""`analyze`: one incident, captures in, verdict and report out."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.cli.outcome import exit_code
from openclaw_forensics.cli.outputs import checked, free_pair, say, stdout_format, targets_of, write_reports
from openclaw_forensics.cli.progress import working
from openclaw_forensics.errors import UsageError

if TYPE_CHECKING:
    from openclaw_forensics.redact.document import Redacted

_SMALL = 4 << 20  # bytes of input up to which handing work from thread to thread takes longer than the work


def command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, folders, globs; - is standard input.")],
    platform: o.Platforms = None,
    lang: o.Lang = None,
    timezone: o.Zone = None,
    since: o.Since = None,
    until: o.Until = None,
    shop: o.Shop = None,
    order: o.Order = None,
    operation: o.OperationName = None,
    request_id: o.RequestId = None,
    input_format: o.InputFormat = None,
    formats: o.Formats = None,
    rules: o.Rules = None,
    mapping: o.Mapping = None,
    baseline: o.Baseline = None,
    secrets: o.SecretsFile = None,
    receiver: o.Receiver = None,
    case: o.CaseFile = None,
    templates: o.Templates = None,
    hide_ids: o.HideIds = False,
    no_redact: o.NoRedact = False,
    i_know_this_leaks: o.Leaks = False,
    now: o.Now = None,
    jobs: o.Jobs = None,
    quiet: o.Quiet = False,
    strict: o.Strict = False,
    fail_on: o.FailOn = None,
    output: Annotated[
        list[str] | None, typer.Option("-o", "--output", help="Write a report here; the suffix picks the format.")
    ] = None,
    format: Annotated[str | None, typer.Option("--format", help="Standard output: text, json, md or ndjson.")] = None,
) -> int:
    """Analyse one incident: captures in, verdict and report out."""
    _size_threads(paths)
    o.not_built(mapping=mapping, baseline=baseline, templates=templates, jobs=jobs)
    chosen, level = o.language(lang), o.fail_level(fail_on)
    shown = stdout_format(format)
    targets = targets_of(output or [], paths)
    default = not targets and shown is None
    if no_redact and (targets or default) and not i_know_this_leaks:
        raise UsageError("--no-redact into a file needs --i-know-this-leaks; --format text writes no file")
    settings = o.settings_of(
        platforms=platform, timezone=timezone, since=since, until=until, shop=shop, order=order, operation=operation,
        request_id=request_id, input_format=input_format, formats=formats, rules=rules, receiver=receiver, case=case,
        secrets=secrets, hide_ids=hide_ids, no_redact=no_redact, now=now, strict=strict,
    )  # fmt: skip
    from openclaw_forensics.analysis import analyze

    with working("正在读取和分析" if chosen == "zh" else "Reading and judging", quiet=quiet):
        analysis = analyze(paths, settings, sys.stdin.buffer if "-" in paths else None)
        redacted = analysis.redacted
    targets = list(free_pair()) if default else targets
    write_reports(redacted, chosen, targets)
    _print(redacted, chosen, targets, shown, quiet=quiet)
    result = redacted.result
    severities = [c.severity for c in (*result.root_causes, result.verdict) if c is not None]
    return exit_code(result.input.files, severities, level, strict=strict)


def _size_threads(paths: Sequence[str]) -> None:
    """One thread for polars, which looks when it is imported, if a few small files are all there is to read."""
    with contextlib.suppress(OSError, ValueError):  # a path that cannot be one
        if all(map(os.path.isfile, paths)) and sum(map(os.path.getsize, paths)) <= _SMALL:
            os.environ.setdefault("POLARS_MAX_THREADS", "1")


def _print(redacted: Redacted, lang: o.Language, written: Sequence[Path], shown: str | None, *, quiet: bool) -> None:
    """What goes to standard output: one document and nothing else, or the summary."""
    if shown in ("json", "md"):
        from openclaw_forensics.report.registry import renderer

        say(checked(renderer(f"-.{shown}")(redacted.result, lang, "-"), redacted, "standard output"))
    elif not quiet:
        _summarise(redacted, lang, tuple(map(str, written)))


def _summarise(redacted: Redacted, lang: o.Language, written: tuple[str, ...]) -> None:
    from rich.console import Console

    from openclaw_forensics.report.terminal import lines, render

    checked("\n".join(text for text, _ in lines(redacted.result, lang, files=written)), redacted, "the summary")
    render(redacted.result, lang, Console(highlight=False, emoji=False, markup=False), written)
    sys.stdout.flush()
