"""Whom a burst of server errors names: the platform, or the carrier where the pack is a carrier's."""

from __future__ import annotations

import pytest

from tests.diagnose.detectors.asked import API, acme, call, capture, found


@pytest.mark.parametrize(("kind", "party"), [("marketplace", "platform"), ("carrier", "carrier"), ("erp", "platform")])
def test_who_is_down(kind, party):
    rows = [
        call(n, f"{API}/{path}?shop=1", method="POST", body="{}", status=503)
        for n, path in enumerate(("shipments", "stock"))
    ]
    [root] = found(capture(rows, pack=acme(kind=kind)), "api.platform_outage")
    assert (root.judgement.party, len(root.owned.direct)) == (party, 2)
