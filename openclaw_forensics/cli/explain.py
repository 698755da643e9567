"""`explain CAUSE`: what a cause means, how to confirm it, how to fix it."""

from __future__ import annotations

from typing import Annotated

import typer

from openclaw_forensics.cli import options as o
from openclaw_forensics.errors import UsageError


def command(
    cause: Annotated[str, typer.Argument(help="A cause id, such as auth.refresh_token_expired.")], lang: o.Lang = None
) -> None:
    """Explain a cause: what it means, how to confirm it, how to fix it."""
    from rapidfuzz import process

    from openclaw_forensics.taxonomy import taxonomy

    chosen = o.language(lang)
    known = taxonomy()
    if cause not in known.causes:
        near = [m for m, _, _ in process.extract(cause, sorted(known.causes), limit=3)]
        raise UsageError(f"unknown cause {cause!r}; nearest: {', '.join(near)}")
    entry = known.causes[cause]

    def words(text: object) -> str:
        return str(getattr(text, chosen))

    lines = [f"{cause}: {words(entry.name)}", words(entry.plain)]
    party = known.parties[entry.party]
    lines.append(f"{'责任方' if chosen == 'zh' else 'Who acts'}: {words(party.name)}")
    lines += [words(entry.why)] if entry.why else []
    lines += [f"- {words(known.parties[s.party].name)}: {words(s)}" for s in entry.fix]
    lines += [f"+ {words(v)}" for v in entry.verify]
    lines += [words(entry.next)] if entry.next else []
    lines += list(entry.sources)
    typer.echo("\n".join(lines))
