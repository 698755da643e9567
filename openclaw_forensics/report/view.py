"""One result seen in one language: names, times, numbers and places as every view says them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from openclaw_forensics.report import sentences, times
from openclaw_forensics.report.catalogue import Lang, speaker
from openclaw_forensics.report.slots import band, band_word
from openclaw_forensics.report.visible import cut_middle, one_line
from openclaw_forensics.result import Evidence, ExchangeView, Label, PartyView, Result, RootCause, Step
from openclaw_forensics.words import Text

State = Literal["ongoing", "recovered", "ahead"]

# The origin that goes without saying once the party is named.
_IMPLIED = {
    "erp": ("our_defect", "our_change"),
    "seller": ("configuration",),
    "platform": ("platform_fault",),
    "network": ("network_policy",),
    "carrier": ("third_party",),
    "undetermined": ("unknown",),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One step of the argument with the place that shows it."""

    at: datetime | None
    text: str
    number: int | None  # of the exchange, as in E7
    source: str
    place: str = ""  # file:line, as tools write it


class View:
    """A result in one language. Exchanges are numbered in document order; the numbers belong to one document."""

    def __init__(self, result: Result, lang: Lang) -> None:
        self.result, self.lang, self.say = result, lang, speaker(lang)
        self.exchanges = {e.id: e for e in result.exchanges}
        self.numbers = {e.id: n for n, e in enumerate(result.exchanges, 1)}
        self.zone = result.input.timezone.name

    def pick(self, text: Text | None) -> str:
        """A text in this language, on one line."""
        return one_line(self.say.pick(text)) if text else ""

    def start(self, text: str) -> str:
        """A text as the beginning of a sentence: its first word with a capital, unless that is a name of code."""
        word = text.split(" ", 1)[0].rstrip(",.:;")
        return text[:1].upper() + text[1:] if self.lang == "en" and word.isalpha() and word.islower() else text

    @property
    def main(self) -> RootCause | None:
        """The root cause that the verdict names."""
        verdict = self.result.verdict
        return next((c for c in self.result.root_causes if verdict and c.id == verdict.root_cause), None)

    @property
    def summary(self) -> Text:
        """The sentence of the document."""
        if self.result.verdict is not None:
            return self.result.verdict.summary
        return sentences.verdict_summary(self.result)

    def _named(self, labels: dict[str, Label], ident: str | None) -> str:
        label = labels.get(ident or "")
        return self.pick(label.name) if label else one_line(ident or "")

    def party(self, ident: str) -> str:
        """A party's name."""
        return self._named(self.result.labels.parties, ident)

    def cause(self, ident: str) -> str:
        """A cause as a noun phrase."""
        return self._named(self.result.labels.causes, ident)

    def origin(self, ident: str) -> str:
        """An origin's name."""
        return self._named(self.result.labels.origins, ident)

    def operation(self, ident: str | None) -> str:
        """An operation's plain words, else its name, else its id; a word for none."""
        label = self.result.labels.operations.get(ident or "")
        if label is None:
            return one_line(ident or "") or self.say("other calls")
        return self.pick(label.plain) or self.pick(label.name)

    def platform(self, ident: str | None) -> str:
        """A platform's name in this language."""
        return self._named(self.result.labels.platforms, ident) or self.say("unknown platform")

    def platform_both(self, ident: str | None) -> str:
        """A platform's name in this language and in English."""
        here, label = self.platform(ident), self.result.labels.platforms.get(ident or "")
        return f"{here} {label.name.en}" if label and label.name.en not in here else here

    def environment(self, ident: str | None) -> str:
        """Production, sandbox, or what the document says."""
        known = {"production": self.say("production"), "sandbox": self.say("sandbox")}
        return known.get(ident or "", one_line(ident or ""))

    def extra_origin(self, cause: RootCause) -> str | None:
        """The origin, where the party does not imply it."""
        told = cause.origin in _IMPLIED.get(cause.party, ()) or cause.origin == "unknown"
        return None if told else self.origin(cause.origin)

    def state(self, cause: RootCause) -> State:
        """Whether it goes on, is over, or lies ahead."""
        if cause.cause == "api.deprecation_ahead":
            return "ahead"
        return "ongoing" if cause.ongoing else "recovered"

    def state_word(self, cause: RootCause) -> str:
        """The state as a word."""
        words = {
            "ongoing": self.say("not recovered"),
            "recovered": self.say("recovered"),
            "ahead": self.say("lies ahead"),
        }
        return words[self.state(cause)]

    def confidence(self, value: float) -> str:
        """The confidence as a word."""
        return band_word(value, self.say)

    def is_order(self, cause: RootCause) -> bool:
        """Whether the evidence carries an order; below it, a step is to be checked first."""
        return band(cause.confidence) in {"certain", "very_likely"}

    def local(self, at: datetime) -> datetime:
        """A time in the capture's zone."""
        return times.local(at, self.zone)

    def clock(self, at: datetime | None) -> str:
        """14:02:11 in the capture's zone."""
        return times.clock(self.local(at), seconds=True) if at else self.say("time unknown")

    def day_clock(self, at: datetime) -> str:
        """03-17 14:02 in the capture's zone."""
        return times.day_clock(self.local(at), self.lang)

    def zone_name(self) -> str:
        """UTC+8, as an offset, where the capture has a time; the zone's own name where it has none."""
        first = self.result.input.first_at
        return times.offset_name(self.local(first)) if first else self.zone

    def source(self, item: Evidence, limit: int = 40) -> str:
        """The file's name and the line that show it."""
        name = cut_middle(one_line(item.file.rsplit("/", 1)[-1]), limit)
        if item.line is not None:
            return self.say("{file} line {line}", file=name, line=str(item.line))
        return f"{name} {one_line(item.locator, limit)}" if item.locator else name

    def fact(self, cause: RootCause, text: Text, indices: tuple[int, ...]) -> Fact:
        """One step with its first piece of evidence."""
        items = [cause.evidence[i] for i in indices if 0 <= i < len(cause.evidence)]
        if not items:
            return Fact(None, self.start(self.pick(text)), None, "")
        first = items[0]
        place = f"{one_line(first.file.rsplit('/', 1)[-1])}:{first.line}" if first.line else self.source(first)
        said, number = self.start(self.pick(text)), self.numbers.get(first.exchange or "")
        return Fact(first.at, said, number, self.source(first), place)

    def facts(self, cause: RootCause, limit: int = 3) -> list[Fact]:
        """The strongest steps that have evidence."""
        proven = [r for r in cause.reasoning if r.evidence]
        return [self.fact(cause, r.text, r.evidence) for r in proven[:limit]]

    def parties(self, cause: RootCause) -> tuple[list[PartyView], list[PartyView]]:
        """Parties ruled out, and parties that are not."""
        return [p for p in cause.parties if p.excluded], [p for p in cause.parties if not p.excluded]

    def ruled(self, cause: RootCause) -> tuple[str, str]:
        """Who is ruled out and who is not, as words; a document that argues about nobody has ruled out nobody."""
        if not cause.parties:
            return self.say("nobody"), self.say("the others, which were not examined")
        out, still = self.parties(cause)
        nobody = self.say("nobody")
        listed = [self.say.listing([self.party(p.party) for p in side]) or nobody for side in (out, still)]
        return listed[0], listed[1]

    def explained(self) -> tuple[int, int]:
        """Failures that a root cause owns, of all failures."""
        return sum(c.failures + c.explains for c in self.result.root_causes), self.result.input.failures

    def telling(self, cause: RootCause) -> ExchangeView | None:
        """The exchange that shows the cause best: the ticket's, else the first evidence of the cause itself."""
        ticket = cause.fix.ticket
        named = [ticket.exchange] if ticket and ticket.exchange else []
        named += [e.exchange for e in cause.evidence if e.role == "cause" and e.exchange]
        named += [e.exchange for e in cause.evidence if e.exchange]
        return next((self.exchanges[i] for i in named if i in self.exchanges), None)

    def steps_by_party(self, cause: RootCause) -> list[tuple[str, list[Step]]]:
        """The steps of each party: first of the one that must act, then in the order of the document."""
        listed = dict.fromkeys([cause.party, *(s.party for s in cause.fix.steps)])
        grouped = [(party, [s for s in cause.fix.steps if s.party == party]) for party in listed]
        return [(party, steps) for party, steps in grouped if steps]

    def step(self, cause: RootCause) -> Step | None:
        """The first step of the acting party, else the first step at all."""
        steps = cause.fix.steps
        return next((s for s in steps if s.party == cause.party), steps[0] if steps else None)
