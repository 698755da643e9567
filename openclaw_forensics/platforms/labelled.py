"""What an exported table says of its rows in columns of its own: platform, shop and order, the weakest source of each.

A label counts only where the exchange itself tells nothing. A shop's label is what people call it; where other rows
with the same label carry one id, the shop is known by that id.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from openclaw_forensics.platforms.callbacks import named_in

_ROLES = {"shop": "shop", "object_id": "order"}  # an identity column and the label that stands in for it


def label(frame: pl.DataFrame, name: str) -> pl.Series:
    """The rows' labels of that name, null where a row has none."""
    own = pl.element().filter(pl.element().struct.field("name") == name).struct.field("value")
    return frame.select(pl.col("labels").list.eval(own).list.first().alias(name)).to_series()


def platforms(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.Series:
    """The platform that each row's label names; `names` are folded names of packs with their ids."""
    return named_in(label(frame, "platform"), names)


def completed(held: dict[str, pl.Series], frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Shop and object of `held`, where the exchange tells none, from the labels."""
    if frame["labels"].null_count() == frame.height:
        return held
    told = dict(held)
    for column, role in _ROLES.items():
        own = held.get(column, pl.Series([None], dtype=pl.String).new_from_index(0, frame.height))
        said = label(frame, role)
        stand_in = _as_known(own, said) if column == "shop" else said
        told[column] = pl.select(pl.coalesce(own, stand_in)).to_series()
    return told


def _as_known(own: pl.Series, said: pl.Series) -> pl.Series:
    """Each label as the one id that rows with this label carry, itself where they carry none or several."""
    pairs = pl.DataFrame({"said": said, "own": own}).drop_nulls().unique()
    single = pairs.filter(~pl.col("said").is_duplicated())
    return said.replace(single["said"], single["own"])
