"""Lines that are worded alike but for a URL's query and the JSON at their end, so that patterns run once per wording.

A log of a million calls has some hundred wordings. Only short lines take part: a pattern sees each of them whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from openclaw_forensics.ingest.lineformat_model import MessageGroup, MessageRule

FEWER = 4  # wordings must be this many times fewer than lines to be worth the sorting out
MIN_LINES = 2000
_QUERY_ENDS = r"[^A-Za-z0-9_=&.%+-]"


@dataclass(frozen=True, slots=True)
class Alike:
    """Lines by wording. `wordings` has the columns of the lines, `row` being the number of the wording."""

    lines: pl.DataFrame  # as given, with `gap` (bytes of the query), `gap_at` and `wording`
    wordings: pl.DataFrame
    others: pl.DataFrame  # that do not take part, as given


def sort_out(rest: pl.DataFrame, groups: Sequence[MessageGroup]) -> Alike | None:
    """The lines by wording; None where that saves nothing. `rest` has row, logger, text and prose."""
    if rest.height < MIN_LINES or not groups:
        return None
    near = min(group.format.near for group in groups)
    short = rest["prose"].str.len_bytes() <= near
    lines, others = (rest, rest.clear()) if short.all() else (rest.filter(short), rest.filter(~short))
    if lines.height < MIN_LINES:
        return None
    lines = lines.hstack(_without_query(lines["prose"]))
    if lines["skeleton"].head(MIN_LINES).n_unique() * 2 > MIN_LINES:
        return None
    keys = lines.select("skeleton", "logger").unique(maintain_order=True).with_row_index("wording")
    if keys.height * FEWER > lines.height:
        return None
    lines = lines.join(keys, on=["skeleton", "logger"], how="left", nulls_equal=True, maintain_order="left")
    wordings = keys.select(
        pl.col("wording").alias("row"), "logger", pl.col("skeleton").alias("text"), pl.col("skeleton").alias("prose")
    )
    return Alike(lines.drop("skeleton"), wordings, others)


def _without_query(prose: pl.Series) -> pl.DataFrame:
    """Each text without what follows its first question mark in the same word: skeleton, gap_at and gap in bytes."""
    at = prose.str.find("?", literal=True)
    rows = at.is_not_null().arg_true()
    zeros = pl.Series([0], dtype=pl.UInt32).new_from_index(0, prose.len())
    if rows.is_empty():
        return pl.DataFrame({"skeleton": prose, "gap_at": zeros, "gap": zeros})
    some = pl.DataFrame({"text": prose.gather(rows).cast(pl.Binary), "at": at.gather(rows) + 1})
    some = some.with_columns(pl.col("text").bin.slice(pl.col("at")).cast(pl.String).alias("behind"))
    some = some.with_columns(
        pl.coalesce(pl.col("behind").str.find(_QUERY_ENDS), pl.col("behind").str.len_bytes()).alias("gap")
    )
    cut = some.select(
        (
            pl.col("text").bin.slice(0, pl.col("at")).cast(pl.String)
            + pl.col("behind").cast(pl.Binary).bin.slice(pl.col("gap")).cast(pl.String)
        ).alias("skeleton"),
        "at",
        pl.col("gap").cast(pl.UInt32),
    )
    return pl.DataFrame(
        {
            "skeleton": prose.clone().scatter(rows, cut["skeleton"]),
            "gap_at": zeros.clone().scatter(rows, cut["at"]),
            "gap": zeros.clone().scatter(rows, cut["gap"]),
        }
    )


def spread(
    alike: Alike, hits: list[tuple[MessageRule, pl.DataFrame]], take: Callable[[pl.DataFrame, MessageRule], None]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hand each line that its wording decides to `take`; the lines to be read one by one, and those without a call.

    A query belongs to the URL that ends where it was cut out; a line where no URL does is read by itself.
    """
    undecided: list[pl.Series] = []
    decided: list[pl.Series] = []
    for rule, chosen in hits:
        lines = alike.lines.join(
            chosen.select(
                pl.col("row").alias("wording"), pl.col("text").str.len_bytes().alias("shown"), "stop", *rule.groups
            ),
            on="wording",
            maintain_order="left",
        )
        address = next((name for name in ("url", "target") if name in rule.groups), None)
        good = (pl.col("stop") < pl.col("shown")) | (pl.col("text").str.len_bytes() == pl.col("prose").str.len_bytes())
        if address is None:
            good &= pl.col("gap") == 0
        else:
            size = pl.col(address).str.len_bytes()
            ends = pl.col("prose").cast(pl.Binary).bin.slice(
                pl.col("gap_at").cast(pl.Int64) - size.cast(pl.Int64), size
            ) == pl.col(address).cast(pl.Binary)
            good &= (pl.col("gap") == 0) | ((size <= pl.col("gap_at")) & ends & pl.col(address).str.ends_with("?"))
        sure = lines.select(good.fill_null(False)).to_series()
        if not sure.all():
            undecided.append(lines["row"].filter(~sure))
            lines = lines.filter(sure)
        decided.append(lines["row"])
        if lines.height:
            take(_restored(lines, address), rule)
    gone = pl.concat([*decided, *undecided]) if hits else pl.Series("row", [], dtype=pl.UInt32)
    silent = alike.lines.join(gone.rename("row").to_frame(), on="row", how="anti", maintain_order="left")
    queried = silent["gap"] > 0
    again = pl.concat([s.rename("row") for s in [*undecided, silent["row"].filter(queried)]]).to_frame()
    return (
        alike.lines.join(again, on="row", how="semi", maintain_order="left"),
        silent.filter(~queried),
    )


def _restored(lines: pl.DataFrame, address: str | None) -> pl.DataFrame:
    """The matched lines with their queries back in place."""
    inside = (pl.col("stop") >= pl.col("gap_at")) & (pl.col("gap") > 0)
    lines = lines.with_columns(
        (pl.col("stop") + pl.when(inside).then("gap").otherwise(0)).alias("stop"),
        pl.col("prose").cast(pl.Binary).bin.slice(pl.col("gap_at"), pl.col("gap")).cast(pl.String).alias("query"),
    )
    if address is None:
        return lines
    return lines.with_columns(
        pl.when(pl.col("gap") > 0).then(pl.col(address) + pl.col("query")).otherwise(pl.col(address)).alias(address)
    )
