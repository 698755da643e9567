"""Words for people, in both languages of every report."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Text(BaseModel):
    """One human text in English and Chinese."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    zh: str

    def format(self, **slots: object) -> Text:
        """Fill `{slots}` in both languages; a `Text` slot is filled with its own language."""

        def pick(lang: str) -> dict[str, object]:
            return {k: getattr(v, lang) if isinstance(v, Text) else v for k, v in slots.items()}

        return Text(en=self.en.format_map(pick("en")), zh=self.zh.format_map(pick("zh")))


def same(text: str) -> Text:
    """A text that reads the same in both languages: an id, a code, a quote."""
    return Text(en=text, zh=text)
