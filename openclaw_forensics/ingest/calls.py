"""Records to fragments of calls: a request, an answer, a whole exchange, or the failure of one.

The usual one-line forms (rules/formats) are found and taken apart by polars. Only records that quote a library's error,
dump a whole exchange, or carry an exception go through Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from openclaw_forensics.ingest.broken_calls import ADDRESS, FAILING, broken
from openclaw_forensics.ingest.calls_blocks import BLOCK_WRITERS, WIRE_MARK, between_marks, wire
from openclaw_forensics.ingest.calls_dumps import MARKS as DUMP_MARKS
from openclaw_forensics.ingest.calls_dumps import dumps
from openclaw_forensics.ingest.calls_forms import by_groups, by_wording, into
from openclaw_forensics.ingest.calls_wiretap import MARK as WIRETAP_MARK
from openclaw_forensics.ingest.calls_wiretap import ROWS as WIRETAP_ROWS
from openclaw_forensics.ingest.calls_wiretap import wiretap
from openclaw_forensics.ingest.fragments import FRAGMENT, fragments_of, in_order
from openclaw_forensics.ingest.lineformat_model import MessageGroup
from openclaw_forensics.ingest.quoted import MARKS, quoted
from openclaw_forensics.ingest.quoted_errors import outcome
from openclaw_forensics.ingest.quoted_json import named_parts, structured
from openclaw_forensics.ingest.quoted_parts import Call

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
    rest = by_wording(rest, calls, found)
    rest = _by_python(rest, pl.col("text").str.contains(_NAMED_PARTS), _named, found)
    errorish = pl.col("text").str.contains(_ERRORISH) & ~pl.col("level").is_in(["DEBUG"]).fill_null(False)
    rest = _by_python(rest, errorish, _error, found)
    by_groups(rest, [group for group in groups if _notes(group)], into(found))
    fragments = in_order(pl.concat([pl.DataFrame(schema=FRAGMENT), *found]), "row")
    return _with_blocks(_with_json(fragments), records)


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
