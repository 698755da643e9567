"""What the questions know: the packs and rules of this input, how causes relate, and the sentences of an argument."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from openclaw_forensics import cache
from openclaw_forensics.diagnose.load import Loaded
from openclaw_forensics.errors import RuleError
from openclaw_forensics.platforms.model import Pack
from openclaw_forensics.resources import rules_dir
from openclaw_forensics.settings import Secret
from openclaw_forensics.words import Text

Made = TypeVar("Made")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Relation(_Model):
    """Failures of `explains` fold under a cause of `causes` (see relations.toml)."""

    causes: tuple[str, ...]
    explains: tuple[str, ...]
    until: Literal["refresh", "success", "end"]
    only_from: Literal["token"] | None = None  # only where the cause itself failed at this step of the loop


class Apart(_Model):
    """When refusals of calls do not show that the caller calls too often (see relations.toml)."""

    causes: tuple[str, ...]
    least: int  # refusals
    seconds: float  # between any two calls
    longer: str  # regex: the refusal speaks of a quota of a day or more


class Relations(_Model):
    """relations.toml."""

    app_level: tuple[str, ...]
    absence: tuple[str, ...]
    single_sign_cap: tuple[str, ...]
    apart: Apart
    relation: tuple[Relation, ...]


def _load(name: str, known: TypeAdapter[Made]) -> Made:
    path = rules_dir() / name
    content = path.read_bytes()
    try:
        return cache.checked(
            path.stem,
            known,
            [content],
            lambda: known.validate_python(tomllib.loads(content.decode("utf-8"))),
            __name__,
            Text.__module__,
        )
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise RuleError(str(path), str(error)) from error


@functools.cache
def relations() -> Relations:
    """How causes relate. Raises RuleError when the file is broken."""
    return _load("relations.toml", TypeAdapter(Relations))


@functools.cache
def _phrases() -> dict[str, Text]:
    return _load("phrases.toml", TypeAdapter(dict[str, Text]))


def phrase(name: str, **slots: object) -> Text:
    """A sentence of the argument with its slots filled; a Text slot gives each language its own."""
    return _phrases()[name].format(**slots)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the packs say, as far as this input needs them."""

    packs: Mapping[str, Pack]  # platforms in the capture
    everywhere: Pack | None  # common/
    rules: Sequence[Loaded]
    secrets: Sequence[Secret] = ()
    now: datetime | None = None
