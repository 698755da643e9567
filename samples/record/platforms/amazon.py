"""Amazon's Selling Partner API and Login with Amazon, as far as an ERP's day needs them."""

from __future__ import annotations

import base64
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from record.platforms.server import Answer, Request, request_id, serve

LIFE = 3600
BAD_GRANT = "The request has an invalid grant parameter : refresh_token"
ORDER = re.compile(r"^/orders/v0/orders/([0-9-]+)(/orderItems|/shipmentConfirmation|)$")
LISTING = re.compile(r"^/listings/2021-08-01/items/([A-Z0-9]+)/(.+)$")
REPORT = re.compile(r"^/reports/2021-06-30/reports/([0-9]+)$")


def _token(kind: str, length: int) -> str:
    return f"{kind}|IwEBI" + base64.urlsafe_b64encode(secrets.token_bytes(length)).decode().rstrip("=").replace(
        "_", "-"
    )


@dataclass
class Seller:
    """One selling partner and its authorisation of the app."""

    seller_id: str
    refresh_token: str = field(default_factory=lambda: _token("Atzr", 96))
    revoked: bool = False
    access: dict[str, float] = field(default_factory=dict)  # token -> when it runs out
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    shipped: set[str] = field(default_factory=set)
    skus: set[str] = field(default_factory=set)


class Amazon:
    """All sellers, the app, and the faults that are switched on."""

    def __init__(self) -> None:
        self.client_id = f"amzn1.application-oa2-client.{secrets.token_hex(16)}"
        self.client_secret = f"amzn1.oa2-cs.v1.{secrets.token_hex(32)}"
        self.sellers: dict[str, Seller] = {}
        self.number = 0
        self.faults: dict[str, dict[str, Any]] = {}  # path pattern -> status and how often
        self.reports: dict[str, dict[str, Any]] = {}

    # --- commands

    def seller(self, seller_id: str, skus: list[str]) -> dict[str, str]:
        """A seller who authorised the app."""
        seller = self.sellers[seller_id] = Seller(seller_id, skus=set(skus))
        return {"refresh_token": seller.refresh_token, "client_id": self.client_id, "client_secret": self.client_secret}

    def sell(self, seller_id: str, count: int = 1, **fields: Any) -> list[str]:
        """Buyers order something."""
        seller, made = self.sellers[seller_id], []
        for _ in range(count):
            self.number += 1
            middle, last = 7_310_000 + self.number * 7919 % 989_999, 1_000_000 + self.number * 104729 % 8_999_999
            number = f"{302 + len(seller_id) % 3}-{middle:07d}-{last:07d}"
            seller.orders[number] = (
                _order(number, sorted(seller.skus)[self.number % len(seller.skus)], self.number) | fields
            )
            made.append(number)
        return made

    def revoke(self, seller_id: str) -> bool:
        """The seller withdraws the authorisation: refreshing ends at once, tokens in use live on until they run out."""
        self.sellers[seller_id].revoked = True
        return True

    def fault(
        self, path: str, status: int, times: int = 1, body: Any = None, headers: dict[str, str] | None = None
    ) -> bool:
        """The next calls whose path fits are answered so."""
        self.faults[path] = {"status": status, "times": times, "body": body, "headers": headers or {}}
        return True

    # --- answers

    def answer(self, request: Request) -> Answer:
        """One request."""
        reply = self._lwa(request) if request.host == "api.amazon.com" else self._api(request)
        reply.headers.setdefault("x-amzn-RequestId", request_id())
        return reply

    def _lwa(self, request: Request) -> Answer:
        form = request.form()
        common = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Answer(401, {"error_description": "Client authentication failed", "error": "invalid_client"}, common)
        for seller in self.sellers.values():
            if form.get("refresh_token") == seller.refresh_token:
                if seller.revoked:
                    text = f"{BAD_GRANT}. User may have revoked or didn't grant the permission."
                    return Answer(400, {"error_description": text, "error": "invalid_grant"}, common)
                access = _token("Atza", 120)
                seller.access[access] = time.time() + LIFE
                return Answer(
                    200,
                    {
                        "access_token": access,
                        "refresh_token": seller.refresh_token,
                        "token_type": "bearer",
                        "expires_in": LIFE,
                    },
                    common,
                )
        return Answer(400, {"error_description": BAD_GRANT, "error": "invalid_grant"}, common)

    def _api(self, request: Request) -> Answer:
        for path, fault in self.faults.items():
            if fault["times"] and re.search(path, request.path):
                fault["times"] -= 1
                return Answer(fault["status"], fault["body"], dict(fault["headers"]))
        token = request.headers.get("x-amz-access-token")
        if not token:
            return _denied("MissingAuthenticationToken", "Access token is missing in the request header.")
        seller = next((s for s in self.sellers.values() if token in s.access), None)
        if seller is None:
            return _denied("Unauthorized", "The access token you provided is revoked, malformed or invalid.")
        if time.time() >= seller.access[token]:
            return _denied("Unauthorized", "The access token you provided has expired.")
        return self._operation(request, seller)

    def _operation(self, request: Request, seller: Seller) -> Answer:
        if request.path == "/orders/v0/orders":
            return _orders(request, seller)
        if found := ORDER.match(request.path):
            return _order_call(request, seller, found[1], found[2])
        if found := LISTING.match(request.path):
            return _listing(request, seller, found[1], found[2])
        if request.path == "/reports/2021-06-30/reports" and request.method == "POST":
            number = str(50_000_000_000 + len(self.reports) * 7)
            self.reports[number] = request.json()
            return Answer(202, {"reportId": number}, {"x-amzn-RateLimit-Limit": "0.0167"})
        if found := REPORT.match(request.path):
            return _report(found[1], self.reports)
        return Answer(
            404, {"errors": [{"code": "NotFound", "message": "The resource specified does not exist.", "details": ""}]}
        )


def _denied(code: str, details: str) -> Answer:
    status = 401 if code == "MissingAuthenticationToken" else 403
    return Answer(
        status,
        {
            "errors": [
                {"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": details}
            ]
        },
    )


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(number: str, sku: str, count: int) -> dict[str, Any]:
    return {
        "AmazonOrderId": number, "PurchaseDate": _now(), "LastUpdateDate": _now(), "OrderStatus": "Unshipped",
        "FulfillmentChannel": "MFN", "SalesChannel": "Amazon.de", "ShipServiceLevel": "Std DE Dom_2",
        "OrderTotal": {"CurrencyCode": "EUR", "Amount": f"{19 + count % 40}.90"}, "NumberOfItemsUnshipped": 1,
        "MarketplaceId": "A1PA6795UKMFR9", "OrderType": "StandardOrder", "IsPrime": False, "SellerSKU": sku,
        "ShippingAddress": {"City": "Musterstadt", "PostalCode": f"{10000 + count * 37 % 89999}", "CountryCode": "DE"},
    }  # fmt: skip


def _orders(request: Request, seller: Seller) -> Answer:
    after = request.query.get("LastUpdatedAfter", "")
    listed = [
        {k: v for k, v in o.items() if k != "SellerSKU"} for o in seller.orders.values() if o["LastUpdateDate"] >= after
    ]
    return Answer(
        200, {"payload": {"Orders": listed, "LastUpdatedBefore": _now()}}, {"x-amzn-RateLimit-Limit": "0.0167"}
    )


def _order_call(request: Request, seller: Seller, number: str, what: str) -> Answer:
    order = seller.orders.get(number)
    if order is None:
        return Answer(404, {"errors": [{"code": "NotFound", "message": "Order not found", "details": number}]})
    if what == "/orderItems":
        item = {
            "ASIN": f"B0{abs(hash(order['SellerSKU'])) % 10**8:08d}", "SellerSKU": order["SellerSKU"],
            "OrderItemId": number.replace("-", "")[-14:], "QuantityOrdered": 1, "QuantityShipped": 0,
            "ItemPrice": order["OrderTotal"],
        }  # fmt: skip
        return Answer(
            200, {"payload": {"AmazonOrderId": number, "OrderItems": [item]}}, {"x-amzn-RateLimit-Limit": "0.5"}
        )
    if what == "/shipmentConfirmation":
        seller.shipped.add(number)
        order |= {"OrderStatus": "Shipped", "LastUpdateDate": _now(), "NumberOfItemsUnshipped": 0}
        return Answer(204, None, {"x-amzn-RateLimit-Limit": "2.0"})
    return Answer(
        200, {"payload": {k: v for k, v in order.items() if k != "SellerSKU"}}, {"x-amzn-RateLimit-Limit": "0.5"}
    )


def _listing(request: Request, seller: Seller, seller_id: str, sku: str) -> Answer:
    if request.method == "PUT":
        seller.skus.add(sku)
    if seller_id != seller.seller_id or sku not in seller.skus:
        text = f"SKU '{sku}' not found in marketplace A1PA6795UKMFR9"
        return Answer(
            404, {"errors": [{"code": "NOT_FOUND", "message": text, "details": ""}]}, {"x-amzn-RateLimit-Limit": "5.0"}
        )
    if request.method == "GET":
        return Answer(200, {"sku": sku, "summaries": []}, {"x-amzn-RateLimit-Limit": "5.0"})
    submission = {"sku": sku, "status": "ACCEPTED", "submissionId": uuid.uuid4().hex, "issues": []}
    return Answer(200, submission, {"x-amzn-RateLimit-Limit": "5.0"})


def _report(number: str, reports: dict[str, dict[str, Any]]) -> Answer:
    asked = reports[number]
    status = "CANCELLED" if asked.get("polls") else "IN_QUEUE"
    asked["polls"] = asked.get("polls", 0) + 1
    report = {
        "reportType": asked["reportType"], "processingStatus": status, "marketplaceIds": asked["marketplaceIds"],
        "reportId": number, "createdTime": _now(), "dataStartTime": asked["dataStartTime"],
        "dataEndTime": asked["dataEndTime"],
    }  # fmt: skip
    return Answer(200, report, {"x-amzn-RateLimit-Limit": "2.0"})


if __name__ == "__main__":
    amazon = Amazon()
    serve(
        amazon.answer,
        {"seller": amazon.seller, "sell": amazon.sell, "revoke": amazon.revoke, "fault": amazon.fault},
    )
