"""What a capture cannot show, and how to capture it: so that "nothing found" is not read as "nothing wrong"."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.diagnose.frame import Frame
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.result import Blind

_ASKED = (
    "direction", "method", "response_body_state", "request_body_state", "request_headers_state",
)  # fmt: skip
_MOST = 0.5  # a part that is missing from more than this share of the exchanges is called blind


def blind_spots(frame: Frame) -> tuple[Blind, ...]:
    """The blind spots of one capture, the most important first."""
    table = frame.exchanges.group_by(_ASKED).len().collect()
    out = table.filter(pl.col("direction") == "out")
    spots = []
    if table.is_empty():
        return (_spot("calls"), _spot("callbacks"))
    if out.is_empty():
        spots.append("calls")
    if table.filter(pl.col("direction") == "callback").is_empty():
        spots.append("callbacks")
    if not out.is_empty():
        writes = out.filter(pl.col("method").is_in(["POST", "PUT", "PATCH"]))
        for column, of, name in (
            ("response_body_state", out, "response_bodies"),
            ("request_body_state", writes, "request_bodies"),
            ("request_headers_state", out, "headers"),
        ):
            if _share(of, column, ("not_recorded",)) > _MOST:
                spots.append(name)
        if _share(out, "request_headers_state", ("masked",)) > _MOST:
            spots.append("credentials")
        if "headers" not in spots and not _has_date(frame):
            spots.append("clock")
    return tuple(_spot(name) for name in spots)


def _spot(name: str) -> Blind:
    return Blind(what=phrase(f"blind_{name}"), how_to_capture=phrase(f"blind_{name}_how"))


def _share(table: pl.DataFrame, column: str, states: tuple[str, ...]) -> float:
    missing = table.filter(pl.col(column).is_in(states))["len"].sum()
    return float(missing) / float(table["len"].sum()) if table.height else 0.0


def _has_date(frame: Frame) -> bool:
    answered = frame.exchanges.filter((pl.col("direction") == "out") & pl.col("response_headers").is_not_null())
    name = pl.col("response_headers").explode().struct.field("name").str.to_lowercase()
    return bool(answered.select((name == "date").any()).collect().item())
