"""The page: complete, closed to what a capture may hold, and in agreement with its document."""

from __future__ import annotations

import itertools
import re

import pytest

from openclaw_forensics.report import html
from openclaw_forensics.report.blocks import Blocks
from openclaw_forensics.report.catalogue import LANGS, Lang, speaker
from openclaw_forensics.report.layout import lay_out
from openclaw_forensics.report.pictures.lanes import lanes
from openclaw_forensics.report.pictures.timeline import timeline
from openclaw_forensics.report.view import View
from openclaw_forensics.result import Confirm, Fix, Mark, Message, Result, Step
from openclaw_forensics.words import Text
from tests.report.documents import DOCUMENTS, new_field, token_cascade
from tests.report.hostile import HARMLESS, HOSTILE, with_text
from tests.report.pages import Page

CASES = [pytest.param(name, lang, id=f"{name}-{lang}") for name in DOCUMENTS for lang in LANGS]
SECTIONS = ("verdict", "when", "unexplained", "notices", "exchanges", "capture", "method", "words")
OF_A_CAUSE = ("", "-why", "-telling", "-contrast", "-fields", "-not", "-fix", "-check")


def page_of(result: Result, lang: Lang = "zh") -> Page:
    return Page(html.render(result, lang, "openclaw-report.html"))


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_every_promised_id_exists_once(name: str, lang: Lang) -> None:
    result = DOCUMENTS[name]()
    page = page_of(result, lang)
    main = result.verdict is not None and result.verdict.root_cause is not None
    wanted = [*SECTIONS, *(f"E{n}" for n in range(1, len(result.exchanges) + 1))]
    wanted += [f"{c.id}{part}" for c in result.root_causes for part in OF_A_CAUSE]
    wanted += ["where", "ticket"] if main else ["checked", "blind"]
    assert [i for i in wanted if page.ids[i] != 1] == []
    assert [i for i, n in page.ids.items() if n > 1] == []


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_links_inside_the_page_resolve_and_leave_it_only_for_https(name: str, lang: Lang) -> None:
    page = page_of(DOCUMENTS[name](), lang)
    assert [k for k in page.links if k.startswith("#") and not page.ids[k[1:]]] == []
    assert [k for k in page.links if not k.startswith(("#", "https://"))] == []


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_one_h1_and_no_skipped_level(name: str, lang: Lang) -> None:
    levels = [int(h[1]) for h in page_of(DOCUMENTS[name](), lang).headings]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_both_languages_have_the_same_ids(name: str) -> None:
    result = DOCUMENTS[name]()
    assert page_of(result, "zh").ids.keys() - {"rc"} == page_of(result, "en").ids.keys() - {"rc"}


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_the_policy_allows_exactly_the_one_style_and_the_one_script(name: str, lang: Lang) -> None:
    page = page_of(DOCUMENTS[name](), lang)
    tags = [shape[0] for shape in page.shape]
    policy = next(v for tag, k, v in page.attributes if tag == "meta" and k == "content" and "default-src" in v)
    assert (tags.count("style"), tags.count("script")) == (1, 1)
    assert html.csp_hash("".join(page.raw["style"])) in policy
    assert html.csp_hash("".join(page.raw["script"])) in policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_nothing_asks_for_the_network_or_carries_style_or_handlers(name: str, lang: Lang) -> None:
    page = page_of(DOCUMENTS[name](), lang)
    tags = {shape[0] for shape in page.shape}
    assert not tags & {"img", "iframe", "object", "embed", "form", "link", "base", "video", "audio", "foreignobject"}
    bad = [(t, k) for t, k, v in page.attributes if k == "style" or k.startswith("on") or k in {"src", "srcdoc"}]
    assert bad == []
    assert [v for _, k, v in page.attributes if k == "href" and v.lower().startswith(("javascript:", "data:"))] == []
    assert "url(" not in "".join(page.raw["style"])


def test_hostile_text_leaves_the_shape_of_the_page_alone() -> None:
    hostile = html.render(with_text(HOSTILE), "zh", f"{HOSTILE}.html")
    harmless = html.render(with_text(HARMLESS), "zh", f"{HARMLESS}.html")
    assert Page(hostile).shape == Page(harmless).shape
    assert "\x00" not in hostile
    assert "\u202e" not in hostile
    assert "⟨U+202E⟩" in hostile
    assert "⟨U+D800⟩" in hostile
    hostile.encode("utf-8")


def test_hostile_text_survives_as_text() -> None:
    words = page_of(with_text(HOSTILE)).words
    assert "<script>alert(2)</script>]]>⟨U+0000⟩" in words
    assert "{{7*7}}" in words


@pytest.mark.parametrize("lang", LANGS)
def test_numbers_on_screen_are_those_of_the_document(lang: Lang) -> None:
    result = token_cascade()
    words = page_of(result, lang).words
    cause = result.root_causes[0]
    total = cause.failures + cause.explains
    assert f"{total} / {result.input.failures}" in words
    assert total + result.unexplained.failures == result.input.failures
    assert re.search(rf"\b{cause.failures} \+ \S+ {cause.explains}\b", words)
    assert f"{result.input.exchanges}" in words


def test_a_page_that_would_be_too_heavy_shows_fewer_exchanges_in_full_and_counts_the_rest() -> None:
    made = token_cascade()
    body = "[" + ",".join(['"' + "x" * 200 + '"'] * 400) + "]"  # much to carry, few lines to lay out
    heavy = Message(headers=(), headers_state="recorded", body=body, body_state="recorded", body_size=len(body))
    result = made.model_copy(
        update={"exchanges": tuple(e.model_copy(update={"request": heavy, "response": heavy}) for e in made.exchanges)}
    )
    text = html.render(result, "en", "x.html")
    assert len(text.encode()) <= html.LIMIT
    assert re.search(r"\d+ are shown as rows only", text)


def test_a_missing_field_stands_as_a_ghost_where_it_belongs() -> None:
    text = html.render(new_field(), "zh", "x.html")
    assert re.search(
        r'&#34;number&#34;: &#34;8&#34;\n</span><span class="l m ghost">\s*<mark>⟨缺少 taxId⟩</mark>', text
    )


def test_the_token_is_a_pill_only_where_the_document_says_so() -> None:
    made = token_cascade()
    bad = made.exchanges[1]
    assert bad.request.body is not None
    posing = bad.request.model_copy(update={"body": bad.request.body + "&note=access_token#9"})
    result = made.model_copy(
        update={"exchanges": (made.exchanges[0], bad.model_copy(update={"request": posing}), *made.exchanges[2:])}
    )
    text = html.render(result, "en", "x.html")
    assert re.search(r'class="pill">.{0,200}refresh_token#1 · 342 characters', text)
    assert not re.search(r'class="pill">(?:(?!</span>).)*access_token#9', text)


def test_a_20_digit_number_keeps_its_digits() -> None:
    assert "12345678901234567890" in html.render(token_cascade(), "en", "x.html")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        pytest.param({"body_state": "empty", "body": ""}, "empty (0 bytes)", id="empty"),
        pytest.param({"body_state": "not_recorded", "state_reason": "nginx"}, "not recorded: nginx", id="not-recorded"),
        pytest.param({"body_state": "masked", "body": "****"}, "masked by the source", id="masked"),
        pytest.param(
            {"body_state": "truncated", "body": "x" * 9, "truncated_by": "source"}, "The source cut it at 9", id="cut"
        ),
        pytest.param(
            {"body_state": "truncated", "body": "x" * 9, "truncated_by": "report", "body_size": 831_488},
            "The report holds 9 bytes of 812 KiB.",
            id="cut-by-report",
        ),
        pytest.param({"body_state": "reconstructed", "body": "x"}, "no basis for a signature check", id="made"),
        pytest.param({"body_state": "undecodable", "body": "\x01\x02"}, "0000 01 02", id="hex"),
    ],
)
def test_each_state_of_a_part_is_said(state: dict[str, object], words: str) -> None:
    made = token_cascade()
    first = made.exchanges[0]
    side = first.response.model_copy(update={"body": None, "hidden": (), **state})
    shown = made.model_copy(update={"exchanges": (first.model_copy(update={"response": side}), *made.exchanges[1:])})
    assert words in page_of(shown, "en").words


def test_sources_link_only_to_https() -> None:
    made = token_cascade()
    sources = ("javascript:alert(1)", 'https://ok.example/"><b>')
    cause = made.root_causes[0].model_copy(update={"fix": Fix(sources=sources)})
    page = page_of(made.model_copy(update={"root_causes": (cause,)}))
    assert [k for k in page.links if not k.startswith("#")] == ['https://ok.example/"><b>']


def test_a_style_string_holds_any_file_name() -> None:
    assert html.css_string('a"}\n</style>é') == '"a\\22 \\7d \\a \\3c \\2f style\\3e \\e9 "'


@pytest.mark.parametrize("lang", LANGS)
def test_the_file_name_stands_at_the_foot_of_a_printed_page(lang: Lang) -> None:
    style = "".join(page_of(DOCUMENTS["sound"](), lang).raw["style"])
    assert '@bottom-left{content:"openclaw\\2d report\\2e html' in style


def test_assets_are_small() -> None:
    assert len(html.asset("report.css").encode()) <= 40 * 1024
    assert len(html.asset("report.js").encode()) <= 8 * 1024
    assert not re.search(r"innerHTML|eval|document\.write|fetch\(|XMLHttpRequest", html.asset("report.js"))


def test_the_english_sentence_stands_below_the_chinese_one() -> None:
    result = token_cascade()
    assert result.verdict is not None
    zh, en = page_of(result, "zh").words, page_of(result, "en").words
    assert result.verdict.summary.zh in zh
    assert result.verdict.summary.en in zh
    assert result.verdict.summary.zh not in en.split("中文")[0]


def test_parties_that_nobody_argued_about_are_not_called_ruled_out() -> None:
    assert not DOCUMENTS["callback"]().root_causes[0].parties
    assert (
        "Ruled out: nobody. Not ruled out: the others, which were not examined."
        in page_of(DOCUMENTS["callback"](), "en").words
    )


def test_below_an_order_the_check_stands_before_the_step() -> None:
    result = token_cascade()
    look = Confirm(steps=(Text(en="record the redirect", zh="补录跳转"),))
    unsure = result.root_causes[0].model_copy(update={"confidence": 0.7, "confirm": look})
    words = page_of(result.model_copy(update={"root_causes": (unsure,)}), "en").words
    assert "First make sure: record the redirect. If it is confirmed: ERP :" in words
    sure = unsure.model_copy(update={"confidence": 0.9})
    assert "First make sure" not in page_of(result.model_copy(update={"root_causes": (sure,)}), "en").words


def test_the_steps_of_the_acting_party_come_first() -> None:
    result = token_cascade()
    steps = (Step(party="erp", text=Text(en="stop", zh="停")), Step(party="seller", text=Text(en="sign", zh="签")))
    cause = result.root_causes[0].model_copy(update={"party": "seller", "fix": Fix(steps=steps)})
    words = page_of(result.model_copy(update={"root_causes": (cause,)}), "en").words
    told = words[words.index("What to do, by whom") :]
    assert told.index("Sign") < told.index("Stop")


def test_a_refusal_of_the_far_side_is_drawn_as_its_answer() -> None:
    drawn = lanes(View(token_cascade(), "en"), token_cascade().root_causes[0])
    silent = DOCUMENTS["undetermined"]()
    cut = lanes(View(silent, "en"), silent.root_causes[0])
    assert drawn is not None
    assert cut is not None
    assert {a.broken for a in drawn.arrows} == {None}
    assert cut.arrows[0].broken is not None


def test_a_mark_on_a_whole_body_is_shown_where_the_code_stands() -> None:
    made = token_cascade()
    bad = next(e for e in made.exchanges if e.error_code == "invalid_grant")
    mark = Mark(pointer="/response/body", kind="code", why=Text(en="why", zh="why"))
    excerpt = Blocks(bad.model_copy(update={"marks": (mark,)}), speaker("en")).excerpts()[0]
    assert ["invalid_grant" in run.text for line in excerpt.lines if line.mark for run in line.runs][-1]


def test_notices_of_the_same_words_stand_once() -> None:
    result = DOCUMENTS["deprecation"]()
    twice = result.model_copy(update={"notices": result.notices * 2})
    assert page_of(twice, "en").words.count("v0 ends on 2026-09-30") == 1


def test_no_first_failure_is_drawn_where_nothing_failed() -> None:
    ahead = DOCUMENTS["deprecation"]()
    traffic = ahead.model_copy(update={"timeline": token_cascade().timeline})
    drawn = timeline(View(traffic, "en"))
    assert drawn is not None
    assert drawn.onset is None


def test_windows_line_ends_make_one_line_each() -> None:
    assert [piece.text for line in lay_out("<a>\r\n<b>\r\n").lines for piece in line] == ["<a>", "<b>"]
