"""Requests and answers that stand on different lines, brought together.

Keys are tried from the strongest to the weakest: an id printed on both lines, trace and thread, trace, thread, the same
URL, plain adjacency. Within one key an answer closes the latest open request, and inner calls (a token refreshed inside
another call) are closed first: neighbours are paired and taken out until none is left. A retry is a request of its own.
"""

from __future__ import annotations

import polars as pl

from openclaw_forensics.ingest.fragments import FRAGMENT

LONGEST_S = 180  # an answer later than this belongs to another request
_ROUNDS_WITHIN = 4  # depth of calls inside calls
_NEAR_S = 2  # parts of one request are logged together

_PATH = r"^(?:[a-zA-Z]+://[^/?#]*)?([^?#]*)"
_HOST = r"^[a-zA-Z]+://(?:[^/@?#]*@)?(\[[^\]]*\]|[^/:?#]+)"


def _address(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns `_path` and `_host` by which two fragments are compared; null where no answer names a place."""
    named = pl.any_horizontal(pl.col("url", "target", "host").is_not_null()) & (pl.col("role") != "request")
    if not frame.select(named.any()).item():
        return frame.with_columns(
            pl.lit(None, dtype=pl.String).alias("_path"), pl.lit(None, dtype=pl.String).alias("_host")
        )
    place = pl.coalesce("target", "url")
    path = place.str.extract(_PATH, 1).str.strip_chars_end("/")
    return frame.with_columns(
        pl.when(path == "").then(None).otherwise(path).alias("_path"),
        pl.coalesce(pl.col("host"), pl.col("url").str.extract(_HOST, 1)).str.to_lowercase().alias("_host"),
    )


def merge_parts(events: pl.DataFrame) -> pl.DataFrame:
    """One request (or answer) logged in two lines, its address in one and its body in the other, made one row."""
    if events.height < 2:
        return events
    bare = pl.all_horizontal(pl.col("url", "target", "host").is_null())
    half = ((pl.col("role") == "request") & bare) | ((pl.col("role") == "answer") & pl.col("status").is_null())
    if not events.select(half.any()).item():
        return events
    same = pl.all_horizontal(
        *(pl.col(c).eq_missing(pl.col(c).shift(1)) for c in ("thread", "trace_id", "logger", "role", "direction"))
    )
    near = (pl.col("at") - pl.col("at").shift(1)).dt.total_seconds() <= _NEAR_S
    request = (pl.col("role") == "request") & bare & ~bare.shift(1) & pl.col("request_body").shift(1).is_null()
    answer = (
        (pl.col("role") == "answer") & pl.col("status").is_null() & pl.col("status").shift(1).is_not_null()
        & pl.col("response_body").shift(1).is_null()
    )  # fmt: skip
    ordered = events.sort("thread", "trace_id", "logger", "line", maintain_order=True)
    follows = ordered.select((same & near.fill_null(True) & (request | answer)).fill_null(False)).to_series()
    if not follows.any():
        return events
    taken = follows.shift(-1).fill_null(False)
    first, second = ordered.filter(taken), ordered.filter(follows)
    merged = first.with_columns(
        *(pl.coalesce(first[c], second[c]).alias(c) for c in FRAGMENT if c not in ("row", "role")),
        second["end"].alias("end"),
    )
    return pl.concat([ordered.filter(~(taken | follows)), merged]).sort("line", maintain_order=True)


def pair(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs as (`q`, `a`) positions in `events`, the requests left open, the answers left over.

    `events` is ordered by line and holds the roles request, answer and failure.
    """
    left = _address(events.with_row_index("i")).with_columns((pl.col("role") == "request").alias("_req"))
    left = left.select(
        "i", "_req", "role", "key", "trace_id", "thread", "logger", "direction", "url", "_path", "_host", "method", "at"
    )
    pairs: list[pl.DataFrame] = []
    for keys, needed in _KEYS:
        usable = pl.all_horizontal(*(pl.col(k).is_not_null() for k in needed)) if needed else pl.lit(True)
        if keys[:1] == ["_alone"]:
            usable = pl.col("thread").is_null()
        found, left = _eliminate(left, [k for k in keys if k != "_alone"], usable)
        pairs += found
        if left.is_empty():
            break
    schema = {"q": pl.UInt32, "a": pl.UInt32}
    both = pl.concat(pairs) if pairs else pl.DataFrame(schema=schema)
    return both, left.filter("_req").select("i"), left.filter(~pl.col("_req")).select("i")


_KEYS: tuple[tuple[list[str], tuple[str, ...]], ...] = (
    (["key"], ("key",)),
    (["trace_id", "thread", "logger"], ("trace_id", "thread")),
    (["trace_id"], ("trace_id",)),
    (["thread", "logger"], ("thread",)),
    (["thread"], ("thread",)),
    (["_path", "_host"], ("_path", "url")),
    (["_alone", "logger"], ()),
    (["_alone"], ()),
)


def _eliminate(left: pl.DataFrame, keys: list[str], usable: pl.Expr) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    pairs: list[pl.DataFrame] = []
    for _ in range(_ROUNDS_WITHIN):
        part = left.filter(usable)
        if part.height < 2 or part["_req"].all() or not part["_req"].any():
            break
        # Sorted by the keys' hash: equal keys come together, and equality is checked below.
        ordered = part.with_columns(
            (pl.struct(*keys).hash() if keys else pl.lit(0, dtype=pl.UInt64)).alias("_hash")
        ).sort("_hash", "i")
        before = {c: pl.col(c).shift(1) for c in ordered.columns}
        same = [pl.col(k).eq_missing(before[k]) for k in keys] or [pl.lit(True)]
        closes = ~pl.col("_req") & before["_req"] & pl.all_horizontal(same) & _fits(before)
        hit = ordered.select(closes.fill_null(False)).to_series()
        if not hit.any():
            break
        found = pl.DataFrame({"q": ordered["i"].filter(hit.shift(-1).fill_null(False)), "a": ordered["i"].filter(hit)})
        pairs.append(found)
        gone = pl.concat([found["q"].rename("i"), found["a"].rename("i")]).to_frame()
        left = (
            left.clear() if gone.height == left.height else left.join(gone, on="i", how="anti", maintain_order="left")
        )
    return pairs, left


def _fits(before: dict[str, pl.Expr]) -> pl.Expr:
    """Whether an answer can belong to the request before it: nothing that both name differs, and it is not too late."""
    # A hand-written answer does not tell whose server it was; one that says "inbound" does.
    ours = (pl.col("direction") == "inbound") & (before["direction"] == "out")
    agree = [(pl.col(c) == before[c]) | pl.col(c).is_null() | before[c].is_null() for c in ("_path", "_host", "method")]
    wait = (pl.col("at") - before["at"]).dt.total_seconds()
    in_time = (wait >= -1) & (wait <= LONGEST_S)
    return ~ours & pl.all_horizontal(agree) & in_time.fill_null(True)
