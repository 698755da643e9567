"""Records to fragments of calls: a request, an answer, a whole exchange, or the failure of one.

The usual one-line forms (rules/formats) are found and taken apart by polars. Only records that quote a library's error,
dump a whole exchange, or carry an exception go through Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from openclaw_forensics.exchanges import HEADERS
from openclaw_forensics.ingest.broken_calls import ADDRESS, FAILING, broken
from openclaw_forensics.ingest.calls_alike import sort_out, spread
from openclaw_forensics.ingest.calls_blocks import BLOCK_WRITERS, WIRE_MARK, between_marks, wire
from openclaw_forensics.ingest.calls_bodies import bodies
from openclaw_forensics.ingest.calls_dumps import MARKS as DUMP_MARKS
from openclaw_forensics.ingest.calls_dumps import dumps
from openclaw_forensics.ingest.calls_wiretap import MARK as WIRETAP_MARK
from openclaw_forensics.ingest.calls_wiretap import ROWS as WIRETAP_ROWS
from openclaw_forensics.ingest.calls_wiretap import wiretap
from openclaw_forensics.ingest.lineformat_model import MessageGroup, MessageRule
from openclaw_forensics.ingest.quoted import MARKS, quoted
from openclaw_forensics.ingest.quoted_errors import outcome
from openclaw_forensics.ingest.quoted_json import named_parts, structured
from openclaw_forensics.ingest.quoted_parts import Call

Take = Callable[[pl.DataFrame, MessageRule], None]  # given the rows that a form matches, with its groups and `stop`
FRAGMENT: dict[str, pl.DataType] = {
    "row": pl.UInt32(),  # of the record
    "role": pl.String(),  # request, answer, exchange, failure, ignore
    "writer": pl.String(),
    "direction": pl.String(),
    "library": pl.Boolean(),  # a library's own line inside a call that the client may log as well
    "answers": pl.Boolean(),  # an answer line is due
    "method": pl.String(),
    "url": pl.String(),
    "target": pl.String(),  # a path, where no whole URL is known
    "scheme": pl.String(),
    "host": pl.String(),
    "port": pl.Int64(),
    "status": pl.Int64(),
    "version": pl.String(),
    "ms": pl.Float64(),
    "error": pl.String(),
    "transport_error": pl.String(),
    "client": pl.String(),
    "key": pl.String(),  # pairs a request with its answer for certain
    "address": pl.String(),
    "request_headers": HEADERS,
    "request_body": pl.String(),
    "request_body_state": pl.String(),
    "response_headers": HEADERS,
    "response_body": pl.String(),
    "response_body_state": pl.String(),
    "state_reason": pl.String(),
}

# A trace, or a word for an error, in a record of WARN or above or without a level.
# A call told by names: JSON behind the message, or logfmt.
_NAMED_PARTS = (
    r'"(?:url|uri|endpoint|requestUrl|request_url|api|path)"\s*:\s*"(?:https?:/|/)|\b(?:url|uri|endpoint)="?https?://'
)
_ERRORISH = (
    r"Exception|Error\b|Traceback|\bE[A-Z]{5,}\b|\n\s+at |\n#0 |EAI_|EPROTO|EPIPE|timed out|[Ee]rror code|status code"
    r"|aborted|Disconnected|refused|reset by peer|unreachable|deadline exceeded|dial tcp"
    r"|: EOF|certificate|\b[A-Z]\w+::[A-Z]\w+: [45]\d\d"
)
_ONLY_KEYWORD = (
    r"^(?i:requests?|responses?|results?|call|req|resp?|res|body|data|params?|<+|>+|请求\w*|响应\w*|返回\w*|入参|出参|应答|回执|结果|)"
    r"(?: ?(?i:body|data|params?))?$"
)
_ENVELOPE = r'"(?:api|url|uri|path|host|endpoint|http|status|statusCode|http_status|body|response|data)"\s*:'
_MORE = r"""[}\]]+\\*"?(?:[^,}\]"\\]|,[^"{\[0-9-])"""  # behind a closing bracket: what does not go on in the same value
_ALL_MARKS = (*MARKS, *DUMP_MARKS)
_QUOTE_MARKS = "|".join(re.escape(mark) for mark in _ALL_MARKS if "\n" not in mark)
_LINE_MARKS = "|".join(re.escape(mark) for mark in _ALL_MARKS if "\n" in mark)


def read_calls(records: pl.DataFrame, groups: Sequence[MessageGroup]) -> pl.DataFrame:
    """The fragments that the records hold, ordered by row; a record holds at most one, a dump several."""
    rest = records.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "level", "logger", "message", "rest",
    ).with_columns(_text(records))  # fmt: skip
    rest = rest.with_columns(_prose(rest["text"]))
    found: list[pl.DataFrame] = []
    rest = _by_python(rest, _marked(rest["text"]), _quoted, found)
    rest = _by_python(rest, pl.col("text").str.starts_with("msg="), _named, found)  # logfmt
    failing = pl.col("prose").str.contains(FAILING) & pl.col("prose").str.contains(ADDRESS)
    rest = _by_python(rest, failing, _broken, found)
    calls = [group for group in groups if not _notes(group)]
    rest = _by_wording(rest, calls, found)
    rest = _by_python(rest, pl.col("text").str.contains(_NAMED_PARTS), _named, found)
    errorish = pl.col("text").str.contains(_ERRORISH) & ~pl.col("level").is_in(["DEBUG"]).fill_null(False)
    rest = _by_python(rest, errorish, _error, found)
    _by_groups(rest, [group for group in groups if _notes(group)], _into(found))
    fragments = _in_order(pl.concat([pl.DataFrame(schema=FRAGMENT), *found]))
    return _with_blocks(_with_json(fragments), records)


def _in_order(fragments: pl.DataFrame) -> pl.DataFrame:
    """By row; a row's several calls as found. Sorting the numbers alone is faster than sorting all columns."""
    rows = fragments["row"]
    if rows.is_sorted():
        return fragments
    order = rows.to_frame().select(pl.arg_sort_by("row", maintain_order=True)).to_series()
    return fragments[order]


def _with_blocks(fragments: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Add what a writer spreads over many records: OkHttp's and Feign's blocks, HttpClient's and netty's wire logs."""
    wired = records["message"].str.contains(WIRE_MARK, literal=True)
    marked = fragments["writer"].is_in(BLOCK_WRITERS).fill_null(False)
    tapped = records["message"].str.contains(WIRETAP_MARK, literal=True).any()
    if not wired.any() and not marked.any() and not tapped:
        return fragments
    rows = records.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "thread", "message", "rest")
    if wired.any():
        chosen = rows.filter(wired | rows["message"].str.contains("->http", literal=True))
        calls = wire(chosen.select("row", "message").iter_rows())
        fragments = _replaced(fragments, rows.filter(wired)["row"].to_list(), calls)
    if tapped:
        chosen = rows.filter(rows["message"].str.contains(WIRETAP_ROWS))
        calls = wiretap(zip(chosen["row"], _text(chosen), strict=True))
        fragments = _replaced(fragments, chosen["row"].to_list(), calls)
    fields, taken = between_marks(rows) if marked.any() else ({}, set())
    if not fields and not taken:
        return fragments
    kept = []
    for call in fragments.iter_rows(named=True):
        if call["row"] not in taken:
            kept.append(call | {k: v for k, v in fields.get(call["row"], {}).items() if v is not None})
    lines = [{"row": r, "role": "ignore"} for r in taken]
    return pl.concat([fragments_of(kept), fragments_of(lines)]).sort("row", maintain_order=True)


def _replaced(fragments: pl.DataFrame, seen: list[int], calls: list[Call]) -> pl.DataFrame:
    """The calls of a log of bytes in place of what its records hold one by one."""
    other = fragments.filter(~pl.col("row").is_in(seen))
    used = [{"row": row, "role": "ignore"} for row in sorted(set(seen) - {call["row"] for call in calls})]
    return pl.concat([other, fragments_of(calls), fragments_of(used)]).sort("row", maintain_order=True)


def _text(records: pl.DataFrame) -> pl.Series:
    """Messages with what follows them."""
    more = records["rest"].is_not_null()
    if not more.any():
        return records["message"].rename("text")
    rows = more.arg_true()
    some = records[rows].select(pl.concat_str("message", "rest", separator="\n")).to_series()
    return records["message"].scatter(rows, some).rename("text")


def _prose(text: pl.Series) -> pl.Series:
    """Each text up to the JSON that ends it: the words of a call stand before it, and words inside it are data.

    Text stays whole where more than one value may follow.
    """
    begin = text.str.find('{"', literal=True)
    ends = (begin > 0) & text.str.ends_with("}")
    rows = ends.fill_null(False).arg_true()
    if rows.is_empty():
        return text.rename("prose")
    some = pl.DataFrame({"text": text.gather(rows).cast(pl.Binary), "begin": begin.gather(rows)})
    body = some.select(pl.col("text").bin.slice(pl.col("begin")).cast(pl.String)).to_series()
    alone = ~body.str.contains(_MORE)
    if not alone.all():
        rows, some = rows.filter(alone), some.filter(alone)
    if rows.is_empty():
        return text.rename("prose")
    cut = some.select(pl.col("text").bin.slice(0, pl.col("begin") + 2).cast(pl.String)).to_series()
    return cut.rename("prose") if cut.len() == text.len() else text.scatter(rows, cut).rename("prose")


def _notes(group: MessageGroup) -> bool:
    return all(rule.form.role == "record" for rule in group.rules)


def _marked(text: pl.Series) -> pl.Series:
    """Which texts may quote an error or show a dump; marks at a line's start are sought in texts of several lines."""
    hit = quotes(text)
    rows = text.str.contains("\n", literal=True).fill_null(False).arg_true()
    rows = rows.filter(text.gather(rows).str.contains(_LINE_MARKS)) if rows.len() else rows
    return hit.scatter(rows, True) if rows.len() else hit


def quotes(text: pl.Series) -> pl.Series:
    """Which texts of one line may quote an error or show a dump."""
    return text.str.contains(_QUOTE_MARKS)


def _by_python(
    rest: pl.DataFrame,
    mask: pl.Expr | pl.Series,
    read: Callable[[str, str | None], list[Call]],
    found: list[pl.DataFrame],
) -> pl.DataFrame:
    """Read the masked rows one by one; returns what stays unread."""
    chosen = rest.filter(mask)
    if chosen.is_empty():
        return rest
    calls: list[Call] = []
    known: dict[tuple[str, str | None], list[Call]] = {}  # the same error is written again and again
    for row, message, more in chosen.select("row", "message", "rest").iter_rows():
        if (message, more) not in known:
            known[message, more] = read(message, more)
        calls += [call | {"row": row} for call in known[message, more]]
    if not calls:
        return rest
    found.append(fragments_of(calls))
    taken = {call["row"] for call in calls}
    return rest.filter(~pl.col("row").is_in(list(taken)))


def _quoted(message: str, rest: str | None) -> list[Call]:
    text = f"{message}\n{rest}" if rest else message
    call = quoted(text)
    if call is None:
        return dumps(text)
    # It closes an open request; what closes none and has a target becomes an exchange of its own.
    return [call if call.get("library") else _begun(message, call) | {"role": "failure"}]


def _error(message: str, rest: str | None) -> list[Call]:
    call = outcome(message, rest)
    return [_begun(message, call)] if call is not None else []


def _broken(message: str, rest: str | None) -> list[Call]:
    call = broken(message, rest)
    return [call] if call is not None else []


def _named(message: str, rest: str | None) -> list[Call]:
    call = named_parts(message)
    return [call] if call is not None else []


_BEGUN = re.compile(r"\b(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)[ :]+\"?((?:https?://|/)[^\s\"'`<>]*)")


def _begun(message: str, call: Call) -> Call:
    """A failure without address whose record's first line is the request."""
    if any(call.get(name) for name in ("url", "target", "host")):
        return call
    found = _BEGUN.search(message.split("\n", 1)[0][:4000])
    return call | {"method": found[1], "url": found[2]} if found else call


def fragments_of(calls: list[Call]) -> pl.DataFrame:
    """A frame of FRAGMENT from dicts; text that is no valid UTF-8 is repaired."""
    defaults: Call = {"direction": "out", "library": False, "answers": True}
    rows = [defaults | {k: v for k, v in call.items() if v is not None} for call in calls]
    for row in rows:
        for name in ("error", "client", "request_body", "response_body", "url", "target"):
            if isinstance(text := row.get(name), str) and not text.isascii():
                row[name] = text.encode("utf-8", "replace").decode()
    return pl.DataFrame({n: [r.get(n) for r in rows] for n in FRAGMENT}, schema=FRAGMENT, strict=False)


def _into(found: list[pl.DataFrame]) -> Take:
    return lambda chosen, rule: found.append(_fragments(chosen, rule))


def _by_wording(rest: pl.DataFrame, groups: Sequence[MessageGroup], found: list[pl.DataFrame]) -> pl.DataFrame:
    """Try the forms once per wording where lines repeat themselves, on every line else; what none takes."""
    take = _into(found)
    alike = sort_out(rest, groups)
    if alike is None:
        return _by_groups(rest, groups, take)
    hits: list[tuple[MessageRule, pl.DataFrame]] = []
    # A form with a request's body in its middle reads the text, which a wording has not got.
    deep = "|".join(group.union for group in groups if any("request_body" in rule.groups for rule in group.rules))
    doubtful = alike.wordings["text"].str.contains(deep) if deep else None
    wordings = alike.wordings if doubtful is None else alike.wordings.filter(~doubtful)
    _by_groups(wordings, groups, lambda chosen, rule: hits.append((rule, chosen)))
    again, silent = spread(alike, hits, take)
    if doubtful is not None and doubtful.any():
        numbers = alike.wordings["row"].filter(doubtful).implode()
        again = pl.concat([again, silent.filter(pl.col("wording").is_in(numbers))])
        silent = silent.filter(~pl.col("wording").is_in(numbers))
    names = rest.columns
    left = _by_groups(pl.concat([again.select(names), alike.others]).sort("row"), groups, take)
    return pl.concat([left, silent.select(names)]).sort("row")


def _by_groups(rest: pl.DataFrame, groups: Sequence[MessageGroup], take: Take, *, whole: bool = False) -> pl.DataFrame:
    """Try the forms of each file on the rows that its union matches; files of equal rank share one look.

    A match that reaches the end of the part looked at proves nothing: the words behind it decide. Such rows are read
    again, as a `whole`.
    """
    reread: list[int] = []
    untouched = rest
    for rank in sorted({group.format.priority for group in groups}, reverse=True):
        if rest.is_empty():
            break
        batch = [group for group in groups if group.format.priority == rank]
        near = None if whole else max(group.format.near for group in batch)
        rest, again = _look(rest, batch, near, take)
        reread += again
    if not reread:
        return rest
    left = _by_groups(untouched.filter(pl.col("row").is_in(reread)), groups, take, whole=True)
    return pl.concat([rest, left]).sort("row")


def _look(
    rest: pl.DataFrame, batch: list[MessageGroup], near: int | None, take: Take
) -> tuple[pl.DataFrame, list[int]]:
    """Try some files' forms on the first `near` characters; what none takes, and which rows to read whole."""
    head = rest["text"].alias("head") if near is None else rest["prose"].str.slice(0, near).alias("head")
    passes = head.str.contains("|".join(group.union for group in batch))
    if not passes.any():
        return rest, []
    inside = rest.select("row", "logger", "text").hstack([head]).filter(passes)
    left = inside
    whole: list[int] = []
    for group in batch:
        for rule in group.rules:
            left, reread = _by_rule(left, rule, take)
            whole += reread
    if left.is_empty():
        return rest.filter(~passes), whole
    taken = inside.select("row").join(left.select("row"), on="row", how="anti")
    return rest.join(taken, on="row", how="anti", maintain_order="left"), whole


def _by_rule(rest: pl.DataFrame, rule: MessageRule, take: Take) -> tuple[pl.DataFrame, list[int]]:
    """Take the rows that this form matches; returns the others, and the rows whose match reached the cut."""
    if rest.is_empty():
        return rest, []
    chosen = rest
    if rule.form.logger:
        chosen = chosen.filter(pl.col("logger").str.contains(rule.form.logger).fill_null(False))
    place = "text" if "request_body" in rule.groups else "head"
    chosen = _matched(chosen, rule, place)
    if chosen.is_empty():
        return rest, []
    if chosen.height == rest.height:
        rest = rest.clear()
    else:
        rest = rest.join(chosen.select("row"), on="row", how="anti", maintain_order="left")
    shown = chosen[place].str.len_bytes()
    cut = (chosen["stop"] >= shown) & (chosen["text"].str.len_bytes() > shown)
    reread: list[int] = []
    if cut.any():
        reread = chosen["row"].filter(cut).to_list()
        chosen = chosen.filter(~cut)
    if not chosen.is_empty():
        take(chosen, rule)
    return rest, reread


def _matched(chosen: pl.DataFrame, rule: MessageRule, place: str) -> pl.DataFrame:
    """The rows that match, with the groups and the byte where the match ends."""
    text = chosen[place]
    begin = None
    if not rule.pattern.startswith("^"):  # from the match's own beginning on, it is taken apart in one pass
        begin = text.str.find(rule.pattern)
        hit = begin.is_not_null()
        if not hit.all():
            chosen, begin = chosen.filter(hit), begin.filter(hit)
        cut = pl.DataFrame({"text": chosen[place], "begin": begin})
        text = cut.select(pl.col("text").cast(pl.Binary).bin.slice(pl.col("begin")).cast(pl.String)).to_series()
    taken = text.str.extract_groups(f"^(?P<_m>{rule.pattern.removeprefix('^')})").struct.unnest()
    hit = taken["_m"].is_not_null()
    if not hit.all():
        chosen, taken = chosen.filter(hit), taken.filter(hit)
        begin = begin.filter(hit) if begin is not None else None
    stop = taken["_m"].str.len_bytes()
    stop = stop if begin is None else stop + begin
    return chosen.hstack([stop.rename("stop"), *(taken[g] for g in rule.groups)])


def _fragments(chosen: pl.DataFrame, rule: MessageRule) -> pl.DataFrame:
    form = rule.form
    stop = pl.col("stop") - 1 if "begin" in rule.groups else pl.col("stop")
    tail = chosen.select(pl.col("text").cast(pl.Binary).bin.slice(stop).cast(pl.String)).to_series()
    columns: dict[str, pl.Series | pl.Expr] = {
        "role": pl.lit(form.role), "writer": pl.lit(rule.writer), "direction": pl.lit(form.direction),
        "library": pl.lit(form.library), "answers": pl.lit(form.answers),
    }  # fmt: skip
    for group in rule.groups:
        columns |= _group(group)
    frame = chosen.with_columns(**columns)
    if "response_body" not in columns and form.body:
        side = "request" if form.role == "request" else "response"
        frame = frame.hstack(bodies(tail, side))
    if "request_body" in rule.groups:
        frame = frame.with_columns(pl.lit("recorded").alias("request_body_state"))
    if form.role in {"answer", "failure"} and "url" not in rule.groups:
        named = tail.str.contains("url", literal=True)
        if named.any():
            frame = frame.with_columns(
                tail.str.extract(r"\b(?i:url)[=:] ?\"?(https?://[^\s\"'<>,，]+)", 1).alias("url")
            )
    return frame.match_to_schema(pl.Schema(FRAGMENT), missing_columns="insert", extra_columns="ignore")


def _group(group: str) -> dict[str, pl.Expr]:
    value = pl.col(group)
    if group in {"status", "port"}:
        return {group: value.cast(pl.Int64, strict=False)}
    if group == "ms":
        return {"ms": value.cast(pl.Float64, strict=False)}
    if group == "seconds":
        return {"ms": value.cast(pl.Float64, strict=False) * 1000}
    if group == "begin":
        return {}
    if group in {"url", "target"}:
        return {group: value.str.strip_chars_end(".,;:)\"'")}
    if group == "client":
        words = value.str.replace_all(r"[\[\]【】]+", " ").str.strip_chars(" -:：>|")
        return {group: pl.when(words.str.contains(_ONLY_KEYWORD)).then(None).otherwise(words)}
    return {group: value}


def _with_json(fragments: pl.DataFrame) -> pl.DataFrame:
    """Requests and answers without target or status: home-made JSON around them is taken apart by its keys."""
    bare = (pl.col("role") == "request") & pl.all_horizontal(pl.col("url", "target", "host").is_null())
    wrapped = (pl.col("role") == "answer") & pl.col("status").is_null()
    rows = fragments.select((bare | wrapped).fill_null(False)).to_series().arg_true()
    if rows.is_empty():
        return fragments
    bodies_ = fragments[rows].select(pl.coalesce("request_body", "response_body")).to_series()
    hit = (bodies_.str.starts_with("{") & bodies_.str.contains(_ENVELOPE)).fill_null(False)
    if not hit.any():
        return fragments
    chosen = pl.Series([False]).new_from_index(0, fragments.height).scatter(rows.filter(hit), True)
    picked = fragments.filter(chosen)
    taken_apart: list[Call] = []
    for call in picked.iter_rows(named=True):
        taken_apart.append(structured({k: v for k, v in call.items() if v is not None}))
    changed = fragments_of(taken_apart)
    return pl.concat([fragments.filter(~chosen), changed]).sort("row", maintain_order=True)
