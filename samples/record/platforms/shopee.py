"""Shopee's Open Platform v2, as far as an ERP's day needs it: signatures, stamps of five minutes, rotating tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from record.platforms.server import Answer, Request, serve

LIFE, GRACE, WINDOW = 14400, 300, 300
TOKENS = ("/api/v2/auth/access_token/get",)


@dataclass
class Shop:
    """One shop, its tokens, orders and articles."""

    shop_id: int
    refresh_token: str = field(default_factory=lambda: secrets.token_hex(16))
    access: dict[str, float] = field(default_factory=dict)  # token -> when it runs out
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[int, dict[int, int]] = field(default_factory=dict)  # item -> model -> stock
    documents: dict[str, int] = field(default_factory=dict)  # order -> how often the label was asked for


class Shopee:
    """All shops, the partner, and the faults that are switched on."""

    def __init__(self) -> None:
        self.partner_id, self.partner_key = 2_004_817, secrets.token_hex(32)
        self.shops: dict[int, Shop] = {}
        self.extra: dict[str, Any] = {}  # more fields of an article's stock, from a release on
        self.faults: dict[str, int] = {}
        self.number = 0

    def shop(self, shop_id: int, items: dict[str, list[int]]) -> dict[str, Any]:
        """A shop that authorised the partner."""
        shop = self.shops[shop_id] = Shop(shop_id)
        shop.items = {int(item): dict.fromkeys(models, 25) for item, models in items.items()}
        access = secrets.token_hex(16)
        shop.access[access] = time.time() + LIFE
        return {
            "partner_id": self.partner_id, "partner_key": self.partner_key, "access_token": access,
            "refresh_token": shop.refresh_token, "expires_in": LIFE,
        }  # fmt: skip

    def sell(self, shop_id: int, count: int = 1) -> list[str]:
        """Buyers order something."""
        made, shop = [], self.shops[shop_id]
        for _ in range(count):
            self.number += 1
            day = time.strftime("%y%m%d", time.gmtime(time.time()))
            sn = f"{day}{hashlib.sha256(f'{shop_id} {self.number}'.encode()).hexdigest()[:8].upper()}"
            item = sorted(shop.items)[self.number % len(shop.items)]
            shop.orders[sn] = {
                "status": "READY_TO_SHIP",
                "at": int(time.time()),
                "item": item,
                "price": 12.5 + self.number,
            }
            made.append(sn)
        return made

    def release(self, **fields: Any) -> bool:
        """From now on the stock of each article carries these fields too."""
        self.extra = fields
        return True

    def fault(self, path: str, times: int = 1) -> bool:
        """The next calls of this path end in a gateway's 503."""
        self.faults[path] = times
        return True

    def answer(self, request: Request) -> Answer:
        """One request, checked as the platform checks it: stamp, signature, token."""
        if self.faults.get(request.path, 0):
            self.faults[request.path] -= 1
            return Answer(
                503, "<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>"
            )
        status, body = self._checked(request)
        envelope = {"error": "", "message": "", "warning": "", "request_id": secrets.token_hex(16)}
        return Answer(status, envelope | body, {"X-Request-Id": envelope["request_id"]})

    def _checked(self, request: Request) -> tuple[int, dict[str, Any]]:
        query = request.query
        stamp = int(query.get("timestamp", "0"))
        if abs(time.time() - stamp) > WINDOW:
            return 403, {"error": "error_param", "message": "Timestamp is expired."}
        public = request.path in TOKENS
        base = f"{query.get('partner_id')}{request.path}{stamp}"
        if not public:
            base += f"{query.get('access_token')}{query.get('shop_id')}"
        sign = hmac.new(self.partner_key.encode(), base.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(sign, query.get("sign", "")):
            return 403, {"error": "error_sign", "message": "Wrong sign."}
        if public:
            return 200, self._refresh(request.json())
        shop = self.shops.get(int(query["shop_id"]))
        if shop is None or time.time() >= shop.access.get(query["access_token"], 0.0):
            return 403, {"error": "invalid_acceess_token", "message": "Invalid access_token."}
        return 200, self._operation(request, shop)

    def _refresh(self, asked: dict[str, Any]) -> dict[str, Any]:
        shop = self.shops.get(int(asked["shop_id"]))
        if shop is None or asked["refresh_token"] != shop.refresh_token:
            return {"error": "error_auth", "message": "Invalid refresh_token."}
        now, access = time.time(), secrets.token_hex(16)
        shop.access = {token: min(end, now + GRACE) for token, end in shop.access.items()} | {access: now + LIFE}
        shop.refresh_token = secrets.token_hex(16)
        return {
            "access_token": access, "refresh_token": shop.refresh_token, "expire_in": LIFE,
            "partner_id": self.partner_id, "shop_id": shop.shop_id,
        }  # fmt: skip

    def _operation(self, request: Request, shop: Shop) -> dict[str, Any]:
        name = request.path.removeprefix("/api/v2/")
        work = {
            "order/get_order_list": self._list, "order/get_order_detail": self._detail,
            "product/get_model_list": self._models, "product/update_stock": self._stock,
            "logistics/ship_order": self._ship, "logistics/create_shipping_document": self._label,
            "logistics/download_shipping_document": self._download, "returns/get_return_list": self._returns,
        }.get(name)  # fmt: skip
        if work is None:
            return {"error": "error_not_found", "message": "Wrong parameters, detail: no such api."}
        return work(request, shop)

    def _list(self, request: Request, shop: Shop) -> dict[str, Any]:
        first, last = int(request.query["time_from"]), int(request.query["time_to"])
        found = [
            {"order_sn": sn, "order_status": o["status"]} for sn, o in shop.orders.items() if first <= o["at"] <= last
        ]
        return {"response": {"more": False, "next_cursor": "", "order_list": found}}

    def _detail(self, request: Request, shop: Shop) -> dict[str, Any]:
        return {"response": {"order_list": [self._order(sn, shop) for sn in request.query["order_sn_list"].split(",")]}}

    def _order(self, sn: str, shop: Shop) -> dict[str, Any]:
        order = shop.orders[sn]
        return {
            "order_sn": sn, "region": "SG", "currency": "SGD", "cod": False, "total_amount": order["price"],
            "order_status": order["status"], "create_time": order["at"], "update_time": order["at"], "days_to_ship": 2,
            "item_list": [{"item_id": order["item"], "item_name": "Ceramic pot",
                           "model_id": next(iter(shop.items[order["item"]])),
                           "model_quantity_purchased": 1, "model_original_price": order["price"]}],
        }  # fmt: skip

    def _models(self, request: Request, shop: Shop) -> dict[str, Any]:
        item = int(request.query["item_id"])
        models = [
            {"model_id": model, "model_sku": f"SG-{item % 1000}-{model % 100:02d}", "model_status": "MODEL_NORMAL",
             "stock_info_v2": {"summary_info": {"total_reserved_stock": 0, "total_available_stock": stock},
                               "seller_stock": [{"location_id": "SGZ", "stock": stock}]} | self.extra}
            for model, stock in shop.items[item].items()
        ]  # fmt: skip
        return {"response": {"tier_variation": [], "model": models}}

    def _stock(self, request: Request, shop: Shop) -> dict[str, Any]:
        asked = request.json()
        done = []
        for entry in asked["stock_list"]:
            stock = entry["seller_stock"][0]["stock"]
            shop.items[asked["item_id"]][entry["model_id"]] = stock
            done.append({"model_id": entry["model_id"], "location_id": "SGZ", "stock": stock})
        return {"response": {"failure_list": [], "success_list": done}}

    def _ship(self, request: Request, shop: Shop) -> dict[str, Any]:
        shop.orders[request.json()["order_sn"]]["status"] = "PROCESSED"
        return {}

    def _label(self, request: Request, shop: Shop) -> dict[str, Any]:
        sn = request.json()["order_list"][0]["order_sn"]
        shop.documents[sn] = 0
        return {
            "response": {
                "result_list": [{"order_sn": sn, "package_number": f"OFG{sn}", "fail_error": "", "fail_message": ""}]
            }
        }

    def _download(self, request: Request, shop: Shop) -> dict[str, Any]:
        sn = request.json()["order_list"][0]["order_sn"]
        shop.documents[sn] += 1
        if shop.documents[sn] < 2:
            return {"error": "logistics.download_later", "message": "Processing, please download later."}
        return {"response": {"file": f"label-{sn}.pdf"}}

    def _returns(self, request: Request, shop: Shop) -> dict[str, Any]:
        return {"response": {"more": False, "return": []}}


if __name__ == "__main__":
    shopee = Shopee()
    serve(
        shopee.answer,
        {"shop": shopee.shop, "sell": shopee.sell, "release": shopee.release, "fault": shopee.fault},
        "SGW",
    )
