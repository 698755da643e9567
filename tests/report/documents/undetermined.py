"""One call without an answer: nobody can be named."""

from __future__ import annotations

from openclaw_forensics.report import sentences
from openclaw_forensics.result import Attempts, ConfidenceBasis, LanePath, PartyView, Reason, Result, RootCause
from tests.report.documents.parts import (
    NOTHING,
    at,
    both,
    evidence,
    exchange,
    message,
    result,
    said,
    whole_input,
)

OTHER_PARTIES = (
    PartyView(party="platform", excluded=False, because=both("its side was not recorded", "没有录到平台一侧")),
    PartyView(party="network", excluded=False, because=both("no proxy log is at hand", "没有代理日志")),
)


def undetermined() -> Result:
    silent = exchange(
        "u-1",
        at(4),
        status=None,
        failed=True,
        failure="transport",
        transport_error="timeout",
        transport_error_text="Read timed out. (read timeout=10)",
        duration_ms=10_000.0,
        root_cause="rc1",
        path=LanePath(from_="erp", to="platform", broken_at="network"),
        response=message(None, state_reason="the client gave up"),
    )
    of = whole_input(exchanges=20, failures=1)
    cause = RootCause(
        id="rc1",
        cause="net.timeout",
        party="undetermined",
        origin="unknown",
        severity="error",
        confidence=0.55,
        confidence_basis=ConfidenceBasis(signs=1, capped_by="one sign"),
        platform="amazon",
        shop="A1B2",
        operations=("order.confirm",),
        first_at=at(4),
        last_at=at(4),
        ongoing=True,
        failures=1,
        attempts=(Attempts(operation="order.confirm", all=1, failed=1),),
        summary=NOTHING,
        reasoning=(Reason(text=both("no answer within 10 s", "10 秒内没有应答"), evidence=(0,)),),
        evidence=(evidence(silent, "Read timed out"),),
        parties=OTHER_PARTIES,
        rule="common.net.timeout",
    )
    hints = sentences.Hints(missing=both("the proxy's log", "代理日志"))
    return result((said(cause, of, hints),), of, exchanges=(silent,))
