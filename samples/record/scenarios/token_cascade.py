"""A seller withdraws the authorisation in the middle of a working day; another seller's shop goes on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from record.stage import Stage

NORTH, SOUTH = "A3NRTH7QK2VLM9", "A1SDT4PX8WZC6E"
SKUS = {NORTH: ["NL-LAMP-01", "NL-LAMP-02", "NL-SHADE-07"], SOUTH: ["SG-POT-11", "SG-POT-12"]}


def record(captures: Path) -> None:
    """From 06:00 to 12:00 UTC; the authorisation goes at 09:41, the last good token ends before 10:00."""
    with Stage(captures, datetime(2026, 11, 18, 5, 58)) as stage:
        amazon = stage.platform("amazon")
        stage.proxy()
        erp = stage.erp("amazon", zone="Asia/Shanghai")
        for seller, skus in SKUS.items():
            erp.ask("shop", seller_id=seller, **amazon.ask("seller", seller_id=seller, skus=skus))
        waiting: dict[str, list[str]] = {NORTH: [], SOUTH: []}
        for seller in SKUS:
            amazon.ask("sell", seller_id=seller, count=3)
        for step in range(36):  # every ten minutes
            hour, minute = divmod(360 + step * 10, 60)
            if (hour, minute) == (9, 40):
                stage.proxy(dump="proxy.mitm")  # somebody looks at the traffic from here on
            stage.clock.at(hour, minute, 2)
            for seller in SKUS:
                if step % 2 == (seller == SOUTH):
                    amazon.ask("sell", seller_id=seller)
                fresh = [n for n in erp.ask("pull", seller_id=seller) if n not in waiting[seller]]
                for number in fresh:
                    erp.ask("items", seller_id=seller, number=number)
                waiting[seller] += fresh
                stage.clock.on(4)
            if (hour, minute) == (9, 40):
                amazon.ask("revoke", seller_id=NORTH)
            if step % 3 == 1:
                stage.clock.at(hour, minute + 3, 11)
                for seller, skus in SKUS.items():
                    erp.ask("stock", seller_id=seller, sku=skus[step % len(skus)], quantity=40 - step)
            if step % 2 == 1:
                stage.clock.at(hour, minute + 5, 30)
                for place, seller in enumerate(SKUS):
                    number, parcel = waiting[seller][0], 340_340_000 + step * 137 + place
                    if erp.ask("confirm", seller_id=seller, number=number, tracking=f"0034{parcel:012d}"):
                        waiting[seller].remove(number)
                    stage.clock.on(2)
