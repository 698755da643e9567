"""What every part of a pack is made of: places, tests on them, sources, and raw messages in short form.

A *place* names where a value sits in an exchange, as `side.kind:argument`:

    request.query:NAME      request.form:NAME       request.param:NAME (query, else form, else top JSON key)
    request.header:NAME     response.header:NAME    (case-insensitive, first one)
    request.json:/a/b/0     response.json:/a/*/b    (RFC 6901 pointer; `*` stands for every array index or key)
    request.xml:a/b         response.xml:a/b        (element path from the root's child, local names; `@x` an attribute)
    request.host:REGEX      request.path:REGEX      (first group)
    request.text:REGEX      response.text:REGEX     (first group, on the body's text)
    request.basic:user      request.basic:password  request.bearer (token of `Authorization: Bearer`)
    request.oauth:NAME      (OAuth 1.0 parameter in query, form or Authorization header; RFC 5849, 3.5)
    response.status

A list of places means: the first that yields a value.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

PLACE = (
    r"^(request\.(query|form|param|header|json|xml|host|path|text|basic|oauth):.+|request\.bearer"
    r"|response\.(header|json|xml|text):.+|response\.status)$"
)
Place = Annotated[str, StringConstraints(pattern=PLACE)]
Places = tuple[Place, ...]


class Model(BaseModel):
    """Every part: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sourced(Model):
    """A fact: where it is said, and when that was looked at. `unverified` facts never decide a verdict alone."""

    source: tuple[str, ...] = ()
    checked: date | None = None
    unverified: bool = False


class Test(Model):
    """A test on one place; all keys given must hold. A place without a value fails every test but `exists = false`."""

    place: Place
    equals: str | None = None
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    re: str | None = None  # found anywhere in the value
    exists: bool | None = None


class RawMessage(Model):
    """A request or an answer in short form, for tests."""

    method: str = "GET"
    url: str = ""
    status: int | None = None
    headers: dict[str, str] = {}
    body: str = ""
