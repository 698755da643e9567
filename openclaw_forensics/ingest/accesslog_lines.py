"""Lines of access logs to raw columns: all lines of a chunk at once, by CSV where that is safe, else by pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec
import polars as pl

from openclaw_forensics.ingest.accesslog_fields import SKIP
from openclaw_forensics.ingest.accesslog_layout import CLF, CsvColumn, Layout

SAMPLE = 300  # lines looked at to choose a layout
MAX_LINE = 1 << 20  # bytes; a longer line is no access-log line

# What stands in front of a line that went through docker, Kubernetes or syslog. The group is docker's exact stamp.
STAMPED_PREFIX = (
    r"(?:[\w.\-]+ +\| )?"
    r"(?:(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (?:(?:stdout|stderr) [FP] )?)?"
    r"(?:(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:]+: )?"
    r"(?:<\d{1,3}>1 \S+ \S+ \S+ \S+ \S+ (?:-|\[[^\]]*\]) )?"
)
PREFIX = STAMPED_PREFIX.replace(r"(\d{4}-", r"(?:\d{4}-")
_COLLECTED = r"^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] "


@dataclass(frozen=True, slots=True)
class Matched:
    """Raw columns of the lines that one layout reads; `line` is among them."""

    layout: Layout
    raw: pl.DataFrame


def lines_of(data: bytes, first: int) -> pl.DataFrame:
    """The lines of a chunk: `line` from `first` on, `text` without line end, `size` in bytes with it."""
    text = data.decode()
    pieces = text.split("\n")
    if pieces and not pieces[-1]:
        pieces.pop()
    frame = pl.DataFrame({"text": pl.Series(pieces, dtype=pl.String)})
    size = (pl.col("text").str.len_bytes() + 1).cast(pl.Int64)
    frame = frame.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("line") + first, "text", size.alias("size"))
    if data.endswith(b"\n") or not frame.height:
        return frame
    return frame.with_columns(pl.col("size") - (pl.col("line") == first + frame.height - 1).cast(pl.Int64))


def choose(lines: pl.DataFrame, candidates: list[Layout]) -> list[Layout]:
    """The candidates in the order to try: the one that reads most of the first lines, then the forgiving one."""
    sample = lines.head(SAMPLE)["text"].str.head(MAX_LINE)
    scored = [(_hits(sample, layout), layout) for layout in candidates]
    best, chosen = max(scored, key=lambda pair: pair[0])
    collected = int(sample.str.contains(_COLLECTED).sum() or 0)  # what looks like an address may be a collector's stamp
    if best * 2 < sample.len() or collected * 2 > sample.len():
        wrapped = [(_hits(sample, layout), layout) for layout in (item.wrapped(STAMPED_PREFIX) for item in candidates)]
        better, behind = max(wrapped, key=lambda pair: pair[0])
        if better > best or collected * 2 > sample.len():
            return [behind, chosen] if best else [behind]
    return [chosen] if chosen == CLF else [chosen, CLF]


def _hits(sample: pl.Series, layout: Layout) -> int:
    return int(sample.str.contains(layout.pattern).sum() or 0)


def by_csv(data: bytes, first: int, layout: Layout) -> pl.DataFrame | None:
    """The raw columns of a whole chunk, or None when any of its lines may stray from the layout."""
    count = data.count(b"\n") + (not data.endswith(b"\n"))
    if not layout.columns or data.count(b'"') != count * layout.quotes:
        return None
    schema = {f"c{n}": pl.String() for n in range(len(layout.columns))}
    try:
        frame = pl.read_csv(data, has_header=False, separator=" ", quote_char='"', schema=schema)
    except (pl.exceptions.PolarsError, OSError):
        return None
    if frame.height != count or any(series.has_nulls() for series in frame):
        return None
    if not frame.select(pl.all_horizontal(_checks(layout))).to_series().all():
        return None
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("line") + first,
        *(_value(f"c{n}", column) for n, column in enumerate(layout.columns) if column.role != SKIP),
    )


def _checks(layout: Layout) -> list[pl.Expr]:
    checks: list[pl.Expr] = []
    for n, column in enumerate(layout.columns):
        name = pl.col(f"c{n}")
        checks.append(name.str.len_bytes() <= MAX_LINE)
        checks += [name.str.starts_with(column.before)] if column.before else []
        checks += [name.str.ends_with(column.after)] if column.after else []
        width = {"status": 3, "stamp": 20, "stamp_zone": 5}.get(column.role)
        if width:
            checks.append(name.str.len_bytes() == width + len(column.before) + len(column.after))
        if column.role in ("duration_s", "duration_ms", "duration_us"):
            checks.append(_value(f"c{n}", column).str.contains(r"^(?:-|-?\d+(?:\.\d+)?)$"))
    return checks


def _value(name: str, column: CsvColumn) -> pl.Expr:
    value = pl.col(name)
    value = value.str.strip_prefix(column.before) if column.before else value
    value = value.str.strip_suffix(column.after) if column.after else value
    return value.alias(column.role)


def by_pattern(lines: pl.DataFrame, layouts: list[Layout]) -> tuple[list[Matched], pl.DataFrame]:
    """What each layout reads of the lines, in turn, and the lines that none reads."""
    matched: list[Matched] = []
    for layout in layouts:
        if not lines.height:
            break
        short = pl.when(pl.col("size") <= MAX_LINE).then(pl.col("text"))
        groups = lines.select(short.str.extract_groups(layout.pattern)).to_series().struct.unnest()
        names = groups.columns
        hit = (
            groups.select(pl.any_horizontal(pl.col(name).is_not_null() for name in names))
            .to_series()
            .fill_null(value=False)
        )
        kept = {name: role for name, role in zip(names, layout.roles, strict=True) if role != SKIP}
        raw = groups.select(pl.col(name).alias(role) for name, role in kept.items())
        matched.append(Matched(layout, raw.insert_column(0, lines["line"]).filter(hit)))
        lines = lines.filter(~hit)
    return matched, lines


def unwrapped(lines: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """The lines without docker's JSON, or without a prefix before a JSON object; and whether there was any of it."""
    first = next((str(text) for text in lines["text"].head(SAMPLE) if text.strip()), "")
    if first.startswith('{"log":'):
        return from_docker(lines), True
    if first.startswith("{") or not re.match(rf"{PREFIX}\{{", first[:2000]):
        return lines, False
    return lines.with_columns(pl.col("text").str.replace(rf"^{PREFIX}\{{", "{")), True


class _Logged(msgspec.Struct):
    log: str = ""


def from_docker(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines inside docker's json-file objects, those cut at 16 KiB joined; the rest of a joined one is empty."""
    decoder = msgspec.json.Decoder(_Logged)
    texts: list[str] = []
    open_at: int | None = None
    for text in lines["text"]:
        try:
            log = decoder.decode(text).log
        except (msgspec.DecodeError, UnicodeEncodeError):
            texts.append(text)
            open_at = None
            continue
        if open_at is not None and len(texts[open_at]) < MAX_LINE:
            texts[open_at] += log.rstrip("\r\n")
            texts.append("")
        else:
            open_at = len(texts)
            texts.append(log.rstrip("\r\n"))
        if log.endswith("\n"):
            open_at = None
    return lines.with_columns(pl.Series("text", texts, dtype=pl.String))
