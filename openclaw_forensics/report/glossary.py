"""The words that a reader may not know: terms that occur in a result, with one sentence each."""

from __future__ import annotations

import functools
import re
import tomllib

from pydantic import BaseModel, ConfigDict, TypeAdapter

from openclaw_forensics import cache
from openclaw_forensics.report.catalogue import Lang
from openclaw_forensics.resources import templates_dir
from openclaw_forensics.result import Result
from openclaw_forensics.words import Text


class Term(BaseModel):
    """One word for one thing, in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    means: Text


@functools.cache
def terms() -> tuple[Term, ...]:
    """The glossary."""
    content, known = (templates_dir() / "glossary.toml").read_bytes(), TypeAdapter(tuple[Term, ...])

    def read() -> tuple[Term, ...]:
        return known.validate_python(tomllib.loads(content.decode("utf-8"))["term"])

    return cache.checked("glossary", known, [content], read, __name__, Text.__module__)


def _texts(value: object, lang: Lang) -> list[str]:
    if value is None or isinstance(value, str | int | float):  # most are; asking for a model takes longer
        return []
    if isinstance(value, Text):
        return [value.zh if lang == "zh" else value.en]
    if isinstance(value, BaseModel):
        return [t for name in type(value).model_fields for t in _texts(getattr(value, name), lang)]
    if isinstance(value, tuple | list):
        return [t for item in value for t in _texts(item, lang)]
    if isinstance(value, dict):
        return [t for item in value.values() for t in _texts(item, lang)]
    return []


def _page_words(result: Result) -> list[str]:
    """Chinese terms that the page itself uses, by what the result holds."""
    causes = result.root_causes
    states = {s for e in result.exchanges for m in (e.request, e.response) for s in (m.headers_state, m.body_state)}
    used = {
        "连带失败": any(c.explains for c in causes),
        "对照请求": any(c.contrast for c in causes),
        "可信程度": bool(causes),
        "根因": bool(causes),
        "请求 ID": any(e.request_id for e in result.exchanges),
        "未录制": "not_recorded" in states,
        "已打码": "masked" in states,
        "已截断": "truncated" in states,
        "时钟偏移": any(c.details.clock for c in causes),
        "出口 IP": any(c.exit_address for c in causes),
        "抓包": True,
    }
    return [word for word, is_used in used.items() if is_used]


def terms_in(result: Result, lang: Lang) -> list[Term]:
    """The terms that occur in the words of `result`, or that its page uses."""
    said = "\n".join(_texts(result, lang)).lower()
    own = _page_words(result)
    found = []
    for term in terms():
        names = (term.name.zh if lang == "zh" else term.name.en).lower().split(" / ")
        hit = any(n in said and (lang == "zh" or re.search(rf"\b{re.escape(n)}s?\b", said)) for n in names)
        if hit or term.name.zh in own:
            found.append(term)
    return found
