"""Records samples anew: `python -m record NAME...` in this folder's parent; without a name, all of them."""

from __future__ import annotations

import sys
from pathlib import Path

from record.scenarios import amazon, callbacks, shopee, shopify, token_cascade

SAMPLES = Path(__file__).resolve().parent.parent
SCENARIOS = {
    "token-cascade": token_cascade.record,
    "callback-without-effect": callbacks.redirected,
    "clock-skew": shopee.clock_skew,
    "new-field": shopee.new_field,
    "healthy/amazon-good-day": amazon.good_day,
    "healthy/amazon-token-refreshed": amazon.refreshed,
    "healthy/amazon-throttled": amazon.throttled,
    "healthy/amazon-existence-probe": amazon.probe,
    "healthy/amazon-report-without-data": amazon.report,
    "healthy/shopee-good-day": shopee.good_day,
    "healthy/shopee-empty-lists": shopee.empty_lists,
    "healthy/shopee-label-not-ready": shopee.document_not_ready,
    "healthy/shopee-two-shops": shopee.two_shops,
    "healthy/shopify-503-healed": shopify.healed,
    "healthy/shopify-deprecation-header": shopify.deprecated,
    "healthy/callback-redelivered": callbacks.redelivered,
    "healthy/scanner-noise": callbacks.scanned,
}


def main(names: list[str]) -> None:
    """Record these samples into their folders."""
    for name in names or SCENARIOS:
        SCENARIOS[name](SAMPLES / name / "captures")
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
