"""Shopee shops: a clock that falls behind, a field that is new, and good days."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from record.stage import Actor, Stage

SHOP, OTHER = 220_417_733, 220_991_506
ITEMS = {"23904411": [101, 102], "23904412": [201], "23904413": [301, 302]}


def _open(stage: Stage, log: str, shops: tuple[int, ...] = (SHOP,), **settings: str) -> tuple[Actor, Actor]:
    shopee = stage.platform("shopee")
    erp = stage.erp("shopee", log=log, **settings)
    for shop in shops:
        erp.ask("shop", shop_id=shop, **shopee.ask("shop", shop_id=shop, items=ITEMS))
    return shopee, erp


def _round(
    stage: Stage, shopee: Actor, erp: Actor, step: int, shops: tuple[int, ...] = (SHOP,), window: int = 1200
) -> None:
    """Orders, their dispatch, and every third time some stock."""
    for shop in shops:
        if step % 2 == 0:
            shopee.ask("sell", shop_id=shop)
        stage.clock.on(3)
        for number in erp.ask("pull", shop_id=shop, window=window):
            erp.ask("ship", shop_id=shop, order_sn=number)
        if step % 3 == 2:
            erp.ask("stock", shop_id=shop, item_id=int(sorted(ITEMS)[step % len(ITEMS)]), sold=1)


def clock_skew(captures: Path) -> None:
    """From 03:00 on the ERP's machine runs seven minutes behind: resumed from a snapshot, no time service."""
    with Stage(captures, datetime(2026, 9, 14, 0, 58)) as stage:
        stage.clock.skew("erp", 0)
        shopee, erp = _open(stage, "erp-shopee.jsonl", clock="erp")
        stage.proxy()
        for step in range(15):
            stage.clock.at(1 + step * 15 // 60, step * 15 % 60, 5)
            if step == 8:
                stage.clock.skew("erp", -420)
                stage.proxy(har="proxy.har")
                stage.clock.at(3, 0, 25)
            _round(stage, shopee, erp, step)


def new_field(captures: Path) -> None:
    """From 06:00 on each model's stock carries one field more; the ERP's strict reader stops at it."""
    with Stage(captures, datetime(2026, 9, 21, 3, 58)) as stage:
        shopee, erp = _open(stage, "erp-shopee.log", zone="Asia/Singapore")
        stage.proxy()
        for step in range(16):
            stage.clock.at(4 + step * 15 // 60, step * 15 % 60, 5)
            if step == 8:
                shopee.ask("release", advance_stock={"sellable_advance_stock": 0, "in_transit_advance_stock": 0})
            if step % 2 == 0:
                shopee.ask("sell", shop_id=SHOP)
            stage.clock.on(3)
            for number in erp.ask("pull", shop_id=SHOP):
                erp.ask("ship", shop_id=SHOP, order_sn=number)
            for item in sorted(ITEMS)[: 1 + step % 2]:
                erp.ask("stock", shop_id=SHOP, item_id=int(item), sold=1)


def good_day(captures: Path) -> None:
    """healthy/shopee-good-day: orders, dispatch, stock."""
    with Stage(captures, datetime(2026, 9, 15, 0, 58)) as stage:
        shopee, erp = _open(stage, "erp-shopee.log", zone="Asia/Singapore")
        stage.proxy(har="proxy.har")
        for step in range(12):
            stage.clock.at(1 + step * 15 // 60, step * 15 % 60, 5)
            _round(stage, shopee, erp, step)


def empty_lists(captures: Path) -> None:
    """healthy/shopee-empty-lists: a quiet night; nothing was sold and nothing came back."""
    with Stage(captures, datetime(2026, 9, 16, 17, 58)) as stage:
        _, erp = _open(stage, "erp-shopee.jsonl")
        stage.proxy()
        for step in range(16):
            stage.clock.at(18 + step * 15 // 60, step * 15 % 60, 5)
            erp.ask("pull", shop_id=SHOP)
            erp.ask("returns", shop_id=SHOP)


def document_not_ready(captures: Path) -> None:
    """healthy/shopee-label-not-ready: the first download of a label is told to come later, the next one has it."""
    with Stage(captures, datetime(2026, 9, 17, 0, 58)) as stage:
        shopee, erp = _open(stage, "erp-shopee.log", zone="Asia/Singapore")
        stage.proxy()
        for step in range(6):
            stage.clock.at(1, step * 8, 5)
            sold = shopee.ask("sell", shop_id=SHOP)
            stage.clock.on(3)
            erp.ask("pull", shop_id=SHOP, window=600)
            for number in sold:
                erp.ask("ship", shop_id=SHOP, order_sn=number)
                erp.ask("label", shop_id=SHOP, order_sn=number)


def two_shops(captures: Path) -> None:
    """healthy/shopee-two-shops: each shop's pair of tokens is renewed in time, each refresh token used once."""
    with Stage(captures, datetime(2026, 9, 18, 0, 58)) as stage:
        shopee, erp = _open(stage, "erp-shopee.jsonl", (SHOP, OTHER))
        stage.proxy()
        for step in range(15):
            stage.clock.at(1 + step, 0, 5)
            if step % 3 == 2:
                for shop in (SHOP, OTHER):
                    erp.ask("refresh", shop_id=shop)
                    stage.clock.on(40)
            _round(stage, shopee, erp, step, (SHOP, OTHER), window=3900)
