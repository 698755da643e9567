"""`analyze`: one incident, captures in, verdict and report out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.errors import UsageError

if TYPE_CHECKING:
    from openclaw_forensics.analysis import Analysis
    from openclaw_forensics.redact.document import Redacted
    from openclaw_forensics.result import Result

STDOUT_FORMATS = ("text", "json", "md", "ndjson")
_UNREAD = ("unreadable", "unsupported", "unrecognised", "encrypted")


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
    format: Annotated[str | None, typer.Option("--format", help="Standard output: text, json, md or ndjson.")] = None,  # noqa: A002
) -> int:
    """Analyse one incident: captures in, verdict and report out."""
    o.not_built(mapping=mapping, baseline=baseline, templates=templates, jobs=jobs)
    chosen, level = o.language(lang), o.fail_level(fail_on)
    targets = _targets(output or [], format)
    if no_redact and targets and not i_know_this_leaks:
        raise UsageError("--no-redact into a file needs --i-know-this-leaks")
    settings = o.settings_of(
        platforms=platform, timezone=timezone, since=since, until=until, shop=shop, order=order, operation=operation,
        request_id=request_id, input_format=input_format, formats=formats, rules=rules, receiver=receiver, case=case,
        secrets=secrets, hide_ids=hide_ids, no_redact=no_redact, now=now, strict=strict,
    )  # fmt: skip
    _check_format(input_format)
    from openclaw_forensics.analysis import analyze

    analysis = analyze(paths, settings, sys.stdin.buffer if "-" in paths else None)
    _write(analysis.redacted, chosen, targets, format, quiet=quiet, default=output is None and format is None)
    return exit_code(analysis, level, strict=strict)


def _check_format(name: str | None) -> None:
    if name is None:
        return
    from openclaw_forensics.ingest.registry import names

    known = names()
    if name not in known:
        raise UsageError(f"--input-format {name!r} is unknown; known: {', '.join(sorted(known))}")


def _targets(outputs: list[str], stdout_format: str | None) -> list[Path]:
    """The output files. Raises UsageError before anything is read."""
    if stdout_format is not None and stdout_format not in STDOUT_FORMATS:
        raise UsageError(f"--format takes {', '.join(STDOUT_FORMATS)}, not {stdout_format!r}")
    if stdout_format == "ndjson":
        raise UsageError("--format ndjson is not built yet")
    targets = [Path(p) for p in outputs]
    if len(set(targets)) < len(targets):
        raise UsageError("the same output is given twice")
    if targets:
        from openclaw_forensics.report.registry import renderer

        for target in targets:
            renderer(target.name)
    return targets


def _write(
    redacted: Redacted, lang: o.Language, targets: list[Path], stdout_format: str | None, *, quiet: bool, default: bool
) -> None:
    from openclaw_forensics.report.registry import renderer

    result = redacted.result
    if default:
        targets = list(free_pair())
    for target in targets:
        text = renderer(target.name)(result, lang, target.name)
        write_checked(text, redacted, target)
    if stdout_format in ("json", "md"):
        text = renderer(f"-.{stdout_format}")(result, lang, "-")
        _checked(text, redacted, "standard output")
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    elif not quiet:
        summarise(result, lang, redacted, [str(t) for t in targets])


def write_checked(text: str, redacted: Redacted, target: Path) -> None:
    """Write a finished output after its last look. Raises LeakError, UsageError."""
    _checked(text, redacted, str(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}") from error


def _checked(text: str, redacted: Redacted, what: str) -> None:
    from openclaw_forensics.redact.check import check

    check(text, redacted.vault, what)


def free_pair() -> tuple[Path, Path]:
    """The default report and ticket; what lies there already is not overwritten."""
    number = 1
    while True:
        stem = "openclaw-report" if number == 1 else f"openclaw-report-{number}"
        pair = (Path(f"{stem}.html"), Path(f"{stem}.txt"))
        if not any(p.exists() for p in pair):
            return pair
        number += 1


def summarise(result: Result, lang: o.Language, redacted: Redacted, written: list[str]) -> None:
    """The summary on the terminal."""
    from rich.console import Console

    from openclaw_forensics.report.terminal import lines, render

    console = Console(highlight=False, emoji=False, markup=False)
    shown = "\n".join(text for text, _ in lines(result, lang, files=tuple(written)))
    _checked(shown, redacted, "the summary")
    render(result, lang, console, tuple(written))


def exit_code(analysis: Analysis, level: str | None, *, strict: bool) -> int:
    """2 when nothing is readable, or with --strict anything is not; 1 when --fail-on is met; else 0."""
    result: Any = analysis.result
    bad = [f for f in result.input.files if f.format is None or any(p.kind in _UNREAD for p in f.problems)]
    if len(bad) == len(result.input.files) or (strict and bad):
        for file in bad:
            for problem in file.problems[:1]:
                typer.echo(f"openclaw-forensics: {file.path}: {problem.message}", err=True)
        return 2
    order = {"error": 0, "warning": 1, "info": 2}
    severities = [c.severity for c in result.root_causes]
    if result.verdict is not None:
        severities.append(result.verdict.severity)
    return int(level is not None and any(order[s] <= order[level] for s in severities))
