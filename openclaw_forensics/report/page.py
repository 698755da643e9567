"""What the HTML templates ask for: a view with cards for exchanges, pictures, filters and links."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from markupsafe import Markup, escape

from openclaw_forensics.report import account, ticket, times
from openclaw_forensics.report.card import Card
from openclaw_forensics.report.catalogue import Lang, Speaker
from openclaw_forensics.report.glossary import Term, terms_in
from openclaw_forensics.report.pictures.lanes import Lanes, lanes
from openclaw_forensics.report.pictures.offsets import Offsets, offsets
from openclaw_forensics.report.pictures.timeline import Timeline, timeline
from openclaw_forensics.report.pictures.tokens import Tokens, tokens
from openclaw_forensics.report.view import View
from openclaw_forensics.report.visible import one_line, visible
from openclaw_forensics.report.wrap import clip
from openclaw_forensics.result import Check, Difference, Evidence, ExchangeView, FieldView, Notice, Result, RootCause
from openclaw_forensics.words import Text

FULL = 12
_FILTERED_OPERATIONS, _FILTERED_CAUSES = 8, 9
_CONTRAST_ROWS, _FIELD_ROWS, _CHECKS = 40, 30, 200


class Page(View):
    """One result on one page. `full` bounds how many exchanges are shown in full."""

    def __init__(self, result: Result, lang: Lang, full: int = FULL) -> None:
        super().__init__(result, lang)
        self.markup = Speaker(lang, markup=True)
        self._files = {f.path: f for f in result.input.files}
        self.balance = account.balance(result, self.say)
        self.set_aside = account.set_aside
        chosen = self._chosen()[:full]
        self.cards = {
            e.id: Card(e, self.numbers[e.id], self.say, self._files, full=e.id in chosen) for e in result.exchanges
        }
        self.homes = self._homes()
        self.operations = self._operations()
        self.filtered_causes = [c.id for c in result.root_causes[:_FILTERED_CAUSES]]

    def _chosen(self) -> list[str]:
        """The exchanges worth showing in full, most telling first."""
        wanted: list[str] = []
        for cause in self.result.root_causes:
            telling = self.telling(cause)
            wanted += [telling.id] if telling else []
            wanted += [cause.contrast.failing, cause.contrast.good] if cause.contrast else []
        wanted += [e.exchange for c in self.result.root_causes for e in c.evidence if e.exchange]
        wanted += [e.exchange for e in self.result.unexplained.samples if e.exchange]
        wanted += [e.id for e in self.result.exchanges]
        return [i for i in dict.fromkeys(wanted) if i in self.exchanges]

    def _homes(self) -> dict[str, str]:
        """Where a telling exchange is shown instead of in the list: exchange → root cause."""
        homes: dict[str, str] = {}
        for cause in self.result.root_causes:
            telling = self.telling(cause)
            if telling is not None and self.cards[telling.id].full:
                homes.setdefault(telling.id, cause.id)
        return homes

    def _operations(self) -> list[str]:
        counts: dict[str, int] = {}
        for item in self.result.exchanges:
            if item.operation:
                counts[item.operation] = counts.get(item.operation, 0) + 1
        return sorted(counts, key=lambda o: (-counts[o], o))[:_FILTERED_OPERATIONS]

    def row_class(self, exchange: ExchangeView) -> str:
        """Classes by ordinal, never by captured text."""
        names = ["failed" if exchange.failed else "ok"]
        if exchange.root_cause in self.filtered_causes:
            names.append(f"c{self.filtered_causes.index(exchange.root_cause) + 1}")
        known = exchange.operation in self.operations
        names.append(f"o{self.operations.index(exchange.operation or '') + 1}" if known else "o0")
        return " ".join(names)

    def cap(self, text: object) -> Markup:
        """Captured text: isolated, not translated, in no language."""
        return Markup('<bdi lang="" translate="no">{}</bdi>').format(one_line(str(text if text is not None else "")))

    def code(self, text: object) -> Markup:
        """A captured literal."""
        return Markup('<code lang="" translate="no"><bdi>{}</bdi></code>').format(one_line(str(text or "")))

    def seen(self, text: str) -> str:
        """Captured text of several lines."""
        return visible(text)

    def time(self, at: datetime | None, form: str = "clock") -> Markup:
        """A time in the capture's zone, machine-readable in UTC. Forms: clock, millis, minute, day, full, utc."""
        if at is None:
            return escape(self.say("time unknown"))
        here = self.local(at)
        words = {
            "clock": times.clock(here, seconds=True),
            "millis": times.clock(here, millis=True),
            "minute": times.clock(here),
            "day": times.day_clock(here, self.lang),
            "full": f"{here:%Y-%m-%d %H:%M:%S}",
            "utc": f"{at:%H:%M:%S} UTC" if at.tzinfo else "",
            "utcfull": times.utc(at),
        }
        return Markup('<time datetime="{}">{}</time>').format(times.utc(at), words[form])

    def link(self, item: Evidence | str | None) -> Markup:
        """A link to an exchange: E7. Empty where the document does not hold it."""
        ident = item.exchange if isinstance(item, Evidence) else item
        number = self.numbers.get(ident or "")
        return Markup('<a class="e" href="#E{0}">E{0}</a>').format(number) if number else Markup("")

    def proof(self, cause: RootCause, indices: tuple[int, ...], limit: int = 3) -> list[Evidence]:
        """The evidence that a step names."""
        return [cause.evidence[i] for i in indices if 0 <= i < len(cause.evidence)][:limit]

    def words_of(self, text: Text | None) -> str:
        """A text of the document in this language, made visible."""
        return visible(self.say.pick(text)) if text else ""

    def fit(self, text: str, units: float) -> str:
        """Text cut to a width in a picture; the table below has it whole."""
        return clip(one_line(text, 200), int(units / 10.4))

    def span(self) -> str:
        """From when to when the capture goes, in its zone."""
        first, last = self.result.input.first_at, self.result.input.last_at
        if first is None or last is None:
            return self.say("no times")
        here, there = self.local(first), self.local(last)
        until = f"{there:%H:%M}" if here.date() == there.date() else f"{there:%Y-%m-%d %H:%M}"
        return f"{here:%Y-%m-%d %H:%M}–{until} {times.offset_name(here)}"

    @cached_property
    def timeline(self) -> Timeline | None:
        """The picture of traffic over time."""
        return timeline(self)

    def lanes(self, cause: RootCause) -> Lanes | None:
        """The picture of which side was reached."""
        return lanes(self, cause)

    def tokens(self, cause: RootCause) -> Tokens | None:
        """The picture of token lives."""
        return tokens(cause)

    def offsets(self, cause: RootCause) -> Offsets | None:
        """The picture of the clock offset."""
        return offsets(cause.details.clock) if cause.details.clock else None

    def contrast_rows(self, cause: RootCause) -> tuple[list[Difference], int, int]:
        """Telling differences, how many more there are, and how many were to be expected."""
        every = cause.contrast.differences if cause.contrast else ()
        telling = [d for d in every if not d.expected]
        return telling[:_CONTRAST_ROWS], max(0, len(telling) - _CONTRAST_ROWS), len(every) - len(telling)

    def field_rows(self, cause: RootCause) -> tuple[list[FieldView], int]:
        """Fields, worst first, and how many more there are."""
        rows = sorted(cause.details.fields or (), key=lambda f: -(f.seen or 0))
        return rows[:_FIELD_ROWS], max(0, len(rows) - _FIELD_ROWS)

    @cached_property
    def ticket(self) -> tuple[str, str]:
        """The ticket in English and in Chinese."""
        return ticket.parts(self.result)

    @cached_property
    def notices(self) -> list[Notice]:
        """The notices; those of the same words once, with the evidence of all."""
        same: dict[tuple[str, str], list[Notice]] = {}
        for notice in self.result.notices:
            same.setdefault((notice.text.en, notice.text.zh), []).append(notice)
        return [
            many[0].model_copy(update={"evidence": tuple(e for n in many for e in n.evidence[: -(-3 // len(many))])})
            for many in same.values()
        ]

    @cached_property
    def terms(self) -> list[Term]:
        """The words of the glossary that this page uses."""
        return terms_in(self.result, self.lang)

    def operation_filter(self, operation: str) -> Markup:
        """The name of an operation's filter; its id is added where two operations have one name."""
        name = self.operation(operation)
        shared = sum(self.operation(other) == name for other in self.operations) > 1
        return self.cap(name) + Markup(" ") + self.code(operation) if shared else self.cap(name)

    @property
    def has_other_operations(self) -> bool:
        """Whether some exchanges belong to none of the operations that have a filter of their own."""
        return any(e.operation not in self.operations for e in self.result.exchanges)

    @property
    def checks(self) -> list[Check]:
        """Hits first, then what is sound, then some of what did not apply."""
        order = ("hit", "sound", "not_applicable")
        return sorted(self.result.checks, key=lambda k: (order.index(k.result), k.rule))[:_CHECKS]

    @property
    def checks_left_out(self) -> int:
        """How many rules are not listed."""
        return max(0, len(self.result.checks) - _CHECKS)

    def time_text(self, at: datetime) -> str:
        """A time at one end of an axis, for the two sides to compare."""
        return times.utc(at)

    @property
    def blocks_left_out(self) -> int:
        """How many exchanges are shown as rows only."""
        return sum(not card.full for card in self.cards.values())

    @property
    def steps_caption(self) -> str:
        """What the table of calls holds; its times are beginnings of steps, not of calls."""
        step = self.result.timeline.bucket_s
        if step < 120:
            return self.say("Calls per operation; times are the beginnings of steps of {n} s", n=step)
        return self.say("Calls per operation; times are the beginnings of steps of {n} min", n=step // 60)

    @property
    def platforms(self) -> str:
        """The names of all platforms of the capture."""
        return self.say.listing([self.platform(p) for p in self.result.input.platforms])

    @property
    def title(self) -> str:
        """Party, cause, shop and date, for tabs and file lists."""
        verdict, first = self.result.verdict, self.result.input.first_at
        parts = [self.say("no verdict")]
        if verdict is not None:
            party = self.say("responsible: {party}", party=self.party(verdict.party))
            parts = [party, self.cause(verdict.cause), one_line((self.main.shop or "") if self.main else "", 60)]
        parts.append(f"{self.local(first):%Y-%m-%d}" if first else "")
        return " · ".join(p for p in parts if p)
