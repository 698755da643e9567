"""Over random traffic: every failure has at most one owner, nothing is lost, and the document fits its schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_forensics.analysis import Analysis, Capture
from openclaw_forensics.diagnose.frame import marked
from openclaw_forensics.exchanges import EXCHANGE_ORDER, EXCHANGES, READ_COLUMNS, RECORDS, conform, empty, frame_of
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.load import load
from openclaw_forensics.platforms.options import AnnotateOptions
from openclaw_forensics.result import Result
from openclaw_forensics.selection import select
from openclaw_forensics.settings import Settings
from openclaw_forensics.table import Table, in_order
from tests.link.rows import with_identity

Event = tuple[int, tuple[str, str, str | None], tuple[int | None, str | None], bool]
PACKS = load()
START = datetime(2026, 3, 17, 6, tzinfo=UTC)
CALLS = [
    ("POST", "https://api.amazon.com/auth/o2/token", "grant_type=refresh_token&refresh_token=Atzr%7Cabcdefgh1234"),
    ("GET", "https://sellingpartnerapi-eu.amazon.com/orders/v0/orders?MarketplaceIds=A1PA6795UKMFR9", None),
    ("POST", "https://partner.shopeemobile.com/api/v2/order/get_order_list?partner_id=1&timestamp=1773727200"
             "&access_token=tok12345678&shop_id=77&sign=ab", "{}"),
    ("POST", "https://erp.example.com/hooks/shopify", "{}"),
    ("GET", "https://nobody.example/v1/things", None),
]  # fmt: skip
ANSWERS = [
    (200, '{"error":"","message":""}'),
    (200, '{"error":"error_sign","message":"Wrong sign."}'),
    (400, '{"error":"invalid_grant","error_description":"The request has an invalid grant parameter"}'),
    (401, '{"errors":[{"code":"Unauthorized","message":"Access token expired"}]}'),
    (429, '{"errors":[{"code":"QuotaExceeded","message":"You exceeded your quota"}]}'),
    (500, "oops"),
    (None, None),
]
events = st.lists(
    st.tuples(st.integers(0, 7200), st.sampled_from(CALLS), st.sampled_from(ANSWERS), st.booleans()), max_size=25
)


def exchanges(drawn: list[Event]) -> pl.DataFrame:
    rows = []
    for number, (second, (method, url, body), (status, answer), inbound) in enumerate(drawn):
        host, _, rest = url.partition("//")[2].partition("/")
        path, _, query = f"/{rest}".partition("?")
        rows.append(
            {
                "exchange_id": f"x{number}", "direction": "inbound" if inbound else "out", "source_file": "a.har",
                "locator": f"ptr:/log/entries/{number}", "format": "har", "method": method, "url": url, "host": host,
                "path": path, "query": query or None, "started_at": START + timedelta(seconds=second),
                "time_quality": "exact", "zone_basis": "given", "duration_ms": 10.0, "request_body": body,
                "request_body_state": "recorded" if body else "empty", "request_headers": [],
                "request_headers_state": "recorded", "response_headers": [], "response_headers_state": "recorded",
                "response_body": answer, "response_body_state": "recorded" if answer else "not_recorded",
                "status": status, "answer_state": "answered" if status else "missing",
            }
        )  # fmt: skip
    return frame_of(rows, READ_COLUMNS)


def analysed(drawn: list[Event]) -> Result:
    options = AnnotateOptions(key=b"0" * 16)
    annotated, _ = annotate(exchanges(drawn), empty(RECORDS), PACKS, options)
    frame = in_order(with_identity(conform(annotated, EXCHANGES)), EXCHANGE_ORDER)
    capture = Capture(exchanges=Table.of(marked(frame)), records=empty(RECORDS))
    return Analysis(Settings(), PACKS, capture, select(capture.exchanges, empty(RECORDS), Settings())).result


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events)
def test_every_failure_is_counted_once(drawn: list[Event]) -> None:
    result = analysed(drawn)
    owned = sum(c.failures + c.explains for c in result.root_causes)
    assert owned + result.unexplained.failures == result.input.failures
    assert result.input.exchanges == len(drawn)
    assert Result.model_validate_json(result.model_dump_json(by_alias=True)) is not None
    for cause in result.root_causes:
        assert all(i < len(cause.evidence) for r in cause.reasoning for i in r.evidence)
        assert 0 <= cause.confidence <= 1
        assert cause.failures + cause.explains + cause.affected + cause.records > 0


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events)
def test_the_order_of_the_input_does_not_matter(drawn: list[Event]) -> None:
    distinct = {e[0]: e for e in drawn}
    one = analysed(list(distinct.values()))
    other = analysed(list(reversed(distinct.values())))

    def essence(result: Result) -> object:
        return [(c.cause, c.party, c.severity, c.failures, c.explains, c.first_at) for c in result.root_causes]

    assert essence(one) == essence(other)
