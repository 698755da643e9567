"""A field that became required, and is not sent."""

from __future__ import annotations

from openclaw_forensics.result import (
    Attempts,
    Candidate,
    Change,
    ContrastView,
    Details,
    Difference,
    FieldView,
    Fix,
    Mark,
    PartyView,
    Reason,
    Result,
    RootCause,
    Step,
    Timezone,
)
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

BAD = exchange(
    "f-bad",
    at(4),
    status=400,
    failed=True,
    failure="status",
    root_cause="rc1",
    error_code="InvalidInput",
    error_message="taxId is required",
    request=message({"invoice": {"number": "8"}, "note": "-"}, names=headers(Content_Type="text/json")),
    response=message({"errors": [{"code": "InvalidInput", "message": "taxId is required"}]}, names=()),
    marks=(
        Mark(
            pointer="/request/body/invoice/taxId",
            kind="field",
            missing=True,
            why=both("required since 2026-03-17", "2026-03-17 起为必填"),
        ),
    ),
)


CHANGE = Change(
    who="platform",
    what=both("taxId is required", "要求必填 taxId"),
    announced_at="2026-02-01",
    effective_at="2026-03-17",
    source="https://docs.example.com/changes",
)


REASONING = (
    Reason(text=both("the answer names taxId as required", "应答指明 taxId 必填"), evidence=(0,)),
    Reason(text=both("calls with taxId pass", "带 taxId 的调用成功"), evidence=(1,)),
)


CONTRAST = ContrastView(
    failing="f-bad",
    good="f-good",
    basis=both("same shop, 2 hours earlier", "同一店铺，2 小时前"),
    differences=(
        Difference(pointer="/request/body/invoice/taxId", kind="only_good", good='"tax_id#1"'),
        Difference(pointer="/request/body/invoice/number", kind="changed", failing='"8"', good='"7"', expected=True),
    ),
)


DETAILS = Details(
    fields=(
        FieldView(
            pointer="/invoice/taxId",
            kind="missing",
            good='"tax_id#1"',
            candidates=(Candidate(name="taxID", score=0.93, why=both("one letter's case", "一个字母大小写不同")),),
            seen=12,
            of=42,
            first_at=at(3),
            documented=True,
            exchange="f-bad",
        ),
    )
)


def new_field() -> Result:
    good = exchange(
        "f-good",
        at(2),
        request=message(
            {"invoice": {"number": "7", "taxId": "tax_id#1"}, "note": "-"}, names=headers(Content_Type="text/json")
        ),
    )
    bad = BAD
    of = whole_input(exchanges=200, failures=30, timezone=Timezone(name="UTC", assumed=True))
    cause = RootCause(
        id="rc1",
        cause="schema.unmapped_new_field",
        party="erp",
        origin="platform_change",
        severity="error",
        confidence=0.96,
        platform="amazon",
        shop="A1B2",
        operations=("order.confirm",),
        first_at=at(4),
        last_at=at(9),
        ongoing=True,
        last_good_at=at(3, 50),
        failures=30,
        attempts=(Attempts(operation="order.confirm", all=42, failed=30),),
        change=CHANGE,
        summary=NOTHING,
        reasoning=REASONING,
        evidence=(evidence(bad, "taxId is required"), evidence(good, None, "contrast")),
        parties=(
            PartyView(
                party="network", excluded=True, because=both("the platform answered", "平台有应答"), evidence=(0,)
            ),
        ),
        contrast=CONTRAST,
        fix=Fix(
            steps=(Step(party="erp", text=both("Map taxId in the shipment request.", "在发货请求里映射 taxId。")),)
        ),
        rule="amazon.field.new",
        details=DETAILS,
    )
    return result((said(cause, of),), of, exchanges=(good, bad))
