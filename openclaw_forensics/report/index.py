"""The index page of a batch: what needs action now, by whom, and that the rest was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from markupsafe import Markup

from openclaw_forensics.report import times
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.report.html import assemble
from openclaw_forensics.report.page import Page
from openclaw_forensics.result import Input, Result, Shop
from openclaw_forensics.summary import Group, Incident, Summary

ROWS = 500
_WIDTH, _MIDDLE = 120.0, 12.0


@dataclass(frozen=True, slots=True)
class Spark:
    """A small picture of one group: successes above the line, failures below it."""

    ok: str
    failed: str


def spark(group: Group) -> Spark:
    """Bars of at most 60 buckets over the group's own time."""
    series = [s for s in group.timeline.series if s.ok or s.failed]
    if not series:
        return Spark("", "")
    bucket = max(1, group.timeline.bucket_s)
    start = min(s.start for s in series)
    at = {id(s): int((s.start - start).total_seconds() // bucket) for s in series}
    total = max(at[id(s)] + max(len(s.ok), len(s.failed)) for s in series)
    merged = max(1, -(-total // 60))
    ok: dict[int, int] = {}
    failed: dict[int, int] = {}
    for item in series:
        for into, values in ((ok, item.ok), (failed, item.failed)):
            for n, value in enumerate(values):
                if value:
                    place = (at[id(item)] + n) // merged
                    into[place] = into.get(place, 0) + value
    step = _WIDTH / -(-total // merged)
    return Spark(_bars(ok, step, -1), _bars(failed, step, 1))


def _bars(values: dict[int, int], step: float, way: int) -> str:
    most = max(values.values(), default=1)
    wide = max(1.5, step - 0.5)
    return "".join(
        f"M{at * step:.1f} {_MIDDLE:.0f}h{wide:.1f}v{max(2.0, 10 * n / most) * way:.1f}h-{wide:.1f}z"
        for at, n in sorted(values.items())
    )


class IndexPage(Page):
    """The words and times of a summary; it borrows names and times from the page of a result."""

    def __init__(self, summary: Summary, lang: Lang) -> None:
        shops = tuple(Shop(platform=g.platform, shop=g.shop) for g in summary.groups if g.shop)
        of = Input(
            first_at=summary.input.first_at,
            last_at=summary.input.last_at,
            timezone=summary.input.timezone,
            shops=shops,
            exchanges=sum(g.exchanges for g in summary.groups),
            failures=sum(g.failures for g in summary.groups),
        )
        super().__init__(Result(tool=summary.tool, input=of, labels=summary.labels), lang, 0)
        self.batch = summary
        self.incidents = list(summary.incidents[:ROWS])
        self.by_party = self._by_party()
        troubled = [g for g in summary.groups if g.verdict is not None]
        self.troubled, self.normal = troubled[:ROWS], [g for g in summary.groups if g.verdict is None][:ROWS]

    def _by_party(self) -> list[tuple[str, list[Incident]]]:
        parties = dict.fromkeys(i.party for i in self.incidents)
        return [(party, [i for i in self.incidents if i.party == party]) for party in parties]

    @property
    def headline(self) -> str:
        """How many shops need action, and what could not be read."""
        needy = len({(i.platform, i.shop) for i in self.batch.incidents if i.severity != "info"})
        total = len(self.batch.groups)
        said = self.say("{n} of {m} shops need action.", n=needy, m=total)
        if self.batch.unread:
            gap = "" if self.lang == "zh" else " "
            said += gap + self.say.plural(
                "{n} file could not be read.", "{n} files could not be read.", len(self.batch.unread)
            )
        return said

    def trend(self, incident: Incident) -> str:
        """How it stands against earlier nights."""
        words = {
            "new": self.say("new"),
            "continuing": self.say("continuing"),
            "worse": self.say("worse"),
            "recovered": self.say("recovered"),
        }
        return words.get(incident.trend or "", "")

    def incident_state(self, incident: Incident) -> str:
        """Whether it goes on."""
        if incident.cause == "api.deprecation_ahead":
            return self.say("lies ahead")
        return self.say("not recovered") if incident.ongoing else self.say("recovered")

    def spark(self, group: Group) -> Spark:
        """The small picture of a group."""
        return spark(group)

    def report_link(self, incident: Incident, text: str) -> Markup:
        """A link to the incident's report: a relative path below the summary, nothing else."""
        path = PurePath(incident.report)
        inside = not path.is_absolute() and ".." not in path.parts and ":" not in incident.report
        if not inside:
            return Markup("{}").format(text)
        return Markup('<a href="{}#verdict">{}</a>').format(incident.report, text)

    def handover(self, incidents: list[Incident]) -> str:
        """A ready list for one party, as plain text."""
        rows = []
        for item in incidents:
            stamp = times.utc(item.first_at) if isinstance(item.first_at, datetime) else self.say("time unknown")
            rows.append(f"- {self.platform(item.platform)} {item.shop or ''} · {stamp} · {self.words_of(item.summary)}")
        return self.seen("\n".join(rows))


def render(summary: Summary, lang: Lang, name: str = "index.html") -> str:
    """The index page; at most 500 rows of each table, the rest counted."""
    foot = f"{summary.tool.name} {summary.tool.version} · {summary.tool.rules_version}"
    return assemble("index.html.j2", lang, PurePath(name).name, foot, page=IndexPage(summary, lang))
