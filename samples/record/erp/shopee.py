"""An ERP's Shopee connector. A LOG that ends in .jsonl: httpx and structlog, else requests and logging."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import requests
import structlog

from record.commands import obey
from record.erp.logs import DASHED, to_file

HOST = "https://partner.shopeemobile.com"
LOG = os.environ.get("LOG", "erp-shopee.log")
log = logging.getLogger("shopee.client")
jobs = logging.getLogger("shopee.jobs")


@dataclass
class StockInfo:
    """The stock of one model as the ERP knows it; a field that it does not know is an error."""

    summary_info: dict[str, int]
    seller_stock: list[dict[str, Any]]


def plain(method: str, url: str, body: Any) -> Any:
    """One call with requests, logged as text."""
    log.info("request %s %s%s", method, url, f" body={json.dumps(body)}" if body is not None else "")
    response = requests.request(method, url, json=body, timeout=20)
    log.log(logging.INFO if response.ok else logging.ERROR, "response %d %s", response.status_code, response.text)
    return response


def structured(method: str, url: str, body: Any) -> Any:
    """One call with httpx, logged as one JSON line."""
    with httpx.Client(timeout=20) as client:
        begun = time.monotonic()
        response = client.request(method, url, json=body)
        spent = round((time.monotonic() - begun) * 1000, 1)
    level = "info" if response.is_success else "error"
    getattr(structlog.get_logger("shopee"), level)(
        "http_call", method=method, url=url, status=response.status_code, duration_ms=spent,
        request_body=json.dumps(body) if body is not None else None, response_body=response.text,
        response_headers={n: response.headers[n] for n in ("date", "x-request-id") if n in response.headers},
    )  # fmt: skip
    return response


class Client:
    """The connector of one partner with several shops."""

    def __init__(self) -> None:
        self.shops: dict[int, dict[str, Any]] = {}
        self.send = structured if LOG.endswith(".jsonl") else plain

    def shop(self, shop_id: int, **credentials: Any) -> bool:
        """Take a shop on."""
        self.shops[shop_id] = credentials | {
            "expires_at": time.time() + credentials["expires_in"],
            "since": time.time() - 900,
        }
        return True

    def _url(self, path: str, shop_id: int, public: bool, query: dict[str, Any]) -> str:
        shop, stamp = self.shops[shop_id], int(time.time())
        base, common = f"{shop['partner_id']}{path}{stamp}", {"partner_id": shop["partner_id"], "timestamp": stamp}
        if not public:
            base += f"{shop['access_token']}{shop_id}"
            common |= {"access_token": shop["access_token"], "shop_id": shop_id}
        sign = hmac.new(shop["partner_key"].encode(), base.encode(), hashlib.sha256).hexdigest()
        return f"{HOST}{path}?{urlencode(common | {'sign': sign} | query)}"

    def call(self, shop_id: int, name: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """One call; a gateway's 5xx is tried once more, with a fresh stamp."""
        path = f"/api/v2/{name}"
        for _ in range(2):
            response = self.send("GET" if body is None else "POST", self._url(path, shop_id, False, query), body)
            if response.status_code < 500:
                break
        answer: dict[str, Any] = response.json()
        if answer["error"]:
            jobs.warning("shop %s: %s ended with %s", shop_id, name, answer["error"])
        return answer

    def refresh(self, shop_id: int) -> bool:
        """A new pair of tokens; both are kept."""
        path, shop = "/api/v2/auth/access_token/get", self.shops[shop_id]
        body = {"refresh_token": shop["refresh_token"], "partner_id": shop["partner_id"], "shop_id": shop_id}
        answer = self.send("POST", self._url(path, shop_id, True, {}), body).json()
        if not answer["error"]:
            shop |= {"access_token": answer["access_token"], "refresh_token": answer["refresh_token"]}
        return not answer["error"]

    def pull(self, shop_id: int, window: int = 1200) -> list[str]:
        """Orders of the last minutes, with some overlap, that wait for their dispatch, and what they hold."""
        now = int(time.time())
        listed = self.call(
            shop_id,
            "order/get_order_list",
            time_range_field="update_time",
            time_from=now - window,
            time_to=now,
            page_size=50,
        )
        orders = listed.get("response", {}).get("order_list", [])
        numbers = [o["order_sn"] for o in orders if o["order_status"] == "READY_TO_SHIP"]
        if numbers:
            self.call(
                shop_id, "order/get_order_detail", order_sn_list=",".join(numbers), response_optional_fields="item_list"
            )
        return numbers

    def ship(self, shop_id: int, order_sn: str) -> bool:
        """Hand an order to the carrier."""
        return not self.call(shop_id, "logistics/ship_order", {"order_sn": order_sn, "pickup": {}})["error"]

    def label(self, shop_id: int, order_sn: str) -> bool:
        """Ask for a label; the download is tried a second time."""
        wanted = {"order_list": [{"order_sn": order_sn}]}
        self.call(shop_id, "logistics/create_shipping_document", wanted)
        self.call(shop_id, "logistics/download_shipping_document", wanted)
        return not self.call(shop_id, "logistics/download_shipping_document", wanted)["error"]

    def returns(self, shop_id: int) -> bool:
        """Returns, of which there may be none."""
        return not self.call(shop_id, "returns/get_return_list", page_no=0, page_size=50)["error"]

    def stock(self, shop_id: int, item_id: int, sold: int) -> bool:
        """Read the models of an article and set their stock; what cannot be read is not set."""
        try:
            answer = self.call(shop_id, "product/get_model_list", item_id=item_id)
            entries = []
            for model in answer["response"]["model"]:
                info = StockInfo(**model["stock_info_v2"])
                left = max(info.summary_info["total_available_stock"] - sold, 0)
                entries.append({"model_id": model["model_id"], "seller_stock": [{"location_id": "SGZ", "stock": left}]})
        except (KeyError, TypeError):
            jobs.exception("shop %s: stock of item %s not synchronised", shop_id, item_id)
            return False
        return not self.call(shop_id, "product/update_stock", {"item_id": item_id, "stock_list": entries})["error"]


def log_to_json() -> None:
    """structlog in its usual production form."""
    stream = (Path(os.environ["LOGS"]) / LOG).open("a", encoding="utf-8", buffering=1)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=stream),
    )  # fmt: skip


if __name__ == "__main__":
    if LOG.endswith(".jsonl"):
        log_to_json()
    else:
        to_file(LOG, logging.Formatter(DASHED), logging.INFO)
    client = Client()
    names = ("shop", "refresh", "pull", "ship", "label", "returns", "stock")
    obey({name: getattr(client, name) for name in names})
