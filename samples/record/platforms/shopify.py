"""Shopify's REST Admin API and its webhook deliveries, as far as an ERP's day needs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import ssl
import time
from datetime import UTC, datetime
from typing import Any

from record.platforms.server import Answer, Request, request_id, serve

VERSION = "2026-07"


class Shopify:
    """One shop, its app, and the faults that are switched on."""

    def __init__(self) -> None:
        self.token = f"shpat_{secrets.token_hex(16)}"
        self.secret = f"shpss_{secrets.token_hex(16)}"
        self.orders: list[dict[str, Any]] = []
        self.calls = 0
        self.deprecated = False
        self.faults: dict[str, int] = {}

    def credentials(self) -> dict[str, str]:
        """What the app's owner copies into the ERP."""
        return {"token": self.token, "secret": self.secret}

    def sell(self) -> dict[str, Any]:
        """A buyer orders something."""
        number = 6_100_000_000_000 + len(self.orders) * 32_768
        order = {
            "id": number, "name": f"#{1040 + len(self.orders)}", "created_at": _now(), "currency": "EUR",
            "financial_status": "paid", "fulfillment_status": None, "total_price": f"{29 + len(self.orders)}.00",
            "line_items": [{"id": number + 7, "sku": f"MUG-{len(self.orders) % 4:02d}", "quantity": 1}],
        }  # fmt: skip
        self.orders.append(order)
        return order

    def deprecate(self) -> bool:
        """From now on every answer carries the header that announces an end."""
        self.deprecated = True
        return True

    def fault(self, path: str, status: int, times: int = 1) -> bool:
        """The next calls of this path end so."""
        self.faults[path] = times * 1000 + status
        return True

    def push(
        self, to: str, path: str, port: int, topic: str, event: dict[str, Any], delivery: str | None = None
    ) -> dict[str, Any]:
        """Deliver an event to the app's address; anything but 2xx in time is to be tried again with the same id."""
        body = json.dumps(event, separators=(",", ":")).encode()
        delivery = delivery or request_id()
        sign = base64.b64encode(hmac.new(self.secret.encode(), body, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json", "User-Agent": "Shopify-Captain-Hook", "Accept": "*/*",
            "X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": sign,
            "X-Shopify-Shop-Domain": "lumen-mugs.myshopify.com",
            "X-Shopify-API-Version": VERSION, "X-Shopify-Webhook-Id": delivery,
            "X-Shopify-Triggered-At": _now(), "Host": to,
        }  # fmt: skip
        context = ssl.create_default_context(cafile=os.environ["HOOK_CA"])
        connection = _Loopback(to, port, context=context, timeout=15)
        try:
            connection.request("POST", path, body, headers)
            status: int | None = connection.getresponse().status
        except OSError:
            status = None
        finally:
            connection.close()
        return {"delivery": delivery, "status": status}

    def answer(self, request: Request) -> Answer:
        """One request."""
        self.calls += 1
        headers = {
            "X-Request-Id": request_id(), "X-Shopify-Shop-Api-Call-Limit": f"{1 + self.calls % 3}/40",
            "X-Shopify-API-Version": VERSION, "X-ShopId": "71204418",
        }  # fmt: skip
        if self.deprecated:
            headers["X-Shopify-API-Deprecated-Reason"] = "https://shopify.dev/api/admin-rest#deprecations"
        fault = self.faults.get(request.path, 0)
        if fault >= 1000:
            self.faults[request.path] = fault - 1000
            return Answer(fault % 1000, {"errors": "Service Unavailable"}, headers | {"Retry-After": "2.0"})
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return Answer(401, {"errors": text}, headers)
        return self._operation(request, headers)

    def _operation(self, request: Request, headers: dict[str, str]) -> Answer:
        path = request.path.removeprefix(f"/admin/api/{VERSION}")
        if path == "/orders.json":
            after = request.query.get("updated_at_min", "")
            return Answer(200, {"orders": [o for o in self.orders if o["created_at"] >= after]}, headers)
        if path == "/inventory_levels/set.json":
            level = request.json() | {"updated_at": _now()}
            return Answer(200, {"inventory_level": level}, headers)
        if re.match(r"^/orders/[0-9]+\.json$", path):
            number = int(path[8:-5])
            return Answer(200, {"order": next(o for o in self.orders if o["id"] == number)}, headers)
        return Answer(404, {"errors": "Not Found"}, headers)


class _Loopback(http.client.HTTPSConnection):
    """A connection to loopback under the receiver's real name."""

    def connect(self) -> None:
        name, self.host = self.host, "127.0.0.1"
        http.client.HTTPConnection.connect(self)
        self.host = name
        self.sock = self._context.wrap_socket(self.sock, server_hostname=name)


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


if __name__ == "__main__":
    shopify = Shopify()
    names = ("credentials", "sell", "deprecate", "fault", "push")
    serve(shopify.answer, {name: getattr(shopify, name) for name in names}, "cloudflare")
