"""Records of a JSON-lines log that hold a call by their keys, as fragments; and all of them as log records."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.exchanges import HEADERS
from openclaw_forensics.ingest.calls import FRAGMENT
from openclaw_forensics.ingest.exceptions import family
from openclaw_forensics.ingest.jsonlines_keys import BODIES, load_keys, objects, raw_value
from openclaw_forensics.ingest.lineformat_model import normal_level
from openclaw_forensics.ingest.quoted_json import as_headers, as_ms
from openclaw_forensics.ingest.stamps import Calendar, read_stamps

MAX_EXACT = 20_000  # bodies of one chunk that are taken from the line itself
_HOST = r"^(?:https?://)?([A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?/?$"


def record_columns(columns: pl.DataFrame, lines: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """The columns of textlog_records.split_records, with `row`."""
    words = columns["level"].unique().drop_nulls().to_list()
    levels = [normal_level(word) for word in words]
    stamps = read_stamps(columns["time"], calendar)
    told = pl.coalesce("message", "error")
    # An error beside the message belongs to what was said; a stack that repeats it does not need it twice.
    error = pl.when(pl.col("error").is_not_null() & pl.col("message").is_not_null()).then("error")
    rest = (
        pl.when(error.is_not_null() & pl.col("stack").is_not_null())
        .then(
            pl.when(pl.col("stack").str.contains(error, literal=True))
            .then("stack")
            .otherwise(pl.concat_str(error, "stack", separator="\n"))
        )
        .otherwise(pl.coalesce("stack", error))
    )
    return pl.concat([columns, lines.drop("text"), stamps], how="horizontal").select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        pl.col("line"),
        pl.col("line").alias("end"),
        (pl.col("size").cum_sum() - pl.col("size")).alias("offset"),
        "size",
        pl.col("time").alias("raw_stamp"),
        "at",
        "time_quality",
        "zone_basis",
        pl.col("level").replace_strict(words, levels, default=None, return_dtype=pl.String),
        "logger",
        "thread",
        pl.col("trace").alias("trace_id"),
        told.fill_null("").alias("message"),
        rest.alias("rest"),
    )


def call_rows(columns: pl.DataFrame, lines: pl.Series | None) -> pl.DataFrame:
    """The fragments that the keys themselves tell, as FRAGMENT. `lines`, where given, are the lines as written."""
    frame = columns.with_row_index("row").with_columns(
        pl.col("method").str.to_uppercase().alias("method"),
        pl.coalesce(
            pl.when(pl.col("url").str.contains(r"^(?:https?://|/)")).then("url"),
            pl.when(pl.col("path").str.contains(r"^(?:https?://|/)")).then("path"),
        ).alias("_place"),
        pl.col("host").str.extract(_HOST, 1).alias("_host"),
        pl.when(pl.col("status").str.contains(r"^[1-5][0-9][0-9]$"))
        .then(pl.col("status"))
        .cast(pl.Int64)
        .alias("_status"),
        pl.when(pl.col("method").str.contains(r"^(?i:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)$"))
        .then(pl.lit(True))
        .alias("_verb"),
    )
    role = _role()
    frame = frame.with_columns(role.alias("role")).filter(pl.col("role").is_not_null())
    if frame.is_empty():
        return pl.DataFrame(schema=FRAGMENT)
    return _fragment(_as_written(frame, lines))


def _as_written(frame: pl.DataFrame, lines: pl.Series | None) -> pl.DataFrame:
    """Bodies that are objects in the line: those of failures in the line's own digits; none are bytes as sent."""
    for name in BODIES:
        inside = frame[name].str.contains(r"^[{\[]").fill_null(False)
        frame = frame.with_columns(pl.Series(f"{name}_object", [False]).new_from_index(0, frame.height))
        if lines is None or not inside.any():
            continue
        bad = (pl.col("_status") >= 400).fill_null(False) | (pl.col("role") == "failure")
        wanted = frame.select(pl.lit(inside) & bad).to_series().arg_true()
        values = {at: raw_value(lines[frame["row"][at]], frame[f"{name}@"][at]) for at in wanted.to_list()[:MAX_EXACT]}
        exact = {at: v for at, v in values.items() if v is not None and v[:1] in "{["}
        objects_ = inside & frame[f"{name}@"].is_in(_object_paths(frame, name, lines, inside))
        frame = frame.with_columns(objects_.alias(f"{name}_object"))
        if exact:
            frame = frame.with_columns(frame[name].scatter(list(exact), list(exact.values())))
    return frame


def _object_paths(frame: pl.DataFrame, name: str, lines: pl.Series, inside: pl.Series) -> list[str]:
    """The spellings whose value is an object in the line, judged by their first rows."""
    paths = []
    for path in frame[f"{name}@"].filter(inside).unique(maintain_order=True).to_list():
        at = (inside & (frame[f"{name}@"] == path)).arg_true()[0]
        if (raw_value(lines[frame["row"][at]], path) or "")[:1] in {"{", "["}:
            paths.append(path)
    return paths


def _role() -> pl.Expr:
    absolute = pl.col("_place").str.starts_with("http").fill_null(False)
    verb = pl.col("_verb").fill_null(False)
    placed = pl.col("_place").is_not_null() & (
        verb | absolute | pl.col("_status").is_not_null() | pl.col("_host").is_not_null()
    )
    answered = pl.col("_status").is_not_null() | pl.col("response_body").is_not_null()
    failed = pl.any_horizontal(pl.col("error", "stack", "error_code").is_not_null()) & pl.col("level").str.contains(
        r"^(?i:warn|warning|error|fatal|critical|severe|40|50|60)$"
    ).fill_null(False)
    return (
        pl.when(placed & answered)
        .then(pl.lit("exchange"))
        .when(placed & failed)
        .then(pl.lit("failure"))
        .when(placed & verb)
        .then(pl.lit("request"))
        .when(pl.col("_status").is_not_null() & pl.any_horizontal(pl.col("response_body", "ms").is_not_null()))
        .then(pl.lit("answer"))
    )


def _fragment(frame: pl.DataFrame) -> pl.DataFrame:
    keys = load_keys()
    whole = pl.col("_place").str.starts_with("http").fill_null(False)
    base = pl.when(pl.col("host").str.starts_with("http")).then(pl.col("host").str.strip_chars_end("/"))
    server = pl.col("kind").str.to_lowercase().is_in([k.lower() for k in keys.inbound]).fill_null(False) | (
        pl.col("client_address").is_not_null() & ~whole
    )
    durations = _durations(frame["ms"], _in_seconds(frame))
    frame = frame.with_columns(
        pl.when(whole).then("_place").when(base.is_not_null()).then(pl.concat_str(base, "_place")).alias("url"),
        pl.when(~whole & base.is_null()).then("_place").alias("target"),
        pl.col("_host").alias("host"),
        pl.col("_status").alias("status"),
        pl.coalesce(pl.col("ns").cast(pl.Float64, strict=False) / 1e6, durations).alias("ms"),
        pl.when(server).then(pl.lit("inbound")).otherwise(pl.lit("out")).alias("direction"),
        pl.lit("json lines").alias("writer"),
        pl.lit(False).alias("library"),
        pl.lit(True).alias("answers"),
        pl.col("client_address").alias("address"),
        pl.when(pl.col("role") == "failure").then(pl.coalesce("error", "stack", "error_code")).alias("error"),
        *(_state(side) for side in ("request", "response")),
    )
    frame = _transport(frame.with_columns(*(_headers(frame[f"{side}_headers"]) for side in ("request", "response"))))
    return frame.match_to_schema(pl.Schema(FRAGMENT), missing_columns="insert", extra_columns="ignore")


def _durations(values: pl.Series, seconds: pl.Series) -> pl.Series:
    """Milliseconds of durations as written. Plain numbers are read by polars, each other spelling once."""
    plain = values.str.contains(r"^[0-9]{1,15}(?:\.[0-9]{1,9})?$").fill_null(False)
    scale = pl.when(seconds).then(1000.0).otherwise(1.0)
    numbers = pl.select(pl.when(plain).then(values)).to_series().cast(pl.Float64) * pl.select(scale).to_series()
    rows = (~plain & values.is_not_null()).arg_true()
    if rows.is_empty():
        return numbers.rename("ms")
    known: dict[tuple[str, bool], float | None] = {}
    pairs = list(zip(values.gather(rows).to_list(), seconds.gather(rows).to_list(), strict=True))
    for value, in_seconds in dict.fromkeys(pairs):
        known[value, in_seconds] = as_ms(value, seconds=in_seconds)
    return numbers.scatter(rows, pl.Series([known[pair] for pair in pairs], dtype=pl.Float64)).rename("ms")


def _in_seconds(frame: pl.DataFrame) -> pl.Series:
    """zap and logrus count seconds: their levels are lower case and their times are fractions."""
    lower = frame["level"].str.contains(r"^[a-z]+$").fill_null(False)
    return lower & frame["time"].str.contains(r"^[0-9]{10}\.[0-9]+$").fill_null(False)


def _state(side: str) -> pl.Expr:
    """An object as a body was written anew by the log: its bytes are not those sent."""
    body = pl.col(f"{side}_body")
    masked = body.str.contains(r"^(?:\*{3,}|\[(?i:redacted|masked|filtered|omitted)\]|<(?i:hidden|redacted|masked)>)$")
    cut = body.str.contains(r"(?:\(truncated\.\.\.\)|\[truncated\]|\.\.\.|…)$")
    return (
        pl.when(body.is_null())
        .then(None)
        .when(masked)
        .then(pl.lit("masked"))
        .when(cut)
        .then(pl.lit("truncated"))
        .when(pl.col(f"{side}_body_object"))
        .then(pl.lit("reconstructed"))
        .otherwise(pl.lit("recorded"))
        .alias(f"{side}_body_state")
    )


def _transport(frame: pl.DataFrame) -> pl.DataFrame:
    text = frame.select(pl.concat_str("error", "error_code", separator=" ", ignore_nulls=True)).to_series()
    kinds = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    rows = ((frame["role"] == "failure") & frame["status"].is_null() & (text != "")).fill_null(False).arg_true()
    if rows.len():
        told = [family(words) for words in text.gather(rows).to_list()]
        kinds = kinds.scatter(rows, pl.Series(told, dtype=pl.String))
    return frame.with_columns(kinds.alias("transport_error"))


def _headers(series: pl.Series) -> pl.Series:
    """Headers that were logged as an object."""
    if series.null_count() == series.len():
        return pl.Series(series.name, [None], dtype=HEADERS).new_from_index(0, series.len())
    held = [None if text is None else as_headers(value) for text, value in zip(series, objects_in(series), strict=True)]
    return pl.Series(series.name, held, dtype=HEADERS)


def objects_in(series: pl.Series) -> list[dict[str, object] | None]:
    """Each text as a JSON object, None where it is none."""
    return objects((text or "").encode() for text in series)
