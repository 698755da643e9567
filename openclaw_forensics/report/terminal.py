"""The summary on a terminal: at most 24 lines of 80 columns, plain when piped; words carry the meaning."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text as Styled

from openclaw_forensics.report.account import balance
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.view import Fact, View
from openclaw_forensics.report.visible import one_line
from openclaw_forensics.report.wrap import clip, clip_middle, pad, width, wrap
from openclaw_forensics.result import Result, RootCause

LINES = 24
COLUMNS = 80
_BOLD = "bold"
_DIM = "dim"


def render(result: Result, lang: Lang, console: Console, files: tuple[str, ...] = ()) -> None:
    """Print the summary; `files` are the reports that were written, report before ticket."""
    columns = min(COLUMNS, max(40, console.width))
    for text, style in lines(result, lang, columns, files):
        console.print(Styled(text, style=style), soft_wrap=True, highlight=False)


def lines(result: Result, lang: Lang, columns: int = COLUMNS, files: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The lines with their styles, none wider than `columns`."""
    view = View(result, lang)
    cause = view.main
    scope = view.pick(result.input.scope)
    top = [(line, "") for line in wrap(scope, columns)[:2]] if scope else []
    bottom = _bottom(view, cause, columns, files)
    if cause is None:
        middle = [(line, _BOLD) for line in wrap(view.pick(view.summary), columns)]
    else:
        facts = [_fact(view, n, fact, columns) for n, fact in enumerate(view.facts(cause), 1)]
        said = [(line, _BOLD) for line in wrap(view.pick(view.summary), columns)]
        room = LINES - len(top) - len(bottom) - len(facts) - 1
        middle = [(_head(view, cause, columns), _BOLD), *_cut(said, room, columns), *((f, "") for f in facts)]
    return [*top, *_cut(middle, LINES - len(top) - len(bottom), columns), *((line, _DIM) for line in bottom)]


def _cut(rows: list[tuple[str, str]], room: int, columns: int) -> list[tuple[str, str]]:
    if len(rows) <= room:
        return rows
    return [*rows[: room - 1], (clip(rows[room - 1][0] + "…", columns), rows[room - 1][1])]


def _head(view: View, cause: RootCause, columns: int) -> str:
    sure = f"{view.confidence(cause.confidence)} {cause.confidence:.2f}"
    party = view.say("responsible: {party}", party=view.party(cause.party))
    left = f"{party}  {sure}  {view.state_word(cause)}"
    environment = view.environment(cause.environment)
    where = [p for p in (one_line(cause.platform or ""), one_line(cause.shop or "", 30), environment) if p]
    right = clip(" · ".join(where), max(10, columns - width(left) - 2))
    return clip(left + pad(right, columns - width(left), right=True), columns)


def _fact(view: View, n: int, fact: Fact, columns: int) -> str:
    number = f"E{fact.number}" if fact.number else ""
    place = clip_middle(fact.place, 24)
    left = f"{n:>3} " + (f"{view.clock(fact.at)} " if fact.at else "")
    room = columns - width(left) - 6 - 24
    return clip(f"{left}{pad(clip(fact.text, room), room)} {pad(number, 5)}{place}", columns).rstrip()


def _bottom(view: View, cause: RootCause | None, columns: int, files: tuple[str, ...]) -> list[str]:
    say, rows = view.say, []
    explained, failures = view.explained()
    counts = say("explained {n}/{m}   unexplained {u}", n=explained, m=failures, u=view.result.unexplained.failures)
    if cause is not None:
        out, still = view.ruled(cause)
        ruled, left = say("ruled out {who}", who=out), say("not ruled out {who}", who=still)
        rows += wrap(f"{ruled}   {left}   {counts}", columns)
    elif failures:
        rows += wrap(counts, columns)
    if read := balance(view.result, say):
        rows += wrap(read, columns)[:2]
    named = [say("report {name}", name=one_line(f, 70)) for f in files[:1]]
    named += [say("ticket {name}", name=one_line(f, 70)) for f in files[1:2]]
    rows += wrap("   ".join([*named, *(one_line(f, 70) for f in files[2:])]), columns) if named else []
    return rows[:8]
