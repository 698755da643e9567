"""Which column of an export or key of a JSON access log holds what, by `rules/formats/columns.toml`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from typing import cast

from rapidfuzz import fuzz, process

from openclaw_forensics.errors import RuleError
from openclaw_forensics.resources import rules_dir

THRESHOLD = 88  # of rapidfuzz's ratio; below, "状态" and "状态码" would be one
_SHORT = 4  # characters; a shorter name must fit exactly
_LONGEST = 60  # characters
_NO_NAME = re.compile(r"[{}<>=]|\"\s*:|\d{4}-\d\d")  # what stands in values, not in names
FRONT = "front action: {}"  # a firewall's word for what it did, as an exchange tells it
_NOISE = re.compile(r"[\s_\-:：*.,，/\\|\"'`]+")
_UNIT = re.compile(r"[(（\[【].*?[)）\]】]")


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    path = rules_dir() / "formats" / "columns.toml"
    try:
        with path.open("rb") as stream:
            return cast("dict[str, dict[str, list[str]]]", tomllib.load(stream))
    except tomllib.TOMLDecodeError as error:
        raise RuleError(str(path), str(error)) from error


def access_keys() -> dict[str, list[str]]:
    """Role to the keys that hold it, for JSON access logs."""
    return _tables()["access_json"]


def words(table: str) -> dict[str, str]:
    """Word in lower case to its meaning, for the tables `outcome` and `direction`."""
    return {word: meaning for meaning, names in _tables()[table].items() for word in names}


def refusals() -> list[str]:
    """Words, in lower case, by which a firewall's log says that it refused a request."""
    return sorted(words("front_action"))


def plain(text: str) -> str:
    """A header cell as it is compared: width, case, blanks and punctuation do not count."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text[:200])).lower()


@cache
def _names() -> dict[str, str]:
    return {plain(name): role for role, names in _tables()["table"].items() for name in names}


@cache
def _not_ours() -> frozenset[str]:
    return frozenset(plain(name) for name in _tables()["table_not"]["names"])


def role_of(header: str) -> tuple[str, float] | None:
    """What a header cell names, with a score up to 100; None for one that is nothing to us."""
    if len(header) > _LONGEST or _NO_NAME.search(header):
        return None
    text = plain(header)
    bare = plain(_UNIT.sub("", unicodedata.normalize("NFKC", header[:200])))
    for form in (text, bare):
        if form in _names():
            return _names()[form], 100.0
        if form in _not_ours():
            return None
    if len(bare) < _SHORT:
        return None
    found = process.extractOne(bare, _names().keys(), scorer=fuzz.ratio, score_cutoff=THRESHOLD)
    return (_names()[found[0]], float(found[1])) if found else None


def roles_of(headers: list[str]) -> dict[int, str]:
    """Column index to role. Of two columns for one role the better name wins, then the first."""
    best: dict[str, tuple[float, int]] = {}
    for index, header in enumerate(headers):
        found = role_of(header)
        if found and found[1] > best.get(found[0], (0.0, 0))[0]:
            best[found[0]] = (found[1], index)
    return {index: role for role, (_, index) in sorted(best.items(), key=lambda item: item[1][1])}
