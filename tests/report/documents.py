"""Result documents to render: one per kind of verdict, with the parts that such a verdict has."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from openclaw_forensics.report import sentences
from openclaw_forensics.result import (
    Alternative,
    Assumption,
    Attempts,
    Blind,
    Candidate,
    Change,
    Check,
    Clock,
    ClockPoint,
    ConfidenceBasis,
    ContrastView,
    Details,
    Difference,
    Evidence,
    ExchangeView,
    FieldView,
    FileProblem,
    Fix,
    Gap,
    Hidden,
    Input,
    InputFile,
    Label,
    Labels,
    LanePath,
    Mark,
    Message,
    Notice,
    PartyView,
    QuotedRequest,
    QuoteToSupport,
    Reason,
    Redaction,
    Result,
    RootCause,
    Series,
    Shop,
    SourcePlace,
    Step,
    Ticket,
    Timeline,
    TimelineMark,
    Timezone,
    TokenLife,
    TokenUse,
    Tool,
    Unexplained,
    Verdict,
)
from openclaw_forensics.words import Text, same

DAY = datetime(2026, 3, 17, tzinfo=UTC)
NOTHING = same("")


def at(hour: int, minute: int = 0, second: float = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute, seconds=second)


def both(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


def label(en: str, zh: str, plain_en: str = "", plain_zh: str = "") -> Label:
    return Label(name=both(en, zh), plain=both(plain_en, plain_zh))


PARTIES = {
    "seller": label("Seller", "卖家"),
    "erp": label("ERP", "ERP"),
    "platform": label("Platform", "平台"),
    "network": label("Network", "网络"),
    "carrier": label("Carrier", "物流服务商"),
    "undetermined": label("Evidence insufficient", "证据不足"),
}
ORIGINS = {
    "our_defect": label("a defect on our side", "我方缺陷"),
    "configuration": label("configuration", "配置"),
    "platform_change": label("a change on the platform", "平台变更"),
    "platform_fault": label("a fault of the platform", "平台故障"),
    "network_policy": label("network policy", "网络策略"),
    "unknown": label("unknown", "未知"),
}
PLATFORMS = {"amazon": label("Amazon", "亚马逊"), "shopee": label("Shopee", "虾皮")}
OPERATIONS = {
    "order.confirm": label("Confirm shipment", "确认发货", "confirm shipment", "确认发货"),
    "order.list": label("List orders", "同步订单", "order sync", "同步订单"),
    "stock.update": label("Update stock", "库存同步", "stock sync", "库存同步"),
    "token.refresh": label("Refresh token", "刷新令牌", "token refresh", "刷新令牌"),
    "push.order_status": label("Order status push", "订单状态推送", "order status events", "订单状态"),
}
CAUSES = {
    "auth.refresh_token_expired": label(
        "expired refresh token", "刷新令牌过期", "the refresh token is past its life", "刷新令牌已过期"
    ),
    "auth.access_token_expired": label("expired access token", "访问令牌过期"),
    "auth.authorization_revoked": label("revoked grant", "撤销授权"),
    "sign.timestamp_skew": label(
        "clock offset", "时钟偏移", "the caller's clock is slow", "服务器时间慢了，时间戳超出时间窗口"
    ),
    "schema.unmapped_new_field": label(
        "unmapped new field",
        "新增必填字段未映射",
        "a newly required field is not mapped",
        "平台新增的必填字段没有映射",
    ),
    "webhook.slow_ack": label(
        "late acknowledgement",
        "应答过慢",
        "our receiver answers later than the platform waits",
        "接收端应答太慢，超过平台的等待时间",
    ),
    "net.timeout": label("timeout", "等待应答超时", "no answer came within the client's limit", "客户端等待应答超时"),
    "rate.throttled": label("throttling", "限流", "calls come faster than the quota allows", "调用频率超过配额"),
    "api.deprecation_ahead": label("deprecation ahead", "弃用预告"),
    "unknown.unclassified": label("unclassified failure", "未能归类的失败"),
}
LABELS = Labels(causes=CAUSES, parties=PARTIES, origins=ORIGINS, operations=OPERATIONS, platforms=PLATFORMS)
TOOL = Tool(version="0.1.0", rules_version="2026.03.15")
ERP_LOG = "captures/erp.log"
FILES = (
    InputFile(
        path=ERP_LOG,
        sha256="9f2c" * 16,
        format="erp_log",
        writer="okhttp",
        bytes=1_204_311,
        exchanges=398,
        records=12,
        clock_offset_ms=-412.0,
    ),
    InputFile(
        path="captures/broken.har",
        sha256="11aa" * 16,
        format="har",
        bytes=88_121,
        problems=(FileProblem(kind="truncated", line=1, offset=88_120, message="the file ends inside an entry"),),
    ),
)


def headers(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", "-"), value) for name, value in values.items())


def message(body: object = None, *, names: tuple[tuple[str, str], ...] | None = None, **more: Any) -> Message:
    text = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
    state = "recorded" if text else "empty" if text == "" else "not_recorded"
    values: dict[str, Any] = {
        "headers": names,
        "headers_state": "recorded" if names is not None else "not_recorded",
        "body": text,
        "body_state": state,
        "body_size": len(text.encode()) if text is not None else None,
    }
    return Message(**(values | more))


def exchange(ident: str, when: datetime, **more: Any) -> ExchangeView:
    values: dict[str, Any] = {
        "id": ident,
        "platform": "amazon",
        "environment": "production",
        "app": "amzn1.app.7",
        "shop": "A1B2",
        "operation": "order.confirm",
        "direction": "out",
        "at": when,
        "duration_ms": 212.4,
        "method": "POST",
        "url": "https://sellingpartnerapi-na.example.com/orders/v0/orders/902-3159896-1390916/shipmentConfirmation",
        "status": 200,
        "request_id": f"rq-{ident}",
        "path": LanePath(from_="erp", to="platform"),
        "request": message({"packageDetail": {"trackingNumber": "1Z999", "note": "-"}}, names=headers(Accept="*/*")),
        "response": message({"note": "-"}, names=headers(Content_Type="application/json")),
        "sources": (
            SourcePlace(file=ERP_LOG, line=1200, locator="lines:1200-1204", raw_stamp=f"{when:%Y-%m-%d %H:%M:%S},123"),
        ),
    }
    return ExchangeView(**(values | more))


def evidence(view: ExchangeView, quote: str | None, role: Any = "cause", line: int | None = None) -> Evidence:
    source = view.sources[0]
    return Evidence(
        exchange=view.id,
        file=source.file,
        line=line or source.line,
        locator=source.locator,
        at=view.at,
        method=view.method,
        url=view.url,
        status=view.status,
        quote=quote,
        role=role,
    )


def series(operation: str, ok: list[int], failed: list[int], direction: str = "out") -> Series:
    return Series(
        platform="amazon",
        shop="A1B2",
        operation=operation,
        direction=direction,
        start=at(1),
        ok=tuple(ok),
        failed=tuple(failed),
    )


def whole_input(**more: Any) -> Input:
    values: dict[str, Any] = {
        "files": FILES,
        "exchanges": 398,
        "failures": 150,
        "records": 12,
        "first_at": at(1),
        "last_at": at(10),
        "platforms": ("amazon",),
        "environments": ("production",),
        "shops": (Shop(platform="amazon", shop="A1B2"),),
        "timezone": Timezone(name="Asia/Shanghai", assumed=False),
    }
    return Input(**(values | more))


BLIND = (
    Blind(
        what=both("callbacks from the platform", "平台的回调"),
        how_to_capture=both("Record the receiver's access log with bodies.", "请录制接收端的访问日志（含请求体）。"),
    ),
)
CHECKS = (
    Check(rule="amazon.token.refresh-expired", cause="auth.refresh_token_expired", result="hit", exchanges=12),
    Check(rule="common.clock.skew", cause="sign.timestamp_skew", result="sound", exchanges=398),
    Check(rule="common.rate.throttled", cause="rate.throttled", result="sound", exchanges=398),
    Check(rule="common.webhook.slow", cause="webhook.slow_ack", result="not_applicable", missing=("callback",)),
)


def said(cause: RootCause, of: Input, hints: sentences.Hints | None = None) -> RootCause:
    return cause.model_copy(update={"summary": sentences.root_cause_summary(cause, LABELS, of, hints)})


def result(causes: tuple[RootCause, ...], of: Input, **more: Any) -> Result:
    first = causes[0] if causes and causes[0].severity != "info" else None
    verdict = None
    if first is not None:
        verdict = Verdict(
            root_cause=first.id,
            cause=first.cause,
            party=first.party,
            origin=first.origin,
            severity=first.severity,
            confidence=first.confidence,
            summary=first.summary,
            alternatives=first.alternatives,
        )
    values: dict[str, Any] = {
        "tool": TOOL,
        "options": {"timezone": "Asia/Shanghai"},
        "input": of,
        "labels": LABELS,
        "verdict": verdict,
        "root_causes": causes,
        "checks": CHECKS,
        "blind": BLIND,
        "redaction": Redaction(hidden={"access_token": 2, "refresh_token": 1, "name": 14}),
    }
    made = Result(**(values | more))
    if made.verdict is None:
        return made
    return made.model_copy(
        update={"verdict": made.verdict.model_copy(update={"summary": sentences.verdict_summary(made)})}
    )


def _refresh(ident: str, when: datetime, ok: bool) -> ExchangeView:
    form = "grant_type=refresh_token&refresh_token=refresh_token#1&client_id=amzn1.app.7"
    start = form.index("refresh_token#1")
    answer: dict[str, object] = {"error": "invalid_grant", "error_description": "The refresh token has expired", "n": 1}
    if ok:
        answer = {"access_token": "access_token#1", "expires_in": 3600}
    text = json.dumps(answer)
    pill = Hidden(pointer="/body", start=start, end=start + 15, name="refresh_token#1", length=342)
    token = text.find("access_token#1")
    issued = (Hidden(pointer="/body", start=token, end=token + 14, name="access_token#1", length=402),) if ok else ()
    marks = (
        Mark(
            pointer="/response/body/error",
            kind="code",
            why=both("the code that names the dead token", "说明令牌失效的错误码"),
        ),
        Mark(
            pointer="/request/body/refresh_token",
            kind="value",
            why=both("the same token as at 13:58", "与 13:58 所用的是同一个令牌"),
        ),
    )
    return exchange(
        ident,
        when,
        operation="token.refresh",
        url="https://api.example.com/auth/o2/token",
        status=200 if ok else 400,
        failed=not ok,
        failure=None if ok else "status",
        root_cause=None if ok else "rc1",
        error_code=None if ok else "invalid_grant",
        error_message=None if ok else "The refresh token has expired",
        attempt=1 if ok else 2,
        duration_ms=412.0,
        request=message(
            form, names=headers(Content_Type="application/x-www-form-urlencoded", User_Agent="erp/8.2"), hidden=(pill,)
        ),
        response=message(
            answer, names=headers(Content_Type="application/json", Date="Tue, 17 Mar 2026 06:02:11 GMT"), hidden=issued
        ),
        marks=() if ok else marks,
        stack=None
        if ok
        else "com.acme.erp.AuthException: invalid_grant\n\tat com.acme.erp.Auth.refresh(Auth.java:88)\n"
        + "".join(f"\tat okhttp3.internal.Call.step{i}(Call.java:{i})\n" for i in range(9))
        + "\tat com.acme.erp.Job.run(Job.java:12)",
        sources=(
            SourcePlace(
                file=ERP_LOG,
                line=1100 if ok else 1204,
                locator="lines:1204-1210",
                raw_stamp=f"{when + timedelta(hours=8):%Y-%m-%d %H:%M:%S},123",
            ),
        ),
    )


def _refused(ident: str, when: datetime, line: int) -> ExchangeView:
    return exchange(
        ident,
        when,
        status=401,
        failed=True,
        failure="status",
        root_cause="rc1",
        error_code="Unauthorized",
        error_message="The access token you provided has expired.",
        request=message(
            {"marketplaceId": "ATVPDKIKX0DER", "orderNumber": 12345678901234567890, "note": "-"},
            names=(("Authorization", "Bearer access_token#1"), ("x-amz-date", f"{when:%Y%m%dT%H%M%SZ}")),
            hidden=(Hidden(pointer="/headers/0", start=7, end=21, name="access_token#1", length=402),),
        ),
        response=message(
            {"errors": [{"code": "Unauthorized", "message": "The access token you provided has expired."}]},
            names=headers(Content_Type="application/json"),
        ),
        sources=(SourcePlace(file=ERP_LOG, line=line, locator=f"lines:{line}-{line + 4}", raw_stamp=f"{when:%H:%M}"),),
    )


def token_cascade() -> Result:
    good, bad = _refresh("x-good", at(5, 58), True), _refresh("x-bad", at(6, 2, 11.123), False)
    refused = [_refused(f"x-{i:03}", at(6, 2, 20 + i * 7), 1231 + i * 3) for i in range(40)]
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
        reasoning=(
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
        ),
        evidence=proof,
        parties=(
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
        ),
        contrast=ContrastView(
            failing="x-bad",
            good="x-good",
            basis=both("same shop and operation, 4 minutes earlier", "同一店铺、同一操作，4 分钟前"),
            differences=(
                Difference(pointer="/response/status", kind="changed", failing="400", good="200"),
                Difference(pointer="/response/body/error", kind="only_failing", failing='"invalid_grant"'),
                Difference(pointer="/response/body/expires_in", kind="only_good", good="3600"),
                Difference(
                    pointer="/response/headers/Date", kind="changed", failing="06:02", good="05:58", expected=True
                ),
            ),
        ),
        fix=Fix(
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
        ),
        rule="amazon.token.refresh-expired",
        alternatives=(Alternative(cause="auth.authorization_revoked", party="seller"),),
        details=Details(
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
        ),
    )
    cause = said(cause, of)
    ok, failed = [3] * 100 + [0] * 81, [0] * 101 + [1] * 11 + [3] * 40 + [0] * 29
    return result(
        (cause,),
        of,
        exchanges=(good, bad, *refused, other),
        unexplained=Unexplained(failures=7, samples=(evidence(refused[30], "502 Bad Gateway"),)),
        timeline=Timeline(
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
        ),
        case={"erp": "AcmeERP", "symptom": "发货确认失败", "tried": ["重启", "换网络"]},
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
        reasoning=(
            Reason(
                text=both(
                    "request stamps are 5 minutes behind the server's Date", "请求时间戳比服务器 Date 慢 5 分钟以上"
                ),
                evidence=(0, 1),
            ),
        ),
        evidence=tuple(evidence(s, '"error":"error_sign"') for s in shots[50:60]),
        parties=(
            PartyView(
                party="platform",
                excluded=True,
                because=both("calls with a good stamp pass", "时间戳正确的调用都成功"),
            ),
        ),
        fix=Fix(steps=(Step(party="erp", text=both("Set the server's clock by NTP.", "用 NTP 校准服务器时间。")),)),
        rule="common.clock.skew",
        details=Details(
            clock=Clock(
                window_past_s=300,
                window_future_s=300,
                offset_ms=-300_000,
                drift_ms_per_day=-40_000,
                points=points,
            )
        ),
    )
    return result(
        (said(cause, of),),
        of,
        exchanges=tuple(shots),
        timeline=Timeline(bucket_s=900, series=(series("order.list", [3] * 20 + [0] * 10, [0] * 20 + [3] * 10),)),
    )


def new_field() -> Result:
    good = exchange(
        "f-good",
        at(2),
        request=message(
            {"invoice": {"number": "7", "taxId": "tax_id#1"}, "note": "-"}, names=headers(Content_Type="text/json")
        ),
    )
    bad = exchange(
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
        change=Change(
            who="platform",
            what=both("taxId is required", "要求必填 taxId"),
            announced_at="2026-02-01",
            effective_at="2026-03-17",
            source="https://docs.example.com/changes",
        ),
        summary=NOTHING,
        reasoning=(
            Reason(text=both("the answer names taxId as required", "应答指明 taxId 必填"), evidence=(0,)),
            Reason(text=both("calls with taxId pass", "带 taxId 的调用成功"), evidence=(1,)),
        ),
        evidence=(evidence(bad, "taxId is required"), evidence(good, None, "contrast")),
        parties=(
            PartyView(
                party="network", excluded=True, because=both("the platform answered", "平台有应答"), evidence=(0,)
            ),
        ),
        contrast=ContrastView(
            failing="f-bad",
            good="f-good",
            basis=both("same shop, 2 hours earlier", "同一店铺，2 小时前"),
            differences=(
                Difference(pointer="/request/body/invoice/taxId", kind="only_good", good='"tax_id#1"'),
                Difference(
                    pointer="/request/body/invoice/number", kind="changed", failing='"8"', good='"7"', expected=True
                ),
            ),
        ),
        fix=Fix(
            steps=(Step(party="erp", text=both("Map taxId in the shipment request.", "在发货请求里映射 taxId。")),)
        ),
        rule="amazon.field.new",
        details=Details(
            fields=(
                FieldView(
                    pointer="/invoice/taxId",
                    kind="missing",
                    good='"tax_id#1"',
                    candidates=(
                        Candidate(name="taxID", score=0.93, why=both("one letter's case", "一个字母大小写不同")),
                    ),
                    seen=12,
                    of=42,
                    first_at=at(3),
                    documented=True,
                    exchange="f-bad",
                ),
            )
        ),
    )
    return result((said(cause, of),), of, exchanges=(good, bad))


def callback() -> Result:
    pushes = [
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
        parties=(
            PartyView(party="platform", excluded=False, because=both("its side was not recorded", "没有录到平台一侧")),
            PartyView(party="network", excluded=False, because=both("no proxy log is at hand", "没有代理日志")),
        ),
        rule="common.net.timeout",
    )
    hints = sentences.Hints(missing=both("the proxy's log", "代理日志"))
    return result((said(cause, of, hints),), of, exchanges=(silent,))


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


def several_causes() -> Result:
    first, second = token_cascade(), clock_skew()
    other = second.root_causes[0].model_copy(update={"id": "rc2", "cause": "rate.throttled", "severity": "error"})
    other = said(other, first.input)
    renamed = tuple(e.model_copy(update={"root_cause": "rc2"}) if e.failed else e for e in second.exchanges)
    return result(
        (first.root_causes[0], other),
        whole_input(failures=180),
        exchanges=first.exchanges + renamed,
        timeline=first.timeline,
        unexplained=first.unexplained,
    )


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


DOCUMENTS: dict[str, Callable[[], Result]] = {
    made.__name__: made
    for made in (
        token_cascade,
        clock_skew,
        new_field,
        callback,
        undetermined,
        sound,
        self_healed,
        nothing_read,
        unknown_majority,
        several_causes,
        deprecation,
    )
}
