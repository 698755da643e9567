"""A clock that drifts out of the allowed window."""

from __future__ import annotations

from datetime import timedelta

from openclaw_forensics.result import (
    Attempts,
    Clock,
    ClockPoint,
    ConfidenceBasis,
    Details,
    Fix,
    PartyView,
    Reason,
    Result,
    RootCause,
    Step,
    Timeline,
)
from tests.report.documents.parts import (
    NOTHING,
    at,
    both,
    evidence,
    exchange,
    result,
    said,
    series,
    whole_input,
)

REASONING = (
    Reason(
        text=both("request stamps are 5 minutes behind the server's Date", "请求时间戳比服务器 Date 慢 5 分钟以上"),
        evidence=(0, 1),
    ),
)


OTHER_PARTIES = (
    PartyView(
        party="platform",
        excluded=True,
        because=both("calls with a good stamp pass", "时间戳正确的调用都成功"),
    ),
)


FIX = Fix(steps=(Step(party="erp", text=both("Set the server's clock by NTP.", "用 NTP 校准服务器时间。")),))


def _details(points: tuple[ClockPoint, ...]) -> Details:
    return Details(
        clock=Clock(
            window_past_s=300,
            window_future_s=300,
            offset_ms=-300_000,
            drift_ms_per_day=-40_000,
            points=points,
        )
    )


def clock_skew() -> Result:
    shots = [exchange(f"c-{i:03}", at(3) + timedelta(minutes=3 * i), operation="order.list") for i in range(80)]
    shots = [
        s.model_copy(
            update={"status": 403, "failed": True, "failure": "status", "root_cause": "rc1", "error_code": "error_sign"}
        )
        if i >= 50
        else s
        for i, s in enumerate(shots)
    ]
    of = whole_input(exchanges=80, failures=30)
    points = tuple(
        ClockPoint(exchange=s.id, at=s.at, offset_ms=-(200_000 + i * 2000.0), error_ms=600, ok=i < 50)
        for i, s in enumerate(shots)
    )
    cause = RootCause(
        id="rc1",
        cause="sign.timestamp_skew",
        party="erp",
        origin="configuration",
        severity="error",
        confidence=0.97,
        confidence_basis=ConfidenceBasis(proof=True, signs=2),
        platform="shopee",
        shop="A1B2",
        environment="production",
        host="partner.example.com",
        exit_address="203.0.113.9",
        operations=("order.list",),
        first_at=shots[50].at,
        last_at=shots[79].at,
        ongoing=True,
        last_good_at=shots[49].at,
        failures=30,
        attempts=(Attempts(operation="order.list", all=30, failed=30),),
        summary=NOTHING,
        reasoning=REASONING,
        evidence=tuple(evidence(s, '"error":"error_sign"') for s in shots[50:60]),
        parties=OTHER_PARTIES,
        fix=FIX,
        rule="common.clock.skew",
        details=_details(points),
    )
    return result(
        (said(cause, of),),
        of,
        exchanges=tuple(shots),
        timeline=Timeline(bucket_s=900, series=(series("order.list", [3] * 20 + [0] * 10, [0] * 20 + [3] * 10),)),
    )
