"""Which keys of a JSON-lines log say what: spellings from rules/formats/jsonlines.toml, laid over one file's own keys.

A file's shape is learnt from its first lines, so that polars can read the rest with a fixed schema: every leaf as text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl

from openclaw_forensics.errors import RuleError
from openclaw_forensics.resources import rules_dir

DEPTH = 4
BODIES = ("request_body", "response_body")
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# Keys that only what wraps a body has.
_OF_WRAPPERS = frozenset(
    {"headers", "body", "statusCode", "status_code", "method", "url", "uri", "config", "statusText", "text"}
)
Shape = dict[str, "Shape | None"]  # key to the keys inside; None for a leaf, {} for what is text or an object


@dataclass(frozen=True, slots=True)
class Keys:
    """The spellings by meaning, and what follows from them."""

    by_meaning: dict[str, tuple[str, ...]]
    inbound: frozenset[str]
    seconds: frozenset[str]
    templates: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """All spellings, each once."""
        return tuple(dict.fromkeys(path for paths in self.by_meaning.values() for path in paths))


@lru_cache(maxsize=1)
def load_keys() -> Keys:
    """The shipped spellings. Raises RuleError when the file is wrong."""
    path = rules_dir() / "formats" / "jsonlines.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        keys = {str(name): tuple(map(str, paths)) for name, paths in table["keys"].items()}
        inbound, seconds = frozenset(table["inbound"]["kind"]), frozenset(table["seconds"]["keys"])
        return Keys(keys, inbound, seconds, tuple(map(str, table["templates"]["keys"])))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise RuleError(str(path), f"no table of key spellings: {error}") from error


def objects(lines: Iterable[bytes]) -> list[dict[str, Any] | None]:
    """Each line as an object; None for one that is no JSON object, or nested too deeply to be read."""
    decoder = msgspec.json.Decoder()
    held: list[dict[str, Any] | None] = []
    for line in lines:
        try:
            value = decoder.decode(line)
        except (msgspec.DecodeError, RecursionError, ValueError):
            value = None
        held.append(value if isinstance(value, dict) else None)
    return held


def learn_shape(samples: list[dict[str, Any]], keys: Keys) -> Shape:
    """The keys of these objects that mean something."""
    wanted: dict[str, set[str]] = {}
    for path in keys.paths:
        parts = path.split(".")
        for depth in range(1, len(parts)):
            wanted.setdefault(".".join(parts[:depth]), set()).add(parts[depth])
    return _shape(samples, "", set(keys.paths), wanted)


def _shape(samples: list[dict[str, Any]], prefix: str, paths: set[str], wanted: dict[str, set[str]]) -> Shape:
    shape: Shape = {}
    held: dict[str, list[Any]] = {}
    for sample in samples:
        for name, value in sample.items():
            values = held.setdefault(name, [])
            if value is not None:
                values.append(value)
    for name, values in held.items():
        path = f"{prefix}{name}"
        inner = [v for v in values if isinstance(v, dict)]
        children = wanted.get(path, set())
        nested = inner and len(inner) == len(values) and any(children & v.keys() for v in inner)
        nested = nested and not (path in _body_paths() and all(_is_body(v, children) for v in inner))
        if nested and prefix.count(".") < DEPTH:
            inside = _shape(inner, f"{path}.", paths, wanted)
            if inside:
                shape[name] = inside
        elif inner and len(inner) < len(values) and any(children & v.keys() for v in inner):
            shape[name] = {}
        elif path in paths:
            shape[name] = None
    return shape


@lru_cache(maxsize=1)
def _body_paths() -> frozenset[str]:
    by_meaning = load_keys().by_meaning
    return frozenset(path for name in BODIES for path in by_meaning.get(name, ()))


def _is_body(value: dict[str, Any], children: set[str]) -> bool:
    """Whether the object is a body itself, not a wrapper of one: an API's answer may have keys such as `data` too."""
    if value.keys() <= children or _OF_WRAPPERS & value.keys():
        return False
    status = value.get("status")
    return "data" not in value or not (isinstance(status, int) and 100 <= status <= 599)


def schema_of(shape: Shape) -> dict[str, pl.DataType]:
    """The shape as a schema for `read_ndjson`: leaves are text, whatever they hold."""
    return {name: pl.Struct(schema_of(inner)) if inner else pl.String() for name, inner in shape.items()}


def flat(frame: pl.DataFrame, shape: Shape, prefix: str = "") -> dict[str, pl.Series]:
    """The leaves by dotted path."""
    found: dict[str, pl.Series] = {}
    for name, inner in shape.items():
        series = frame[name]
        if inner is None:
            found[f"{prefix}{name}"] = series
        elif not inner:
            found |= _mixed(series, f"{prefix}{name}")
        else:
            found |= flat(series.struct.unnest(), inner, f"{prefix}{name}.")
    return found


def _mixed(series: pl.Series, path: str) -> dict[str, pl.Series]:
    """A key that is text on some lines and an object on others: the text, and what the objects hold."""
    inside = series.str.starts_with("{").fill_null(False)
    if not inside.any():
        return {path: series}
    objects_only = series.set(~inside, None)
    found = {path: series.set(inside, None)}
    for longer in load_keys().paths:
        if longer.startswith(f"{path}."):
            found[longer] = objects_only.str.json_path_match("$." + longer[len(path) + 1 :])
    return found


def flat_objects(held: list[dict[str, Any]], shape: Shape, prefix: str = "") -> dict[str, pl.Series]:
    """The same from objects that were decoded one by one."""
    found: dict[str, pl.Series] = {}
    for name, inner in shape.items():
        values = [o.get(name) for o in held]
        if not inner:
            series = pl.Series([_text(v) for v in values], dtype=pl.String)
            found |= {f"{prefix}{name}": series} if inner is None else _mixed(series, f"{prefix}{name}")
        else:
            found |= flat_objects([v if isinstance(v, dict) else {} for v in values], inner, f"{prefix}{name}.")
    return found


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def meanings(found: dict[str, pl.Series], keys: Keys, height: int) -> pl.DataFrame:
    """`row`, and one column per meaning that any line has: the first spelling that holds something.

    Bodies have `<meaning>@` beside them, which spelling that was.
    """
    columns: dict[str, pl.Series] = {}
    for meaning, paths in keys.by_meaning.items():
        present = [path for path in paths if path in found and found[path].null_count() < height]
        if not present:
            continue
        series, source = found[present[0]], _repeated(present[0], height)
        for path in present[1:]:
            if not series.null_count():
                break
            take = series.is_null() & found[path].is_not_null()
            if take.any():
                series = series.zip_with(~take, found[path])
                source = source.zip_with(~take, _repeated(path, height))
        columns[meaning] = series
        if meaning in BODIES:
            columns[f"{meaning}@"] = source
    rows = pl.int_range(height, dtype=pl.UInt32, eager=True)
    return pl.DataFrame({"row": rows} | {name: series.rename(name) for name, series in columns.items()})


def _repeated(text: str, height: int) -> pl.Series:
    return pl.Series([text], dtype=pl.String).new_from_index(0, height)


def said(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A meaning's column of `meanings`, null where no line has it."""
    return pl.col(name) if name in frame.columns else pl.lit(None, dtype=pl.String)


def raw_value(line: str, path: str) -> str | None:
    """The value at a dotted path as the line writes it, digits and order untouched; None when it is not there."""
    text: bytes = line.encode()
    try:
        for name in _steps(text, path):
            text = bytes(_PARTS.decode(text)[name])
    except (msgspec.DecodeError, KeyError, RecursionError):
        return None
    return text.decode("utf-8", "replace")


def _steps(text: bytes, path: str) -> list[str]:
    """The keys to follow: a dot is nesting, unless a key is written with it."""
    if f'"{path}"'.encode() in text:
        return [path]
    return path.split(".")
