"""The words of the views: gettext catalogues in `report_templates/locale`, compiled in memory when first used.

A message is English with `{slots}`; the Chinese catalogue translates it. Slots are filled as text, never parsed again,
so hostile text cannot reach a format string. In Chinese one plain space stands between Han and Latin or digits and
none beside full-width punctuation; the catalogue cannot know what a slot will hold, so this is settled when it is
filled.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import io
import re
import struct
from string import Formatter
from typing import Literal, get_args

from markupsafe import Markup, escape

from openclaw_forensics import cache
from openclaw_forensics.resources import templates_dir
from openclaw_forensics.words import Text

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_FULL_WIDTH = re.compile(r"[\u2014\u2026\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
_LATIN = re.compile(r"[0-9A-Za-z\u00c0-\u024f]")
_TAG = re.compile(r"<[^<>]*>")


@functools.cache
def _translations(lang: Lang) -> gettext.GNUTranslations:
    source = (templates_dir() / "locale" / lang / "LC_MESSAGES" / "messages.po").read_bytes()
    name = cache.key_of(f"words-{lang}", [source], __name__)
    stored = cache.load(name)
    if isinstance(stored, bytes):
        with contextlib.suppress(OSError, ValueError, struct.error):
            return gettext.GNUTranslations(io.BytesIO(stored))
    compiled = _compile(source, lang)
    cache.store(name, compiled)
    return gettext.GNUTranslations(io.BytesIO(compiled))


def _compile(source: bytes, lang: Lang) -> bytes:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=lang))
    return compiled.getvalue()


def _visible(piece: str) -> str:
    return _TAG.sub("", piece) if isinstance(piece, Markup) else piece


def _join(left: str, right: str) -> str:
    """`left + right` with the space that Chinese typesetting wants between them."""
    before, after = _visible(left), _visible(right)
    last, first = before.rstrip(" ")[-1:], after.lstrip(" ")[:1]
    if not last or not first:
        return left + right
    han = (bool(_HAN.match(last)), bool(_HAN.match(first)))
    tight = all(han) or _FULL_WIDTH.match(last) or _FULL_WIDTH.match(first)
    spaced = before.endswith(" ") or after.startswith(" ")
    if spaced and tight:
        return left.rstrip(" ") + right.lstrip(" ")
    wants = (han[0] and _LATIN.match(first)) or (han[1] and _LATIN.match(last))
    return left + " " + right if wants and not spaced else left + right


def fill(lang: Lang, message: str, slots: dict[str, object]) -> str:
    """`message` with its slots filled; a Text slot gives its own language. Markup stays Markup and escapes the rest."""
    made: str = message[:0]
    for literal, name, _, _ in Formatter().parse(message):
        pieces = [type(made)(literal)] if literal else []
        if name is not None:
            value = slots[name]
            value = getattr(value, lang) if isinstance(value, Text) else value
            value = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
            pieces.append(escape(value) if isinstance(made, Markup) else str(value))
        for piece in pieces:
            made = _join(made, piece) if lang == "zh" and made else made + piece
    return made


class Speaker:
    """Says messages in one language; called with a message and its slots."""

    def __init__(self, lang: Lang, *, markup: bool = False) -> None:
        self.lang, self._markup = lang, markup

    def _fill(self, message: str, slots: dict[str, object]) -> str:
        # Messages are ours and may hold markup; what fills them is escaped.
        return fill(self.lang, Markup(message) if self._markup else message, slots)  # noqa: S704

    def __call__(self, message: str, **slots: object) -> str:
        """The message in this language."""
        return self._fill(_translations(self.lang).gettext(message), slots)

    def plural(self, one: str, many: str, n: int, **slots: object) -> str:
        """The message for `n` things; the slot `n` is filled as well."""
        return self._fill(_translations(self.lang).ngettext(one, many, n), {"n": n, **slots})

    def pick(self, text: Text) -> str:
        """This language of a text."""
        return text.zh if self.lang == "zh" else text.en

    def listing(self, items: list[str]) -> str:
        """Several things in one breath."""
        return ("、" if self.lang == "zh" else ", ").join(items)


@functools.cache
def speaker(lang: Lang) -> Speaker:
    """The plain-text speaker of a language."""
    return Speaker(lang)
