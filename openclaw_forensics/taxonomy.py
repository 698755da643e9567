"""The closed vocabulary of a verdict, read from rules/taxonomy.toml, which is the truth."""

from __future__ import annotations

import functools
import tomllib
from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from openclaw_forensics import cache
from openclaw_forensics.errors import RuleError
from openclaw_forensics.resources import rules_dir
from openclaw_forensics.words import Text


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Entry):
    """Who has to act for the problem to go away."""

    id: str
    name: Text
    plain: Text


class Origin(_Entry):
    """What kind of change or fault it was."""

    id: str
    name: Text


class FixStep(_Entry):
    """One imperative for one party."""

    party: str
    en: str
    zh: str


class Cause(_Entry):
    """What happened. `party` and `origin` are priors; evidence moves them."""

    id: str
    party: str
    origin: str
    name: Text  # a noun phrase: "expired refresh token"
    plain: Text  # a clause that follows "because": "the refresh token is past its life …"
    why: Text | None = None  # how one knows
    fix: tuple[FixStep, ...] = ()
    verify: tuple[Text, ...] = ()  # how to see that it is fixed
    question: Text | None = None  # the one question for the other side
    next: Text | None = None  # what to capture next when the evidence does not decide
    sources: tuple[str, ...] = ()


class Taxonomy(_Entry):
    """All causes, parties and origins by id."""

    causes: dict[str, Cause]
    parties: dict[str, Party]
    origins: dict[str, Origin]

    @classmethod
    def parse(cls, text: str, path: str) -> Self:
        """Parse and check a taxonomy file. Raises RuleError when it is not one or refers to unknown ids."""
        try:
            data = tomllib.loads(text)
            taxonomy = cls(
                causes={c["id"]: Cause.model_validate(c) for c in data["cause"]},
                parties={p["id"]: Party.model_validate(p) for p in data["party"]},
                origins={o["id"]: Origin.model_validate(o) for o in data["origin"]},
            )
        except (tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
            raise RuleError(path, str(error)) from error
        for cause in taxonomy.causes.values():
            named = {cause.party, *(step.party for step in cause.fix)}
            if wrong := sorted(named - taxonomy.parties.keys()) + sorted({cause.origin} - taxonomy.origins.keys()):
                raise RuleError(path, f"cause {cause.id} names unknown {', '.join(wrong)}")
        return taxonomy


@functools.cache
def taxonomy() -> Taxonomy:
    """The shipped taxonomy. Raises RuleError when the file is broken."""
    path = rules_dir() / "taxonomy.toml"
    content = path.read_bytes()

    def read() -> Taxonomy:
        return Taxonomy.parse(content.decode("utf-8"), str(path))

    return cache.checked("taxonomy", TypeAdapter(Taxonomy), [content], read, __name__, Text.__module__)
