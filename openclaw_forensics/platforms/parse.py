"""From the TOML files of one pack folder to its checked models, with errors that name file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from openclaw_forensics.errors import RuleError
from openclaw_forensics.platforms.model import Platform
from openclaw_forensics.platforms.patterns import fault, patterns

HEADS = ("platform.toml", "common.toml")
# The other files of a pack: their table, and the pack's field it fills. webhooks.toml is one table at top level.
LISTS = {
    "operations.toml": ("operation", "operations"),
    "errors.toml": ("error", "errors"),
    "signature.toml": ("scheme", "schemes"),
    "deprecations.toml": ("deprecation", "deprecations"),
}
WEBHOOKS = "webhooks.toml"
COMMON = "common"

Model = TypeVar("Model", bound=BaseModel)


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises RuleError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuleError(path.as_posix(), f"cannot be read ({error.strerror}); check the file's rights") from error


def table_of(path: Path, content: bytes) -> dict[str, Any]:
    """The file as a TOML table. Raises RuleError with the line."""
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RuleError(path.as_posix(), "is not UTF-8; save it as UTF-8", line) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise RuleError(path.as_posix(), f"is no valid TOML: {error}", int(found[1]) if found else None) from error


def validate(kind: type[Model], table: Mapping[str, Any], path: Path, text: str, within: str = "") -> Model:
    """Check `table`; `within` names the array of tables it stands in, as `operation[3]`.

    Raises RuleError that names file, line where findable, key and remedy.
    """
    try:
        part = kind.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        loc = [*_steps(within), *first["loc"]]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        name = f" ({table['id']})" if isinstance(table.get("id"), str) else ""
        where = ".".join(map(str, loc))
        raise RuleError(path.as_posix(), f"{where}{name}: {_remedy(first)}{more}", line_of(text, loc)) from error
    for place, pattern in patterns(part):
        if (reason := fault(pattern)) is not None:
            loc = [*_steps(within), *place]
            where = ".".join(map(str, loc))
            raise RuleError(path.as_posix(), f"{where}: pattern {pattern!r}: {reason}; rewrite it", line_of(text, loc))
    return part


def _steps(within: str) -> list[str | int]:
    match = re.fullmatch(r"(\w+)\[(\d+)\]", within)
    return [match[1], int(match[2])] if match else []


def _remedy(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "is no known key; correct its spelling or remove it"
        case "missing":
            return "is missing; add it"
        case "string_pattern_mismatch":
            return f"{str(error['input'])!r} is no place; write side.kind:argument as platforms/model.py lists them"
    return f"{error['msg']}; correct the value"


def line_of(text: str, loc: list[str | int]) -> int | None:
    """The line of the innermost table or key of `loc` that can be found by its header; None if none can."""
    lines = text.splitlines()
    start, end, found = 0, len(lines), None
    position = 0
    while position < len(loc):
        name, index = str(loc[position]), loc[position + 1] if position + 1 < len(loc) else None
        header = re.compile(rf"\s*\[\[?(?:[\w.\"-]+\.)?{re.escape(name)}\]\]?\s*(?:#.*)?$")
        key = re.compile(rf"\s*\"?{re.escape(name)}\"?\s*(?:=|\.)")
        heads = [i for i in range(start, end) if header.match(lines[i])]
        wanted = index if isinstance(index, int) else 0
        if wanted < len(heads):
            start, found = heads[wanted], heads[wanted]
            end = heads[wanted + 1] if wanted + 1 < len(heads) else end
            start += 1
        elif hits := [i for i in range(start, end) if key.match(lines[i])]:
            found = hits[0]
            start = hits[0]
        position += 2 if isinstance(index, int) else 1
    return None if found is None else found + 1


def parse_list(kind: type[Model], path: Path, content: bytes, table: str) -> tuple[Model, ...]:
    """All `[[table]]` of a file. Raises RuleError for anything else in it."""
    data = table_of(path, content)
    if unknown := sorted(data.keys() - {table}):
        line = line_of(content.decode("utf-8"), [unknown[0]])
        raise RuleError(path.as_posix(), f"{unknown[0]} is not known here; this file holds [[{table}]] tables", line)
    rows = data.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RuleError(path.as_posix(), f"{table} must be written as [[{table}]] tables")
    text = content.decode("utf-8")
    return tuple(validate(kind, row, path, text, f"{table}[{i}]") for i, row in enumerate(rows))


def parse_head(path: Path, content: bytes) -> Platform:
    """platform.toml, or the head of common/. Raises RuleError."""
    return validate(Platform, table_of(path, content), path, content.decode("utf-8"))
