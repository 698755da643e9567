"""Lines that begin as a request and hold its answer too: `POST url id=4 resp={...}`, or an error's own body alone."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.ingest.calls_bodies import bodies

_LABEL = (
    r"(?:^|[\s,;|])(?:(?i:resp(?:onse)?|rsp|reply|answer)(?:[ _]?(?i:body|data|text|content))?|返回结果|返回|响应|应答)"
    r"\s*(?:=>|->|[=:：])\s*[{\[<\"']"
)
# An unlabelled object is the answer where it has an answer's two marks: a code, and words or the request's id.
_ALONE = r"^[\s,;:：=>|)-]*\{"
_CODED = r"(?i)\"(?:code|error_?code|errcode|errors?|api_?result_?code)\"\s*:"
_WORDED = r"(?i)\"(?:message|msg|error_?msg|errmsg|error_?message|error_description|api_?error_?msg|request_?id)\"\s*:"


def with_answers(frame: pl.DataFrame, tail: pl.Series) -> pl.DataFrame:
    """Requests whose line goes on with the answer, as exchanges without a status. `tail` stands behind the target."""
    at = tail.str.find(_LABEL)
    alone = tail.str.contains(_ALONE) & tail.str.contains(_CODED) & tail.str.contains(_WORDED) & at.is_null()
    at = pl.select(pl.when(alone).then(0).otherwise(at.cast(pl.Int64))).to_series()
    rows = at.is_not_null().arg_true()
    if rows.is_empty():
        return frame
    cut = pl.DataFrame({"tail": tail.gather(rows).cast(pl.Binary), "at": at.gather(rows)})
    before = cut.select(pl.col("tail").bin.slice(0, pl.col("at")).cast(pl.String)).to_series()
    after = cut.select(
        pl.col("tail").bin.slice(pl.col("at")).cast(pl.String).str.strip_chars_start(" \t,;|")
    ).to_series()
    asked, said = bodies(before, "request"), bodies(after, "response")
    told = said["response_body"].is_not_null().arg_true()
    rows, asked, said = rows.gather(told), asked[told], said[told]
    columns = {name: part[name] for part in (asked, said) for name in part.columns if not name.endswith("_headers")}
    columns["role"] = pl.Series(["exchange"]).new_from_index(0, rows.len())
    for name, values in columns.items():
        known = frame[name] if name in frame.columns else values.clear().extend_constant(None, frame.height)
        frame = frame.with_columns(known.scatter(rows, values).alias(name))
    return frame
