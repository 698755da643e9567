"""A part of an access log from its exchanges and the lines that gave none, so that no byte is unaccounted for."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from openclaw_forensics.errors import Problem
from openclaw_forensics.ingest import errorlog
from openclaw_forensics.ingest.accesslog_lines import MAX_LINE
from openclaw_forensics.ingest.api import Balance, Part

MAX_PROBLEMS = 20  # per part; further ones are counted in the last


def finish(
    path: str,
    frame: pl.DataFrame,
    lines: pl.DataFrame,
    left: pl.DataFrame,
    *,
    problems: tuple[Problem, ...],
    writer: str | None,
) -> Part:
    """A part from a chunk's exchanges and the lines that gave none: blank, an error log's, or a problem."""
    blank = left.filter(pl.col("text").str.strip_chars() == "")
    left = left.filter(pl.col("text").str.strip_chars() != "")
    records, left = errorlog.records_of(left, path)
    sizes = {name: int(part["size"].sum()) for name, part in (("all", lines), ("blank", blank), ("left", left))}
    kept = int(lines.join(records, on="line", how="semi")["size"].sum()) if records.height else 0
    balance = Balance(
        exchanges=sizes["all"] - sizes["blank"] - sizes["left"] - kept,
        records=kept,
        irrelevant={"blank line": sizes["blank"]} if sizes["blank"] else {},
        problems=sizes["left"],
    )
    return Part(frame, records, (*problems, *_problems(frame, left)), balance, writer)


def _problems(frame: pl.DataFrame, left: pl.DataFrame) -> Iterator[Problem]:
    for line, size in left.select("line", "size").head(MAX_PROBLEMS).iter_rows():
        if size > MAX_LINE:
            yield Problem("limit", f"a line of {size} bytes is longer than an access log's may be", line)
        else:
            yield Problem("malformed", "the line does not read as this log's", line)
    if left.height > MAX_PROBLEMS:
        more = left.height - MAX_PROBLEMS
        yield Problem(
            "malformed", f"{more} more lines of this part do not read as this log's", left["line"][MAX_PROBLEMS]
        )
    lost = frame.filter(pl.col("time_quality") == "missing")
    if lost.height:
        yield Problem("time", f"{lost.height} lines have no readable time stamp", lost["line"][0])
