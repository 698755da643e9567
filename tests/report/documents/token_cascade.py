"""The grant is gone: one refused refresh, and every later call with the old token."""

from __future__ import annotations

from openclaw_forensics.result import (
    Alternative,
    Attempts,
    ConfidenceBasis,
    ContrastView,
    Details,
    Difference,
    ExchangeView,
    Fix,
    Gap,
    PartyView,
    QuotedRequest,
    QuoteToSupport,
    Reason,
    Result,
    RootCause,
    Shop,
    Step,
    Ticket,
    Timeline,
    TimelineMark,
    TokenLife,
    TokenUse,
    Unexplained,
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
from tests.report.documents.token_calls import refresh, refused_call

REASONING = (
    Reason(
        text=both("token refresh refused: invalid_grant", "刷新令牌被拒：invalid_grant"),
        evidence=(0,),
    ),
    Reason(
        text=both("131 later 401 answers use the same old token", "其后 131 次 401 用的是同一个旧令牌"),
        evidence=(1, 2),
    ),
    Reason(
        text=both("another shop refreshes well in the same minute", "同一分钟另一店铺的刷新成功"),
        evidence=(21,),
    ),
)


OTHER_PARTIES = (
    PartyView(
        party="platform",
        excluded=True,
        because=both("another shop's calls pass in the same minute", "同一分钟另一店铺的调用成功"),
        evidence=(21,),
    ),
    PartyView(
        party="network",
        excluded=True,
        because=both("every call got the platform's own answer", "每次调用都收到了平台自己的应答"),
        evidence=(0,),
    ),
    PartyView(
        party="seller",
        excluded=False,
        because=both(
            "the seller may have revoked the grant; the code does not tell",
            "卖家也可能撤销了授权，错误码分不出来",
        ),
    ),
)


CONTRAST = ContrastView(
    failing="x-bad",
    good="x-good",
    basis=both("same shop and operation, 4 minutes earlier", "同一店铺、同一操作，4 分钟前"),
    differences=(
        Difference(pointer="/response/status", kind="changed", failing="400", good="200"),
        Difference(pointer="/response/body/error", kind="only_failing", failing='"invalid_grant"'),
        Difference(pointer="/response/body/expires_in", kind="only_good", good="3600"),
        Difference(pointer="/response/headers/Date", kind="changed", failing="06:02", good="05:58", expected=True),
    ),
)


def _fix(bad: ExchangeView, refused: list[ExchangeView]) -> Fix:
    return Fix(
        steps=(
            Step(
                party="erp",
                text=both("Re-authorise the shop, then push the orders again.", "让店铺重新授权，再补推订单。"),
            ),
            Step(
                party="erp",
                text=both("Renew the refresh token before it ends.", "在刷新令牌到期之前续期。"),
            ),
            Step(party="seller", text=both("Confirm the new authorisation.", "在后台确认新的授权。")),
        ),
        verify=(
            both("The next token refresh answers 200.", "下一次刷新令牌返回 200。"),
            both("Confirm shipment answers 2xx again.", "确认发货重新返回 2xx。"),
        ),
        sources=("https://developer-docs.example.com/authorization",),
        ticket=Ticket(
            question=both(
                "Was this refresh token ended by age or revoked, and when?",
                "这个刷新令牌是到期失效还是被撤销的？是什么时间？",
            ),
            expected=both("200 with a new access token", "返回 200 和新的访问令牌"),
            actual=both("400 invalid_grant", "400 invalid_grant"),
            exchange="x-bad",
        ),
        quote_to_support=QuoteToSupport(
            requests=tuple(
                QuotedRequest(id=r.request_id or "", at=r.at, status=r.status, exchange=r.id)
                for r in (bad, *refused[:7])
            )
        ),
    )


def _details(refused: list[ExchangeView]) -> Details:
    return Details(
        tokens=(
            TokenLife(
                name="refresh_token#1",
                kind="refresh_token",
                issued_at=at(2),
                expires_at=at(6),
                basis="derived",
                uses=(
                    TokenUse(exchange="x-good", at=at(5, 58), ok=True),
                    TokenUse(exchange="x-bad", at=at(6, 2, 11), ok=False),
                ),
            ),
            TokenLife(
                name="access_token#1",
                kind="access_token",
                issued_at=at(5, 58),
                expires_at=at(6, 58),
                basis="issued",
                uses=tuple(TokenUse(exchange=r.id, at=r.at, ok=False) for r in refused[:12]),
            ),
            TokenLife(name="access_token#2", kind="access_token", basis="unknown", issued_at=at(7)),
        )
    )


def _timeline(ok: list[int], failed: list[int]) -> Timeline:
    return Timeline(
        bucket_s=180,
        series=(
            series("order.confirm", ok, failed),
            series("token.refresh", [1] * 100 + [0] * 81, [0] * 100 + [1] * 12 + [0] * 69),
            series("order.list", [5, 9, 14, 9] * 45 + [2], [0] * 181),
        ),
        gaps=(Gap(from_=at(8), to=at(8, 30)),),
        marks=(
            TimelineMark(at=at(6, 2, 11), kind="onset", text=both("first refusal", "首次被拒"), root_cause="rc1"),
            TimelineMark(at=at(5, 30), kind="deploy", text=both("ERP 8.2 deployed", "ERP 发布 8.2")),
        ),
    )


def token_cascade() -> Result:
    good, bad = refresh("x-good", at(5, 58), True), refresh("x-bad", at(6, 2, 11.123), False)
    refused = [refused_call(f"x-{i:03}", at(6, 2, 20 + i * 7), 1231 + i * 3) for i in range(40)]
    other = exchange("x-other", at(6, 2, 30), shop="C3D4", operation="token.refresh", status=200)
    of = whole_input(shops=(Shop(platform="amazon", shop="A1B2"), Shop(platform="amazon", shop="C3D4")))
    proof = (
        evidence(bad, '"error":"invalid_grant"'),
        *(evidence(r, "401 Unauthorized", "symptom") for r in refused[:20]),
        evidence(other, "200 access_token", "contrast"),
        evidence(good, "200 access_token", "contrast"),
    )
    cause = RootCause(
        id="rc1",
        cause="auth.refresh_token_expired",
        party="erp",
        origin="our_defect",
        severity="error",
        confidence=0.87,
        confidence_basis=ConfidenceBasis(signs=3),
        platform="amazon",
        environment="production",
        region="na",
        app="amzn1.app.7",
        shop="A1B2",
        host="api.example.com",
        operations=("token.refresh",),
        first_at=at(6, 2, 11.123),
        last_at=at(9, 58),
        ongoing=True,
        last_good_at=at(5, 58),
        failures=12,
        explains=131,
        attempts=(
            Attempts(operation="token.refresh", all=12, failed=12),
            Attempts(operation="order.confirm", all=131, failed=131),
        ),
        summary=NOTHING,
        reasoning=REASONING,
        evidence=proof,
        parties=OTHER_PARTIES,
        contrast=CONTRAST,
        fix=_fix(bad, refused),
        rule="amazon.token.refresh-expired",
        alternatives=(Alternative(cause="auth.authorization_revoked", party="seller"),),
        details=_details(refused),
    )
    cause = said(cause, of)
    ok, failed = [3] * 100 + [0] * 81, [0] * 101 + [1] * 11 + [3] * 40 + [0] * 29
    return result(
        (cause,),
        of,
        exchanges=(good, bad, *refused, other),
        unexplained=Unexplained(failures=7, samples=(evidence(refused[30], "502 Bad Gateway"),)),
        timeline=_timeline(ok, failed),
        case={"erp": "AcmeERP", "symptom": "发货确认失败", "tried": ["重启", "换网络"]},
    )
