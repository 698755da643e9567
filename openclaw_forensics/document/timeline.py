"""Traffic over time: counts per bucket and operation, times from which nothing was recorded, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from openclaw_forensics.diagnose.diagnosis import Root
from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.result import Gap, Series, Timeline, TimelineMark
from openclaw_forensics.taxonomy import taxonomy

_STEPS = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)  # seconds
_TOGETHER = 500_000  # exchanges counted at once
MAX_BUCKETS = 240
MAX_SERIES = 60
_LEAST_GAP = timedelta(minutes=30)


def timeline(frame: Frame, roots: Sequence[Root], ids: Sequence[str]) -> Timeline:
    """The timeline of one capture; `ids` are the root causes' ids."""
    table = frame.kinds.filter(pl.col("first").is_not_null() & (pl.col("direction") != "inbound"))
    if table.is_empty():
        return Timeline(marks=_marks(roots, ids))
    first, last = _bounds(table)
    bucket = next((s for s in _STEPS if (last - first).total_seconds() / s < MAX_BUCKETS), _STEPS[-1])
    start = datetime.fromtimestamp(first.timestamp() // bucket * bucket, UTC)
    return Timeline(
        bucket_s=bucket,
        series=_series(frame, table, start, last, bucket),
        gaps=_gaps(table),
        marks=_marks(roots, ids),
    )


def _bounds(table: pl.DataFrame) -> tuple[datetime, datetime]:
    first, last = table["first"].min(), table["last"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise TypeError("started_at holds no times")
    return first, last


def _series(frame: Frame, table: pl.DataFrame, start: datetime, last: datetime, bucket: int) -> tuple[Series, ...]:
    keys = ["platform", "shop", "operation_key", "operation", "direction"]
    count = int((last - start).total_seconds() // bucket) + 1
    table = table.with_row_index("kind")
    buckets = ((frame.started - start).dt.total_seconds() // bucket).cast(pl.Int32)
    counts: list[pl.DataFrame] = []
    some = table.select("kind", "rows", turn=pl.col("rows").list.len().cum_sum() // _TOGETHER)
    for part in some.partition_by("turn", maintain_order=True):
        each = part.explode("rows")
        each = each.select("kind", bucket=buckets.gather(each["rows"])).drop_nulls()
        counts.append(each.group_by("kind", "bucket").len())
    counted = (
        pl.concat(counts)
        .join(table.select("kind", "failed", *keys), on="kind")
        .group_by([*keys, "bucket"])
        .agg(failed=pl.col("len").filter("failed").sum(), all=pl.col("len").sum())
        .sort([*keys, "bucket"], nulls_last=True)
    )
    series = []
    for part in counted.partition_by(keys, maintain_order=True):
        ok, failed = [0] * count, [0] * count
        for place, bad, total in part.select("bucket", "failed", "all").iter_rows():
            failed[place] += bad
            ok[place] += total - bad
        row = part.row(0, named=True)
        series.append(
            Series(
                platform=row["platform"], shop=row["shop"], operation=row["operation"] or row["operation_key"],
                direction=row["direction"], start=start, ok=tuple(ok), failed=tuple(failed),
            )
        )  # fmt: skip
    series.sort(key=lambda s: (-sum(s.failed), -sum(s.ok), str(s.operation), str(s.shop)))
    return tuple(series[:MAX_SERIES])


def _gaps(table: pl.DataFrame) -> tuple[Gap, ...]:
    """Times that no file covers: between the end of one capture and the start of the next."""
    spans = (
        table.group_by("source_file")
        .agg(pl.col("first").min(), pl.col("last").max())
        .sort("first")
        .select("first", "last")
        .rows()
    )
    gaps = []
    end = spans[0][1]
    for first, last in spans[1:]:
        if first - end > _LEAST_GAP:
            gaps.append(Gap(from_=end, to=first))
        end = max(end, last)
    return tuple(gaps)


def _marks(roots: Sequence[Root], ids: Sequence[str]) -> tuple[TimelineMark, ...]:
    marks = []
    for root, ident in zip(roots, ids, strict=True):
        name = taxonomy().causes[root.finding.cause].name
        if root.first_at is not None and root.owned.rows:
            marks.append(
                TimelineMark(at=root.first_at, kind="onset", text=phrase("onset", cause=name), root_cause=ident)
            )
        if root.recovered_at is not None:
            marks.append(
                TimelineMark(
                    at=root.recovered_at, kind="recovery", text=phrase("recovery", cause=name), root_cause=ident
                )
            )
    return tuple(sorted(marks, key=lambda m: (m.at, m.kind, m.root_cause or "")))
