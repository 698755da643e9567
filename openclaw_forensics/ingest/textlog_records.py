"""Lines to records: a head and what continues it (stack traces, bodies over several lines), for one chunk at a time.

Columnar throughout: heads are found and taken apart by polars, continuation lines are joined per record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.ingest.lineformat import fit_heads
from openclaw_forensics.ingest.lineformat_model import NAMED_PATTERNS, FormatSet, HeadRule, expand, normal_level
from openclaw_forensics.ingest.lines import text_lines
from openclaw_forensics.ingest.stamps import Calendar, read_stamps

MAX_LINE = 4 << 20  # bytes of one line that are looked at
MAX_LINES = 4000  # continuation lines of one record that are kept
MAX_RECORD = 8 << 20  # bytes of one record that are kept
SNIFF_LINES = 600
_TRIED = 200
_LEVEL_WORD = re.compile(NAMED_PATTERNS["LEVEL"])
_CONTINUES = re.compile(
    r"^(?:\s|\x00|$|at |Caused by|Suppressed:|\.{3} \d+ |Traceback |[}\])]|#\d+ |--->|\[stacktrace\]|During handling"
    r"|The above exception"
    r"|Stack trace:|\"\}|  )"
)
_CLOCK_STAMP = tuple(before + expand("%{CLOCK}") for before in ("(?P<stamp>", "|"))  # as a head's prefix spells it
_TRACE_WORD = r"(?:[Tt]race_?[Ii]d|tid|rid|[Rr]equest_?[Ii]d|req_?[Ii]d|correlation_?[Ii]d|uid|cid)"
_TRACE_FRONT = rf"^[\[(<]?{_TRACE_WORD}[=: ]+([A-Za-z0-9_.-]+)"
_TRACE_ANYWHERE = r"(?:trace_?[iI]d|TraceId)[=:] ?([0-9a-f]{16,32})(?:[^0-9a-f]|$)"
_ANSI = r"\x1b\[[0-9;]*[A-Za-z]"
_PARTIAL = r"^\S+ (?:stdout|stderr) P "  # Kubernetes' CRI cuts long lines at 16 KiB; the next one goes on
_GOES_ON = "\x00"  # put in front of what goes on in the same line
_JUL_LEVEL = r"^(INFO|WARNING|SEVERE|FINE|CONFIG|信息|警告|严重): "
_FIELDS = ("stamp", "level", "thread", "logger", "trace_id")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of one file are cut: the heads that occur, most specific first, and a wrapper in front."""

    heads: tuple[HeadRule, ...]
    wrapper: HeadRule | None

    @property
    def writer(self) -> str:
        """The format's name, for people."""
        names = dict.fromkeys(rule.format.name for rule in self.heads)
        return "+".join(names) or (self.wrapper.format.name if self.wrapper else "plain")

    @property
    def needs_order(self) -> bool:
        """Whether a stamp's meaning depends on the lines before it (a time of day without date)."""
        return any(mark in rule.prefix for rule in self.heads for mark in _CLOCK_STAMP)


def learn_layout(head: bytes, formats: FormatSet, forced: str | None = None) -> Layout:
    """The layout of a file, from its first lines."""
    text = re.sub(_ANSI, "", head.decode("utf-8", "replace"))
    fit = fit_heads([line[:2000] for line in text.splitlines()[:SNIFF_LINES]], formats, forced)
    return Layout(fit.used, fit.wrapper)


def begins_record(line: bytes, layout: Layout) -> bool:
    """Whether this line is the first of a record."""
    text = line[:1024].decode("utf-8", "replace").rstrip("\r")
    if layout.wrapper is not None:
        found = layout.wrapper.python.match(text)
        text = text[found.end() :] if found else text
    if layout.heads:
        return any(rule.python.match(text) for rule in layout.heads)
    return not _CONTINUES.match(text)


def last_head(data: bytes, layout: Layout, tries: int = 4000) -> int:
    """The offset of the last record's first byte, 0 when none of the last `tries` lines begins one."""
    end = len(data)
    for _ in range(tries):
        newline = data.rfind(b"\n", 0, end - 1) if end > 0 else -1
        start = newline + 1
        if begins_record(data[start:end].rstrip(b"\n"), layout):
            return start
        if newline < 0:
            return 0
        end = start
    return 0


def _lines(data: bytes) -> pl.DataFrame:
    """The lines with their sizes in bytes, terminator included."""
    if b"\r" in data:
        whole = data.endswith(b"\n")
        lines = pl.Series("line", data.decode("utf-8").split("\n"), dtype=pl.String)
        lines = lines.head(lines.len() - 1) if whole else lines
        size = (pl.col("line").str.len_bytes() + 1).cast(pl.Int64)
        frame = pl.DataFrame({"line": lines}).with_columns(size.alias("size"))
        if not whole:
            frame[-1, "size"] -= 1
        return frame.with_columns(pl.col("line").str.strip_chars_end("\r"))
    size = (pl.col("line").str.len_bytes() + 1).cast(pl.Int64)
    frame = text_lines(data).alias("line").to_frame().with_columns(size.alias("size"))
    if data and not data.endswith(b"\n"):
        frame[-1, "size"] -= 1
    return frame


def split_records(data: bytes, layout: Layout, *, offset: int, line: int, calendar: Calendar) -> pl.DataFrame:
    """The records of a chunk of valid UTF-8 that begins at a record.

    Columns: line, end, offset, size, raw_stamp, at, time_quality, zone_basis, level, logger, thread, trace_id, message,
    rest (what follows the first line, null where there is none).
    """
    lines = _lines(data).with_row_index("n")
    if lines.is_empty():
        lines = pl.DataFrame(schema={"n": pl.UInt32, "line": pl.String, "size": pl.Int64})
    if b"\x1b" in data:  # a single byte is sought much faster than two
        lines = lines.with_columns(pl.col("line").str.replace_all(_ANSI, ""))
    if lines["size"].max() is not None and int(str(lines["size"].max())) > MAX_LINE:
        lines = lines.with_columns(pl.col("line").str.slice(0, MAX_LINE // 4))
    if layout.wrapper is not None:
        lines = _strip_wrapper(lines, layout.wrapper)
    heads = _heads(lines, layout)
    records = _whole_lines(_join(lines, heads), lines)
    records = _follow(records, layout)
    return _finish(records, offset, line, calendar)


def _strip_wrapper(lines: pl.DataFrame, wrapper: HeadRule) -> pl.DataFrame:
    taken = lines["line"].str.extract_groups(wrapper.expression).struct.unnest()
    wrapped = taken["_head"].is_not_null()
    named = {f"w_{name}": taken[name] for name in wrapper.groups if name != "message"}
    inner = _after(lines["line"], taken["_head"])
    cut = lines["line"].str.contains(_PARTIAL)
    if cut.any():
        goes_on = cut.shift(1, fill_value=False) & wrapped
        inner = pl.select(pl.when(goes_on).then(_GOES_ON + inner).otherwise(inner)).to_series()
    return lines.with_columns(
        pl.select(pl.when(wrapped).then(inner).otherwise(lines["line"])).to_series().alias("line"),
        wrapped.alias("wrapped"),
        *(series.alias(name) for name, series in named.items()),
    )


def _after(line: pl.Series, head: pl.Series) -> pl.Series:
    """What follows `head` in `line`; both UTF-8, so bytes are cut and no character is split."""
    frame = pl.DataFrame({"line": line, "head": head})
    cut = pl.col("line").cast(pl.Binary).bin.slice(pl.col("head").str.len_bytes())
    return frame.select(cut.cast(pl.String)).to_series()


def _heads(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per head: n, the fields of the head, message."""
    schema: dict[str, pl.DataType] = {"n": pl.UInt32(), **dict.fromkeys(_FIELDS, pl.String()), "message": pl.String()}
    rest = lines.select("n", "line")
    found = []
    for rule in layout.heads:
        if rest.is_empty():
            break
        mine, rest, taken = _taken(rest, rule)
        if mine.is_empty():
            continue
        message = mine["line"] if rule.whole else _after(mine["line"], taken["_head"])
        found.append(
            pl.DataFrame({"n": mine["n"], **{f: taken[f] for f in _FIELDS if f in taken.columns}, "message": message})
        )
    if not layout.heads:
        plain = rest.filter(~pl.col("line").str.contains(_CONTINUES.pattern))
        found.append(plain.rename({"line": "message"}))
    if not found:
        return pl.DataFrame(schema=schema)
    return pl.concat(found, how="diagonal_relaxed").match_to_schema(
        pl.Schema(schema), missing_columns="insert"
    ).sort("n")  # fmt: skip


def _taken(rest: pl.DataFrame, rule: HeadRule) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The lines that this head begins, the others, and the head's groups of the former."""
    first = rest["line"].head(_TRIED)
    if first.str.contains(rule.test).sum() * 2 > first.len():  # then it is faster to try them all at once
        taken = rest["line"].str.extract_groups(rule.quick_expression).struct.unnest()
        sure = _known_levels(taken)
        if sure is not None:
            if sure.all():
                return rest, rest.clear(), taken
            return rest.filter(sure), rest.filter(~sure), taken.filter(sure)
    hit = rest["line"].str.contains(rule.test)
    mine, rest = (rest, rest.clear()) if hit.all() else (rest.filter(hit), rest.filter(~hit))
    taken = mine["line"].str.extract_groups(rule.quick_expression).struct.unnest()
    if taken["_head"].null_count():
        taken = mine["line"].str.extract_groups(rule.expression).struct.unnest()
    return mine, rest, taken


def _known_levels(taken: pl.DataFrame) -> pl.Series | None:
    """Which lines matched, where the quick form's word for a level always is one or no level is asked for."""
    hit = taken["_head"].is_not_null()
    if "level" in taken.columns:
        words = taken["level"].unique().drop_nulls().to_list()
        if not all(_LEVEL_WORD.fullmatch(word) for word in words):
            return None
    return hit


def _join(lines: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """Heads with the lines that continue them. Lines before the first head are a record without head."""
    starts = pl.Series("h", [False]).new_from_index(0, lines.height).scatter(heads["n"], True)
    if lines.height and not starts[0]:
        first = pl.DataFrame({"n": lines["n"][:1], "message": lines["line"][:1]})
        heads = pl.concat([first, heads], how="diagonal_relaxed")
        starts = starts.scatter(0, True)
    rec = starts.cast(pl.UInt32).cum_sum().rename("rec")
    lines = lines.hstack([starts.rename("h"), rec])
    begin = heads["n"]
    end = begin.shift(-1).fill_null(lines.height).cast(pl.UInt32) - 1
    before = lines["size"].cum_sum() - lines["size"]
    total = int(lines["size"].sum())
    at = before.gather(begin)
    size = at.shift(-1).fill_null(total) - at
    more = (
        lines.filter(~pl.col("h"))
        .group_by("rec", maintain_order=True)
        .agg(pl.col("line").head(MAX_LINES).str.join("\n").str.slice(0, MAX_RECORD // 4).alias("rest"))
    )
    rest = pl.Series("rest", [None], dtype=pl.String).new_from_index(0, heads.height)
    if more.height:
        rest = rest.scatter(more["rec"] - 1, more["rest"])
    outer = [c for c in lines.columns if c.startswith("w_")]
    columns = [begin.rename("first"), end.rename("last"), at.rename("at_byte"), size.rename("size"), rest]
    return heads.hstack([*columns, *(lines[name].gather(begin) for name in outer)])


def _whole_lines(records: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that a container runtime cut, put together again."""
    if "wrapped" not in lines.columns or not lines["line"].str.starts_with(_GOES_ON).any():
        return records
    more = pl.col("rest").str.replace_all("\n" + _GOES_ON, "", literal=True)
    first = more.str.splitn("\n", 2)
    goes_on = more.str.starts_with(_GOES_ON).fill_null(False)
    part = first.struct.field("field_0").str.strip_prefix(_GOES_ON)
    return records.with_columns(
        pl.when(goes_on).then(pl.concat_str("message", part)).otherwise("message").alias("message"),
        pl.when(goes_on).then(first.struct.field("field_1")).otherwise(more).alias("rest"),
    )


def _follow(records: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Two-line heads: the message stands on the line below."""
    if not any(rule.next_line for rule in layout.heads):
        return records
    empty = pl.col("message").is_in(["", None]) & pl.col("rest").is_not_null()
    parts = pl.col("rest").str.strip_chars_start().str.splitn("\n", 2)
    below = pl.when(empty).then(parts.struct.field("field_0").str.strip_chars()).otherwise(pl.col("message"))
    rest = pl.when(empty).then(parts.struct.field("field_1")).otherwise(pl.col("rest"))
    level = pl.coalesce(pl.col("level"), below.str.extract(_JUL_LEVEL, 1))
    return records.with_columns(
        below.str.replace(_JUL_LEVEL, "").alias("message"), rest.alias("rest"), level.alias("level")
    )


def _finish(records: pl.DataFrame, offset: int, line: int, calendar: Calendar) -> pl.DataFrame:
    for name in ("stamp", "thread", "logger"):
        if f"w_{name}" in records.columns:
            own = [pl.col(name), pl.col(f"w_{name}")]
            if name == "stamp":  # docker's is exact and has a zone: it wins over an inner one; syslog's lacks the year
                own.insert(0, pl.when(pl.col("w_stamp").str.contains(r"^\d{4}-")).then("w_stamp"))
            records = records.with_columns(pl.coalesce(own).alias(name))
    records = records.with_columns(_trace(records))
    stamps = read_stamps(records["stamp"], calendar)
    return records.hstack(stamps).select(
        (pl.col("first") + line).cast(pl.Int64).alias("line"),
        (pl.col("last") + line).cast(pl.Int64).alias("end"),
        (pl.col("at_byte") + offset).cast(pl.Int64).alias("offset"),
        pl.col("size").cast(pl.Int64),
        pl.col("stamp").alias("raw_stamp"),
        "at",
        "time_quality",
        "zone_basis",
        _level(pl.col("level")).alias("level"),
        _trimmed(records["logger"]),
        _trimmed(records["thread"]),
        "trace_id",
        "message",
        "rest",
    )


def _trimmed(series: pl.Series) -> pl.Series:
    """Without blanks around; empty is null."""
    series = series.str.strip_chars()
    blank = (series == "").fill_null(False)
    return series.set(blank, None) if blank.any() else series


def _trace(records: pl.DataFrame) -> pl.Series:
    """The trace id of the head, else one that the message begins with or names."""
    trace = _trimmed(records["trace_id"])
    none = trace.is_in(["N/A", "-", "null", "Ignored_Trace"]).fill_null(False)  # SkyWalking without a segment
    trace = trace.set(none, None) if none.any() else trace
    lacking = trace.is_null()
    if not lacking.any():
        return trace
    text = records["message"]
    named = lacking & (
        text.str.contains(_TRACE_FRONT).fill_null(False) | text.str.contains(_TRACE_ANYWHERE).fill_null(False)
    )
    rows = named.arg_true()
    if rows.is_empty():
        return trace
    some = text.gather(rows).to_frame()
    found = some.select(
        pl.coalesce(pl.col("message").str.extract(_TRACE_FRONT, 1), pl.col("message").str.extract(_TRACE_ANYWHERE, 1))
    ).to_series()
    return trace.scatter(rows, found)


def _level(level: pl.Expr) -> pl.Expr:
    return level.map_batches(_levels, return_dtype=pl.String)


def _levels(series: pl.Series) -> pl.Series:
    words = series.unique().drop_nulls().to_list()
    return series.replace_strict(words, [normal_level(w) for w in words], default=None, return_dtype=pl.String)
