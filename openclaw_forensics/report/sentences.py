"""The sentences of a result, in both languages: of one root cause, and of the whole document.

Whoever makes a result fills its summaries from here; the views read them from the document.
"""

from __future__ import annotations

from openclaw_forensics.report import account, times
from openclaw_forensics.report.catalogue import LANGS, Lang, Speaker, speaker
from openclaw_forensics.report.patterns import Hints, sentence
from openclaw_forensics.result import Input, Labels, Result, RootCause
from openclaw_forensics.words import Text

__all__ = ["Hints", "root_cause_summary", "verdict_summary"]


def root_cause_summary(cause: RootCause, labels: Labels, of: Input, hints: Hints | None = None) -> Text:
    """The sentence of one root cause; reads everything of it but `summary`."""
    known = hints or Hints.of(cause)
    return Text(**{lang: sentence(cause, labels, of, known, lang) for lang in LANGS})


def verdict_summary(result: Result) -> Text:
    """The sentence of the whole document: several causes, one cause, or why there is no verdict."""
    return Text(**{lang: _whole(result, lang) for lang in LANGS})


def _whole(result: Result, lang: Lang) -> str:
    say, verdict = speaker(lang), result.verdict
    if verdict is None:
        return _none(result, lang, say)
    if verdict.cause == "unknown.unclassified":
        return _unknown_majority(result, say)
    chosen = next((c for c in result.root_causes if c.id == verdict.root_cause), None)
    if chosen is None:
        return say.pick(verdict.summary)
    serious = [c for c in result.root_causes if c.severity == "error"] or [chosen]
    if len(serious) < 2:
        return say.pick(chosen.summary)
    first = say.pick(chosen.summary)
    rest = len(serious) - 1
    gap = "" if lang == "zh" else " "
    head = say.plural("{n} problem.", "{n} independent problems. First:", len(serious))
    others = say.plural("The other one is in the report.", "The other {n} are in the report.", rest)
    return head + gap + first + gap + others


def _unknown_majority(result: Result, say: Speaker) -> str:
    unknown, total = result.unexplained.failures, result.input.failures
    if explained := total - unknown:
        return say(
            "{u} of {n} failures match no rule, so no verdict is given; the {e} explained ones are listed below.",
            u=unknown,
            n=total,
            e=explained,
        )
    return say.plural(
        "{n} failure matches no rule, so no verdict is given.",
        "{n} failures match no rule, so no verdict is given.",
        total,
    )


def _none(result: Result, lang: Lang, say: Speaker) -> str:
    of, gap = result.input, "" if lang == "zh" else " "
    if not of.exchanges:
        return _nothing_read(result, lang, say, gap)
    parts: list[str] = []
    healed = sum(c.failures + c.explains for c in result.root_causes if c.severity == "info")
    if healed:
        parts.append(
            say.plural(
                "{n} failure, healed by the client's own retries within 15 minutes or declared expected. "
                "Nothing to do.",
                "{n} failures, all healed by the client's own retries within 15 minutes or declared expected. "
                "Nothing to do.",
                healed,
            )
        )
    else:
        parts.append(_sound(of, lang, say))
    if result.unexplained.failures:
        parts.append(
            say.plural(
                "{n} failure matches no rule and is listed below.",
                "{n} failures match no rule and are listed below.",
                result.unexplained.failures,
            )
        )
    if result.blind:
        what = say.listing([say.pick(b.what).rstrip("。.") for b in result.blind[:2]])
        parts.append(say("The capture holds no {what}, so such problems cannot be seen.", what=what))
    return gap.join(parts)


def _sound(of: Input, lang: Lang, say: Speaker) -> str:
    if of.first_at is None or of.last_at is None:
        return say.plural(
            "No problem that needs action was found in {n} exchange.",
            "No problem that needs action was found in {n} exchanges.",
            of.exchanges,
        )
    start, end = (times.local(at, of.timezone.name) for at in (of.first_at, of.last_at))
    first = times.day_clock(start, lang)
    last = times.clock(end) if start.date() == end.date() else times.day_clock(end, lang)
    return say.plural(
        "No problem that needs action was found in {n} exchange at {first}.",
        "No problem that needs action was found in {n} exchanges between {first} and {last}.",
        of.exchanges,
        first=first,
        last=last,
    )


def _nothing_read(result: Result, lang: Lang, say: Speaker, gap: str) -> str:
    files, records = len(result.input.files), result.input.records
    what = say.plural("{n} file", "{n} files", files)
    if records:
        what = say.listing([what, say.plural("{n} log record", "{n} log records", records)])
    head = say("No exchange could be read, so there is no verdict. Found: {what}.", what=what)
    told = account.fates(result.input.files, say)
    head += gap + say("Looked at: {files}.", files=("；" if lang == "zh" else "; ").join(told)) if told else ""
    how = say.pick(result.blind[0].how_to_capture).rstrip("。.") if result.blind else ""
    if not how:
        how = say("a HAR file, or a log that holds both request and answer")
    return head + gap + say("To get a verdict: {how}.", how=how if lang == "zh" else how[:1].lower() + how[1:])
