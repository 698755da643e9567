"""Pushes that the receiver acknowledges too late."""

from __future__ import annotations

from openclaw_forensics.result import Attempts, Fix, LanePath, Reason, Result, RootCause, Step
from tests.report.documents.parts import (
    NOTHING,
    at,
    both,
    evidence,
    exchange,
    headers,
    message,
    result,
    said,
    whole_input,
)

PUSHES = [
    exchange(
        f"p-{i}",
        at(3, i),
        direction="callback",
        operation="push.order_status",
        url="https://erp.example.net/hook/amazon",
        status=None if i % 2 else 200,
        failed=bool(i % 2),
        failure="no_answer" if i % 2 else None,
        transport_error="timeout" if i % 2 else None,
        transport_error_text="receiver gave no answer in 5 s" if i % 2 else None,
        root_cause="rc1" if i % 2 else None,
        path=LanePath(from_="platform", to="receiver", broken_at="receiver" if i % 2 else None),
        response=message("" if not i % 2 else None, state_reason="nginx access logs hold no bodies"),
        request=message({"event": "ORDER_STATUS", "note": "-"}, names=headers(User_Agent="platform-push")),
    )
    for i in range(8)
]


def callback() -> Result:
    pushes = PUSHES
    of = whole_input(exchanges=8, failures=4, callbacks=8)
    cause = RootCause(
        id="rc1",
        cause="webhook.slow_ack",
        party="erp",
        origin="our_defect",
        severity="error",
        confidence=0.82,
        platform="amazon",
        shop="A1B2",
        operations=("push.order_status",),
        first_at=at(3, 1),
        last_at=at(3, 7),
        ongoing=True,
        failures=4,
        attempts=(Attempts(operation="push.order_status", all=7, failed=4),),
        summary=NOTHING,
        reasoning=(Reason(text=both("4 pushes got no answer in 5 s", "4 次推送 5 秒内没有应答"), evidence=(0,)),),
        evidence=tuple(evidence(p, None) for p in pushes if p.failed),
        fix=Fix(steps=(Step(party="erp", text=both("Acknowledge first, work afterwards.", "先应答，再异步处理。")),)),
        rule="common.webhook.slow",
    )
    return result((said(cause, of),), of, exchanges=tuple(pushes))
