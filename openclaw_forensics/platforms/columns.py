"""The place language on whole frames: each place becomes one text column, equal row by row to `places.find(...)[0]`.

Queries, forms, hosts, paths, texts and headers are polars expressions; JSON is decoded once per body for all pointers
together into a typed structure that skips everything else; what cannot be vectorised goes through `places` row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import msgspec
import polars as pl

from openclaw_forensics.platforms import places
from openclaw_forensics.platforms.message import FORM, TEXT_LIMIT, Message

_ASCII = {
    escaped: chr(code)
    for code in range(0x20, 0x7F)
    for escaped in {f"%{code:02x}", f"%{code:02X}", f"%{code:02x}"[:2] + f"{code:02X}"[1]}
} | {"+": " "}
_KIND_COLUMN = {"query": "query", "host": "host", "path": "path", "status": "status"}


def needs(places_: Iterable[str]) -> list[str]:
    """The frame's columns that these places read."""
    wanted: set[str] = set()
    for place in map(places.parse, places_):
        side = place.side
        match place.kind:
            case "param":
                wanted |= {"query", "url", "request_headers", "request_body"}
            case "query" | "host" | "path" | "status":
                wanted.add(_KIND_COLUMN[place.kind])
            case "header":
                wanted.add(f"{side}_headers")
            case "bearer" | "basic":
                wanted.add("request_headers")
            case _:
                wanted.add(f"{side}_body")
    return sorted(wanted)


def expr(place: str) -> pl.Expr | None:  # noqa: PLR0911 - one answer per kind of place
    """The place as an expression over the exchanges frame, null where it holds nothing; None if it has no such form."""
    parsed = places.parse(place)
    argument = parsed.argument
    body = pl.col(f"{parsed.side}_body")
    match parsed.kind:
        case "query":
            return _parameter(pl.col("query"), argument)
        case "form":
            return _parameter(pl.when(body.str.contains(FORM)).then(body.str.strip_chars()), argument)
        case "host" | "path":
            return _extract(pl.col(parsed.kind), argument)
        case "text":
            return _extract(body.str.slice(0, TEXT_LIMIT), argument)
        case "status":
            return pl.col("status").cast(pl.String)
        case "header":
            return _header(parsed.side, argument.lower()).list.first()
        case "bearer":
            found = pl.element().str.strip_chars().str.extract(r"(?is)^bearer +(.*\S)\s*$")
            return _header("request", "authorization").list.eval(found.drop_nulls()).list.first()
        case "json" if "*" not in places.pointer(argument):
            return body.map_batches(lambda s: json_columns(s, [argument])[argument], return_dtype=pl.String)
        case "param":
            key = argument.replace("~", "~0").replace("/", "~1")
            others = [expr(f"request.{kind}") for kind in (f"query:{argument}", f"form:{argument}", f"json:/{key}")]
            return pl.coalesce([other for other in others if other is not None])
    return None


def _extract(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract(pattern, 1 if re.compile(pattern).groups else 0)


def _header(side: str, name: str) -> pl.Expr:
    pair = pl.element()
    is_it = pair.struct.field("name").str.to_lowercase() == name
    return pl.col(f"{side}_headers").list.eval(pair.struct.field("value").filter(is_it).fill_null(""))


def _parameter(text: pl.Expr, name: str) -> pl.Expr:
    spellings = {name, quote(name, safe=""), quote(name, safe="").lower(), quote(name, safe="[]"), quote_plus(name)}
    pattern = rf"(?s)(?:^|&)(?:{'|'.join(sorted(map(re.escape, spellings)))})=([^&]*)"
    return text.str.extract(pattern, 1).map_batches(decode, return_dtype=pl.String)


def decode(values: pl.Series) -> pl.Series:
    """Percent-decode form-encoded values (`+` is a blank); bytes that are no UTF-8 become U+FFFD."""
    encoded = values.str.contains("[%+]")
    if not encoded.any():
        return values
    beyond = values.str.contains(r"%(?:[89A-Fa-f]|[01][0-9A-Fa-f]|7[fF])")
    plain = values.str.replace_many(list(_ASCII), list(_ASCII.values()))
    if not beyond.any():
        return plain
    hard = values.filter(beyond).unique()
    solved = pl.Series([unquote_plus(v) for v in hard], dtype=pl.String)
    return pl.select(
        pl.when(beyond).then(values.replace_strict(hard, solved, default=None, return_dtype=pl.String)).otherwise(plain)
    ).to_series()


def evaluate(frame: pl.DataFrame, wanted: Iterable[str]) -> dict[str, pl.Series]:
    """Each place of `wanted` as a text column of `frame`'s height, null where it holds nothing."""
    todo = sorted(set(wanted))
    out: dict[str, pl.Series] = {}
    for side in ("request", "response"):
        names = {p: places.parse(p).argument.lower() for p in todo if p.startswith(f"{side}.header:")}
        if names:
            columns = header_columns(frame, side, sorted(set(names.values())))
            out |= {place: columns[name] for place, name in names.items()}
        pointers = [places.parse(p).argument for p in todo if p.startswith(f"{side}.json:") and "*" not in p]
        if pointers:
            found = json_columns(frame[f"{side}_body"], pointers)
            out |= {f"{side}.json:{pointer}": column for pointer, column in found.items()}
    direct = {p: e for p in todo if p not in out and (e := expr(p)) is not None}
    if direct:
        selected = frame.select(e.alias(p) for p, e in direct.items())
        out |= {p: selected[p] for p in direct}
    slow = [p for p in todo if p not in out]
    return out | _by_row(frame, slow)


def _by_row(frame: pl.DataFrame, wanted: Sequence[str]) -> dict[str, pl.Series]:
    if not wanted:
        return {}
    found: dict[str, list[str | None]] = {place: [] for place in wanted}
    for row in frame.select(needs(wanted)).iter_rows(named=True):
        message = Message(row)
        for place, column in found.items():
            held = places.find(place, message).values
            column.append(held[0] if held else None)
    return {place: pl.Series(column, dtype=pl.String) for place, column in found.items()}


def header_columns(frame: pl.DataFrame, side: str, names: Sequence[str]) -> dict[str, pl.Series]:
    """The first value of each header of `names` (lower case), all taken in one pass over the headers."""
    rows = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
    long = (
        frame.select(rows, pl.col(f"{side}_headers").alias("pair"))
        .filter(pl.col("pair").list.len() > 0)
        .explode("pair")
        .select("row", pl.col("pair").struct.field("name"), pl.col("pair").struct.field("value").fill_null(""))
    )
    spelled = long["name"].unique().drop_nulls()
    kept = spelled.filter(spelled.str.to_lowercase().is_in(list(names)))
    long = long.filter(pl.col("name").is_in(kept.implode())).with_columns(pl.col("name").str.to_lowercase())
    base = pl.DataFrame({"row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True)})
    out = {}
    for name in names:
        one = long.filter(pl.col("name") == name).unique("row", keep="first", maintain_order=True)
        joined = base.join(one, on="row", how="left", maintain_order="left")
        out[name] = joined["value"]
    return out


def json_columns(bodies: pl.Series, pointers: Sequence[str]) -> dict[str, pl.Series]:
    """The value of each pointer (without `*`) in each body, with a number's digits kept."""
    reader = _reader(tuple(sorted(set(pointers))))
    distinct = bodies.drop_nulls().unique() if bodies.len() > 1 else bodies.drop_nulls()
    if len(distinct) > len(bodies) // 2:
        rows = [reader(text) for text in bodies]
        found = list(zip(*rows, strict=True)) if rows else [()] * len(reader.pointers)
        return {p: pl.Series(c, dtype=pl.String) for p, c in zip(reader.pointers, found, strict=True)}
    rows = [reader(text) for text in distinct]
    table = pl.DataFrame(
        {"body": distinct} | {p: [row[i] for row in rows] for i, p in enumerate(reader.pointers)},
        schema_overrides=dict.fromkeys(reader.pointers, pl.String),
    )
    joined = bodies.alias("body").to_frame().join(table, on="body", how="left", maintain_order="left")
    return {p: joined[p] for p in reader.pointers}


class _reader:
    """Reads a fixed set of pointers from one body: typed and fast, or by `places` where the body is not as hoped."""

    def __init__(self, pointers: tuple[str, ...]) -> None:
        self.pointers = pointers
        self.paths = [places.pointer(p) for p in pointers]
        self.tests = [p.rpartition("/")[2].encode() for p in pointers]
        plain = all(path and not any(token.isdecimal() for token in path) for path in self.paths)
        self.decoder = msgspec.json.Decoder(_structure(self.paths)) if plain and self._separable() else None
        self.names = [[_field(token) for token in path] for path in self.paths]
        self.nothing = (None,) * len(pointers)

    def _separable(self) -> bool:
        """Whether no pointer runs through another's end."""
        return not any(a != b and b[: len(a)] == a for a in self.paths for b in self.paths)

    def __call__(self, text: str | None) -> tuple[str | None, ...]:
        if text is None:
            return self.nothing
        if self.decoder is not None and text[:1] == "{":
            try:
                tree = self.decoder.decode(text)
                return tuple([_raw(tree, names) for names in self.names])
            except (msgspec.MsgspecError, _NotPlainError, RecursionError):
                pass
        return self.slowly(text)

    def slowly(self, text: str) -> tuple[str | None, ...]:
        """The same through `places`."""
        message = Message({"response_body": text})
        found = (places.find(f"response.json:{p}", message).values for p in self.pointers)
        return tuple(held[0] if held else None for held in found)


class _NotPlainError(Exception):
    """A value that only the careful reader reads rightly."""


def _field(token: str) -> str:
    return "f" + token.encode().hex()


def _structure(paths: Sequence[tuple[str, ...]]) -> Any:
    """A Struct type with just the fields on these paths; values at their ends stay raw."""
    heads: dict[str, list[tuple[str, ...]]] = {}
    for path in paths:
        heads.setdefault(path[0], []).append(path[1:])
    fields: list[tuple[str, Any, Any]] = []
    for head, rests in heads.items():
        inner = [rest for rest in rests if rest]
        kind = _structure(inner) | None if inner else msgspec.Raw
        fields.append((_field(head), kind, None if inner else msgspec.Raw(b"")))
    return msgspec.defstruct("Wanted", fields, rename={_field(head): head for head in heads}, gc=False)


def _raw(node: Any, names: Sequence[str]) -> str | None:
    for name in names:
        if node is None:
            return None
        node = getattr(node, name)
    raw = bytes(node)
    first = raw[:1]
    if first == b'"':
        if b"\\" not in raw:
            return raw[1:-1].decode("utf-8")
        text: str = msgspec.json.decode(raw)
        return text
    if first in (b"{", b"["):
        raise _NotPlainError
    return None if raw in (b"", b"null") else raw.decode("ascii")
