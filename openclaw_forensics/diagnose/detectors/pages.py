"""Were all pages of a listing read: a next-page token or a flag that says "more", and nobody asks for it?

A page that is not full, an empty one, or a call for a single item ends a listing whatever its token says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, quote_plus

import polars as pl

from openclaw_forensics.diagnose.detectors import Question
from openclaw_forensics.diagnose.detectors.windows import named, parameter, without
from openclaw_forensics.diagnose.findings import Because, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.platforms.message import parse_json
from openclaw_forensics.words import same

Row = dict[str, object]
_LATER = 400  # later calls of the shop that are searched for the token
_MOST_OPEN = 500  # open answers judged per shop and operation
_COLUMNS = [
    "row", "started_at", "platform", "shop", "identity", "operation", "query", "request_body", "response_body", "good",
    "unknown", "next_page", "more", "size", "listing",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Open:
    """An answer that says that there is more, and is not followed."""

    row: Row
    again: bool  # the same listing was pulled again
    repaired: bool  # and read to its end


def unfollowed(question: Question, table: pl.DataFrame) -> Iterator[Finding]:
    """One finding per shop and operation."""
    end = question.frame.bounds[1]
    keys = ["platform", "who", "operation"]
    marked = _with_marks(question, table)
    going_on = marked.filter("more").select(keys).unique()
    if going_on.is_empty() or end is None:
        return
    asked = _with_listing(question, marked.join(going_on, on=keys, how="semi", maintain_order="left"))
    for part in asked.partition_by(keys, maintain_order=True):
        ours = _calls_of(question, part)
        rows = part.select(_COLUMNS).to_dicts()
        cases = [
            c for place in part["more"].arg_true().head(_MOST_OPEN).to_list()
            if (c := _judge(question, rows[place], rows[place + 1 : place + 1 + _LATER], ours, end)) is not None
        ]  # fmt: skip
        if cases:
            yield _finding(question, cases)


def _with_marks(question: Question, table: pl.DataFrame) -> pl.DataFrame:
    """List calls with the next page's token, and whether there is more."""
    token_names, flag_names = named(question.words("token_names")), named(question.words("more_names"))
    body = pl.col("response_body")
    token = body.str.extract(rf'(?i)"(?:{token_names})"\s*:\s*"([^"]{{4,2000}})"')
    flag = body.str.extract(rf'(?i)"(?:{flag_names})"\s*:\s*"?(true|false|1|0)\b').str.to_lowercase()
    more = pl.when(flag.is_not_null()).then(flag.is_in(["true", "1"])).otherwise(token.is_not_null())
    return table.with_columns(
        next_page=token,
        more=(more & pl.col("good") & body.is_not_null() & pl.col("started_at").is_not_null()).fill_null(False),
    )


def _with_listing(question: Question, table: pl.DataFrame) -> pl.DataFrame:
    """List calls with the size asked for, and the listing itself."""
    return table.with_columns(
        size=parameter(question.words("size_names")).str.extract(r"^(\d{1,6})$").cast(pl.Int64),
        listing=without(question, question.words("page_names")),
    )


def _calls_of(question: Question, part: pl.DataFrame) -> pl.DataFrame:
    """All calls of this shop, failed ones too."""
    first = part.row(0, named=True)
    whose = pl.coalesce("shop", "identity").fill_null("?").eq(first["who"])
    calls = question.frame.where((pl.col("direction") == "out") & (pl.col("platform") == first["platform"]))
    return calls.filter(whose).select("row", "started_at", "query", "request_body").collect()


def _judge(question: Question, row: Row, later: Sequence[Row], ours: pl.DataFrame, end: datetime) -> _Open | None:
    """`later`: the next calls of the same operation and shop."""
    number, at = int(str(row["row"])), row["started_at"]
    wait = timedelta(seconds=question.number("follow_s"))
    if not isinstance(at, datetime) or end - at <= wait or any(r["unknown"] for r in later):
        return None
    calls = ours.filter(pl.col("row") > number)
    if calls.filter(pl.col("started_at") > at + wait).is_empty() or not _is_full(row):
        return None
    if _is_followed(row, later, calls.head(_LATER)):
        return None
    same_listing = [r for r in later if r["listing"] == row["listing"]]
    return _Open(row, bool(same_listing), any(r["good"] and not r["more"] for r in same_listing))


def _is_full(row: Row) -> bool:
    """Whether the page holds as many items as were asked for, and more than one."""
    size, count = row["size"], longest(row["response_body"])
    if count is None or (isinstance(size, int) and size <= 1):
        return False
    return count >= (size if isinstance(size, int) else 1)


def longest(body: object) -> int | None:
    """Items in the longest list near the top of an answer; None where there is none."""
    valid, tree = parse_json(body) if isinstance(body, str) else (False, None)
    if not valid:
        return None
    best, stack = None, [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, list):
            best = max(best or 0, len(node))
        elif isinstance(node, dict) and depth < 5:
            stack += [(v, depth + 1) for v in node.values()]
    return best


def _is_followed(row: Row, later: Sequence[Row], calls: pl.DataFrame) -> bool:
    """By its token in any later call; where the answer gave none, by another page of the same listing."""
    token = row["next_page"]
    if isinstance(token, str):
        plain = token.replace("\\/", "/").replace("\\u003d", "=").replace("\\u0026", "&")
        forms = {token, plain, quote(plain, safe=""), quote_plus(plain), quote(plain)}
        text = pl.concat_str([pl.col("query").fill_null(""), pl.col("request_body").fill_null("")], separator=" ")
        return bool(calls.select(text.str.contains_any(sorted(forms)).any()).item())
    asked = (row["query"], row["request_body"])
    return any(r["listing"] == row["listing"] and (r["query"], r["request_body"]) != asked for r in later)


def _finding(question: Question, cases: Sequence[_Open]) -> Finding:
    rows = tuple(int(str(c.row["row"])) for c in cases)
    first = cases[0].row
    text = phrase("page_open", operation=same(str(first["operation"])), count=len(cases))
    steps = [Because(text, rows[:3])]
    if any(c.again for c in cases):
        steps.append(Because(phrase("page_again"), rows[:1]))
    known = any(isinstance(c.row["size"], int) for c in cases)
    sure = "confidence_pages" if known or any(c.again for c in cases) else "confidence_pages_once"
    return Finding(
        rule=question.rule.id, cause="sync.pagination_incomplete", confidence=question.number(sure),
        platform=str(first["platform"]), shop=None if first["shop"] is None else str(first["shop"]),
        identity=None if first["identity"] is None else str(first["identity"]), affected=rows, because=tuple(steps),
        telling=tuple(Telling(n, "/response/body", text) for n in rows[:3]), signs=len(steps),
        repaired=all(c.repaired for c in cases), sources=question.rule.source,
    )  # fmt: skip
