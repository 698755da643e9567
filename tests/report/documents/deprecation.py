"""Nothing failed yet: an announced end."""

from __future__ import annotations

from openclaw_forensics.result import Change, Fix, Notice, Result, RootCause, Step
from tests.report.documents.parts import NOTHING, at, both, evidence, exchange, result, said, whole_input


def deprecation() -> Result:
    of = whole_input(failures=0)
    shown = exchange("d-1", at(2))
    what = both("The v0 orders API", "订单接口 v0 ")
    cause = RootCause(
        id="rc1",
        cause="api.deprecation_ahead",
        party="erp",
        origin="platform_change",
        severity="warning",
        confidence=0.98,
        platform="amazon",
        shop="A1B2",
        operations=("order.confirm",),
        first_at=at(2),
        last_at=at(2),
        affected=40,
        change=Change(who="platform", what=what, announced_at="2026-01-10", effective_at="2026-09-30"),
        summary=NOTHING,
        evidence=(evidence(shown, None),),
        fix=Fix(steps=(Step(party="erp", text=both("Move to the v2026 orders API.", "改用订单接口 v2026。")),)),
        rule="amazon.api.v0-end",
    )
    notice = Notice(id="amazon.api.v0-end", text=both("v0 ends on 2026-09-30", "v0 将于 2026-09-30 停用"), at=at(2))
    return result((said(cause, of),), of, exchanges=(shown,), notices=(notice,))
