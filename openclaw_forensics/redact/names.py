"""Which names carry a credential or say who a person is: rules/redaction.toml, and what the packs add."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from openclaw_forensics import cache
from openclaw_forensics.errors import RuleError
from openclaw_forensics.platforms.model import Platform
from openclaw_forensics.resources import rules_dir

_ENDINGS = {"token": "access_token", "secret": "client_secret", "password": "client_secret", "apikey": "api_key",
            "signature": "signature", "privatekey": "client_secret"}  # fmt: skip


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    secrets: dict[str, tuple[str, ...]]
    parameters: dict[str, tuple[str, ...]]
    personal: dict[str, tuple[str, ...]]
    plain: dict[str, tuple[str, ...]]
    patterns: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Names:
    """Folded name -> kind of what it holds; forms that are recognised anywhere; prefixes that are kept."""

    kinds: Mapping[str, str]
    parameters: Mapping[str, str]  # in a query or form only
    personal: frozenset[str]
    plain: frozenset[str]
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    prefixes: tuple[str, ...]

    def kind(self, name: str, *, parameter: bool = False, exact: bool = False) -> str | None:
        """What a field of this name holds, if it is to be hidden.

        `parameter`: it stands in a query or form; `exact`: a name that only ends like one does not count.
        """
        folded = fold(name)
        if parameter and folded in self.parameters:
            return self.parameters[folded]
        if folded in self.plain:
            return None
        if (found := self.kinds.get(folded)) is not None:
            return found
        if exact:
            return None
        return next((kind for ending, kind in _ENDINGS.items() if folded.endswith(ending)), None)


@lru_cache(maxsize=4096)  # the same few names stand in every call
def fold(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[-_\s]", "", name).lower()


def names(platforms: Iterable[Platform]) -> Names:
    """The names of the shipped file and of `platforms`. Raises RuleError when the file is broken."""
    path = rules_dir() / "redaction.toml"
    content = path.read_bytes()
    try:
        file = cache.checked(
            "redaction",
            TypeAdapter(_File),
            [content],
            lambda: _File.model_validate(tomllib.loads(content.decode("utf-8"))),
            __name__,
        )
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise RuleError(str(path), str(error)) from error
    heads = list(platforms)
    kinds = {fold(n): "secret" for head in heads for n in head.secret_names}
    kinds |= {fold(n): "personal" for head in heads for n in head.personal_names}
    for table in (file.secrets, file.personal):
        kinds |= {fold(n): kind for kind, listed in table.items() for n in listed}
    personal = {fold(n) for listed in file.personal.values() for n in listed}
    personal |= {fold(n) for head in heads for n in head.personal_names}
    return Names(
        kinds=kinds,
        parameters={fold(n): kind for kind, listed in file.parameters.items() for n in listed},
        personal=frozenset(personal),
        plain=frozenset(fold(n) for listed in file.plain.values() for n in listed),
        patterns=tuple((kind, re.compile(p)) for kind, listed in file.patterns.items() for p in listed),
        prefixes=tuple(sorted({p for head in heads for p in head.tokens.prefixes}, key=lambda p: (-len(p), p))),
    )
