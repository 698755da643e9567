"""Stamps and durations of access logs: when an exchange began, by the stamp of its end or its beginning."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.exchanges import TIME

_ZONED = "%d/%b/%Y:%H:%M:%S %z"
_BARE = "%d/%b/%Y:%H:%M:%S"


def with_times(raw: pl.DataFrame, *, stamp_at_end: bool) -> pl.DataFrame:
    """Adds `started_at`, `raw_stamp`, `time_quality`, `zone_basis` and `duration_ms`."""
    if "stamp_zone" in raw.columns:
        raw = raw.with_columns(stamp=pl.concat_str("stamp", "stamp_zone", separator=" "))
    raw = raw.with_columns(_duration(raw).alias("duration_ms"))
    stamped = pl.DataFrame({"stamp": _stamps(raw)})
    stamped = stamped.with_columns(zoned=_zoned(raw, stamped["stamp"]))
    took = raw["duration_ms"].fill_null(0) * 1000
    at = stamped["stamp"] if not stamp_at_end else stamped["stamp"] - took.cast(pl.Int64).cast(pl.Duration("us"))
    missing = at.is_null()
    precise = "stamp_epoch" in raw.columns or "stamp_precise" in raw.columns
    return raw.with_columns(
        at.cast(TIME).alias("started_at"),
        _written(raw).alias("raw_stamp"),
        pl.when(missing)
        .then(pl.lit("missing"))
        .otherwise(pl.lit("exact" if precise else "second"))
        .alias("time_quality"),
        pl.when(stamped["zoned"]).then(pl.lit("given")).otherwise(pl.lit("assumed")).alias("zone_basis"),
    )


def _written(raw: pl.DataFrame) -> pl.Expr:
    names = [name for name in ("stamp", "stamp_iso", "stamp_epoch", "stamp_prefix") if name in raw.columns]
    return pl.coalesce(*names) if names else pl.lit(None, dtype=pl.String)


def _duration(raw: pl.DataFrame) -> pl.Expr:
    """Milliseconds; a negative value means "not reached" (AWS ALB, HAProxy)."""
    factors = {"duration_ms": 1.0, "duration_s": 1000.0, "duration_us": 0.001, "duration_ns": 1e-6}
    given = [
        pl.col(role).cast(pl.String).cast(pl.Float64, strict=False) * factor
        for role, factor in factors.items()
        if role in raw.columns
    ]
    value = pl.coalesce(*given) if given else pl.lit(None, dtype=pl.Float64)
    return pl.when(value.is_between(0, 1e9)).then(value.round(3))


def _stamps(raw: pl.DataFrame) -> pl.Series:
    """The best stamp of each row: an epoch with milliseconds before ISO before the common log format's."""
    found: list[pl.Series] = []
    if "stamp_time" in raw.columns:
        found.append(raw["stamp_time"].cast(TIME))
    if "stamp_epoch" in raw.columns:
        found.append(epoch_times(raw["stamp_epoch"]))
    if "stamp_iso" in raw.columns:
        found.append(iso_times(raw["stamp_iso"]))
    if "stamp" in raw.columns:
        found.append(_clf_times(raw["stamp"]))
    if "stamp_prefix" in raw.columns:
        found.append(iso_times(raw["stamp_prefix"]))
    empty = pl.Series("stamp", [None], dtype=TIME).new_from_index(0, raw.height)
    result = empty
    for series in found:
        result = result.zip_with(result.is_not_null(), series.rename("stamp"))
    return result


def epoch_times(stamps: pl.Series) -> pl.Series:
    """Seconds since 1970, with decimals, as UTC; null for what is no such number."""
    seconds = stamps.cast(pl.String).cast(pl.Float64, strict=False)
    micros = (seconds.set(~seconds.is_between(0, 4e9).fill_null(value=False), None) * 1e6).round(0)
    return micros.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _clf_times(stamps: pl.Series) -> pl.Series:
    times = stamps.str.to_datetime(_ZONED, time_unit="us", time_zone="UTC", strict=False)
    if not times.has_nulls():
        return times
    bare = stamps.str.replace(" ", ":", literal=True).str.to_datetime(_BARE, time_unit="us", strict=False)
    return times.zip_with(times.is_not_null(), bare.dt.replace_time_zone("UTC"))


def iso_times(stamps: pl.Series) -> pl.Series:
    """ISO 8601 stamps as UTC; one without a zone is taken as if it were UTC."""
    text = stamps.cast(pl.String).str.replace(" ", "T", literal=True).str.replace(",", ".", literal=True)
    zoned = text.str.replace(r"[Zz]$", "+00:00").str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False
    )
    if not zoned.has_nulls():
        return zoned
    bare = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    return zoned.zip_with(zoned.is_not_null(), bare)


def _zoned(raw: pl.DataFrame, times: pl.Series) -> pl.Series:
    """Whether a row's stamp tells its zone."""
    if "stamp_epoch" in raw.columns or "stamp_time" in raw.columns or "stamp_zone" in raw.columns:
        return times.is_not_null()
    names = [name for name in ("stamp_iso", "stamp", "stamp_prefix") if name in raw.columns]
    if not names:
        return times.is_not_null()
    written = raw.select(pl.coalesce(*names)).to_series()
    return written.str.contains(r"(?:[Zz]| ?[+-]\d\d:?\d\d)$").fill_null(value=False)
