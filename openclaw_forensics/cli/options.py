"""Options that several commands share, and how they become settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from openclaw_forensics.errors import UsageError

if TYPE_CHECKING:
    from openclaw_forensics.settings import Settings

Language = Literal["zh", "en"]
Platforms = Annotated[
    list[str] | None, typer.Option("--platform", help="Platform id or alias; repeatable. Default: recognised per call.")
]
Lang = Annotated[str | None, typer.Option("--lang", help="zh or en. Default: the locale's.")]
Zone = Annotated[str | None, typer.Option("--timezone", help="Zone of stamps without one: Asia/Shanghai or +08:00.")]
Since = Annotated[str | None, typer.Option("--since", help="Only from this time on (ISO 8601; UTC without a zone).")]
Until = Annotated[str | None, typer.Option("--until", help="Only up to this time.")]
Shop = Annotated[str | None, typer.Option("--shop", help="Only this shop.")]
Order = Annotated[str | None, typer.Option("--order", help="Follow this order or other object through all captures.")]
OperationName = Annotated[str | None, typer.Option("--operation", help="Only this operation.")]
RequestId = Annotated[str | None, typer.Option("--request-id", help="Only this request.")]
InputFormat = Annotated[str | None, typer.Option("--input-format", help="Read every file as this format.")]
Formats = Annotated[list[Path] | None, typer.Option("--formats", help="Folder of own line formats; repeatable.")]
Rules = Annotated[list[Path] | None, typer.Option("--rules", help="Folder of own rules beside the shipped ones.")]
Receiver = Annotated[list[str] | None, typer.Option("--receiver", help="HOST[/PATH]: requests there are callbacks.")]
CaseFile = Annotated[Path | None, typer.Option("--case", help="TOML with the facts of the ticket.")]
SecretsFile = Annotated[Path | None, typer.Option("--secrets", help="TOML with keys to check signatures with.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 2 when any input cannot be read.")]
FailOn = Annotated[str | None, typer.Option("--fail-on", help="error or warning: exit 1 when such a cause is found.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No summary on the terminal.")]
HideIds = Annotated[bool, typer.Option("--hide-ids", help="Hide shop, order and request ids too.")]
NoRedact = Annotated[bool, typer.Option("--no-redact", help="Hide nothing (terminal only, unless you know).")]
Leaks = Annotated[bool, typer.Option("--i-know-this-leaks", help="Allow --no-redact into files.")]
Now = Annotated[str | None, typer.Option("--now", help="The time of judgement. Default: the last exchange's.")]
Mapping = Annotated[Path | None, typer.Option("--mapping", help="The ERP's field mapping (not built yet).")]
Baseline = Annotated[Path | None, typer.Option("--baseline", help="A learnt baseline (not built yet).")]
Templates = Annotated[Path | None, typer.Option("--templates", help="Own report templates (not built yet).")]
Jobs = Annotated[int | None, typer.Option("--jobs", help="Worker processes (not built yet).")]


def not_built(**given: object) -> None:
    """Raise UsageError for a promised option that is not built yet."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"--{name} is not built yet")


def language(lang: str | None) -> Language:
    """zh or en: as given, else by the locale's environment variables. Raises UsageError for anything else."""
    if lang is not None:
        if lang not in ("zh", "en"):
            raise UsageError(f"--lang takes zh or en, not {lang!r}")
        return "zh" if lang == "zh" else "en"
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    import locale

    return "zh" if str(locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def moment(text: str | None, option: str) -> datetime | None:
    """An ISO 8601 time; UTC without a zone. Raises UsageError."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is no ISO 8601 time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def fail_level(value: str | None, *, new: bool = False) -> str | None:
    """`--fail-on`. Raises UsageError for an unknown level."""
    allowed = ("error", "warning", "new") if new else ("error", "warning")
    if value is not None and value not in allowed:
        raise UsageError(f"--fail-on takes {', '.join(allowed)}, not {value!r}")
    if value == "new":
        raise UsageError("--fail-on new needs --state, which is not built yet")
    return value


def settings_of(**given: Any) -> Settings:
    """Settings from the options, all checked before anything is read.

    Raises UsageError for a file that cannot be read, a zone or format that is none; RuleError for own rules or formats
    that are wrong.
    """
    from openclaw_forensics.link.zones import parse_zone
    from openclaw_forensics.settings import Settings, load_case, load_secrets

    if given.get("timezone"):
        parse_zone(given["timezone"])
    case, secrets = given.pop("case", None), given.pop("secrets", None)
    settings = Settings(
        platforms=tuple(given.pop("platforms") or ()),
        formats_dirs=tuple(given.pop("formats") or ()),
        rules_dirs=tuple(given.pop("rules") or ()),
        receivers=tuple(given.pop("receiver") or ()),
        since=moment(given.pop("since", None), "--since"),
        until=moment(given.pop("until", None), "--until"),
        now=moment(given.pop("now", None), "--now"),
        case=load_case(case) if case else None,
        secrets=load_secrets(secrets) if secrets else (),
        **given,
    )
    check_own(settings.rules_dirs, settings.formats_dirs, settings.input_format)
    return settings


def check_own(rules: Sequence[Path], formats: Sequence[Path], input_format: str | None = None) -> None:
    """Read the user's own rules and formats now, not when a capture happens to need them. Raises as `settings_of`."""
    if rules:
        from openclaw_forensics.diagnose.shelf import check

        check(tuple(rules))
    for folder in formats:
        if not folder.is_dir():
            raise UsageError(f"{folder.as_posix()}: no such folder of formats")
    if formats:
        from openclaw_forensics.ingest.lineformat import load_formats

        load_formats(tuple(formats))
    if input_format is not None:
        from openclaw_forensics.ingest.sniff import by_name

        by_name(input_format)
