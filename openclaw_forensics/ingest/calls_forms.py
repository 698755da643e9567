"""The usual one-line forms of rules/formats, found and taken apart by polars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from openclaw_forensics.ingest.calls_alike import sort_out, spread
from openclaw_forensics.ingest.calls_answered import with_answers
from openclaw_forensics.ingest.calls_bodies import bodies
from openclaw_forensics.ingest.fragments import FRAGMENT
from openclaw_forensics.ingest.lineformat_model import MessageGroup, MessageRule

Take = Callable[[pl.DataFrame, MessageRule], None]  # given the rows that a form matches, with its groups and `stop`
_ONLY_KEYWORD = (
    r"^(?i:requests?|responses?|results?|call|req|resp?|res|body|data|params?|<+|>+|请求\w*|响应\w*|返回\w*|入参|出参|应答|回执|结果|)"
    r"(?: ?(?i:body|data|params?))?$"
)


def into(found: list[pl.DataFrame]) -> Take:
    """What takes a form's rows as fragments into `found`."""
    return lambda chosen, rule: found.append(_fragments(chosen, rule))


def by_wording(rest: pl.DataFrame, groups: Sequence[MessageGroup], found: list[pl.DataFrame]) -> pl.DataFrame:
    """Try the forms once per wording where lines repeat themselves, on every line else; what none takes."""
    take = into(found)
    alike = sort_out(rest, groups)
    if alike is None:
        return by_groups(rest, groups, take)
    hits: list[tuple[MessageRule, pl.DataFrame]] = []
    # A form with a request's body in its middle reads the text, which a wording has not got.
    deep = "|".join(group.union for group in groups if any("request_body" in rule.groups for rule in group.rules))
    doubtful = alike.wordings["text"].str.contains(deep) if deep else None
    wordings = alike.wordings if doubtful is None else alike.wordings.filter(~doubtful)
    by_groups(wordings, groups, lambda chosen, rule: hits.append((rule, chosen)))
    again, silent = spread(alike, hits, take)
    if doubtful is not None and doubtful.any():
        numbers = alike.wordings["row"].filter(doubtful).implode()
        again = pl.concat([again, silent.filter(pl.col("wording").is_in(numbers))])
        silent = silent.filter(~pl.col("wording").is_in(numbers))
    names = rest.columns
    left = by_groups(pl.concat([again.select(names), alike.others]).sort("row"), groups, take)
    return pl.concat([left, silent.select(names)]).sort("row")


def by_groups(rest: pl.DataFrame, groups: Sequence[MessageGroup], take: Take, *, whole: bool = False) -> pl.DataFrame:
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
    left = by_groups(untouched.filter(pl.col("row").is_in(reread)), groups, take, whole=True)
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
        if form.role == "request" and form.direction == "out":
            frame = with_answers(frame, tail)
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
