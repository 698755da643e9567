"""Time stamps as logs write them, read once per distinct second.

Understood: ISO 8601 with blank, `T` or `_` between date and time, comma or dot before the fraction, zones (`Z`,
`+0800`, `+08:00`, `UTC`, `GMT`, an IANA name as PHP writes it), slashes for dashes, Apache's and PHP's
`15-Feb-2018 09:33:27 UTC`, US `3/17/2026 9:05:00 AM`, Chinese `2026年3月17日 上午9:05`, java.util.logging's
`Mar 17, 2026 9:05:00 AM`, syslog and klog without a year, Spark's `26/03/17 09:05:00`, epoch seconds to nanoseconds,
and a time of day whose date comes from elsewhere.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_CHINESE_MONTHS = {
    m: i for i, m in enumerate(["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"], 1)
}
_TIME = r"(?P<H>\d{1,2})[:时](?P<M>\d\d)(?:[:分](?P<S>\d\d))?秒?"
_ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|CST|[+-]\d\d:?\d\d|[A-Z][A-Za-z]+/[A-Za-z_/+-]+))?"
_AMPM = r"(?:\s*(?P<half>[AaPp]\.?[Mm]\.?|上午|下午|凌晨|中午|晚上))?"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:[T _]| - |\s+)" + _TIME + _AMPM + _ZONE,
        r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日\s*(?P<half>上午|下午|凌晨|中午|晚上)?\s*" + _TIME + _ZONE,
        r"(?P<d>\d{1,2})[-/ ](?P<mon>[A-Za-z]{3})[-/ ](?P<y>\d{4})[: ]" + _TIME + _ZONE,
        r"(?:[A-Za-z]{3},? )?(?P<mon>[A-Za-z]{3}|[一二三四五六七八九十]{1,2}月) +(?P<d>\d{1,2}), (?P<y>\d{4})(?:,"
        r"| at)? +"
        + _TIME + r"(?:\s*(?P<half>[AaPp][Mm]|上午|下午))?" + _ZONE,
        r"(?:[A-Za-z]{3} )?(?P<mon>[A-Za-z]{3}) +(?P<d>\d{1,2}) " + _TIME + r"(?: (?P<y>\d{4}))?" + _ZONE,
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})[, ]+" + _TIME + _AMPM + _ZONE,
        r"(?P<m>\d\d)(?P<d>\d\d)(?P<y>) " + _TIME,
        r"(?P<y>\d\d)/(?P<m>\d\d)/(?P<d>\d\d) " + _TIME,
        r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)[T ]?(?P<H>\d\d):?(?P<M>\d\d):?(?P<S>\d\d)" + _ZONE,
    )
)  # fmt: skip
_CLOCK = re.compile(r"(?P<pre>上午|下午)?\s*" + _TIME + _AMPM + r"$")
_EPOCH = re.compile(r"\d{9,19}$")
_DATE_IN_NAME = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}[.,]([0-9]{1,9})(?:Z|[+-][0-9]{2}:?[0-9]{2})?$"
)
_SAME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}[.,][0-9]{%d}(?:Z|[+-][0-9:]{4,5})?$"
_YEAR_1 = -62_135_596_800_000_000  # in microseconds since 1970; what is earlier is no stamp
_PM = frozenset({"pm", "p.m.", "下午", "晚上"})
_AM = frozenset({"am", "a.m.", "上午", "凌晨"})


@dataclass(frozen=True, slots=True)
class Instant:
    """A stamp without its fraction: microseconds since 1970 (or since midnight when `clock` is set)."""

    us: int
    zoned: bool
    clock: bool = False
    yearless: bool = False  # and nothing tells the year: it is 1970


@dataclass(slots=True)
class Calendar:
    """What the stamps of one file lack: the date of a time of day, and the year of syslog's stamps.

    A time of day that runs back by more than 12 h is the next day.
    """

    day: date | None = None
    last_clock: int = field(default=-1)
    near: date | None = None  # stamps without a year lie in the half year before or after it; `day` where not known

    def place(self, clock_us: int) -> int | None:
        """Microseconds since 1970 of a time of day, or None while no date is known."""
        if self.day is None:
            return None
        if self.last_clock - clock_us > 12 * 3600 * 1_000_000:
            self.day += timedelta(days=1)
        self.last_clock = clock_us
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)
        return int(midnight.timestamp()) * 1_000_000 + clock_us


def date_in_name(name: str) -> date | None:
    """The date that a file's own name carries (`app-2026-03-17.log`), else None; the last one wins."""
    for year, month, day in reversed(_DATE_IN_NAME.findall(name)):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def nearest_year(month: int, day: int, near: date) -> date | None:
    """The day of that month in the year that brings it nearest to `near`; None for a day that never is."""
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        with suppress(ValueError):
            found.append(date(year, month, day))
    return min(found, key=lambda one: abs(one - near), default=None)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=65536)
def parse_second(text: str, near: date | None = None) -> Instant | None:
    """One stamp without fraction; one without a year is of the year nearest to `near`. None when no shape fits."""
    text = text.strip(" []\"'")[:64]
    if _EPOCH.match(text):
        return Instant(_epoch(text), zoned=True)
    for shape in _SHAPES:
        if found := shape.match(text):
            return _instant(found, near)
    if found := _CLOCK.match(text):
        hour, minute, second = _clock(found)
        if hour < 24 and minute < 60 and second < 61:
            return Instant((hour * 3600 + minute * 60 + second) * 1_000_000, zoned=False, clock=True)
    return None


def _epoch(digits: str) -> int:
    value = int(digits)
    if len(digits) <= 11:
        return value * 1_000_000
    if len(digits) <= 14:
        return value * 1000
    return value if len(digits) <= 17 else value // 1000


def _clock(found: re.Match[str]) -> tuple[int, int, int]:
    groups = found.groupdict()
    hour, half = int(groups["H"]), (groups.get("half") or groups.get("pre") or "").lower()
    if half in _PM and hour < 12:
        hour += 12
    elif half in _AM and hour == 12:
        hour = 0
    return hour, int(groups["M"]), int(groups["S"] or 0)


def _month(groups: dict[str, str | None]) -> int:
    if number := groups.get("m"):
        return int(number)
    name = groups.get("mon") or ""
    return MONTHS.get(name.lower(), 0) or _CHINESE_MONTHS.get(name.rstrip("月"), 0)


def _instant(found: re.Match[str], near: date | None) -> Instant | None:
    groups = found.groupdict()
    hour, minute, second = _clock(found)
    zone, month, day = groups.get("zone"), _month(groups), int(groups["d"])
    placed = nearest_year(month, day, near) if near and not groups.get("y") else None
    year = int(groups["y"] or 0) or (placed.year if placed else 1970)
    year += 2000 if year < 100 else 0
    try:
        stamp = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        offset = _offset(zone, stamp)
    except (ValueError, OverflowError):
        return None
    us = int(stamp.timestamp()) * 1_000_000 + (second - min(second, 59)) * 1_000_000
    # CST is both China's and Chicago's: no zone at all.
    us -= int((offset or timedelta()).total_seconds()) * 1_000_000
    return Instant(us, zoned=offset is not None, yearless=not groups["y"] and placed is None)


def _offset(zone: str | None, stamp: datetime) -> timedelta | None:
    if not zone or zone == "CST":
        return None
    if zone in ("Z", "UTC", "GMT"):
        return timedelta()
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return -span if zone[0] == "-" else span
    return stamp.replace(tzinfo=ZoneInfo(zone)).utcoffset() if zone in _zones() else None


def read_stamps(stamps: pl.Series, calendar: Calendar) -> pl.DataFrame:
    """The columns `at`, `time_quality` and `zone_basis` of a column of raw stamps, in order.

    A stamp without a zone is kept as if it were UTC (`zone_basis` "assumed").
    """
    quick = _alike(stamps, calendar)
    return _each(stamps, calendar) if quick is None else quick


def _each(stamps: pl.Series, calendar: Calendar) -> pl.DataFrame:
    """The same for stamps of any kind."""
    cut = _cut(stamps.rename("raw"))
    frame = cut.join(_distinct(cut["base"], calendar), on="base", how="left", maintain_order="left")
    if frame["clock"].any():
        placed = _placed(frame["us"].to_list(), frame["clock"].to_list(), calendar)
        frame = frame.with_columns(pl.Series("us", placed, dtype=pl.Int64))
    known = pl.col("us").is_not_null()
    return frame.select(
        (pl.col("us") + pl.col("micros")).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("at"),
        pl.when(~known | pl.col("yearless")).then(pl.lit("missing"))  # an unknown year: good for the order only
        .when(pl.col("clock")).then(pl.lit("derived"))
        .when(pl.col("sub")).then(pl.lit("exact"))
        .otherwise(pl.lit("second")).alias("time_quality"),
        pl.when(pl.col("zoned")).then(pl.lit("given")).otherwise(pl.lit("assumed")).alias("zone_basis"),
    )  # fmt: skip


def _cut(raw: pl.Series) -> pl.DataFrame:
    """Each stamp as a base without fraction, the fraction in microseconds, and whether there was one."""
    epoch = raw.str.contains(r"^[0-9]{9,11}\.[0-9]+$").fill_null(False)
    digits = raw.str.contains(r"^[0-9]{12,19}$").fill_null(False)
    fraction = raw.str.extract(r"(?::[0-9]{2}|^[0-9]{9,11})[.,]([0-9]{1,9})", 1)
    base = raw.str.replace(r"(:[0-9]{2})[.,][0-9]{1,9}", "$1")
    base = base.zip_with(~epoch, raw.str.extract(r"^([0-9]+)", 1))
    micros = fraction.str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False).fill_null(0)
    return pl.DataFrame({"base": base, "micros": micros, "sub": fraction.is_not_null() | digits})


def _alike(stamps: pl.Series, calendar: Calendar) -> pl.DataFrame | None:
    """The same where most stamps are ISO 8601 in one zone and with as many digits of a fraction; None where they are
    not. They are cut by position, and polars reads each second once."""
    example = next((text for text in stamps.head(20) if text is not None and _ISO.match(text)), None)
    found = _ISO.match(example) if example is not None else None
    if found is None or example is None:
        return None
    begin, end = found.span(1)
    here, there = parse_second(example[: begin - 1]), parse_second(example[: begin - 1] + example[end:])
    if here is None or there is None:
        return None
    us = _by_place(stamps, example, begin, end) + (there.us - here.us)
    others = us.is_null().arg_true()
    if others.len() * 4 > stamps.len():
        return None
    frame = pl.DataFrame({"at": us}).select(
        pl.col("at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        pl.lit("exact").alias("time_quality"),
        pl.lit("given" if there.zoned else "assumed").alias("zone_basis"),
    )
    if others.is_empty():
        return frame
    rest = _each(stamps.gather(others), calendar)
    return frame.select(frame[name].scatter(others, rest[name]) for name in frame.columns)


def _by_place(stamps: pl.Series, example: str, begin: int, end: int) -> pl.Series:
    """Microseconds since 1970 by the stamps' own clock, null for those that do not look like the example, whose
    fraction stands from `begin` to `end`."""
    raw, digits = pl.col("raw"), min(6, end - begin)
    same = (raw.str.len_bytes() == len(example)) & raw.str.ends_with(example[end:])
    same &= raw.str.contains(_SAME % (end - begin))
    cut = pl.DataFrame({"raw": stamps}).select(pl.when(same).then(raw).cast(pl.Binary).alias("raw"))
    shape = f"%Y-%m-%d{example[10]}%H:%M:%S"
    second = raw.bin.slice(0, begin - 1).cast(pl.String).str.to_datetime(shape, strict=False, time_unit="us")
    part = raw.bin.slice(begin, digits).cast(pl.String).cast(pl.Int64) * 10 ** (6 - digits)
    times = cut.select(second.dt.epoch("us").alias("second"), part.alias("part"))
    return times.select(pl.when(pl.col("second") >= _YEAR_1).then(pl.col("second") + pl.col("part"))).to_series()


def _distinct(base: pl.Series, calendar: Calendar) -> pl.DataFrame:
    near = calendar.near or calendar.day
    texts = [text for text in base.unique(maintain_order=True).to_list() if text is not None]
    parsed = [parse_second(text, near) for text in texts]
    return pl.DataFrame(
        {
            "base": texts,
            "us": [p.us if p else None for p in parsed],
            "zoned": [p.zoned if p else None for p in parsed],
            "clock": [p.clock if p else None for p in parsed],
            "yearless": [p.yearless if p else None for p in parsed],
        },
        schema={"base": pl.String, "us": pl.Int64, "zoned": pl.Boolean, "clock": pl.Boolean, "yearless": pl.Boolean},
    )


def _placed(us: list[int | None], clock: list[bool | None], calendar: Calendar) -> list[int | None]:
    return [calendar.place(u) if c and u is not None else u for u, c in zip(us, clock, strict=True)]
