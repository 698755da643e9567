"""The place language on whole frames: each place becomes one text column, equal row by row to `places.find(...)[0]`.

Queries, forms, hosts, paths, texts and headers are polars expressions; JSON is decoded once per body for all pointers
together into a typed structure that skips everything else; what cannot be vectorised goes through `places` row by row.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, quote_plus, unquote_plus

import polars as pl

from openclaw_forensics.platforms import jsonpointer, places
from openclaw_forensics.platforms.jsonread import MARKUP, may_hold, reader
from openclaw_forensics.platforms.masks import SAMPLE
from openclaw_forensics.platforms.message import FORM, TEXT_LIMIT, Message, Side

_ASCII = {
    escaped: chr(code)
    for code in range(0x20, 0x7F)
    for escaped in {f"%{code:02x}", f"%{code:02X}", f"%{code:02x}"[:2] + f"{code:02X}"[1]}
} | {"+": " "}
SIDES: tuple[Side, ...] = ("request", "response")
_KIND_COLUMN = {"query": "query", "host": "host", "path": "path", "status": "status"}


def needs(places_: Iterable[str]) -> list[str]:
    """The frame's columns that these places read."""
    wanted: set[str] = set()
    for place in map(places.parse, places_):
        side = place.side
        match place.kind:
            case "param" | "oauth":
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
        case "json" if "*" not in jsonpointer.pointer(argument):
            return body.map_batches(
                lambda s: json_columns(s, [argument], parsed.side)[argument], return_dtype=pl.String
            )
        case "param":
            kinds = (f"query:{argument}", f"form:{argument}", f"json:{_key(argument)}")
            others = [expr(f"request.{kind}") for kind in kinds]
            return pl.coalesce([other for other in others if other is not None])
    return None


def _extract(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract(pattern, 1 if re.compile(pattern).groups else 0)


def _header(side: str, name: str) -> pl.Expr:
    pair = pl.element()
    is_it = pair.struct.field("name").str.to_lowercase() == name
    return pl.col(f"{side}_headers").list.eval(pair.struct.field("value").filter(is_it).fill_null(""))


def _parameter(text: pl.Expr, name: str) -> pl.Expr:
    return pl.concat_str(pl.lit("&"), text).map_batches(lambda t: parameter(t, name), return_dtype=pl.String)


def parameter(joined: pl.Series, name: str) -> pl.Series:
    """The decoded value of the first parameter of that name; `joined` are queries or forms with a `&` before them."""
    spellings = {name, quote(name, safe=""), quote(name, safe="").lower(), quote(name, safe="[]"), quote_plus(name)}
    if len(spellings) > 1:
        pattern = rf"(?s)&(?:{'|'.join(sorted(map(re.escape, spellings)))})=([^&]*)"
        return decode(joined.str.extract(pattern, 1))
    mark = f"&{name}="
    at = joined.str.find(mark, literal=True)
    if at.null_count() == len(at):
        return nothing(len(at))
    # Four times as fast as a pattern. `find` counts bytes, hence the detour over Binary.
    table = pl.DataFrame({"t": joined.cast(pl.Binary), "at": at + len(mark.encode())})
    rest = table.select(pl.when(pl.col("at").is_not_null()).then(pl.col("t").bin.slice(pl.col("at"))).cast(pl.String))
    return decode(_until(rest["t"], "&"))


def _until(texts: pl.Series, mark: str) -> pl.Series:
    end = texts.str.find(mark, literal=True)
    table = pl.DataFrame({"t": texts.cast(pl.Binary), "end": end})
    cut = pl.when(pl.col("end").is_null()).then(pl.col("t")).otherwise(pl.col("t").bin.slice(0, pl.col("end")))
    return table.select(cut.cast(pl.String).alias("t"))["t"]


def _joined(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Queries and forms, each with a `&` before it."""
    body = pl.col("request_body")
    form = pl.when(body.str.contains(FORM)).then(body.str.strip_chars())
    both = frame.select(query=pl.concat_str(pl.lit("&"), "query"), form=pl.concat_str(pl.lit("&"), form))
    return {"query": both["query"], "form": both["form"]}


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
    todo = {place: places.parse(place) for place in sorted(set(wanted))}
    out = _parameters(frame, todo)
    for side in SIDES:
        names = {p: x.argument.lower() for p, x in todo.items() if x.side == side and x.kind == "header"}
        if names:
            found = header_columns(frame, side, sorted(set(names.values())))
            out |= {place: found[name] for place, name in names.items()}
        pointers = [x.argument for x in todo.values() if x.side == side and x.kind == "json" and "*" not in x.argument]
        if pointers:
            read = json_columns(frame[f"{side}_body"], pointers, side)
            out |= {f"{side}.json:{argument}": column for argument, column in read.items()}
    direct = {p: e for p in todo if p not in out and (e := expr(p)) is not None}
    if direct:
        selected = frame.select(e.alias(p) for p, e in direct.items())
        out |= {p: selected[p] for p in direct}
    return out | _by_row(frame, [p for p in todo if p not in out])


def _parameters(frame: pl.DataFrame, todo: Mapping[str, places.Place]) -> dict[str, pl.Series]:
    """All query, form and param places together."""
    asked = {place: x for place, x in todo.items() if x.kind in ("query", "form", "param")}
    if not asked:
        return {}
    joined = _joined(frame)
    keys = {x.argument: _key(x.argument) for x in asked.values() if x.kind == "param"}
    in_json = json_columns(frame["request_body"], list(keys.values()), "request") if keys else {}
    out = {}
    for place, x in asked.items():
        kinds = ("query", "form") if x.kind == "param" else (x.kind,)
        found = [parameter(joined[kind], x.argument) for kind in kinds if joined[kind].null_count() < frame.height]
        if x.kind == "param":
            found.append(in_json[keys[x.argument]])
        out[place] = pl.select(pl.coalesce(found)).to_series() if found else nothing(frame.height)
    return out


def _key(name: str) -> str:
    """The pointer of a top-level key."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def nothing(height: int) -> pl.Series:
    """A text column of nulls."""
    return pl.repeat(None, height, dtype=pl.String, eager=True)


def _by_row(frame: pl.DataFrame, wanted: Sequence[str]) -> dict[str, pl.Series]:
    """Places that no expression reads, in the rows where one of them may hold something."""
    if not wanted or frame.is_empty():
        return {place: nothing(frame.height) for place in wanted}
    rows = functools.reduce(operator.or_, (worth_reading(frame, place) for place in wanted)).arg_true()
    found: dict[str, list[str | None]] = {place: [] for place in wanted}
    for row in frame.select(needs(wanted))[rows].iter_rows(named=True):
        message = Message(row)
        for place, column in found.items():
            held = places.find(place, message).values
            column.append(held[0] if held else None)
    return {p: nothing(frame.height).scatter(rows, pl.Series(c, dtype=pl.String)) for p, c in found.items()}


def worth_reading(frame: pl.DataFrame, place: str) -> pl.Series:
    """Whether a row may hold anything at the place, told by the raw text or the names of headers; errs towards True."""
    parsed = places.parse(place)
    match parsed.kind:
        case "json":
            return may_hold(frame[f"{parsed.side}_body"], [parsed.argument], parsed.side)
        case "xml":
            return frame[f"{parsed.side}_body"].str.contains(MARKUP).fill_null(False)
        case "basic":
            named = pl.element().struct.field("name").str.to_lowercase() == "authorization"
            given = pl.col("request_headers").list.eval(named).list.any().fill_null(False)
            return frame.select(given).to_series()
    return pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)


def header_columns(frame: pl.DataFrame, side: str, names: Sequence[str]) -> dict[str, pl.Series]:
    """The first value of each header of `names` (lower case), all taken in one pass over the headers."""
    if frame[f"{side}_headers"].null_count() == frame.height:
        return dict.fromkeys(names, nothing(frame.height))
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


def json_columns(bodies: pl.Series, pointers: Sequence[str], side: Side) -> dict[str, pl.Series]:
    """The value of each pointer (without `*`) in each body, with a number's digits kept."""
    names = tuple(sorted(set(pointers)))
    if bodies.null_count() == len(bodies):
        return dict.fromkeys(names, nothing(len(bodies)))
    read = reader(names, side).read
    if bodies.head(SAMPLE).n_unique() * 2 > min(SAMPLE, len(bodies)):
        return read(bodies)
    distinct = bodies.drop_nulls().unique()
    table = pl.DataFrame({"body": distinct, **read(distinct)})
    joined = bodies.alias("body").to_frame().join(table, on="body", how="left", maintain_order="left")
    return {name: joined[name] for name in names}
