"""What a structured log's message says, where it is not said plainly: a template, bytes as numbers, a record of
Logbook's beside it, a severity as syslog counts, or the line of another log with a head of its own."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import polars as pl

from openclaw_forensics.ingest.jsonlines_keys import load_keys, said
from openclaw_forensics.ingest.lineformat_model import normal_level
from openclaw_forensics.ingest.stamps import Calendar, read_stamps
from openclaw_forensics.ingest.textlog_records import Layout

_HOLE = re.compile(r"\{[@$]?([A-Za-z_][A-Za-z0-9_]{0,60})(?:[,:][^{}]{0,40})?\}")
MAX_TEMPLATES = 500
_SEVERITIES = dict(zip("01234567", ["FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG"], strict=True))
_BYTES = r"^\[\d{1,3}(?:, ?\d{1,3})*\]$"  # journald's way with what is no plain text
_LOGBOOK = '"correlation":'
_OF_CALLS = ("method", "url", "path", "host", "status", "request_body", "response_body", "request_headers", "kind")


class _Line(msgspec.Struct):
    http: dict[str, Any] = {}


_LINE = msgspec.json.Decoder(_Line)
_NUMBERS = msgspec.json.Decoder(list[int])
_QUARTER_US = 900_000_000


def plain(columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """The columns of jsonlines_keys.meanings with messages in plain words. `lines` are the lines as written."""
    if "message" in columns.columns:
        columns = _rendered(columns, lines)
        columns = _decoded(columns) if "severity" in columns.columns else columns
    columns = _logbook(columns, lines)
    return _severity(columns, lines)


def _rendered(columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """Templates with their values: `HTTP {Method} responded {StatusCode}`."""
    message = columns["message"]
    spelt = [lines.str.contains(f'"{key}":', literal=True) for key in load_keys().templates]
    held = pl.select(pl.any_horizontal(spelt)).to_series()
    if not held.any():
        return columns
    rows = (held & message.str.contains("{", literal=True)).fill_null(False).arg_true()
    for template in message.gather(rows).unique(maintain_order=True).head(MAX_TEMPLATES).to_list():
        names = list(dict.fromkeys(_HOLE.findall(template)))
        mine = (message == template).arg_true()
        written = lines.gather(mine).to_frame("line")
        if not names:  # rendered already
            continue
        parts: list[pl.Expr] = []
        at = 0
        for hole in _HOLE.finditer(template):
            value = pl.coalesce(pl.col("line").str.json_path_match(f"$.{p}{hole[1]}") for p in ("", "Properties."))
            parts += [pl.lit(template[at : hole.start()]), value.fill_null(hole[0])]
            at = hole.end()
        text = written.select(pl.concat_str(*parts, pl.lit(template[at:]))).to_series()
        message = message.scatter(mine, text)
    return columns.with_columns(message)


def _decoded(columns: pl.DataFrame) -> pl.DataFrame:
    rows = columns["message"].str.contains(_BYTES).fill_null(False).arg_true()
    if rows.is_empty():
        return columns
    texts = []
    for text in columns["message"].gather(rows).to_list():
        numbers = _NUMBERS.decode(text)
        told = bytes(numbers).decode("utf-8", "replace") if max(numbers) < 256 else text
        texts.append(re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", told))
    return columns.with_columns(columns["message"].scatter(rows, texts))


def _logbook(columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """Logbook's records as objects under `http` are as good as its messages; the other keys say no more."""
    rows = lines.str.contains(_LOGBOOK, literal=True).arg_true()
    if rows.is_empty():
        return columns
    held = [_http_of(line) for line in lines.gather(rows).to_list()]
    rows = rows.filter(pl.Series([text is not None for text in held], dtype=pl.Boolean))
    told = pl.Series([text for text in held if text is not None], dtype=pl.String)
    message = columns["message"] if "message" in columns.columns else pl.Series([None], dtype=pl.String)
    message = message if message.len() == columns.height else message.new_from_index(0, columns.height)
    cleared = [columns[name].scatter(rows, None) for name in _OF_CALLS if name in columns.columns]
    return columns.with_columns(message.scatter(rows, told).alias("message"), *cleared)


def _http_of(line: str) -> str | None:
    """Logbook's object as its JSON formatter writes it."""
    try:
        http = _LINE.decode(line).http
        if http.keys() >= {"origin", "type", "correlation"}:
            return msgspec.json.encode({"origin": http["origin"], **http}).decode()
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        pass
    return None


def _severity(columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """Levels as syslog numbers them, in journald's exports and GELF."""
    number = said(columns, "severity")
    if "level" in columns.columns:
        gelf = pl.Series(lines.str.contains('"short_message":', literal=True))
        number = pl.coalesce(number, pl.when(gelf).then("level"))
    word = columns.select(number.replace_strict(_SEVERITIES, default=None, return_dtype=pl.String)).to_series()
    if word.null_count() == word.len():
        return columns
    return columns.with_columns(pl.coalesce(word, said(columns, "level")).alias("level"))


def unheaded(records: pl.DataFrame, layout: Layout, calendar: Calendar) -> pl.DataFrame:
    """Records whose message is the line of another log with a head: what the head says fills what the keys leave open.

    A stamp to a fraction of a second refines a collector's to the second.
    """
    found = _heads(records["message"], layout)
    if found is None:
        return records
    stamps = read_stamps(found["stamp"], calendar)
    at, own = stamps["at"], pl.col("at")
    apart = (at.dt.epoch("us") - own.dt.epoch("us")) % _QUARTER_US  # whatever the zone
    finer = (apart < 1_000_000) & (stamps["time_quality"] == "exact") & (pl.col("time_quality") == "second")
    levels = found["level"].replace_strict(
        (words := found["level"].unique().drop_nulls().to_list()), [normal_level(word) for word in words],
        default=None, return_dtype=pl.String,
    )  # fmt: skip
    return records.with_columns(
        *(pl.coalesce(found[name].str.strip_chars(), name).alias(name) for name in ("logger", "thread", "trace_id")),
        pl.coalesce("level", levels).alias("level"),
        pl.when(finer).then(own + (at - at.dt.truncate("1s"))).when(own.is_null()).then(at).otherwise(own).alias("at"),
        pl.when(own.is_null()).then(stamps["time_quality"]).otherwise("time_quality").alias("time_quality"),
        pl.when(own.is_null()).then(stamps["zone_basis"]).otherwise("zone_basis").alias("zone_basis"),
        pl.coalesce(found["message"], "message").alias("message"),
        pl.coalesce("rest", found["rest"]).alias("rest"),
    )


def _heads(messages: pl.Series, layout: Layout) -> pl.DataFrame | None:
    """stamp, level, logger, thread, trace_id, message and rest of the messages with a head; null for the others."""
    names = ("stamp", "level", "logger", "thread", "trace_id", "_head")
    found = pl.DataFrame({name: messages.clear().extend_constant(None, messages.len()) for name in names})
    for rule in layout.heads:
        left = found["_head"].is_null().arg_true()
        if rule.next_line or rule.whole or left.is_empty():
            continue
        taken = messages.gather(left).str.extract_groups(rule.expression).struct.unnest()
        hit = taken["_head"].is_not_null().arg_true()
        rows, taken = left.gather(hit), taken[hit]
        found = found.with_columns(
            found[name].scatter(rows, taken[name]) for name in names if name in taken.columns and rows.len()
        )
    if found["_head"].null_count() == messages.len():
        return None
    text = pl.col("text").cast(pl.Binary).bin.slice(pl.col("_head").str.len_bytes()).cast(pl.String)
    parts = found.with_columns(text=messages).select(text.str.splitn("\n", 2)).to_series().struct.unnest()
    return found.with_columns(message=parts["field_0"], rest=parts["field_1"])
