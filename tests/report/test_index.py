"""The index page of a batch."""

from __future__ import annotations

import pytest

from openclaw_forensics.report import index
from openclaw_forensics.report.catalogue import LANGS, Lang
from openclaw_forensics.summary import Group, Incident, Span, Summary, UnexplainedCount, Unread
from tests.report.documents import LABELS, TOOL, at, token_cascade
from tests.report.pages import Page


def summary(report: str = "reports/a1b2.html") -> Summary:
    result = token_cascade()
    assert result.verdict is not None
    cause = result.root_causes[0]
    incident = Incident(
        fingerprint="f1",
        report=report,
        root_cause="rc1",
        **result.verdict.model_dump(exclude={"root_cause"}),
        platform="amazon",
        shop="A1B2",
        first_at=cause.first_at,
        last_at=cause.last_at,
        ongoing=True,
        failures=12,
        explains=131,
        trend="worse",
    )
    troubled = Group(
        platform="amazon", shop="A1B2", exchanges=398, failures=150, verdict=result.verdict, timeline=result.timeline
    )
    fine = tuple(Group(platform="shopee", shop=f"S{i}", exchanges=9) for i in range(41))
    return Summary(
        tool=TOOL,
        labels=LABELS,
        input=Span(first_at=at(1), last_at=at(10)),
        groups=(troubled, *fine),
        incidents=(incident,),
        unread=(Unread(path="a.log", problem="<b>text</b>"), Unread(path="b.log", problem="x")),
        unexplained=UnexplainedCount(failures=7),
    )


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", "42 个店铺中 1 个需要处理。另有 2 个文件没读出来。"),
        ("en", "1 of 42 shops need action. 2 files could not be read."),
    ],
)
def test_the_headline_counts_shops_and_unread_files(lang: Lang, words: str) -> None:
    assert "".join(Page(index.render(summary(), lang)).raw["h1"]) == words


@pytest.mark.parametrize("lang", LANGS)
def test_every_incident_links_to_its_report_and_no_shop_is_dropped(lang: Lang) -> None:
    page = Page(index.render(summary(), lang))
    assert "reports/a1b2.html#verdict" in page.links
    assert all(f"S{i}" in page.words for i in range(41))
    assert page.headings.count("h1") == 1


@pytest.mark.parametrize("report", ["javascript:alert(1)", "/etc/passwd", "../x.html", "https://x.example/"])
def test_a_report_outside_the_folder_is_not_linked(report: str) -> None:
    assert [k for k in Page(index.render(summary(report), "zh")).links if not k.startswith("#")] == []
