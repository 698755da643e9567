"""Records of a JSON-lines log that hold a call by their keys, as fragments; and all of them as log records."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.exchanges import HEADERS
from openclaw_forensics.ingest.exceptions import family
from openclaw_forensics.ingest.fragments import FRAGMENT
from openclaw_forensics.ingest.jsonlines_keys import BODIES, load_keys, objects, raw_value, said
from openclaw_forensics.ingest.lineformat_model import normal_level
from openclaw_forensics.ingest.quoted_json import as_headers, as_ms
from openclaw_forensics.ingest.stamps import Calendar, read_stamps

MAX_EXACT = 20_000  # bodies of one chunk that are taken from the line itself
_HOST = r"^(?:https?://)?([A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?/?$"
_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_GRAVE = r"^(?i:warn|warning|error|fatal|critical|severe|40|50|60)$"
_MASKED = r"^(?:\*{3,}|\[(?i:redacted|masked|filtered|omitted)\]|<(?i:hidden|redacted|masked)>)$"
_REQUEST_LINE = r"^(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) +(https?://\S+|/\S*)(?: HTTP/[0-9.]+)?$"
_SAID = r"\b(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) +(https?://[^\s\"'<>]+)"
_JSON = r'^(?:\{\s*"|\[\s*\{\s*")(?s:.*)[}\]]$'
_CUT = r"(?:\(truncated\.\.\.\)|\[truncated\]|\.\.\.|…)$"
_OF_CALLS = (  # meanings that make a call
    "host", "ms", "ns", "level", "time", "error", "stack", "error_code", "kind", "client_address", "served_path",
    "request_headers", "response_headers", *BODIES, *(f"{body}@" for body in BODIES),
)  # fmt: skip


def record_columns(columns: pl.DataFrame, lines: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    """The columns of textlog_records.split_records, with `row`."""
    times = columns["time"] if "time" in columns.columns else _nothing(columns)
    return pl.concat([columns, lines.drop("text"), read_stamps(times, calendar)], how="horizontal").select(
        "row",
        pl.col("line"),
        pl.col("line").alias("end"),
        (pl.col("size").cum_sum() - pl.col("size")).alias("offset"),
        "size",
        said(columns, "time").alias("raw_stamp"),
        "at",
        "time_quality",
        "zone_basis",
        _level(columns).alias("level"),
        said(columns, "logger").alias("logger"),
        said(columns, "thread").alias("thread"),
        said(columns, "trace").alias("trace_id"),
        _first_of(columns, "message", "error").fill_null("").alias("message"),
        _rest(columns).alias("rest"),
    )


def _nothing(columns: pl.DataFrame) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, columns.height)


def _first_of(columns: pl.DataFrame, *names: str) -> pl.Expr:
    """The first of these meanings that a line has."""
    present = [name for name in names if name in columns.columns]
    return pl.coalesce(present) if present else pl.lit(None, dtype=pl.String)


def _level(columns: pl.DataFrame) -> pl.Expr:
    if "level" not in columns.columns:
        return pl.lit(None, dtype=pl.String)
    words = columns["level"].unique().drop_nulls().to_list()
    levels = [normal_level(word) for word in words]
    if words == levels:
        return pl.col("level")
    return pl.col("level").replace_strict(words, levels, default=None, return_dtype=pl.String)


def _rest(columns: pl.DataFrame) -> pl.Expr:
    """An error beside the message belongs to what was said; a stack that repeats it does not need it twice."""
    if "error" not in columns.columns:
        return said(columns, "stack")
    error = pl.when(pl.col("error").is_not_null() & said(columns, "message").is_not_null()).then("error")
    if "stack" not in columns.columns:
        return error
    return (
        pl.when(error.is_not_null() & pl.col("stack").is_not_null())
        .then(
            pl.when(pl.col("stack").str.contains(error, literal=True))
            .then("stack")
            .otherwise(pl.concat_str(error, "stack", separator="\n"))
        )
        .otherwise(pl.coalesce("stack", error))
    )


def call_rows(columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """The fragments that the keys themselves tell, as FRAGMENT. `lines` are the lines as written."""
    columns = _told_body(_request_line(columns))
    frame = columns.select(
        "row",
        *(name for name in _OF_CALLS if name in columns.columns),
        _place(columns).alias("_place"),
        said(columns, "host").str.extract(_HOST, 1).alias("_host"),
        _status(columns).alias("_status"),
        *_method(columns),
    ).with_columns(pl.col("_place").str.starts_with("http").fill_null(False).alias("_whole"))
    roles = frame.select(_role(frame).alias("role")).to_series()
    if roles.null_count() == roles.len():
        return pl.DataFrame(schema=FRAGMENT)
    frame = frame.hstack([roles])
    frame = frame.filter(roles.is_not_null()) if roles.null_count() else frame
    frame = frame.select(column.name for column in frame if column.name[0] == "_" or column.null_count() < frame.height)
    return _fragment(_as_written(frame, lines))


def _request_line(columns: pl.DataFrame) -> pl.DataFrame:
    """A URL that its method stands before, taken apart; on a line with a status and no URL also in the message."""
    if {"message", "status"} <= set(columns.columns):
        bare = said(columns, "url").is_null() & said(columns, "path").is_null() & pl.col("status").is_not_null()
        words = (pl.when(bare).then(pl.col("message").str.extract(_SAID, group)) for group in (1, 2))
        told = columns.select(
            expression.alias(name) for expression, name in zip(words, ("verb", "target"), strict=True)
        )
        if told["target"].null_count() < told.height:
            columns = columns.with_columns(
                pl.coalesce(said(columns, "method"), told["verb"]).alias("method"),
                pl.coalesce(said(columns, "url"), told["target"]).alias("url"),
            )
    if "url" not in columns.columns:
        return columns
    line = columns["url"].str.contains(_REQUEST_LINE).fill_null(False)
    if not line.any():
        return columns
    verb, target = (columns["url"].str.extract(_REQUEST_LINE, group) for group in (1, 2))
    method = pl.coalesce(verb, said(columns, "method"))
    return columns.with_columns(method.alias("method"), pl.coalesce(target, "url").alias("url"))


def _told_body(columns: pl.DataFrame) -> pl.DataFrame:
    """A message that is JSON, on a line with a status and no answer's body, is that body."""
    if not {"message", "status"} <= set(columns.columns):
        return columns
    text, body = pl.col("message"), said(columns, "response_body")
    told = body.is_null() & pl.col("status").is_not_null() & text.str.contains(_JSON).fill_null(False)
    if not columns.select(told.any()).item():
        return columns
    source = pl.when(told).then(pl.lit("message")).otherwise(said(columns, "response_body@"))
    return columns.with_columns(
        pl.when(told).then(text).otherwise(body).alias("response_body"), source.alias("response_body@")
    )


def _place(columns: pl.DataFrame) -> pl.Expr:
    """A URL or a path; other words under these keys are neither."""
    starts = ("http://", "https://", "/")
    placed = [
        pl.when(pl.any_horizontal(pl.col(name).str.starts_with(start) for start in starts)).then(name)
        for name in ("url", "path")
        if name in columns.columns
    ]
    return pl.coalesce(placed) if placed else pl.lit(None, dtype=pl.String)


def _status(columns: pl.DataFrame) -> pl.Expr:
    """Three digits from 100 to 599."""
    text = said(columns, "status")
    number = text.cast(pl.Int64, strict=False)
    return pl.when((text.str.len_bytes() == 3) & number.is_between(100, 599)).then(number)


def _method(columns: pl.DataFrame) -> list[pl.Expr]:
    """`method` in upper case, and in `_verb` whether it is one of HTTP's."""
    if "method" not in columns.columns:
        return [pl.lit(None, dtype=pl.String).alias("method"), pl.lit(False).alias("_verb")]
    words = columns["method"].unique().drop_nulls().to_list()
    if all(word in _VERBS for word in words):
        return [pl.col("method"), pl.col("method").is_not_null().alias("_verb")]
    upper = pl.col("method").str.to_uppercase()
    return [upper.alias("method"), upper.is_in(_VERBS).fill_null(False).alias("_verb")]


def _as_written(frame: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """Bodies that are objects in the line: those of failures in the line's own digits; none are bytes as sent."""
    for name in BODIES:
        frame = frame.with_columns(pl.lit(False).alias(f"{name}_object"))
        if name not in frame.columns:
            continue
        body = pl.col(name)
        inside = frame.select((body.str.starts_with("{") | body.str.starts_with("[")).fill_null(False)).to_series()
        if not inside.any():
            continue
        bad = (pl.col("_status") >= 400).fill_null(False) | (pl.col("role") == "failure")
        wanted = frame.select(pl.lit(inside) & bad).to_series().arg_true().head(MAX_EXACT)
        exact = _exact(frame, name, lines, wanted)
        paths = _object_paths(frame, name, lines, inside)
        if paths:
            objects_ = inside & frame[f"{name}@"].is_in(paths)
            frame = frame.with_columns(objects_.alias(f"{name}_object"))
        if exact:
            frame = frame.with_columns(frame[name].scatter(list(exact), list(exact.values())))
    return frame


def _exact(frame: pl.DataFrame, name: str, lines: pl.Series, wanted: pl.Series) -> dict[int, str]:
    """The bodies of the wanted rows as their lines write them, of those that are objects."""
    places = zip(
        wanted.to_list(),
        lines.gather(frame["row"].gather(wanted)).to_list(),
        frame[f"{name}@"].gather(wanted).to_list(),
        strict=True,
    )
    values = ((at, raw_value(line, path)) for at, line, path in places)
    return {at: value for at, value in values if value is not None and value[:1] in "{["}


def _object_paths(frame: pl.DataFrame, name: str, lines: pl.Series, inside: pl.Series) -> list[str]:
    """The spellings whose value is an object in the line, judged by their first rows."""
    rows = inside.arg_true()
    spelt = frame[f"{name}@"].gather(rows)
    paths = []
    for path in spelt.unique(maintain_order=True).to_list():
        at = rows[(spelt == path).arg_true()[0]]
        if (raw_value(lines[frame["row"][at]], path) or "")[:1] in {"{", "["}:
            paths.append(path)
    return paths


def _role(frame: pl.DataFrame) -> pl.Expr:
    status, body = pl.col("_status").is_not_null(), said(frame, "response_body").is_not_null()
    placed = pl.col("_place").is_not_null() & (
        pl.col("_verb") | pl.col("_whole") | status | pl.col("_host").is_not_null()
    )
    told = [name for name in ("error", "stack", "error_code") if name in frame.columns]
    failed = (
        pl.any_horizontal(pl.col(told).is_not_null()) & said(frame, "level").str.contains(_GRAVE).fill_null(False)
        if told
        else pl.lit(False)
    )
    return (
        pl.when(placed & (status | body))
        .then(pl.lit("exchange"))
        .when(placed & failed)
        .then(pl.lit("failure"))
        .when(placed & pl.col("_verb"))
        .then(pl.lit("request"))
        .when(status & (body | said(frame, "ms").is_not_null()))
        .then(pl.lit("answer"))
    )


def _fragment(frame: pl.DataFrame) -> pl.DataFrame:
    keys = load_keys()
    host, whole = said(frame, "host"), pl.col("_whole")
    base = pl.when(host.str.starts_with("http")).then(host.str.strip_chars_end("/"))
    server = said(frame, "kind").str.to_lowercase().is_in([k.lower() for k in keys.inbound]).fill_null(False) | (
        (said(frame, "client_address").is_not_null() | said(frame, "served_path").is_not_null()) & ~whole
    )
    ms = [_durations(frame["ms"], _in_seconds(frame))] if "ms" in frame.columns else []
    exact_ms = [pl.col("ns").cast(pl.Float64, strict=False) / 1e6] if "ns" in frame.columns else []
    failure = pl.col("role") == "failure"
    frame = frame.with_columns(
        pl.when(whole).then("_place").when(base.is_not_null()).then(pl.concat_str(base, "_place")).alias("url"),
        pl.when(~whole & base.is_null()).then("_place").alias("target"),
        pl.col("_host").alias("host"),
        pl.col("_status").alias("status"),
        (pl.coalesce(*exact_ms, *ms) if exact_ms or ms else pl.lit(None, dtype=pl.Float64)).alias("ms"),
        pl.when(server).then(pl.lit("inbound")).otherwise(pl.lit("out")).alias("direction"),
        pl.lit("json lines").alias("writer"),
        pl.lit(False).alias("library"),
        pl.lit(True).alias("answers"),
        said(frame, "client_address").alias("address"),
        pl.when(failure).then(_first_of(frame, "error", "stack", "error_code")).alias("error"),
        _transport(frame),
        *(_state(frame, side) for side in ("request", "response")),
        *(_headers(frame[name]) for name in ("request_headers", "response_headers") if name in frame.columns),
    )
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
    words = frame["level"].unique().drop_nulls().to_list() if "level" in frame.columns else []
    if "time" not in frame.columns or not any(word.islower() for word in words):
        return pl.Series([False]).new_from_index(0, frame.height)
    lower = pl.col("level").str.contains(r"^[a-z]+$").fill_null(False)
    fraction = pl.col("time").str.contains(r"^[0-9]{10}\.[0-9]+$").fill_null(False)
    return frame.select(lower & fraction).to_series()


def _state(frame: pl.DataFrame, side: str) -> pl.Expr:
    """An object as a body was written anew by the log: its bytes are not those sent."""
    name = f"{side}_body"
    if name not in frame.columns:
        return pl.lit(None, dtype=pl.String).alias(f"{name}_state")
    body = pl.col(name)
    plain: pl.Expr = pl.when(pl.col(f"{name}_object")).then(pl.lit("reconstructed")).otherwise(pl.lit("recorded"))
    braced = body.str.starts_with("{") & body.str.ends_with("}")
    if not frame.select(braced.all()).item():
        masked, cut = body.str.contains(_MASKED), body.str.contains(_CUT)
        plain = pl.when(masked).then(pl.lit("masked")).when(cut).then(pl.lit("truncated")).otherwise(plain)
    return pl.when(body.is_not_null()).then(plain).alias(f"{name}_state")


def _transport(frame: pl.DataFrame) -> pl.Series:
    """The kind of transport error that a failure's words tell."""
    kinds = pl.Series("transport_error", [None], dtype=pl.String).new_from_index(0, frame.height)
    rows = ((frame["role"] == "failure") & frame["_status"].is_null()).arg_true()
    if rows.is_empty():
        return kinds
    error = pl.coalesce(*(name for name in ("error", "stack", "error_code") if name in frame.columns))
    words = [error, pl.col("error_code")] if "error_code" in frame.columns else [error]
    text = frame[rows].select(pl.concat_str(words, separator=" ", ignore_nulls=True)).to_series()
    told = [family(words) if words else None for words in text.to_list()]
    return kinds.scatter(rows, pl.Series(told, dtype=pl.String))


def _headers(series: pl.Series) -> pl.Series:
    """Headers that were logged as an object."""
    held = [None if text is None else as_headers(value) for text, value in zip(series, objects_in(series), strict=True)]
    return pl.Series(series.name, held, dtype=HEADERS)


def objects_in(series: pl.Series) -> list[dict[str, object] | None]:
    """Each text as a JSON object, None where it is none."""
    return objects((text or "").encode() for text in series)
