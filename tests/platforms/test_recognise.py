"""Which platform an exchange belongs to, and which requests are callbacks."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from openclaw_forensics.platforms.load import Gateway, PackSet
from openclaw_forensics.platforms.recognise import by_records, out_of_scope, recognise, recognise_records
from tests.platforms.rows import frame, options, pack, packs, records, row

ACME = pack(
    {
        "aliases": ["acmeshop"],
        "hosts": [
            {"pattern": "api.acme.example", "environment": "production", "region": "eu"},
            {"pattern": "*.acme.example"},
            {"pattern": "*.sandbox.acme.example", "environment": "sandbox"},
            {"pattern": "shared.example"},
        ],
        "recognise": [
            {"path": "^/acme/v[0-9]/", "weight": 0.9},
            {"query": ["partner", "sig"], "weight": 0.7},
            {"response_headers": ["X-Acme-Id"], "weight": 0.8},
            {"body": '"acme_error"', "weight": 0.6},
            {"record": "(?i)acmeclient", "weight": 0.8},
        ],
        "places": {"app": ["request.query:partner"], "signature": ["request.query:sig"]},
    },
    operations=[{"id": "stock.set", "path": "/v2/stock/set", "aliases": ["setStock"]}],
    webhooks={"recognise": [{"request_headers": ["X-Acme-Topic"]}], "user_agents": ["^AcmeHook"]},
)
OTHER = pack(
    {
        "id": "other",
        "hosts": [{"pattern": "shared.example"}, {"pattern": "other.example"}],
        "recognise": [{"query": ["partner", "sig"], "weight": 0.7}, {"path": "^/other/", "weight": 0.9}],
    },
    operations=[{"id": "price.set", "path": "/v2/price/set"}],
)
CARRIER = pack({"id": "fast", "kind": "carrier", "hosts": [{"pattern": "fast.example"}]})
ALL = packs(ACME, OTHER, CARRIER)


def seen(*rows: dict[str, object], of: PackSet = ALL, **told: object) -> list[tuple[str | None, str]]:
    found = recognise(frame(*rows), of, options(**told))
    return list(zip(found["platform"].to_list(), found["direction"].to_list(), strict=True))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.acme.example", ("acme", "production", "eu")),
        ("shop.acme.example", ("acme", None, None)),
        ("a.sandbox.acme.example", ("acme", "sandbox", None)),
        ("acme.example", (None, None, None)),
        ("shared.example", (None, None, None)),
    ],
)
def test_hosts(host: str, expected: tuple[str | None, ...]) -> None:
    found = recognise(frame(row(f"https://{host}/x")), ALL, options())
    assert found.select("platform", "environment", "region").row(0) == expected


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        pytest.param(row("https://gw.example/acme/v2/orders"), "acme", id="path"),
        pytest.param(row("https://gw.example/x?sig=1&partner=2"), None, id="a-tie-decides-nothing"),
        pytest.param(row("https://gw.example/acme/v2/x?sig=1&partner=2"), "acme", id="best-weight"),
        pytest.param(row("https://gw.example/x", response={"x-acme-id": "1"}), "acme", id="header"),
        pytest.param(row("https://gw.example/x", answer='{"acme_error":1}'), "acme", id="body"),
        pytest.param(row(None, client_class="AcmeClient.get"), "acme", id="client"),
        pytest.param(row("https://gw.example/x"), None, id="nothing"),
        pytest.param(row("https://other.example/acme/v2/orders"), "other", id="host-before-path"),
    ],
)
def test_signatures(exchange: dict[str, object], expected: str | None) -> None:
    assert seen(exchange) == [(expected, "out")]


def test_declared_gateways() -> None:
    gateway = dataclasses.replace(ALL, gateways=(Gateway(host="gw.*", path_prefix="/p/", platform="other"),))
    found = recognise(frame(row("https://gw.example/p/v2/price/set"), row("https://gw.example/q")), gateway, options())
    assert found["platform"].to_list() == ["other", None]
    assert found["api_path"].to_list() == ["/v2/price/set", "/q"]


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        pytest.param(
            row("https://erp.example/in", method="POST", request={"x-acme-topic": "t"}),
            ("acme", "callback"),
            id="header",
        ),
        pytest.param(
            row("https://erp.example/in", request={"User-Agent": "AcmeHook/2"}), ("acme", "callback"), id="agent"
        ),
        pytest.param(row("https://erp.example/acmeshop/x", method="POST"), ("acme", "callback"), id="alias-in-path"),
        pytest.param(
            row("https://erp.example/api/acme_notify", method="POST"), ("acme", "callback"), id="alias-as-word"
        ),
        pytest.param(row("https://erp.example/acme/other", method="POST"), (None, "inbound"), id="two-names"),
        pytest.param(row("https://erp.example/acme", method="GET"), (None, "inbound"), id="a-visit"),
        pytest.param(row("https://erp.example/.env", method="POST"), (None, "inbound"), id="scanner"),
        pytest.param(row("https://erp.example/webhook", method="POST"), (None, "inbound"), id="hook-of-nobody"),
        pytest.param(row("https://api.acme.example/x", method="POST"), ("acme", "out"), id="log-of-a-forward-proxy"),
        pytest.param(
            row("https://erp.example/x", method="POST", answer='{"acme_error":1}'),
            (None, "inbound"),
            id="answers-tell-nothing",
        ),
    ],
)
def test_inbound(exchange: dict[str, object], expected: tuple[str | None, str]) -> None:
    assert seen(exchange | {"direction": "inbound"}) == [expected]


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        pytest.param(row("https://erp.example/acme/push", method="POST"), ("acme", "callback"), id="names-and-says-so"),
        pytest.param(row("https://erp.example/acme/stock", method="POST"), (None, "out"), id="names-only"),
        pytest.param(
            row("https://erp.example/acme/push", method="POST", request={"User-Agent": "Mozilla/5.0"}),
            (None, "out"),
            id="browser",
        ),
        pytest.param(row("https://api.acme.example/acme/push", method="POST"), ("acme", "out"), id="own-host"),
    ],
)
def test_callbacks_in_captures_of_outgoing_traffic(
    exchange: dict[str, object], expected: tuple[str | None, str]
) -> None:
    assert seen(exchange) == [expected]


@pytest.mark.parametrize(
    ("receiver", "url", "expected"),
    [
        ("erp.example", "https://erp.example/any", "callback"),
        ("erp.example/in", "https://erp.example/in/x", "callback"),
        ("erp.example/in", "https://erp.example/inn", "inbound"),
        ("erp.example:8443/in", "https://erp.example/in", "callback"),
        ("https://erp.example/in/", "https://erp.example/in/", "callback"),
        ("other.example", "https://erp.example/in", "inbound"),
    ],
)
def test_receiver(receiver: str, url: str, expected: str) -> None:
    assert seen(row(url, direction="inbound"), receivers=(receiver,)) == [(None, expected)]


def test_receiver_in_a_log_without_hosts() -> None:
    assert seen(row("https://x.example/in", direction="inbound", host=None), receivers=("erp.example/in",)) == [
        (None, "callback")
    ]


@pytest.mark.parametrize(
    ("exchange", "given", "expected"),
    [
        pytest.param(
            row("https://erp.example/webhook", method="POST", direction="inbound"),
            ("acme",),
            ("acme", "callback"),
            id="hook-words",
        ),
        pytest.param(row("https://gw.example/proxy/v2/stock/set"), ("acme", "other"), ("acme", "out"), id="operation"),
        pytest.param(row("https://gw.example/x?partner=1&sig=2"), ("acme",), ("acme", "out"), id="parameters"),
        pytest.param(row("https://gw.example/health"), ("acme",), (None, "out"), id="nothing-speaks-for-it"),
        pytest.param(row(None, client_class="x.setStock"), ("acme", "other"), ("acme", "out"), id="client-name"),
        pytest.param(row(None), ("acme",), ("acme", "out"), id="no-target-one-given"),
        pytest.param(row(None), ("acme", "other"), (None, "out"), id="no-target-a-tie"),
        pytest.param(row("https://other.example/x"), ("acme",), ("other", "out"), id="recognised-as-another"),
    ],
)
def test_given_platforms(exchange: dict[str, object], given: tuple[str, ...], expected: tuple[str | None, str]) -> None:
    assert seen(exchange, platforms=given) == [expected]


def test_scope_leaves_out_other_marketplaces_only() -> None:
    rows = [row(f"https://{host}/") for host in ("api.acme.example", "other.example", "fast.example", "x.example")]
    told = options(platforms=("acme",))
    found = recognise(frame(*rows), ALL, told)
    assert found.select(out_of_scope(ALL, told).alias("out"))["out"].to_list() == [False, True, False, False]
    assert not found.select(out_of_scope(ALL, options()).alias("out"))["out"].any()


def test_records() -> None:
    held = records(
        {"level": "ERROR", "message": "AcmeClient: refused"},
        {"level": "INFO", "message": "AcmeClient: fine"},
        {"level": "INFO", "message": "x", "exception": "at AcmeClient.get"},
        {"level": "WARN", "message": "no mapping"},
    )
    assert recognise_records(held, ALL)["platform"].to_list() == ["acme", None, "acme", None]


def test_many_unknown_paths() -> None:
    rows = [row(f"https://gw.example/acme/v2/orders/{i}") for i in range(2_500)] + [row("https://gw.example/x/1")]
    assert [p for p, _ in seen(*rows)] == ["acme"] * 2_500 + [None]


def test_no_rows() -> None:
    assert recognise(frame(), ALL, options()).height == 0
    assert recognise_records(records(), ALL).height == 0
    assert isinstance(recognise(frame(), ALL, options(platforms=("acme",))), pl.DataFrame)


@pytest.mark.parametrize(
    ("url", "text", "platform"),
    [
        pytest.param(None, "AcmeClient: Service Unavailable", "acme", id="no-address"),
        pytest.param("https://elsewhere.example/x", "AcmeClient: Service Unavailable", None, id="an-address-decides"),
        pytest.param(None, "Service Unavailable", None, id="a-record-without-a-name"),
    ],
)
def test_a_call_without_address_is_named_by_its_record(url: str | None, text: str, platform: str | None) -> None:
    held = frame(row(url, exchange_id="x1"))
    told = records({"level": "ERROR", "message": text, "exchange_id": "x1"})
    assert by_records(recognise(held, ALL, options()), recognise_records(told, ALL))["platform"].to_list() == [platform]
