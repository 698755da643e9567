"""What nobody recognises goes to the platform the user named, where it looks like that platform's traffic at all."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from openclaw_forensics.platforms import places
from openclaw_forensics.platforms.callbacks import named_in
from openclaw_forensics.platforms.load import PackSet
from openclaw_forensics.platforms.operations import OperationTable

_OPERATION, _NAMED, _PARAMETERS, _NO_TARGET = 2.0, 1.0, 1.0, 0.1
_KEY = ("method", "host", "path", "client_class", "names")


def best_given(frame: pl.DataFrame, packs: PackSet, given: Sequence[str]) -> pl.Series:
    """The given platform that scores best for each row, null for a tie or where none scores at all."""
    names = pl.col("query").str.replace_all("=[^&]*", "").alias("names")
    keys = frame.select(pl.col("method"), "host", "path", "client_class", names)
    distinct = keys.unique(maintain_order=True)
    scorers = [_Scorer(packs, platform) for platform in given]
    own = {alias: platform for alias, platform in packs.names().items() if platform in given}
    hosts = named_in(distinct["host"].str.replace_all(".", "/", literal=True), own)
    paths = named_in(distinct["path"], own)
    found = []
    for row, host, path in zip(distinct.iter_rows(named=True), hosts, paths, strict=True):
        scores = [(s.score(row) + _NAMED * (s.platform in (host, path)), s.platform) for s in scorers]
        top = max(score for score, _ in scores)
        best = [platform for score, platform in scores if score == top]
        found.append(best[0] if top > 0 and len(best) == 1 else None)
    table = distinct.with_columns(pl.Series("platform", found, dtype=pl.String))
    return keys.join(table, on=list(_KEY), how="left", nulls_equal=True, maintain_order="left")["platform"]


class _Scorer:
    """How much a request looks like one platform's."""

    def __init__(self, packs: PackSet, platform: str) -> None:
        self.platform = platform
        pack = packs.pack(platform)
        self.table = packs.once(OperationTable, platform, lambda: OperationTable(pack))
        p = pack.platform.places
        marks = (*p.app, *p.token, *p.timestamp, *p.signature, *p.operation)
        parsed = [places.parse(place) for place in marks]
        self.parameters = {x.argument for x in parsed if x.side == "request" and x.kind in ("query", "param")}

    def score(self, row: dict[str, str | None]) -> float:
        """0: nothing speaks for it."""
        total = 0.0
        if row["host"] is None and row["path"] is None:
            total += _NO_TARGET
        if self.table.candidates(row["method"], row["path"], None, None):
            total += _OPERATION
        if row["client_class"] and self.table.by_name(row["client_class"]) is not None:
            total += _OPERATION
        present = self.parameters.intersection((row["names"] or "").split("&"))
        if present and len(present) >= min(2, len(self.parameters)):
            total += _PARAMETERS * len(present) / len(self.parameters)
        return total
