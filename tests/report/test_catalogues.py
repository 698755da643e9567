"""The catalogues: complete, and written by the house's own rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from openclaw_forensics.report.catalogue import LANGS, Lang
from openclaw_forensics.report.glossary import terms
from openclaw_forensics.resources import templates_dir

ROOT = Path(__file__).parents[2]
KEYWORDS = {"say": None, "plural": (1, 2), "_": None, "ngettext": (1, 2)}
BANNED = {
    "zh": re.compile(r"过错|甩锅|显然|一直|从不|抱歉"),
    "en": re.compile(r"\b(fault of|blame|obviously|please|sorry|always|never)\b(?! gets)", re.IGNORECASE),
}
HAN = "\u3400-\u9fff"
UNSPACED = re.compile(rf"[{HAN}][0-9A-Za-z]|[0-9A-Za-z][{HAN}]")
LOOSE = re.compile(rf"[{HAN}] +[{HAN}]|[，。：；（）「」、] | [，。：；（）「」、]")


def extracted() -> set[str | tuple[str, ...]]:
    found: set[str | tuple[str, ...]] = set()
    for folder, pattern, method in (
        (ROOT / "openclaw_forensics" / "report", "**.py", "python"),
        (templates_dir(), "**.j2", "jinja2"),
    ):
        options = {pattern: {"extensions": "jinja2.ext.i18n", "silent": "false"}} if method == "jinja2" else {}
        rows = extract_from_dir(folder, [(pattern, method)], options_map=options, keywords=KEYWORDS)
        found |= {row[2] for row in rows}
    return found


def catalogue(lang: Lang) -> Catalog:
    with (templates_dir() / "locale" / lang / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale=lang)


def messages(lang: Lang) -> Iterator[Message]:
    return (m for m in catalogue(lang) if m.id)


def strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


@pytest.mark.parametrize("lang", LANGS)
def test_every_message_is_translated_and_none_is_left_over(lang: Lang) -> None:
    wanted = {m if isinstance(m, str) else m[0] for m in extracted()}
    have = {m.id if isinstance(m.id, str) else m.id[0] for m in messages(lang) if all(strings(m))}
    assert wanted - have == set()
    assert have - wanted == set()
    assert [m.id for m in messages(lang) if m.fuzzy] == []


def test_no_message_hides_in_an_f_string_where_extraction_cannot_see_it() -> None:
    hidden = re.compile(r"""\{(?:\w+\.)*say(?:\.plural)?\(['"]""")
    sources = sorted((ROOT / "openclaw_forensics" / "report").rglob("*.py"))
    assert [str(p) for p in sources if hidden.search(p.read_text("utf-8"))] == []


@pytest.mark.parametrize("lang", LANGS)
def test_a_translation_has_the_slots_of_its_message(lang: Lang) -> None:
    def slots(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for message in messages(lang):
        ids = (message.id,) if isinstance(message.id, str) else message.id
        allowed = {s for i in ids for s in slots(i)} | ({"n"} if len(ids) > 1 else set())
        assert [s for s in strings(message) if not slots(s) <= allowed] == [], message.id


@pytest.mark.parametrize("lang", LANGS)
def test_banned_words_do_not_occur(lang: Lang) -> None:
    assert [s for m in messages(lang) for s in strings(m) if BANNED[lang].search(s)] == []


def test_chinese_spacing() -> None:
    said = [s for m in messages("zh") for s in strings(m)]
    said += [t for term in terms() for t in (term.name.zh, term.means.zh)]
    assert [s for s in said if UNSPACED.search(s)] == []
    assert [s for s in said if LOOSE.search(s)] == []


def test_the_glossary_has_one_word_for_one_thing() -> None:
    for lang in LANGS:
        names = [n for t in terms() for n in getattr(t.name, lang).split(" / ")]
        assert len(names) == len(set(names))
