"""The ticket: short enough, complete where it matters, cut from the bottom up."""

from __future__ import annotations

import pytest

from openclaw_forensics.report import ticket
from openclaw_forensics.report.catalogue import LANGS, Lang
from openclaw_forensics.report.wrap import width
from openclaw_forensics.result import Attempts, Blind, Message, QuotedRequest, Result
from openclaw_forensics.words import Text
from tests.report.documents import DOCUMENTS, at, token_cascade
from tests.report.hostile import HOSTILE, with_text

CASES = [pytest.param(name, lang, id=f"{name}-{lang}") for name in DOCUMENTS for lang in LANGS]


def verbose(factor: int) -> Result:
    """The cascade with long words everywhere."""
    made = token_cascade()
    cause = made.root_causes[0]
    many = tuple(QuotedRequest(id=f"rq-{i}-{'x' * 60}", at=at(6, i), status=401) for i in range(9))
    parties = tuple(
        p.model_copy(update={"because": Text(en="because of this " * factor, zh="因为这样" * factor)})
        for p in cause.parties
    )
    assert cause.fix.ticket is not None
    asked = cause.fix.ticket.model_copy(
        update={
            "question": Text(en="Is it so? " * factor, zh="是这样吗？" * factor),
            "actual": Text(en="x " * 900, zh="甲" * 900),
        }
    )
    fix = cause.fix.model_copy(
        update={"ticket": asked, "quote_to_support": cause.fix.quote_to_support.model_copy(update={"requests": many})}
    )
    return made.model_copy(update={"root_causes": (cause.model_copy(update={"fix": fix, "parties": parties}),)})


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_it_is_short_in_characters_and_columns(name: str, lang: Lang) -> None:
    text = ticket.render(DOCUMENTS[name](), lang)
    assert len(text) <= ticket.LIMIT
    assert max(width(line) for line in text.split("\n")) <= ticket.COLUMNS
    assert "\t" not in text


@pytest.mark.parametrize("factor", [1, 5, 20, 80, 400])
def test_question_times_and_request_ids_stay_whatever_is_cut(factor: int) -> None:
    text = ticket.render(verbose(factor), "zh")
    assert len(text) <= ticket.LIMIT
    for kept in ("1 QUESTION", "4 WHEN (UTC)", "6 REQUEST IDS", "rq-0-", "【请回复】", "【时间】", "【请求 ID】"):
        assert kept in text


def test_the_first_things_to_go_are_the_excluded_parties_and_the_comparison() -> None:
    texts = {factor: ticket.render(verbose(factor), "zh") for factor in (1, 3, 9, 27)}
    gone = [("11 EXCLUDED" not in t, "10 COMPARED" not in t) for t in texts.values()]
    assert gone == sorted(gone)
    assert all(eleven or not ten for eleven, ten in gone)


def test_everything_is_said_where_there_is_room() -> None:
    english, chinese = ticket.parts(token_cascade())
    for number in range(1, 13):
        assert f"\n{number} " in english
    assert "<refresh_token#1>" in english
    assert "2026-03-17T06:02:11Z  rq-x-bad  400" in english
    assert "+3 more in the attachment" in english
    assert "2026-03-17 14:02:11（UTC 2026-03-17T06:02:11Z）" in chinese.replace("\n  ", " ")


def test_request_ids_are_at_most_five() -> None:
    english, _ = ticket.parts(verbose(1))
    assert english.count("rq-") == 5
    assert "+4 more in the attachment" in english


@pytest.mark.parametrize("lang", LANGS)
def test_hostile_text_stays_on_its_line(lang: Lang) -> None:
    text = ticket.render(with_text(HOSTILE + "\r\n\x1b[31m\t"), lang)
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    text.encode("utf-8")


def test_two_operations_of_one_name_are_counted_as_one() -> None:
    made = token_cascade()
    named = made.labels.model_copy(
        update={"operations": made.labels.operations | {"order.push": made.labels.operations["order.confirm"]}}
    )
    attempts = (
        Attempts(operation="order.confirm", all=100, failed=90),
        Attempts(operation="order.push", all=31, failed=30),
    )
    cause = made.root_causes[0].model_copy(update={"attempts": attempts})
    text = ticket.render(made.model_copy(update={"labels": named, "root_causes": (cause,)}), "en")
    assert "120 of 131 confirm shipment calls failed; 143 failures of this cause in all" in " ".join(text.split())


def test_nothing_is_said_twice_about_what_was_not_recorded() -> None:
    made = token_cascade()
    seen = made.exchanges[1]
    bare = Message(headers=None, headers_state="not_recorded", body=None, body_state="not_recorded")
    spot = Blind(what=Text(en="answer bodies", zh="应答体"), how_to_capture=Text(en="record", zh="录制"))
    exchanges = (made.exchanges[0], seen.model_copy(update={"request": bare, "response": bare}), *made.exchanges[2:])
    text = ticket.render(made.model_copy(update={"exchanges": exchanges, "blind": (spot,)}), "en")
    assert text.count("answer bodies") == 1
    assert text.count("应答体") == 1


def test_what_lies_ahead_is_no_failure() -> None:
    words = " ".join(ticket.render(DOCUMENTS["deprecation"](), "en").split())
    assert "no failure; shown by 40 successful calls and 0 log records" in words
    assert "the end lies ahead" in words
    assert "not recovered" not in words
