"""Is the clock right? A request's own stamp against the server's: skew, wrong unit, wrong zone, or an old stamp.

An offset that nothing else explains is skew. A factor of 1000, or an offset that a real time zone has (quarter hours,
30 minutes or more), is the unit's or format's. The same or an old stamp is stale. One old stamp proves neither.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import polars as pl

from openclaw_forensics.diagnose.detectors import Answer, Question
from openclaw_forensics.diagnose.findings import Because, Cleared, Finding, Telling
from openclaw_forensics.diagnose.knowledge import phrase
from openclaw_forensics.diagnose.rules import pointer_of
from openclaw_forensics.link.zones import server_date
from openclaw_forensics.platforms.model import TimestampRule
from openclaw_forensics.platforms.stamps import read_stamp
from openclaw_forensics.result import Clock, ClockPoint, Details
from openclaw_forensics.words import Text, same

Row = dict[str, Any]
_ASKED = (
    "row", "exchange_id", "identity", "started_at", "duration_ms", "zone_basis", "time_quality", "request_timestamp",
    "error_message", "response_headers", "failed",
)  # fmt: skip
_QUARTER = 900.0  # seconds; zones lie on quarter hours
_ZONE_SLACK = 60.0
_SAME = 20.0  # seconds within which two offsets are the same offset
_ONE_MOMENT = timedelta(seconds=2)
_STEADY = 3  # different stamps with one offset: no queue holds every request for the same time
_MOST_GOOD = 200
_MOST_POINTS = 300
_TWO_STAMPS = re.compile(r"\b(\d{8}T\d{6}Z)\b")  # AWS SigV4 texts print the request's stamp, then the server's time


@dataclass(frozen=True, slots=True)
class _Point:
    row: int
    exchange: str
    at: datetime | None
    stamp: datetime
    raw: str
    unit: str
    offset_s: float | None  # stamp minus server clock
    fresh: bool | None  # by the log's own clock the stamp was made just before it was sent
    ok: bool


def detect(question: Question) -> Answer:
    """Per platform and sending side: measures the offset of every stamp, and names what the refused ones show."""
    findings: list[Finding] = []
    judged = 0
    for platform, pack in question.knowledge.packs.items():
        rule = pack.platform.timestamp
        if rule is None:
            continue
        rows = _rows(question, platform)
        groups: dict[object, list[_Point]] = defaultdict(list)
        for row in rows:
            point = _point(row, rule)
            if point is not None:
                groups[row["identity"]].append(point)
        for points in groups.values():
            judged += len(points)
            findings += _judge(question, platform, rule, points)
    return Answer(findings, judged)


def _rows(question: Question, platform: str) -> list[Row]:
    """All failing calls that are refused over stamp or signature, and a sample of accepted ones."""
    frame = question.frame
    causes = set(question.words("of_causes"))
    claimed = sorted({r for f in question.so_far if f.cause in causes and f.platform == platform for r in f.rows})
    accepted = frame.where(frame.is_good & (pl.col("platform") == platform))
    good = accepted.filter(pl.col("request_timestamp").is_not_null()).select("row").collect()["row"]
    sample = good.gather_every(max(1, len(good) // _MOST_GOOD)).head(_MOST_GOOD)
    return frame.take([*claimed, *sample], _ASKED).to_dicts()


def _point(row: Row, rule: TimestampRule) -> _Point | None:
    raw = str(row["request_timestamp"] or "")
    printed = _TWO_STAMPS.findall(str(row["error_message"] or "")[:2000])
    raw = raw or (printed[0] if printed else "")
    stamp = read_stamp(raw, rule) if raw else None
    if stamp is None:
        return None
    at = row["started_at"] if isinstance(row["started_at"], datetime) else None
    server = server_date(row["response_headers"])
    if server is None and len(printed) >= 2:
        server = max(datetime.strptime(p, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for p in printed[1:])
    duration = row["duration_ms"]
    half = timedelta(milliseconds=float(duration) / 2 if isinstance(duration, int | float) else 0)
    return _Point(
        row=row["row"],
        exchange=str(row["exchange_id"]),
        at=at,
        stamp=stamp.at,
        raw=raw,
        unit=stamp.unit,
        offset_s=None if server is None else (stamp.at - (server - half)).total_seconds(),
        fresh=_fresh(at, stamp.at, row),
        ok=not row["failed"],
    )


def _fresh(at: datetime | None, stamp: datetime, row: Row) -> bool | None:
    """By the writer's own clock; unknown where its zone is only assumed or its time has no seconds."""
    if at is None or row["zone_basis"] == "assumed" or row["time_quality"] not in ("exact", "second"):
        return None
    return abs((at - stamp).total_seconds()) <= _ZONE_SLACK


def _judge(question: Question, platform: str, rule: TimestampRule, points: list[_Point]) -> list[Finding]:
    bad = [p for p in points if not p.ok]
    if not bad:
        return []
    first = question.frame.failing[bad[0].row]
    build = _Builder(question, platform, rule, points, first)
    wrong_unit = [p for p in bad if _unit_differs(p, rule)]
    if wrong_unit:
        text = phrase("clock_unit", used=same(wrong_unit[0].unit), wanted=same(rule.unit))
        return [build.finding("sign.timestamp_unit", wrong_unit, "confidence_unit", (text,))]
    measured = [p for p in bad if p.offset_s is not None]
    outside = [p for p in measured if p.offset_s is not None and _outside(p.offset_s, rule, question)]
    if outside:
        return [_offset(build, outside)]
    repeated = _repeated(bad)
    if repeated:
        text = phrase("clock_stale_reused", count=len(repeated))
        return [build.finding("sign.timestamp_stale", repeated, "confidence_stale", (text,))]
    return []


def _unit_differs(point: _Point, rule: TimestampRule) -> bool:
    return rule.unit in ("s", "ms") and point.unit in ("s", "ms") and point.unit != rule.unit


def _outside(offset: float, rule: TimestampRule, question: Question) -> bool:
    past = rule.window_past_s if rule.window_past_s is not None else question.number("window_s")
    future = rule.window_future_s if rule.window_future_s is not None else past
    return offset < -past or offset > future


def _repeated(points: list[_Point]) -> list[_Point]:
    """Points whose stamp was sent again later; two calls within one second rightly carry the same one."""
    sent: dict[str, list[datetime]] = defaultdict(list)
    for point in points:
        if point.at is not None:
            sent[point.raw].append(point.at)
    return [p for p in points if p.raw in sent and max(sent[p.raw]) - min(sent[p.raw]) > _ONE_MOMENT]


def _offset(build: _Builder, outside: list[_Point]) -> Finding:
    offsets = [p.offset_s for p in outside if p.offset_s is not None]
    usual = median(offsets)
    constant = [p for p in outside if p.offset_s is not None and abs(p.offset_s - usual) <= _SAME]
    quarter = round(usual / _QUARTER) * _QUARTER
    spelled = same(span(usual))
    stale = [p for p in outside if p.fresh is False and p.at is not None and _held(p)]
    reused = _repeated(outside)
    window = build.window()
    # A proxy between the two has the right time whatever the sender's clock shows: a steady offset is the clock's.
    steady = len(constant) == len(outside) and len({p.raw for p in constant}) >= _STEADY
    if (len(stale) > len(outside) / 2 and not steady) or len(reused) > len(outside) / 2:
        text = phrase("clock_stale", age=spelled) if stale else phrase("clock_stale_reused", count=len(reused))
        return build.finding("sign.timestamp_stale", stale or reused, "confidence_stale", (text,))
    if (
        abs(quarter) >= 2 * _QUARTER
        and abs(usual - quarter) <= _ZONE_SLACK
        and quarter % (2 * _QUARTER) in (0, _QUARTER)
    ):
        text = phrase("clock_zone", offset=same(span(quarter)))
        return build.finding("sign.timestamp_unit", outside, "confidence_zone", (text,), ("sign.timestamp_skew",))
    text = phrase("clock_skew", offset=spelled, window=window)
    fresh = sum(p.fresh is True for p in outside)
    distinct = len({p.raw for p in constant})
    if distinct >= 2 or fresh:
        more = (phrase("clock_skew_points", count=len(constant)),) if distinct >= 2 else ()
        others = ("sign.timestamp_stale",) if stale else ()
        return build.finding("sign.timestamp_skew", outside, "confidence_skew", (text, *more), others)
    return build.finding("sign.timestamp_skew", outside, "confidence_one", (text,), ("sign.timestamp_stale",))


def _held(point: _Point) -> bool:
    """The writer's clock agrees with the server's, so the stamp itself was old when it was sent."""
    if point.at is None or point.offset_s is None:
        return False
    server = point.stamp - timedelta(seconds=point.offset_s)
    return abs((point.at - server).total_seconds()) <= _ZONE_SLACK and point.offset_s < 0


def span(seconds: float) -> str:
    """A signed span as hours, minutes and seconds."""
    sign, rest = ("-" if seconds < 0 else "+"), round(abs(seconds))
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{n} {u}" for n, u in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return f"{sign}{' '.join(parts) or '0 s'}"


@dataclass(frozen=True, slots=True)
class _Builder:
    question: Question
    platform: str
    rule: TimestampRule
    points: list[_Point]
    first: Row

    def window(self) -> str:
        value = self.rule.window_past_s
        return f"{value if value is not None else self.question.number('window_s'):g}"

    def finding(
        self, cause: str, shown: list[_Point], confidence: str, texts: tuple[Text, ...],
        alternatives: tuple[str, ...] = (),
    ) -> Finding:  # fmt: skip
        numbers = tuple(p.row for p in shown)
        sure = self.question.number(confidence)
        assumed = any(self.question.frame.failing[n]["zone_basis"] == "assumed" for n in numbers)
        needs_zone = all(p.offset_s is None for p in shown)
        capped = assumed and needs_zone and sure > 0.5
        return Finding(
            rule=self.question.rule.id, cause=cause, confidence=0.5 if capped else sure, platform=self.platform,
            shop=None if self.first["shop"] is None else str(self.first["shop"]),
            identity=None if self.first["identity"] is None else str(self.first["identity"]), rows=numbers,
            alternatives=alternatives, because=tuple(Because(t, numbers[:3]) for t in texts),
            cleared=(Cleared("platform", True, texts[0], numbers[:1]), Cleared("seller", True, texts[0], numbers[:1])),
            telling=tuple(Telling(n, self._pointer(), texts[0]) for n in numbers[:3]),
            details=Details(clock=self._clock()), signs=min(len({p.raw for p in shown}), 3),
            capped_by="zone assumed" if capped else None,
            sources=tuple(dict.fromkeys([*self.rule.source, *self.question.rule.source])),
        )  # fmt: skip

    def _pointer(self) -> str:
        places = self.question.knowledge.packs[self.platform].platform.places.timestamp
        return pointer_of(places[0]) if places else "/request/headers/date"

    def _clock(self) -> Clock:
        measured = [p for p in self.points if p.offset_s is not None]
        refused = [p for p in measured if not p.ok][: _MOST_POINTS - 100]
        shown = sorted([*refused, *[p for p in measured if p.ok][:100]], key=lambda p: (str(p.at), p.exchange))
        offsets = [p.offset_s for p in measured if p.offset_s is not None and not p.ok]
        return Clock(
            window_past_s=self.rule.window_past_s,
            window_future_s=self.rule.window_future_s,
            offset_ms=median(offsets) * 1000 if offsets else None,
            points=tuple(
                ClockPoint(exchange=p.exchange, at=p.at, offset_ms=(p.offset_s or 0) * 1000, error_ms=1000, ok=p.ok)
                for p in shown
            ),
        )
