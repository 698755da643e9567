"""The short way from records to calls, for lines that are worded as the file's first lines were.

A request that fits a learnt wording, whose answer is the very next record of its trace, thread and logger and fits one
too, is a call; nothing else needs to be asked of the two. All other records go the general way (calls, pairing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.ingest.calls import quotes
from openclaw_forensics.ingest.calls_blocks import BLOCK_WRITERS
from openclaw_forensics.ingest.calls_bodies import NOT_ALONE
from openclaw_forensics.ingest.fragments import FRAGMENT
from openclaw_forensics.ingest.pairing import LONGEST_S
from openclaw_forensics.ingest.textlog_rows import PLACE, joined
from openclaw_forensics.ingest.textlog_wording import BODY, Wording, learn

_KEY = ("trace_id", "thread", "logger")
MAX_SHAPE = 200  # bytes of a line without a call that is known by its shape
_OTHER, _ASKS, _ANSWERS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Lane:
    """The wordings of one file, with the loggers that use them, and what its lines without a call look like."""

    wordings: Mapping[Wording, Sequence[str]]
    silent: pl.DataFrame  # logger and shape

    def take(self, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """The calls in `records` (split_records' columns) as textlog_rows.CALL without its empty columns, and which
        records they are."""
        found = self._fragments(records)
        nothing = pl.Series([False]).new_from_index(0, records.height)
        if found is None:
            return pl.DataFrame(), nothing
        pairs = _pairs(records, *found)
        if pairs.is_empty():
            return pl.DataFrame(), nothing
        asked, told = found
        questions = asked.select(_shown(asked)).rechunk()[pairs["q"]].hstack(records.select(PLACE)[pairs["q_row"]])
        answers = told.select(_shown(told)).rechunk()[pairs["a"]].hstack(records.select("at", "end")[pairs["a_row"]])
        calls = joined(questions, answers)
        return calls, nothing.scatter(pairs["q_row"], True).scatter(pairs["a_row"], True)

    def may_call(self, records: pl.DataFrame) -> pl.Series:
        """Which records are not known to be silent: all that are long, loud or shaped otherwise than the first ones."""
        lines = shaped(records)
        known = lines.join(self.silent, on=["logger", "shape"], how="semi")["row"]
        return pl.Series([True]).new_from_index(0, records.height).scatter(known, False)

    def _fragments(self, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame] | None:
        """Requests and answers, one row per record that fits a wording: row and what the wording tells, as
        calls.FRAGMENT; None where there are none of either."""
        bare, bodied = _words(records)
        found: dict[str, list[pl.DataFrame]] = {"request": [], "answer": []}
        for wording, loggers in self.wordings.items():
            mine = _fitting(bodied if wording.body else bare, wording, loggers)
            if mine.height:
                found[wording.role].append(mine)
        if not all(found.values()):
            return None
        return pl.concat(found["request"], how="diagonal"), pl.concat(found["answer"], how="diagonal")


def learn_lane(records: pl.DataFrame, fragments: pl.DataFrame) -> Lane | None:
    """The lane of a file whose first records gave these fragments; None where no wording is found again and again."""
    if fragments["writer"].is_in(BLOCK_WRITERS).any() or fragments["key"].is_not_null().any():
        return None  # one call over many lines
    sound = {
        wording: loggers
        for wording, loggers in learn(records, fragments).items()
        if _sound(wording, loggers, records, fragments)
    }
    if {wording.role for wording in sound} != {"request", "answer"}:
        return None
    lines = shaped(records)
    called = fragments.select("row").unique()
    silent = lines.join(called, on="row", how="anti").select("logger", "shape").unique(maintain_order=True)
    calling = lines.join(called, on="row", how="semi")
    return Lane(sound, silent.join(calling, on=["logger", "shape"], how="anti"))


def shaped(records: pl.DataFrame) -> pl.DataFrame:
    """Quiet one-line records by row: logger and shape, the message with every number as one sign."""
    quiet = records["rest"].is_null() & records["level"].is_in(["INFO", "DEBUG"]) & records["logger"].is_not_null()
    quiet &= records["message"].str.len_bytes() <= MAX_SHAPE
    rows = quiet.fill_null(False).arg_true()
    lines = records.select("logger", "message")[rows]
    return lines.select(row=rows, logger="logger", shape=pl.col("message").str.replace_all("[0-9]+", "0"))


def _shown(fragments: pl.DataFrame) -> list[str]:
    return [name for name in fragments.columns if name not in ("row", "role")]


def _words(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The one-line records of a thread by row, with logger: `words` of those without a body; `words` and `body`."""
    alone = records["rest"].is_null() & records["thread"].is_not_null() & ~quotes(records["message"])
    at = records["message"].str.find(BODY, literal=True)
    rows = (alone & at.is_null()).arg_true()
    bare = records.select("logger", words="message")[rows].with_columns(row=rows)
    rows = (alone & at.is_not_null()).arg_true()
    text = pl.col("message").cast(pl.Binary)
    bodied = (
        records.select("logger", "message")[rows]
        .with_columns(row=rows, at=at[rows])
        .select(
            "row", "logger",
            words=text.bin.slice(0, pl.col("at")).cast(pl.String),
            body=text.bin.slice(pl.col("at")).cast(pl.String),
        )
    )  # fmt: skip
    whole = bodied["body"].str.ends_with("}") & ~bodied["body"].str.contains(NOT_ALONE)
    return bare, bodied if whole.all() else bodied.filter(whole)


def _fitting(lines: pl.DataFrame, wording: Wording, loggers: Sequence[str]) -> pl.DataFrame:
    """The fragments of the lines that fit one wording."""
    begins = lines["words"].str.starts_with(wording.begins) & lines["logger"].is_in(list(loggers))
    lines = lines.filter(begins)
    taken = lines["words"].str.extract_groups(wording.pattern).struct.unnest()
    good = taken.to_series(0).is_not_null()
    for name in ("url", "target"):  # the general reader takes a sentence's own stop off an address
        if name in taken.columns:
            good &= ~taken[name].str.slice(-1).is_in([".", ":"])
    if not good.all():
        lines, taken = lines.filter(good), taken.filter(good)
    side = "request" if wording.role == "request" else "response"
    typed = {"status": pl.Int64, "ms": pl.Float64}
    body = {f"{side}_body": pl.col("body"), f"{side}_body_state": pl.lit("recorded")} if wording.body else {}
    return lines.hstack(taken).select(
        "row",
        role=pl.lit(wording.role),
        **{name: pl.col(name).cast(typed.get(name, pl.String)) for name in taken.columns},
        **body,
        **{name: pl.lit(value, dtype=FRAGMENT[name]) for name, value in wording.constants},
    )


def _sound(wording: Wording, loggers: Sequence[str], records: pl.DataFrame, fragments: pl.DataFrame) -> bool:
    """Whether the wording finds in the first records just what the general reader found."""
    mine = _fitting(_words(records)[wording.body], wording, loggers)
    if mine.is_empty():
        return False
    theirs = fragments.join(mine.select("row"), on="row", how="semi").sort("row")
    mine = mine.sort("row").match_to_schema(pl.Schema(FRAGMENT), missing_columns="insert")
    return mine.equals(theirs)


def _pairs(records: pl.DataFrame, asked: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """Requests and the answers that follow them directly: positions in both (q, a) and rows (q_row, a_row).

    Lines that are written twice are left to the general way.
    """
    kind = pl.Series([_OTHER], dtype=pl.UInt8).new_from_index(0, records.height)
    place = pl.Series([0], dtype=pl.UInt32).new_from_index(0, records.height)
    for value, side in ((_ASKS, asked), (_ANSWERS, told)):
        kind = kind.scatter(side["row"], value)
        place = place.scatter(side["row"], pl.int_range(side.height, dtype=pl.UInt32, eager=True))
    keys = records.select(pl.struct(_KEY).hash().alias("key"))
    order = keys.select(pl.arg_sort_by("key", maintain_order=True)).to_series()
    lines = pl.DataFrame({"row": order, "key": keys["key"][order], "kind": kind[order]})
    after = [pl.when(pl.col("key") == pl.col("key").shift(-n)).then(pl.col("kind").shift(-n)) for n in (1, 2)]
    lines = lines.with_columns(a_row=pl.col("row").shift(-1), next=after[0], third=after[1])
    twice = pl.concat([_written_twice(records, lines, n) for n in (1, 2)])
    pairs = lines.filter((pl.col("kind") == _ASKS) & (pl.col("next") == _ANSWERS)).sort("row")
    pairs = pairs.select("third", "a_row", q_row="row").with_columns(
        q=place.gather(pairs["row"]), a=place.gather(pairs["a_row"])
    )
    if twice.len():
        pairs = pairs.filter(~pl.col("q_row").is_in(twice.implode()) & ~pl.col("a_row").is_in(twice.implode()))
    return pairs.filter(_agree(pairs, records, asked, told))


def _written_twice(records: pl.DataFrame, lines: pl.DataFrame, apart: int) -> pl.Series:
    """Rows of requests and answers that another one, `apart` further in its thread, repeats with the same stamp."""
    same = pl.col("key") == pl.col("key").shift(-apart)
    asked = same & (pl.col("kind") == pl.col("kind").shift(-apart)) & (pl.col("kind") != _OTHER)
    both = lines.select("row", asked=asked, other=pl.col("row").shift(-apart)).filter("asked")
    for name in ("raw_stamp", "message"):
        one, other = (records[name].gather(both[column]) for column in ("row", "other"))
        both = both.filter((one == other).fill_null(False))
    return pl.concat([both["row"], both["other"]])


def _agree(pairs: pl.DataFrame, records: pl.DataFrame, asked: pl.DataFrame, told: pl.DataFrame) -> pl.Series:
    """Which pairs the general way is sure to make as well: same key, soon enough, same address where both tell one."""
    begin, end = (records["at"].gather(pairs[name]) for name in ("q_row", "a_row"))
    good = (end - begin).dt.total_seconds().is_between(-1, LONGEST_S).fill_null(True)
    for name in _KEY:
        column = records[name]
        good &= column.gather(pairs["q_row"]).eq_missing(column.gather(pairs["a_row"]))
    traces = records["trace_id"]
    if 0 < traces.null_count() < traces.len():  # a thread's lines with and without a trace meet in another order
        good &= traces.gather(pairs["q_row"]).is_not_null()
    for name in ("direction", "method", "url"):
        if name in told.columns:
            other = told[name].gather(pairs["a"])
            same = asked[name].gather(pairs["q"]) == other if name in asked.columns else pl.Series([False])
            good &= (same | other.is_null()).fill_null(False)
    bodies = told["response_body"].gather(pairs["a"]) if "response_body" in told.columns else None
    if bodies is None or bodies.null_count():  # its body may stand in the next line
        ends = (pairs["third"] == _ASKS).fill_null(True)
        good &= ends if bodies is None else (ends | bodies.is_not_null())
    return good
