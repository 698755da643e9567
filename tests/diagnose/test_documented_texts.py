"""Codes and texts as the platforms document them: whoever they name must not be blamed in another's place."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_forensics.diagnose.catalogue import Catalogue
from openclaw_forensics.platforms.load import load
from openclaw_forensics.taxonomy import taxonomy

PACKS = load()
PARTIES = {
    # platform, code, text, operation: party
    ("shopee", "error_server", "error server", "token.create"): "platform",
    ("shopee", "logistics.error_format", "Content format from external system is invalid.", ""): "carrier",
    ("shopee", "common.error_shop", "Shopid is invalid.", ""): "seller",
    ("shopee", "order_not_found", "Order SN provided is invalid or does not belong to you.", ""): "seller",
    ("shopee", "error_business", "The seller commission operation is frozen.", ""): "seller",
    ("shopee", "error_data", "The user(user_id:1) has been frozen", ""): "seller",
    ("shopee", "error_permission", "detail: This shop isn't eligible to set up Regular Operating Hours.", ""): "seller",
    ("shopee", "voucher.end_voucher_status_error", "Can only end the ongoing voucher.", ""): "seller",
    ("shopee", "logistics.error_param", "Deliver address not support COD.", ""): "undetermined",
    ("shopee", "logistics.error_update", "Fail to update.", ""): "undetermined",
    ("tiktok_shop", "45101021", "unauthorized operation on users who hit privacy control", ""): "seller",
    ("tiktok_shop", "12052448", "Local fulfillment is required", ""): "seller",
    ("tiktok_shop", "36009003", "Internal error. Please try again.", ""): "platform",
    ("lazada", "4138", "System is under maintenance", "product.global.create"): "platform",
    ("lazada", "4138", "The image exists in the outer link", "product.create"): "erp",
    ("lazada", "4154", "Can not find the local items in the data base", "product.global.create"): "seller",
    ("lazada", "PARTNER_NOT_FOUND", "Need to register partner information with Lazada", ""): "seller",
    ("ebay", "35089", "You are currently not authorized to access the program.", ""): "seller",
    ("ebay", "35067", "The seller must accept the Promoted Listing terms and conditions.", ""): "seller",
    ("ebay", "38225", "You cannot update a promotion that has ended.", ""): "seller",
    ("ebay", "160100", "Payload not found.", ""): "erp",
    ("ebay", "35001", "There was a problem with an eBay internal system or process.", ""): "platform",
}
CAUSES = {
    ("shopee", "error_business", "The minimum commission rate limit was not passed.", ""): "schema.invalid_value",
    ("shopee", "error_param", "Request items over limit, should be less than 50", ""): "request.payload_too_large",
    ("shopee", "error_rate_limit", "Too many requests. You have reached the rate limit.", ""): "rate.throttled",
    ("shopee", "invalid_shop_id", "The code or shop_id is wrong", "token.create"): "auth.authorization_code_expired",
    ("shopee", "error_auth", "The shop is no longer linked to the partner.", ""): "auth.authorization_revoked",
    ("shopee", "error_auth", "Your shop can not use this API.", ""): "auth.permission_missing",
    ("jushuitan", "120", "access_token已失效，商户已取消授权", ""): "auth.authorization_revoked",
    ("jushuitan", "120", "订单已取消", ""): "business.state_conflict",
    ("shein", "-1", "商家已取消授权", ""): "auth.authorization_revoked",
    ("shein", "-1", "订单已取消", ""): "business.state_conflict",
    ("mabang", "500", "店铺已取消授权", ""): "auth.authorization_revoked",
    ("mabang", "500", "订单已取消", ""): "business.state_conflict",
    ("eccang", "E1", "平台已解除授权", ""): "auth.authorization_revoked",
    ("walmart", "FORBIDDEN.GMP_GATEWAY_API", "Seller account is suspended.", ""): "auth.account_not_eligible",
    ("walmart", "FORBIDDEN.GMP_GATEWAY_API", "Requested scope is not allowed.", ""): "auth.permission_missing",
    ("shopee", "error_permission", "Special Operating Hours not found for this shop.", ""): "business.not_found",
    ("shopee", "ads_deprecated", "This feature has been deprecated", ""): "api.version_retired",
    ("tiktok_shop", "12019099", "`pre_sale.type` is not supported in your region.", ""): "schema.invalid_value",
    ("tiktok_shop", "16024004", "test account can not cross invite", ""): "env.sandbox_production_mixup",
    ("lazada", "4154", "Slow down a bit! Too many opertions at once.", "product.create"): "rate.throttled",
    ("lazada", "4154", "Can not find the local items in the data base", "product.global.create"): "business.not_found",
    ("lazada", "E1000", "Endpoint exception, please use MY endpoint for GSP related requests.", ""): "env.wrong_region",
    ("ebay", "10007", "The field: title is required.", ""): "schema.missing_required_field",
}  # fmt: skip


def row_of(code: str, text: str, operation: str) -> dict[str, Any]:
    return {
        "error_code": code, "error_subcode": None, "error_message": text, "status": 200,
        "operation": operation or None, "step": "other",
    }  # fmt: skip


def entry_for(platform: str, code: str, text: str, operation: str) -> Any:
    catalogue = Catalogue(platform, PACKS.pack(platform).errors, lambda entry, row: False)
    found = catalogue.find(row_of(code, text, operation))
    assert found is not None
    return found.entry


def name_of(key: tuple[str, str, str, str]) -> str:
    return f"{key[0]}-{key[1]}-{key[3] or key[2][:24]}"


@pytest.mark.parametrize(("key", "party"), PARTIES.items(), ids=[name_of(k) for k in PARTIES])
def test_party(key: tuple[str, str, str, str], party: str) -> None:
    entry = entry_for(*key)
    assert (entry.party or taxonomy().causes[entry.cause].party) == party


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("The merchant has cancelled the authorization", "auth.authorization_revoked"),
        ("商户已取消授权，请重新授权", "auth.authorization_revoked"),
        ("authorization header is not valid", None),
        ("请求IP 203.0.113.9 不在白名单内", "auth.ip_not_allowed"),
        ("商品不在白名单", None),
    ],
    ids=["cancelled", "in Chinese", "a header", "address list", "a list of goods"],
)
def test_words_that_mean_the_same_anywhere(text: str, cause: str | None) -> None:
    found = Catalogue("common", PACKS.common.errors, lambda entry, row: False).find(row_of("-1", text, ""))
    assert (found.entry.cause if found else None) == cause


@pytest.mark.parametrize(("key", "cause"), CAUSES.items(), ids=[name_of(k) for k in CAUSES])
def test_cause(key: tuple[str, str, str, str], cause: str) -> None:
    assert entry_for(*key).cause == cause
