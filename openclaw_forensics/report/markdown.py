"""The verdict as Markdown (CommonMark with tables), for issues and chat."""

from __future__ import annotations

import re

from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.ticket import parts
from openclaw_forensics.report.view import View
from openclaw_forensics.report.visible import one_line
from openclaw_forensics.result import Result, RootCause

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_TICKS = re.compile(r"`+")


def text(value: str) -> str:
    """Words of ours or of a capture as plain Markdown text."""
    return _SPECIAL.sub(r"\\\1", one_line(value))


def code(value: str, limit: int = 300) -> str:
    """A captured literal as a code span with a fence longer than any inside it."""
    said = one_line(value, limit).replace("|", "¦") or " "
    fence = "`" * (max((len(t) for t in _TICKS.findall(said)), default=0) + 1)
    return f"{fence} {said} {fence}" if "`" in said else f"{fence}{said}{fence}"


def _head(words: str) -> str:
    return f"## {text(words)}"


def render(result: Result, lang: Lang) -> str:
    """The short report: sentence, facts, parties, steps, ticket."""
    view = View(result, lang)
    say, cause = view.say, view.main
    rows = [f"# {text(view.pick(view.summary))}", ""]
    if result.input.scope:
        rows += [f"> {text(view.pick(result.input.scope))}", ""]
    if cause is not None:
        rows += _cause(view, cause)
    others = [c for c in result.root_causes if c is not cause]
    if others:
        rows += [_head(say("Further causes")), "", *(f"- {text(view.pick(c.summary))}" for c in others), ""]
    if result.unexplained.failures:
        unknown = result.unexplained.failures
        rows += [say.plural("{n} failure matches no rule.", "{n} failures match no rule.", unknown), ""]
    if result.blind:
        rows += [_head(say("What the capture cannot show")), ""]
        rows += [f"- {text(view.pick(b.what))}: {text(view.pick(b.how_to_capture))}" for b in result.blind] + [""]
    if cause is not None:
        english, chinese = parts(result)
        body = chinese if lang == "zh" else english
        fence = "`" * max(3, max((len(t) for t in _TICKS.findall(body)), default=0) + 1)
        rows += [_head(say("Ticket text")), "", f"{fence}text", body, fence, ""]
    tool = result.tool
    return "\n".join([*rows, f"{text(tool.name)} {text(tool.version)} · {text(tool.rules_version)}", ""])


def _cause(view: View, cause: RootCause) -> list[str]:
    say = view.say
    explained, failures = view.explained()
    heads = [say("responsible"), say("confidence"), say("state"), say("failures"), say("explained")]
    rows = [
        f"| {' | '.join(heads)} |",
        "|---|---|---|---|---|",
        f"| {text(view.party(cause.party))} | {view.confidence(cause.confidence)} {cause.confidence:.2f} "
        f"| {view.state_word(cause)} | {cause.failures + cause.explains:,} | {explained:,} / {failures:,} |",
        "",
    ]
    for n, fact in enumerate(view.facts(cause), 1):
        rows.append(f"{n}. {view.clock(fact.at)} {text(fact.text)} ({code(fact.place or fact.source)})")
    rows += ["", _head(say("Why not the others")), ""]
    for party in cause.parties:
        verdict = say("ruled out") if party.excluded else say("not ruled out")
        rows.append(f"- {text(view.party(party.party))}, {verdict}: {text(view.pick(party.because))}")
    rows += ["", _head(say("What to do, by whom")), ""]
    rows += [f"- {text(view.party(s.party))}: {text(view.pick(s.text))}" for s in cause.fix.steps]
    return [*rows, ""]
