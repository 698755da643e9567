"""The plain-text ticket: what is pasted into a case at the other side, English first, Chinese after it.

At most 4,000 characters, lines of at most 100 columns, plain characters only. What does not fit goes from the bottom
up; the question, the times and the request ids stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from openclaw_forensics.report import times
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.minimal import hidden_in, minimal_body, minimal_headers, placeholders
from openclaw_forensics.report.slots import main_attempts
from openclaw_forensics.report.view import View
from openclaw_forensics.report.visible import one_line
from openclaw_forensics.report.wrap import wrap
from openclaw_forensics.result import ExchangeView, Message, Result, RootCause
from openclaw_forensics.words import Text

LIMIT = 4000
COLUMNS = 100
RULE = "---------- 中文 ----------"


@dataclass(frozen=True, slots=True)
class Cut:
    """How much is left out; each step of `CUTS` leaves out more."""

    sections: frozenset[int] = frozenset()
    ids: int = 5
    actual: int = 400
    body: int = 500
    text: int = 600  # characters of one free text
    chinese: bool = True  # all of the Chinese part, else its core


_GONE = frozenset({11, 10})
CUTS = (
    Cut(),
    Cut(sections=frozenset({11})),
    Cut(sections=_GONE),
    Cut(sections=_GONE, ids=3),
    Cut(sections=_GONE, ids=3, actual=200),
    Cut(sections=_GONE, ids=3, actual=200, chinese=False),
    Cut(sections=_GONE | {12}, ids=3, actual=200, body=200, text=300, chinese=False),
    Cut(sections=_GONE | {12, 8, 7, 3}, ids=3, actual=100, body=0, text=160, chinese=False),
)


def render(result: Result, lang: Lang) -> str:
    """The ticket of the verdict, English first; `lang` is the language of the report that it names."""
    for cut in CUTS:
        english, chinese = parts(result, cut)
        text = "\n".join([english, _attached(result), RULE, chinese, ""])
        if len(text) <= LIMIT:
            break
    return text if len(text) <= LIMIT else text[: LIMIT - 2] + "…\n"


def parts(result: Result, cut: Cut | None = None) -> tuple[str, str]:
    """The English and the Chinese part, each complete in itself."""
    made = []
    langs: tuple[Lang, Lang] = ("en", "zh")
    for lang in langs:
        writer = _Writer(View(result, lang), cut or Cut())
        made.append("\n".join(line for row in writer.rows() for line in _lines(row)))
    return made[0], made[1]


def _lines(row: str) -> list[str]:
    return [line for part in row.split("\n") for line in wrap(part, COLUMNS, "  ")]


def _attached(result: Result) -> str:
    view = View(result, "en")
    telling = view.telling(view.main) if view.main else None
    anchors = [f"#E{view.numbers[telling.id]}"] if telling else []
    if view.main and view.main.contrast:
        anchors.append(f"#{view.main.id}-contrast")
    see = f"; see {', '.join(anchors)}" if anchors else ""
    text = f"Attached: openclaw-report.html (one file, no scripts needed, opens offline{see}). "
    return "\n".join(wrap(text + "Secrets are replaced by numbered names.", COLUMNS))


class _Writer:
    """Writes the rows of one language."""

    def __init__(self, view: View, cut: Cut) -> None:
        self.view, self.cut, self.say, self.result = view, cut, view.say, view.result
        self.cause = view.main
        self.telling = view.telling(self.cause) if self.cause else None

    def rows(self) -> list[str]:
        """The rows of this language."""
        cause = self.cause
        if cause is None:
            return [self._free(self.view.summary), *self._blind()]
        return self._english(cause) if self.view.lang == "en" else self._chinese(cause)

    def _free(self, text: Text | None) -> str:
        return one_line(self.view.pick(text), self.cut.text)

    def _blind(self) -> list[str]:
        return [self.say("Not recorded: {what}", what=self._free(b.what)) for b in self.result.blind[:5]]

    def _english(self, cause: RootCause) -> list[str]:
        rows: list[tuple[int, Callable[[RootCause], str]]] = [
            (0, self._subject),
            (1, lambda c: f"1 QUESTION     {self._question(c)}"),
            (2, lambda c: f"2 CLAIM        {self._claim(c)}"),
            (3, lambda c: f"3 WHO          {self._who(c, ' | ')}"),
            (4, lambda c: f"4 WHEN (UTC)   {self._when(c)}"),
            (5, lambda c: f"5 HOW MANY     {self._how_many(c)}"),
            (6, lambda c: "6 REQUEST IDS  " + self._ids(c, self.cut.ids, "\n               ")),
            (7, lambda c: f"7 MINIMAL REQUEST   {self._minimal()}"),
            (8, lambda c: f"8 EXPECTED     {self._expected(c)}"),
            (9, lambda c: f"9 ACTUAL       {self._actual(c)}"),
            (10, lambda c: f"10 COMPARED    {self._compared(c)}"),
            (11, lambda c: f"11 EXCLUDED    {self._excluded(c)}"),
            (12, lambda c: f"12 NOT RECORDED  {self._not_recorded()}"),
        ]
        return [row(cause) for number, row in rows if number not in self.cut.sections]

    def _chinese(self, cause: RootCause) -> list[str]:
        core = [f"【请回复】{self._question(cause)}", f"【结论】{self._claim(cause)}"]
        when, ids = f"【时间】{self._when(cause)}", f"【请求 ID】{self._ids(cause, 3, '；')}"
        if not self.cut.chinese:
            return [*core, when, ids]
        rows = [*core, f"【对象】{self._who(cause, ' / ')}", when, f"【数量】{self._how_many(cause)}", ids]
        rows += [f"【期望】{self._expected(cause)}", f"【实际】{self._actual(cause)}"]
        rows += [] if 11 in self.cut.sections else [f"【已排除】{self._excluded(cause)}"]
        return [*rows, f"【未录制】{self._not_recorded()}"]

    def _subject(self, cause: RootCause) -> str:
        main = main_attempts(cause.attempts, self.result.labels)
        named = main.operation if main else next(iter(cause.operations), None)
        area = (named or "API").split(".")[0]
        seen = self.telling
        outcome = [str(seen.status)] if seen and seen.status is not None else []
        outcome += [one_line(seen.transport_error)] if seen and seen.transport_error else []
        outcome += [one_line(seen.error_code, 60)] if seen and seen.error_code else []
        outcome = outcome if cause.failures + cause.explains else []  # an answer that is none of a failure
        since = f" since {times.utc(cause.first_at)}" if cause.first_at else ""
        shop = f" - shop {one_line(cause.shop, 60)}" if cause.shop else ""
        what = f"{self.view.operation(named)}: {' '.join(dict.fromkeys(outcome)) or self.view.cause(cause.cause)}"
        return f"SUBJECT: [{self.view.platform(cause.platform)} {one_line(area, 40)}] {what}{since}{shop}"

    def _question(self, cause: RootCause) -> str:
        ticket = cause.fix.ticket
        asked = self.view.start(self._free(ticket.question)) if ticket else ""
        return asked or self.say("Can you confirm the cause named below, yes or no?")

    def _claim(self, cause: RootCause) -> str:
        others = dict.fromkeys(self.view.cause(a.cause) for a in cause.alternatives if a.cause != cause.cause)
        return self.say(
            "{claim} Confidence: {word} ({number}). Also possible: {others}.",
            claim=self._free(cause.summary),
            word=self.view.confidence(cause.confidence),
            number=f"{cause.confidence:.2f}",
            others=self.say.listing(list(others)) or self.say("none found"),
        )

    def _who(self, cause: RootCause, gap: str) -> str:
        unknown = self.say("not recorded")
        fields = [
            self.say("platform {name}", name=self.view.platform(cause.platform)),
            self.say("shop {name}", name=one_line(cause.shop or unknown, 80)),
            self.say("app {name}", name=one_line(cause.app or unknown, 80)),
            self.view.environment(cause.environment) or self.say("environment not recorded"),
            self.say("endpoint {name}", name=one_line(cause.host or unknown, 120)),
            self.say("our exit IP {name}", name=one_line(cause.exit_address or unknown, 60)),
        ]
        return gap.join(fields)

    def _stamp(self, at: datetime | None) -> str:
        if at is None:
            return self.say("unknown")
        utc = times.utc(at)
        if self.view.lang == "en":
            return utc
        return f"{at.astimezone(times.BEIJING):%Y-%m-%d %H:%M:%S}（UTC {utc}）"

    def _when(self, cause: RootCause) -> str:
        ends = self.result.input.last_at
        if self.view.state(cause) == "ahead":
            after = self.say("the end lies ahead")
        elif cause.recovered_at:
            after = self.say("recovered {at}", at=self._stamp(cause.recovered_at))
        elif ends:
            after = self.say("not recovered within the capture, which ends {at}", at=self._stamp(ends))
        else:
            after = self.say("not recovered within the capture")
        good = self._stamp(cause.last_good_at) if cause.last_good_at else self.say("none in the capture")
        return self.say(
            "first {first} | last {last} | last success before: {good} | {after}",
            first=self._stamp(cause.first_at),
            last=self._stamp(cause.last_at),
            good=good,
            after=after,
        )

    def _how_many(self, cause: RootCause) -> str:
        main = main_attempts(cause.attempts, self.result.labels)
        named = self.view.operation(main.operation) if main else None
        text = self._failed(cause)
        if main:
            what = self.say.plural(
                "{failed} of {n} {op} call failed", "{failed} of {n} {op} calls failed", main.all,
                failed=main.failed, op=named or "",
            )  # fmt: skip
            text = f"{what}; {text}"
        others: dict[str, list[int]] = {}
        for row in self.result.timeline.series:
            if (name := self.view.operation(row.operation)) != named:
                counts = others.setdefault(name, [0, 0])
                counts[0] += sum(row.ok)
                counts[1] += sum(row.failed)
        rest = [
            self.say("{op} {ok} ok, {failed} failed", op=op, ok=ok, failed=bad)
            for op, (ok, bad) in list(others.items())[:3]
        ]
        return text + (self.say("; other operations: {rest}", rest=self.say.listing(rest)) if rest else "")

    def _failed(self, cause: RootCause) -> str:
        """All failures of the cause, or what shows it where nothing failed."""
        total = cause.failures + cause.explains
        if not total:
            return self.say("no failure; shown by {n} successful calls and {k} log records", n=cause.affected,
                            k=cause.records)  # fmt: skip
        return self.say.plural(
            "{n} failure of this cause in all: direct {direct}, consequences {k}",
            "{n} failures of this cause in all: direct {direct}, consequences {k}",
            total,
            direct=cause.failures,
            k=cause.explains,
        )

    def _ids(self, cause: RootCause, limit: int, gap: str) -> str:
        requests = cause.fix.quote_to_support.requests
        if not requests:
            return self.say("not recorded")
        shown = []
        for item in requests[:limit]:
            status = str(item.status) if item.status is not None else self.say("no answer")
            stamp = times.utc(item.at) if item.at else self.say("unknown")
            shown.append(f"{stamp}  {one_line(item.id, 80)}  {status}")
        if more := len(requests) - limit:
            shown += [self.say("+{n} more in the attachment", n=more)] if more > 0 else []
        return gap.join(shown)

    def _minimal(self) -> str:
        seen = self.telling
        if seen is None:
            return self.say("not recorded")
        url = placeholders(seen.url or "", hidden_in(seen.request, "url"))
        head = f"{one_line(seen.method or '')} {one_line(url, 300)}".strip()
        lines = [head, *(f"{name}: {one_line(value, 120)}" for name, value in minimal_headers(seen)[:8])]
        body = minimal_body(seen, self.cut.body) if self.cut.body else ""
        return "\n   ".join([*lines, *body.replace("\t", " ").split("\n")]) if body else "\n   ".join(lines)

    def _expected(self, cause: RootCause) -> str:
        ticket = cause.fix.ticket
        if ticket and ticket.expected:
            text = self._free(ticket.expected)
        elif cause.last_good_at:
            text = self.say("the call succeeds, as it last did at {at}", at=self._stamp(cause.last_good_at))
        else:
            text = self.say("an answer as documented")
        url = next((s for s in cause.fix.sources if s.startswith("https://")), None)
        return self.say("{text}; see {url}", text=text, url=one_line(url, 200)) if url else text

    def _actual(self, cause: RootCause) -> str:
        ticket, seen = cause.fix.ticket, self.telling
        if ticket and ticket.actual:
            return one_line(self.view.pick(ticket.actual), self.cut.actual)
        if seen is None:
            return self.say("not recorded")
        if seen.status is None:
            return one_line(seen.transport_error_text or self.say("no answer"), self.cut.actual)
        body = seen.response.decoded or seen.response.body or seen.error_message or ""
        return f"{seen.status} {one_line(body, self.cut.actual)}".strip()

    def _compared(self, cause: RootCause) -> str:
        contrast = cause.contrast
        if contrast is None:
            return self.say("the capture holds no good exchange of this operation")
        differs = [one_line(d.pointer, 80) for d in contrast.differences if not d.expected][:6]
        good = self.view.exchanges.get(contrast.good)
        stamp = times.utc(good.at) if good and good.at else self.say("unknown")
        what = self.say.listing(differs) or self.say("nothing but what is expected")
        return self.say("{basis} ({at}): differs in {what}", basis=self._free(contrast.basis), at=stamp, what=what)

    def _excluded(self, cause: RootCause) -> str:
        out = [
            self.say("{party}: {because}", party=self.view.party(p.party), because=self._free(p.because))
            for p in cause.parties
            if p.excluded
        ]
        return ("；" if self.view.lang == "zh" else "; ").join(out) or self.say("nobody")

    def _not_recorded(self) -> str:
        missing = _missing_parts(self.telling) if self.telling else []
        named = {
            "request_headers": self.say("request headers"),
            "request_body": self.say("request bodies"),
            "response_headers": self.say("answer headers"),
            "response_body": self.say("answer bodies"),
        }
        what = [named[m] for m in missing] + [self._free(b.what) for b in self.result.blind[:3]]
        return self.say.listing(list(dict.fromkeys(what))) or self.say("nothing of note")


def _missing_parts(seen: ExchangeView) -> list[str]:
    sides: list[tuple[str, Message]] = [("request", seen.request), ("response", seen.response)]
    return [
        f"{side}_{part}"
        for side, message in sides
        for part in ("headers", "body")
        if getattr(message, f"{part}_state") == "not_recorded"
    ]
