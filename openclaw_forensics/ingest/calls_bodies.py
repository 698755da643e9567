"""What stands behind the words of a call: the body, its state, and headers written behind it.

JSON that stands alone is recognised by polars; anything else goes through `quoted_values`.
"""

from __future__ import annotations

import re

import polars as pl

from openclaw_forensics.exchanges import HEADERS
from openclaw_forensics.ingest.quoted_values import headers_in, read_body

_WHOLE_JSON = r'^(?:\{\s*["}]|\[\s*(?:\{\s*"|["\d\[\]-]))'
_TAIL_LABEL = (
    r"^[\s,;:：=>|)-]*(?:(?:(?:response|request)?_?(?:[Bb]ody|[Pp]ayload|[Dd]ata)|[Pp]arams?|json|content"
    r"|response|result|resp|req"
    r"|请求参数|请求体|参数|报文|返回结果|返回|响应|内容)[ ]?(?:[=:：]+|=>)\s*)?"
)
_ONLY_LABEL = _TAIL_LABEL + "$"
# Words such as `shop=4 took=12ms` between the status and the body; a body's own label is none of them.
_PAIRS = re.compile(
    r"^(?:(?!(?i:resp|body|result|data|payload|error|msg|message)\w*[=:])[\w.\-]{1,60}[=:](?:\"[^\"]{0,200}\"|[^\s{}\[\]\"=]{1,200})[\s,;|]+){1,12}"
)
NOT_ALONE = r"[}\]] [{\[]|\(truncated|\[truncated"  # a second value behind the first, or a cut
_EMPTY_CONTEXT = r"(?: \[\]){1,2}$"


def bodies(tail: pl.Series, side: str) -> pl.DataFrame:
    """The columns of a body that stands behind a match, with its state; headers written behind it as `Name-X=value`."""
    frame = tail.rename("tail").to_frame().with_columns(pl.col("tail").str.find(r"[{\[]").alias("at"))
    frame = frame.with_columns(
        pl.col("tail").cast(pl.Binary).bin.slice(0, pl.col("at")).cast(pl.String).alias("label"),
        pl.col("tail").cast(pl.Binary).bin.slice(pl.col("at")).cast(pl.String).str.strip_chars_end().alias("body"),
    )
    easy_rows = _easy(frame)
    hard = (~easy_rows & (tail.str.len_bytes() > 0)).arg_true()
    text = frame.select(pl.when(easy_rows).then("body")).to_series()
    state = pl.select(pl.when(easy_rows).then(pl.lit("recorded"))).to_series()
    headers = pl.Series([None], dtype=HEADERS).new_from_index(0, tail.len())
    if hard.len():
        stripped = tail.gather(hard).str.replace(_TAIL_LABEL, "").str.strip_chars().str.replace(_EMPTY_CONTEXT, "")
        read = [_hard_body(t, side) for t in stripped.to_list()]
        text = text.scatter(hard, [r[0] for r in read])
        state = state.scatter(hard, [r[1] for r in read])
        if any(r[2] for r in read):
            held: list[list[dict[str, str]] | None] = [None] * tail.len()
            for index, (_, _, value) in zip(hard.to_list(), read, strict=True):
                held[index] = value
            headers = pl.Series(held, dtype=HEADERS)
    return pl.DataFrame({f"{side}_body": text, f"{side}_body_state": state, f"{side}_headers": headers})


def _easy(frame: pl.DataFrame) -> pl.Series:
    """Which rows are one JSON value behind nothing but a label. The costly tests are made where the cheap ones pass."""
    near = pl.col("at") == 0
    label = frame["label"].str.slice(0, 60)
    kinds = label.unique().drop_nulls() if label.len() else label
    labels = kinds.filter(kinds.str.contains(_ONLY_LABEL))
    near = near | ((pl.col("at") < 60) & pl.col("label").is_in(labels.implode()))
    body = pl.col("body")
    mapping = near & body.str.starts_with('{"') & body.str.ends_with("}")
    flags = frame.select(mapping.fill_null(False).alias("mapping"), near.fill_null(False).alias("near"))
    easy = flags["mapping"]
    others = (flags["near"] & ~easy).arg_true()
    if others.len():
        some = frame["body"].gather(others)
        easy = easy.scatter(others, (some.str.contains(_WHOLE_JSON) & some.str.contains(r"[}\]]$")).fill_null(False))
    crowded = frame["body"].filter(easy).str.contains(NOT_ALONE)
    return easy.scatter(easy.arg_true().filter(crowded), False) if crowded.any() else easy


def _hard_body(text: str, side: str) -> tuple[str | None, str | None, list[dict[str, str]] | None]:
    body = read_body(text, label=False)
    if body.text is None and side == "request" and "=" in text[:200]:
        pairs = [word for word in text.split() if "=" in word]
        headers = headers_in(" ".join(pairs))
        if pairs and headers is None:  # a form written with blanks or ampersands between its fields
            return ("&".join(pairs), "recorded" if len(pairs) == 1 and "&" in pairs[0] else "reconstructed", None)
        return None, None, headers
    if body.text is None and (pairs_ := _PAIRS.match(text)) is not None:
        later = read_body(text[pairs_.end() :])
        if later.text is not None and later.text[:1] in {"{", "[", "<"}:
            return _clean(later.text), later.state, headers_in(pairs_[0])
    headers = headers_in(body.rest[:4000]) if body.rest else None
    return _clean(body.text), None if body.text is None else body.state, headers


def _clean(text: str | None) -> str | None:
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()
