"""An exported table's own columns: the weakest source of platform, shop and order."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_forensics.platforms.annotate import annotate
from tests.platforms.rows import frame, options, pack, packs, records, row

ACME = pack(
    {
        "name": {"en": "Acme Mall", "zh": "艾克商城"},
        "aliases": ["acmeshop", "艾克"],
        "hosts": [{"pattern": "api.acme.example"}],
        "places": {"shop": ["request.query:shop_id"]},
    }
)
OTHER = pack({"id": "other", "name": {"en": "Other", "zh": "别家"}, "hosts": [{"pattern": "other.example"}]})


def labelled(url: str, **labels: str) -> dict[str, Any]:
    return row(url, labels=[{"name": name, "value": value} for name, value in labels.items()])


def seen(*rows: dict[str, Any]) -> list[tuple[str | None, str | None, str | None]]:
    found, _ = annotate(frame(*rows), records(), packs(ACME, OTHER), options())
    return found.select("platform", "shop", "object_id").rows()


@pytest.mark.parametrize("name", ["acme", "AcmeShop", "艾克", "Acme Mall", "艾克商城", "Acme-MY", "acme (SG)"])
def test_a_label_names_a_platform_by_id_alias_or_title(name: str) -> None:
    assert seen(labelled("/x", platform=name)) == [("acme", None, None)]


@pytest.mark.parametrize("name", ["", "自营", "acmeshopping", "acme / other"])
def test_a_label_that_names_none_or_two_recognises_nothing(name: str) -> None:
    assert seen(labelled("/x", platform=name)) == [(None, None, None)]


def test_a_host_counts_more_than_a_label() -> None:
    assert seen(labelled("https://other.example/x", platform="acme"))[0][0] == "other"


def test_shop_and_order_come_from_labels_where_the_exchange_tells_none() -> None:
    url = "https://api.acme.example/x"
    assert seen(labelled(f"{url}?shop_id=7", shop="flagship", order="A1")) == [("acme", "7", "A1")]
    assert seen(labelled(url, shop="flagship")) == [("acme", "flagship", None)]


def test_a_shops_label_is_the_id_that_other_rows_carry_with_it() -> None:
    url = "https://api.acme.example/x"
    rows = [labelled(f"{url}?shop_id=7", shop="flagship"), labelled(url, shop="flagship"), labelled(url, shop="outlet")]
    assert [shop for _, shop, _ in seen(*rows)] == ["7", "7", "outlet"]
    rows.append(labelled(f"{url}?shop_id=8", shop="flagship"))
    assert [shop for _, shop, _ in seen(*rows)] == ["7", "flagship", "outlet", "8"]
