"""Who calls and with what: app, shop, object, fingerprints of token and signature, the request's stamp and its ids.

All rows are of one platform, healthy and failing alike; every place becomes one column, never a loop over rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from openclaw_forensics.platforms import columns, conditions
from openclaw_forensics.platforms.facts import Places
from openclaw_forensics.platforms.masks import MASKED, fingerprints
from openclaw_forensics.platforms.model import Operation, Pack

_MAX_ID = 200  # characters kept of an id
_OWN = ("app", "shop", "object_id", "request_timestamp", "key_version")
_SECRET = ("token", "refresh_token", "signature")
_SCHEME = r"(?i)^\s*(?:bearer|token)\s+"


def of_calls(
    frame: pl.DataFrame, pack: Pack, common: Pack, operations: pl.Series, table: Sequence[Operation]
) -> dict[str, pl.Series]:
    """The identity columns of calls out; `operations` indexes `table`."""
    p = pack.platform.places
    wanted: dict[str, Places] = {
        "app": p.app,
        "shop": p.shop,
        "object_id": p.object_id,
        "request_timestamp": p.timestamp,
        "key_version": p.key_version,
        "token": p.token or common.platform.places.token,
        "refresh_token": p.refresh_token,
        "signature": p.signature,
        "request_id": (*pack.platform.support.request_id, *common.platform.support.request_id),
    }
    held = _first_of(frame, wanted)
    for index in operations.drop_nulls().unique().sort():
        operation = table[index]
        special = {name: places for name in ("shop", "object_id") if (places := getattr(operation, name))}
        if special:
            rows = (operations == index).arg_true()
            for name, found in _first_of(frame[rows], special).items():
                kept = pl.select(pl.coalesce(found, held[name][rows])).to_series()
                held[name] = held[name].scatter(rows, kept)
    return held


def of_callbacks(frame: pl.DataFrame, pack: Pack, common: Pack) -> dict[str, pl.Series]:
    """The identity columns of callbacks: the shop they are about, their event, their signature."""
    hooks = pack.webhooks
    placed = dict.fromkeys(place for s in pack.schemes if s.use == "callback" for place in s.placed)
    signed = tuple(place for place in placed if place.startswith("request."))  # not what our own answer proves
    wanted: dict[str, Places] = {
        "shop": hooks.shop if hooks else (),
        "object_id": hooks.event_id if hooks else (),
        "topic": hooks.topic_places if hooks else (),
        "signature": signed,
        "request_id": common.platform.support.request_id,
    }
    return _first_of(frame, wanted)


def _first_of(frame: pl.DataFrame, wanted: dict[str, Places]) -> dict[str, pl.Series]:
    """For each name the first value that is not blank."""
    held = columns.evaluate(frame, [place for places in wanted.values() for place in places])
    table = pl.DataFrame(held) if held else pl.DataFrame({"": columns.nothing(frame.height)})
    chosen = table.select(
        (pl.coalesce([_not_blank(place) for place in places]) if places else pl.lit(None, dtype=pl.String)).alias(name)
        for name, places in wanted.items()
    )
    return {name: chosen[name] if chosen.height == frame.height else columns.nothing(frame.height) for name in wanted}


def _not_blank(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text)


def finish(held: dict[str, pl.Series], height: int, key: bytes) -> dict[str, pl.Series]:
    """The columns as the frame keeps them: ids without masks and cut, secrets as fingerprints."""
    nothing = columns.nothing(height)
    shown = {name: pl.col(name).str.slice(0, _MAX_ID) for name in (*_OWN, "request_id")}
    table = pl.DataFrame({name: held.get(name, nothing) for name in shown})
    out = table.select(
        pl.when(~text.str.contains(MASKED)).then(text).alias(name) for name, text in shown.items()
    ).to_dict()
    for name in _SECRET:
        secret = held.get(name, nothing)
        out[name] = fingerprints(secret.str.replace(_SCHEME, ""), key)
    return out


def region_and_environment(frame: pl.DataFrame, pack: Pack) -> tuple[pl.Series, pl.Series]:
    """What the host told, else the site that the request names, else a value that only the sandbox knows."""
    platform = pack.platform
    region, environment = frame["region"], frame["environment"]
    sites = {site: name for name, members in platform.regions.items() for site in members}
    if sites and platform.region_places and region.null_count():
        site = _first_of(frame, {"site": platform.region_places})["site"]
        named = site.str.split(",").list.first().replace_strict(list(sites), list(sites.values()), default=None)
        region = pl.select(pl.coalesce(region, named.cast(pl.String))).to_series()
    for mark in platform.sandbox_marks:
        hit = conditions.test_series(frame, mark).fill_null(False)
        environment = pl.select(pl.when(hit).then(pl.lit("sandbox")).otherwise(environment)).to_series()
    return region, environment


def steps(operations: pl.Series, table: Iterable[Operation]) -> tuple[pl.Series, pl.Series]:
    """Operation ids and steps for indices into `table`."""
    known = list(table)
    numbers = list(range(len(known)))
    ids = operations.replace_strict(numbers, [o.id for o in known], default=None, return_dtype=pl.String)
    return ids, operations.replace_strict(numbers, [o.step for o in known], default=None, return_dtype=pl.String)
