"""Whether our answer to a callback is what the platform counts as success."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.platforms.model import Ack

DEFAULT = Ack()  # without a pack: any 2xx


def refused(ack: Ack) -> pl.Expr:
    """Callbacks answered otherwise than `ack` demands; what was not recorded is not held against the receiver.

    Where the pack marks its demands as not enforced, only an answer outside 2xx is a failure.
    """
    status = pl.col("status")
    redirect = status.is_between(300, 399) & ack.follows_redirect
    if not ack.enforced:
        return (~status.is_between(200, 299) & ~redirect).fill_null(False)
    accepted = status.is_in(list(ack.status)) if ack.status else status.is_between(200, 299)
    wrong_status = (~accepted & ~redirect).fill_null(False)
    return wrong_status | _wrong_body(ack) | _late(ack)


def _wrong_body(ack: Ack) -> pl.Expr:
    if ack.body is None:
        return pl.lit(False)
    state = pl.col("response_body_state")
    seen = state.is_in(["recorded", "empty"]) | (state.is_null() & pl.col("response_body").is_not_null())
    wrong = ~pl.col("response_body").fill_null("").str.contains(ack.body)
    return (seen & wrong & pl.col("status").is_not_null()).fill_null(False)


def _late(ack: Ack) -> pl.Expr:
    if ack.time_limit_s is None:
        return pl.lit(False)
    return (pl.col("duration_ms") > ack.time_limit_s * 1000).fill_null(False)
