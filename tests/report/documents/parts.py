"""What all documents are put together from: times, names, messages, exchanges, evidence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from openclaw_forensics.report import sentences
from openclaw_forensics.result import (
    Blind,
    Check,
    Evidence,
    ExchangeView,
    FileProblem,
    Input,
    InputFile,
    Label,
    Labels,
    LanePath,
    Message,
    Redaction,
    Result,
    RootCause,
    Series,
    Shop,
    SourcePlace,
    Timezone,
    Tool,
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
