"""A Shopify shop and an ERP written for Node."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from record.stage import Actor, Stage


def _day(stage: Stage, shop: Actor, erp: Actor, hour: int, rounds: int, bad: int | None = None) -> None:
    for step in range(rounds):
        stage.clock.at(hour + step // 6, step % 6 * 10, 4)
        if step == bad:
            shop.ask("fault", path="/admin/api/2026-07/orders.json", status=503)
        if step % 2:
            erp.ask("order", id=shop.ask("sell")["id"])
        erp.ask("pull", since=f"{stage.clock.now():%Y-%m-%dT}{hour - 1:02d}:50:00+00:00")
        if step % 3 == 2:
            erp.ask("stock", item=49_148_385 + step, available=12 - step)


def healed(captures: Path) -> None:
    """healthy/shopify-503-healed: one 503; the client's own retry after two seconds passes."""
    with Stage(captures, datetime(2026, 10, 13, 7, 58)) as stage:
        shop, erp = _open(stage)
        _day(stage, shop, erp, 8, 12, bad=5)


def deprecated(captures: Path) -> None:
    """healthy/shopify-deprecation-header: every answer announces an end; nothing fails."""
    with Stage(captures, datetime(2026, 10, 14, 7, 58)) as stage:
        shop, erp = _open(stage)
        shop.ask("deprecate")
        _day(stage, shop, erp, 8, 9)


def _open(stage: Stage) -> tuple[Actor, Actor]:
    shop = stage.platform("shopify")
    stage.proxy()
    erp = stage.node("shopify.cjs")  # reads the proxy's certificate when it starts
    erp.ask("credentials", **shop.ask("credentials"))
    return shop, erp
