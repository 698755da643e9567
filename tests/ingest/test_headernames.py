"""Header cells of exports, as different systems spell them."""

from __future__ import annotations

import pytest

from openclaw_forensics.ingest.headernames import role_of, roles_of


@pytest.mark.parametrize(
    ("header", "role"),
    [
        pytest.param("请求地址", "url", id="zh"),
        pytest.param(" 请求 URL ", "url", id="blanks and case"),
        pytest.param("请求ＵＲＬ", "url", id="full width"),
        pytest.param("Request_URL", "url", id="underscore"),
        pytest.param("耗时（毫秒）", "duration", id="unit in brackets"),
        pytest.param("状态码", "status", id="status code"),
        pytest.param("状态", "outcome", id="state"),
        pytest.param("返回结果", "response_body", id="answer"),
        pytest.param("Respnse Body", "response_body", id="a slip of the pen"),
        pytest.param("请求参数:", "request_body", id="punctuation"),
        pytest.param("店铺名称", "shop", id="shop"),
        pytest.param("平台订单号", "order", id="order"),
    ],
)
def test_names_are_known_by_meaning(header: str, role: str) -> None:
    found = role_of(header)
    assert found is not None
    assert found[0] == role


@pytest.mark.parametrize("header", ["操作序号", "备注", "部门名称", "weight", "", "a", "订单金额合计数", "x" * 5000])
def test_other_names_are_nothing_to_us(header: str) -> None:
    assert role_of(header) is None


def test_of_two_columns_for_one_role_the_better_name_wins() -> None:
    assert roles_of(["request urll", "请求地址", "接口地址", "状态码"]) == {1: "url", 3: "status"}
