"""Deliveries of a shop's events to the receiver, tried again as Shopify does; the last change is the scenario's."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from record.receiver import LOGIN, OPEN
from record.stage import Actor, Stage

HOST, PATH = "hooks.lumen-erp.example", "/webhooks/shopify/orders"
AGAIN = (20, 90, 300, 900, 1800, 3600)  # seconds after a failure; Shopify: 8 times within 4 hours, at growing distance
Happening = tuple[datetime, Callable[[], object]]


def play(stage: Stage, shop: Actor, sales: list[datetime], happenings: Sequence[Happening], end: datetime) -> None:
    """Sell at these times, deliver each event and its retries, and let things happen in between."""
    queue: list[tuple[datetime, int, str, object, str | None, int]] = []
    counter = 0
    for at in sales:
        heapq.heappush(queue, (at, counter := counter + 1, "sale", None, None, 0))
    for at, work in happenings:
        heapq.heappush(queue, (at, counter := counter + 1, "happening", work, None, 0))
    while queue and queue[0][0] < end:
        at, _, kind, thing, delivery, tries = heapq.heappop(queue)
        stage.clock.set(max(at, stage.clock.now()))
        if kind == "happening":
            assert callable(thing)
            thing()
            continue
        event = shop.ask("sell") if kind == "sale" else thing
        done = shop.ask(
            "push", to=HOST, path=PATH, port=stage.proxy_port, topic="orders/create", event=event, delivery=delivery
        )
        if done["status"] not in range(200, 300) and tries < len(AGAIN):
            then = at + timedelta(seconds=AGAIN[tries])
            heapq.heappush(queue, (then, counter := counter + 1, "again", event, done["delivery"], tries + 1))


def _at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime.fromisoformat(f"2026-10-21T{hour:02d}:{minute:02d}:{second:02d}+00:00")


def redirected(captures: Path) -> None:
    """callback-without-effect: from 10:00 on a new login wall covers the callbacks' address too."""
    with Stage(captures, datetime(2026, 10, 21, 7, 55)) as stage:
        shop = stage.platform("shopify")
        stage.receiver(shop.ask("credentials")["secret"], OPEN)
        stage.proxy(dump="receiver.mitm", reverse=stage.receiver_address)
        sales = [_at(8 + n // 4, n % 4 * 15 + 3, 7 * n % 60) for n in range(16)]
        play(stage, shop, sales, [(_at(10, 0), lambda: stage.reconfigure(LOGIN))], _at(13, 0))


def redelivered(captures: Path) -> None:
    """healthy/callback-redelivered: the application fails for a minute; each event is delivered again and accepted."""
    with Stage(captures, datetime(2026, 10, 22, 7, 55)) as stage:
        shop = stage.platform("shopify")
        broken = stage.receiver(shop.ask("credentials")["secret"], OPEN, combined=False)
        stage.proxy(har="receiver.har", reverse=stage.receiver_address)
        day = timedelta(days=1)
        sales = [_at(8, n * 6, 11) + day for n in range(10)]
        moments = [(_at(8, 24, 5) + day, broken.touch), (_at(8, 25, 5) + day, broken.unlink)]
        play(stage, shop, sales, moments, _at(9, 30) + day)


def scanned(captures: Path) -> None:
    """healthy/scanner-noise: strangers look for holes while genuine callbacks are accepted."""
    with Stage(captures, datetime(2026, 10, 23, 7, 55)) as stage:
        shop = stage.platform("shopify")
        stage.receiver(shop.ask("credentials")["secret"], OPEN)
        stage.proxy(reverse=stage.receiver_address)
        day = timedelta(days=2)
        visits = [(_at(8, 1 + 5 * n) + day, partial(_scan, stage, n)) for n in range(8)]
        play(stage, shop, [_at(8, n * 4, 40) + day for n in range(12)], visits, _at(9, 0) + day)


SCANS = (
    ("GET", "/.env", "Mozilla/5.0 zgrab/0.x"), ("GET", "/wp-login.php", "Mozilla/5.0 (compatible; CensysInspect/1.1)"),
    ("POST", "/boaform/admin/formLogin", "Hello, World"), ("GET", "/.git/config", "python-requests/2.32.3"),
    ("HEAD", "/", "Mozilla/5.0 (compatible; NetcraftSurveyAgent/1.0)"), ("GET", "/actuator/health", "curl/8.5.0"),
    ("GET", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "Go-http-client/1.1"), ("GET", "/favicon.ico", "-"),
)  # fmt: skip


def _scan(stage: Stage, n: int) -> None:
    method, path, agent = SCANS[n]
    command = ["curl", "-s", "-o", str(stage.folder / "scan.out"), "-A", agent, "-H", f"Host: {HOST}"]
    command += ["-I"] if method == "HEAD" else ["-X", method]
    stage.run([*command, f"{stage.receiver_address}{path}"]).wait(20)
