"""An ERP's Amazon connector: keeps access tokens, pulls orders, confirms shipments, pushes stock, logs each call."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import requests

from record.commands import obey
from record.erp.logs import PLAIN, Zoned, to_file

API = "https://sellingpartnerapi-eu.amazon.com"
LWA = "https://api.amazon.com/auth/o2/token"
MARKET = "A1PA6795UKMFR9"
log = logging.getLogger("erp.amazon.client")
sync = logging.getLogger("erp.amazon.sync")


@dataclass
class Shop:
    """A shop's credentials and state in the ERP."""

    seller_id: str
    client_id: str
    client_secret: str
    refresh_token: str
    access_token: str = ""
    expires_at: float = 0.0
    last_try: float = 0.0
    since: str = ""


class Client:
    """The connector. A token is refreshed five minutes before its end, or when a call is refused for it."""

    def __init__(self) -> None:
        self.shops: dict[str, Shop] = {}

    def shop(self, **fields: Any) -> bool:
        """Take a shop on."""
        self.shops[fields["seller_id"]] = Shop(**fields)
        return True

    def send(
        self, method: str, url: str, shop: Shop | None, body: Any = None, form: dict[str, str] | None = None
    ) -> requests.Response:
        """One call, logged before and after."""
        headers = {"x-amz-access-token": shop.access_token} if shop is not None else {}
        session = requests.Session()
        session.headers["User-Agent"] = "erp-connector/4.2 (Language=Python)"
        shown = f" {urlencode({k: v for k, v in form.items() if k != 'client_secret'})}" if form else ""
        prepared = requests.Request(method, url, headers=headers, json=body, data=form)
        request = session.prepare_request(prepared)
        if body is not None:
            shown += f" {request.body.decode() if isinstance(request.body, bytes) else request.body}"
        log.info(">>> %s %s%s%s", method, request.url, shown, "".join(f" {k}={v}" for k, v in headers.items()))
        begun = time.monotonic()
        settings = session.merge_environment_settings(request.url, {}, None, None, None)
        with session:
            response = session.send(request, timeout=20, **settings)
        log.log(
            logging.INFO if response.ok else logging.WARNING, "<<< %d %d ms %s x-amzn-RequestId=%s",
            response.status_code, (time.monotonic() - begun) * 1000, response.text or "-",
            response.headers.get("x-amzn-RequestId"),
        )  # fmt: skip
        return response

    def refresh(self, shop: Shop) -> None:
        """A new access token; a refusal is logged and tried again after ten minutes."""
        shop.last_try = time.time()
        form = {
            "grant_type": "refresh_token", "refresh_token": shop.refresh_token, "client_id": shop.client_id,
            "client_secret": shop.client_secret,
        }  # fmt: skip
        response = self.send("POST", LWA, None, form=form)
        if not response.ok:
            sync.error("seller %s: token refresh refused, going on with the old token", shop.seller_id)
            return
        shop.access_token = response.json()["access_token"]
        shop.expires_at = time.time() + response.json()["expires_in"]

    def call(self, seller_id: str, method: str, path: str, body: Any = None) -> requests.Response:
        """One call in the shop's name, with a good token where one can be had; over the quota it waits and repeats."""
        shop = self.shops[seller_id]
        lazy = os.environ.get("RENEW") == "on-refusal" and shop.access_token
        if not lazy and time.time() > shop.expires_at - 300 and time.time() > shop.last_try + 600:
            self.refresh(shop)
        response = self.send(method, API + path, shop, body)
        if response.status_code == 429:
            threading.Event().wait(1.5)
            response = self.send(method, API + path, shop, body)
        if lazy and response.status_code in (401, 403):
            self.refresh(shop)
            response = self.send(method, API + path, shop, body)
        return response

    def ensure(self, seller_id: str, sku: str) -> bool:
        """Create an article where it does not exist yet."""
        path = f"/listings/2021-08-01/items/{seller_id}/{quote(sku)}?marketplaceIds={MARKET}"
        if self.call(seller_id, "GET", path).ok:
            return True
        sync.info("seller %s: SKU %s is not listed yet, creating it", seller_id, sku)
        body = {"productType": "TEA", "requirements": "LISTING", "attributes": {"item_name": [{"value": sku}]}}
        return bool(self.call(seller_id, "PUT", path, body).ok and self.call(seller_id, "GET", path).ok)

    def report(self, seller_id: str, kind: str) -> str:
        """Order a report over the last week."""
        week = [datetime.fromtimestamp(time.time() - d * 86400, UTC).strftime("%Y-%m-%dT00:00:00Z") for d in (7, 0)]
        body = {"reportType": kind, "marketplaceIds": [MARKET], "dataStartTime": week[0], "dataEndTime": week[1]}
        return str(self.call(seller_id, "POST", "/reports/2021-06-30/reports", body).json()["reportId"])

    def report_status(self, seller_id: str, number: str) -> str:
        """How far a report is."""
        status = self.call(seller_id, "GET", f"/reports/2021-06-30/reports/{number}").json()["processingStatus"]
        sync.info("report %s: %s", number, status)
        return str(status)

    def pull(self, seller_id: str) -> list[str]:
        """New and changed orders since the last good pull."""
        shop = self.shops[seller_id]
        since = shop.since or datetime.fromtimestamp(time.time() - 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        response = self.call(
            seller_id, "GET", f"/orders/v0/orders?{urlencode({'MarketplaceIds': MARKET, 'LastUpdatedAfter': since})}"
        )
        if not response.ok:
            sync.error("seller %s: order pull failed with HTTP %d, next try in 10 min", seller_id, response.status_code)
            return []
        shop.since = now
        numbers = [o["AmazonOrderId"] for o in response.json()["payload"]["Orders"] if o["OrderStatus"] == "Unshipped"]
        sync.info("seller %s: %d new orders", seller_id, len(numbers))
        return numbers

    def items(self, seller_id: str, number: str) -> bool:
        """What an order holds."""
        return bool(self.call(seller_id, "GET", f"/orders/v0/orders/{number}/orderItems").ok)

    def confirm(self, seller_id: str, number: str, tracking: str) -> bool:
        """Tell that an order was shipped."""
        detail = {
            "packageReferenceId": "1", "carrierCode": "DHL", "trackingNumber": tracking,
            "shipDate": datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "orderItems": [{"orderItemId": number.replace("-", "")[-14:], "quantity": 1}],
        }  # fmt: skip
        body = {"marketplaceId": MARKET, "packageDetail": detail}
        response = self.call(seller_id, "POST", f"/orders/v0/orders/{number}/shipmentConfirmation", body)
        if not response.ok:
            sync.error("order %s: shipment not confirmed, HTTP %d", number, response.status_code)
        return bool(response.ok)

    def stock(self, seller_id: str, sku: str, quantity: int) -> bool:
        """Set the stock of one article."""
        patch = {"op": "replace", "path": "/attributes/fulfillment_availability",
                 "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]}  # fmt: skip
        body = {"productType": "PRODUCT", "patches": [patch]}
        path = f"/listings/2021-08-01/items/{seller_id}/{quote(sku)}?marketplaceIds={MARKET}"
        return bool(self.call(seller_id, "PATCH", path, body).ok)


def named(work: Any) -> Any:
    """Let a thread named after the shop do it, as the ERP's worker pool does."""

    def run(seller_id: str, **how: Any) -> Any:
        result: list[Any] = []
        thread = threading.Thread(target=lambda: result.append(work(seller_id, **how)), name=f"shop-{seller_id}")
        thread.start()
        thread.join()
        return result[0]

    return run


if __name__ == "__main__":
    to_file(os.environ.get("LOG", "erp-amazon.log"), Zoned(PLAIN))
    client = Client()
    obey(
        {"shop": client.shop}
        | {
            name: named(getattr(client, name))
            for name in ("pull", "items", "confirm", "stock", "ensure", "report", "report_status")
        }
    )
