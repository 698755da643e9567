"""Amazon sellers on good days: what looks like trouble and is none."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from record.stage import Actor, Stage

SELLER = "A2GRNH4XQ7TB5D"
SKUS = ["TEA-GR-100", "TEA-GR-250", "TEA-BK-100"]
THROTTLED = {
    "errors": [
        {"code": "QuotaExceeded", "message": "You exceeded your quota for the requested resource.", "details": ""}
    ]
}


def _open(stage: Stage, log: str = "erp-amazon.log", **settings: str) -> tuple[Actor, Actor]:
    amazon = stage.platform("amazon")
    erp = stage.erp("amazon", log=log, **settings)
    erp.ask("shop", seller_id=SELLER, **amazon.ask("seller", seller_id=SELLER, skus=SKUS))
    return amazon, erp


def _round(stage: Stage, amazon: Actor, erp: Actor, step: int) -> None:
    """Search orders, read and confirm the new ones, set some stock."""
    amazon.ask("sell", seller_id=SELLER, count=step % 2)
    for number in erp.ask("pull", seller_id=SELLER):
        erp.ask("items", seller_id=SELLER, number=number)
        stage.clock.on(50)
        erp.ask("confirm", seller_id=SELLER, number=number, tracking=f"0034{340_340_000 + step * 71:012d}")
    if step % 3 == 1:
        erp.ask("stock", seller_id=SELLER, sku=SKUS[step % 3], quantity=60 - step)


def good_day(captures: Path) -> None:
    """healthy/amazon-good-day: pulls, confirmations, stock, and tokens renewed in time."""
    with Stage(captures, datetime(2026, 10, 6, 6, 58)) as stage:
        amazon, erp = _open(stage, zone="Europe/Berlin")
        stage.proxy(har="proxy.har")
        for step in range(12):
            stage.clock.at(7 + step // 4, step % 4 * 15, 3)
            _round(stage, amazon, erp, step)


def refreshed(captures: Path) -> None:
    """healthy/amazon-token-refreshed: an ERP that renews its token when a call is refused, and repeats that call."""
    with Stage(captures, datetime(2026, 10, 7, 6, 58)) as stage:
        amazon, erp = _open(stage, renew="on-refusal")
        stage.proxy()
        for step in range(14):
            stage.clock.at(7 + step // 4, step % 4 * 15, 3)
            _round(stage, amazon, erp, step)


def throttled(captures: Path) -> None:
    """healthy/amazon-throttled: two calls over the quota; each is repeated after a pause and passes."""
    with Stage(captures, datetime(2026, 10, 8, 6, 58)) as stage:
        amazon, erp = _open(stage)
        stage.proxy(dump="proxy.mitm")
        for step in range(8):
            stage.clock.at(7 + step // 4, step % 4 * 15, 3)
            if step in (2, 5):
                path = "/orders/v0/orders$" if step == 2 else "/shipmentConfirmation$"
                amazon.ask("fault", path=path, status=429, body=THROTTLED, headers={"x-amzn-RateLimit-Limit": "0.0167"})
            _round(stage, amazon, erp, step)


def probe(captures: Path) -> None:
    """healthy/amazon-existence-probe: the ERP asks whether a SKU exists, creates it where not, and reads it back."""
    with Stage(captures, datetime(2026, 10, 9, 6, 58)) as stage:
        amazon, erp = _open(stage)
        stage.proxy()
        for step, sku in enumerate([*SKUS, "TEA-WH-100", "TEA-WH-250"]):
            stage.clock.at(7, step * 4, 3)
            erp.ask("ensure", seller_id=SELLER, sku=sku)
        _round(stage, amazon, erp, 1)


def report(captures: Path) -> None:
    """healthy/amazon-report-without-data: a report over a week without returns is cancelled, as documented."""
    with Stage(captures, datetime(2026, 10, 10, 6, 58)) as stage:
        amazon, erp = _open(stage)
        stage.proxy(har="proxy.har")
        for step in range(3):
            stage.clock.at(7, step * 15, 3)
            _round(stage, amazon, erp, step)
            number = erp.ask("report", seller_id=SELLER, kind="GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA")
            for _ in range(2):
                stage.clock.on(60)
                erp.ask("report_status", seller_id=SELLER, number=number)
