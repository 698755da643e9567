"""Documents that give no verdict: sound, healed, unread, unexplained."""

from __future__ import annotations

from openclaw_forensics.report import sentences
from openclaw_forensics.result import (
    Alternative,
    Assumption,
    Attempts,
    FileProblem,
    Input,
    InputFile,
    Labels,
    Redaction,
    Result,
    RootCause,
    Timeline,
    Timezone,
    Unexplained,
    Verdict,
)
from tests.report.documents.parts import NOTHING, at, both, evidence, exchange, result, said, series, whole_input
from tests.report.documents.token_cascade import token_cascade


def sound() -> Result:
    of = whole_input(failures=0)
    shown = tuple(exchange(f"s-{i}", at(2, i)) for i in range(3))
    return result(
        (), of, exchanges=shown, timeline=Timeline(bucket_s=3600, series=(series("order.list", [9] * 9, [0] * 9),))
    )


def self_healed() -> Result:
    of = whole_input(failures=3)
    first = exchange(
        "h-1",
        at(2),
        status=429,
        failed=True,
        failure="status",
        root_cause="rc1",
        recovered=True,
        error_code="QuotaExceeded",
    )
    cause = RootCause(
        id="rc1",
        cause="rate.throttled",
        party="erp",
        origin="our_defect",
        severity="info",
        confidence=0.9,
        platform="amazon",
        shop="A1B2",
        first_at=at(2),
        last_at=at(2),
        recovered_at=at(2, 1),
        recovered_by="client",
        failures=3,
        attempts=(Attempts(operation="order.confirm", all=50, failed=3),),
        summary=NOTHING,
        evidence=(evidence(first, "429"),),
        rule="common.rate.throttled",
    )
    return result((said(cause, of),), of, exchanges=(first,))


def nothing_read() -> Result:
    of = Input(
        files=(
            InputFile(
                path="captures/photo.log",
                bytes=12,
                problems=(FileProblem(kind="unrecognised", message="text in no format known to us"),),
            ),
        ),
        assumptions=(Assumption(kind="zone", text=both("times are taken as UTC", "时间按 UTC 处理")),),
        timezone=Timezone(name="UTC", assumed=True),
        scope=both("1 of 1 files could not be read.", "1 个文件中有 1 个没有读出来。"),
    )
    return result((), of, checks=(), labels=Labels(), redaction=Redaction())


def unknown_majority() -> Result:
    made = token_cascade()
    samples = tuple(evidence(e, "500 system error") for e in made.exchanges[5:8])
    verdict = Verdict(
        root_cause=None,
        cause="unknown.unclassified",
        party="undetermined",
        origin="unknown",
        severity="error",
        confidence=0.3,
        summary=NOTHING,
        alternatives=(Alternative(cause="auth.refresh_token_expired", party="erp"),),
    )
    cause = made.root_causes[0].model_copy(update={"failures": 10, "explains": 0})
    made = made.model_copy(
        update={
            "verdict": verdict,
            "root_causes": (cause,),
            "unexplained": Unexplained(failures=140, samples=samples),
        }
    )
    return made.model_copy(update={"verdict": verdict.model_copy(update={"summary": sentences.verdict_summary(made)})})
