"""Operations by template, parameter, tests and a client's own names."""

from __future__ import annotations

import pytest

from openclaw_forensics.platforms import operations
from openclaw_forensics.platforms.operations import OperationTable
from tests.platforms.rows import frame, pack, row

ACME = pack(
    operations=[
        {"id": "orders.list", "method": "GET", "path": "/v2/orders"},
        {"id": "orders.get", "method": "GET", "path": "/v2/orders/{id}", "aliases": ["getOrder"]},
        {"id": "orders.search", "method": "GET", "path": "/v2/orders/search"},
        {"id": "orders.create", "method": "POST", "path": "/v2/orders"},
        {"id": "orders.old", "method": "GET", "path": "/v1/orders/{id}"},
        {"id": "product", "path": "/products/{id}.json"},
        {"id": "auth.link", "path": "/v2/link", "host": "^auth[.]"},
        {
            "id": "token.refresh",
            "path": "/token",
            "when": [{"place": "request.form:grant_type", "equals": "refresh_token"}],
        },
        {
            "id": "token.code",
            "path": "/token",
            "when": [{"place": "request.form:grant_type", "equals": "authorization_code"}],
        },
        {"id": "token.any", "path": "/token"},
        {"id": "stock", "path": "/rest/stock/set"},
    ]
)


def named(*rows: dict[str, object], of: object = ACME) -> list[str | None]:
    table = OperationTable(of)  # type: ignore[arg-type]
    held = frame(*rows)
    found = operations.assign(held.with_columns(held["path"].alias("api_path")), table)
    return [None if i is None else table.operations[i].id for i in found]


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "https://h.example/v2/orders", "orders.list"),
        ("GET", "https://h.example/v2/orders/", "orders.list"),
        ("POST", "https://h.example/v2/orders", "orders.create"),
        ("GET", "https://h.example/v2/orders/77", "orders.get"),
        ("GET", "https://h.example/v2/orders/search", "orders.search"),
        ("GET", "https://h.example/v1/orders/77", "orders.old"),
        ("DELETE", "https://h.example/v1/orders/77", "orders.old"),
        ("GET", "https://h.example/v2/orders/77/items", None),
        ("GET", "https://h.example/products/5.json", "product"),
        ("GET", "https://h.example/products/5.xml", None),
        ("GET", "https://auth.example/v2/link", "auth.link"),
        ("GET", "https://h.example/v2/link", None),
        ("GET", "https://h.example/proxy/acme/v2/orders/77", "orders.get"),
        ("GET", "https://h.example//v2/orders", "orders.list"),
        ("GET", "https://h.example/orders/search", "orders.search"),
        ("GET", "https://h.example/orders/7", None),
        ("GET", "https://h.example/stock/set", "stock"),
        ("GET", "https://h.example/v2/orders//", "orders.list"),
        (None, "https://h.example/v2/orders/77", "orders.get"),
    ],
)
def test_by_path(method: str | None, url: str, expected: str | None) -> None:
    assert named(row(url, method=method)) == [expected]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("grant_type=refresh_token&x=1", "token.refresh"),
        ("grant_type=authorization_code", "token.code"),
        ("grant_type=password", "token.any"),
        (None, "token.any"),
    ],
)
def test_by_tests(body: str | None, expected: str) -> None:
    assert named(row("https://h.example/token", method="POST", body=body)) == [expected]


def test_by_parameter() -> None:
    gateway = pack(
        {"places": {"operation": ["request.param:method"]}},
        operations=[
            {"id": "order.get", "path": "/sync", "parameter": "acme.order.get", "aliases": ["acme.trade.get"]},
            {"id": "files", "path": "/files/{id}"},
        ],
    )
    rows = [
        row("https://h.example/sync?method=acme.order.get"),
        row("https://h.example/sync", method="POST", body='{"method":"acme.trade.get"}'),
        row("https://h.example/sync?method=unknown"),
        row("https://h.example/files/3?method=download"),
    ]
    assert named(*rows, of=gateway) == ["order.get", "order.get", None, "files"]


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("Acme.OrdersApi->getOrder", "orders.get"),
        ("Acme.OrdersApi->getOrderWithHttpInfo", "orders.get"),
        ("getOrderAsync", "orders.get"),
        ("getOrders", None),
        ("getOrderItems", None),
        ("orders.search failed", "orders.search"),
    ],
)
def test_by_client_name(client: str, expected: str | None) -> None:
    assert named(row(None, client_class=client)) == [expected]


def test_many_paths_are_matched_by_shape() -> None:
    rows = [row(f"https://h.example/v{1 + i % 2}/orders/{i:07d}") for i in range(operations.FEW_PATHS + 500)]
    rows.append(row("https://h.example/v2/orders/search"))
    found = named(*rows)
    assert found == [("orders.old", "orders.get")[i % 2] for i in range(operations.FEW_PATHS + 500)] + ["orders.search"]
