"""What the sentence patterns are filled with: place, operation, since when, cause, step."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from openclaw_forensics.report import times
from openclaw_forensics.report.catalogue import Lang, Speaker, speaker
from openclaw_forensics.result import Attempts, Input, Labels, RootCause
from openclaw_forensics.words import Text

Band = Literal["certain", "very_likely", "likely", "possible", "lead"]
_END = "。.；; "


def band(confidence: float) -> Band:
    """The word class of a confidence; one code that stands for several causes never gets above "possible"."""
    if confidence >= 0.95:
        return "certain"
    if confidence >= 0.80:
        return "very_likely"
    if confidence > 0.60:
        return "likely"
    return "possible" if confidence >= 0.40 else "lead"


def band_word(confidence: float, say: Speaker) -> str:
    """The confidence as a word of the report."""
    match band(confidence):
        case "certain":
            return say("certain")
        case "very_likely":
            return say("very likely")
        case "likely":
            return say("likely")
        case "possible":
            return say("possible")
        case _:
            return say("a lead only")


def main_attempts(attempts: tuple[Attempts, ...], labels: Labels) -> Attempts | None:
    """The operation that the reader knows: the one with most failures that has plain words, else with most failures."""
    failed = [a for a in _by_name(attempts, labels) if a.failed and a.operation]
    known = [a for a in failed if a.operation in labels.operations]
    # Stable: among equals the order of the document holds.
    return max(known or failed, key=lambda a: a.failed, default=None)


def _by_name(attempts: tuple[Attempts, ...], labels: Labels) -> list[Attempts]:
    """Operations that the reader knows by one name as one: two numbers under one name contradict each other."""
    made: dict[str | None, Attempts] = {}
    for item in attempts:
        label = labels.operations.get(item.operation or "")
        name = (label.plain.en or label.name.en) if label else item.operation
        seen = made.get(name)
        sums = {"all": seen.all + item.all, "failed": seen.failed + item.failed} if seen else {}
        made[name] = seen.model_copy(update=sums) if seen else item
    return list(made.values())


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:] if len(text) > 1 and (text[1].islower() or text[1] == " ") else text


class Slots:
    """The slots of one root cause in one language. `short` picks the shorter words where there are two."""

    def __init__(self, cause: RootCause, labels: Labels, of: Input, lang: Lang, *, short: int = 0) -> None:
        self.cause, self.labels, self.of, self.lang, self.short = cause, labels, of, lang, short
        self.say = speaker(lang)

    def at(self, at: datetime) -> str:
        """A time in the capture's zone, with its date; the zone is said where a reader might take it for his own."""
        here = times.local(at, self.of.timezone.name)
        said = times.day_clock(here, self.lang)
        named = self.lang == "en" or here.utcoffset() != times.BEIJING.utcoffset(None)
        return f"{said} {times.offset_name(here)}" if named else said

    def at_again(self, at: datetime, first: datetime) -> str:
        """A later time of the same sentence; without its date where that is the same."""
        here, there = (times.local(t, self.of.timezone.name) for t in (at, first))
        return times.clock(here) if here.date() == there.date() else times.day_clock(here, self.lang)

    def since(self) -> str:
        """Since when it fails, bracketed by the last success; a capture that begins with it proves no beginning."""
        first, good = self.cause.first_at, self.cause.last_good_at
        if first is None:
            return self.say("at a time that the capture does not tell")
        if good is not None and good <= first:
            if self.short:
                return self.say("since {first}", first=self.at(first))
            again = self.at_again(good, first)
            return self.say("since {first} (last success {good})", first=self.at(first), good=again)
        if self.short:
            return self.say("by {first} at the latest", first=self.at(first))
        return self.say("by {first} at the latest (the capture has no earlier call of this kind)", first=self.at(first))

    def platform(self) -> str:
        """The platform's name, or a word for it."""
        label = self.labels.platforms.get(self.cause.platform or "")
        return self.say.pick(label.name) if label else self.cause.platform or self.say("the platform")

    def where(self) -> str:
        """Platform and shop, as far as known."""
        if self.cause.shop:
            return self.say("{platform} shop {shop}", platform=self.platform(), shop=self.cause.shop)
        return self.platform()

    def party(self, party: str | None = None) -> str:
        """A party as the subject of a sentence."""
        label = self.labels.parties.get(party or self.cause.party)
        word = self.say.pick(label.name) if label else party or self.cause.party
        return self.say("the {party}", party=word if self.lang == "zh" else _lower_first(word))

    def operation(self, name: str | None) -> str:
        """Plain words for an operation, or a word for calls of any kind."""
        label = self.labels.operations.get(name or "")
        if label is None:
            return name or self.say("API")
        word = self.say.pick(label.plain) or self.say.pick(label.name)
        return word if self.lang == "zh" else _lower_first(word)

    def name_of(self, cause: str) -> str:
        """A cause as a noun phrase."""
        label = self.labels.causes.get(cause)
        return self.say.pick(label.name).rstrip(_END) if label else cause

    def _clause(self) -> str:
        label = self.labels.causes.get(self.cause.cause)
        return self.say.pick(label.plain).rstrip(_END) if label and self.short < 2 else ""

    def cause_words(self) -> str:
        """The cause as a clause, or as a noun phrase where room is short."""
        return self._clause() or _lower_first(self.name_of(self.cause.cause))

    def because(self) -> str:
        """The cause after "failed"."""
        if clause := self._clause():
            return self.say("because {clause}", clause=clause)
        return self.say("for this reason: {name}", name=self.cause_words())

    def event(self) -> str:
        """What happened to how many: failing calls, else affected calls, else log records."""
        cause, say, where = self.cause, self.say, self.where()
        if cause.failures + cause.explains:
            main = main_attempts(cause.attempts, self.labels)
            if main is None:
                n = cause.failures + cause.explains
                return say.plural("{n} call for {where} failed", "{n} calls for {where} failed", n, where=where)
            op = self.operation(main.operation)
            if main.all == 1:
                return say("the only {op} call (1 of 1) for {where} failed", op=op, where=where)
            return say("{n} of {m} {op} calls for {where} failed", n=main.failed, m=main.all, op=op, where=where)
        if cause.affected:
            return say.plural(
                "{n} successful {op} call for {where} is affected",
                "{n} successful {op} calls for {where} are affected",
                cause.affected,
                op=self.operation(cause.operations[0] if cause.operations else None),
                where=where,
            )
        return say.plural(
            "{n} log record for {where} shows a fault",
            "{n} log records for {where} show a fault",
            cause.records,
            where=where,
        )

    def callback_event(self) -> str:
        """The pushed operation."""
        main = main_attempts(self.cause.attempts, self.labels)
        named = main.operation if main is not None else next(iter(self.cause.operations), None)
        return self.operation(named) if named in self.labels.operations else self.say("callbacks")

    def step(self) -> str:
        """The first step of the acting party, or the first step at all; empty when none is known."""
        steps = self.cause.fix.steps
        chosen = next((s for s in steps if s.party == self.cause.party), steps[0] if steps else None)
        if chosen is None:
            return ""
        text = self.say.pick(chosen.text).strip().rstrip(_END)
        if self.short > 2:
            for stop in ("；", "。", "; ", ". "):
                text = text.split(stop)[0]
        return text if self.lang == "zh" else _lower_first(text)

    def sub(self, text: Text | None) -> str:
        """A text as part of a sentence; empty when there is none."""
        part = self.say.pick(text).strip().rstrip(_END) if text else ""
        return part if self.lang == "zh" else _lower_first(part)
