"""Whatever a capture holds, annotation ends without an exception and gives every row back, in order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics import exchanges as schema
from openclaw_forensics.platforms.annotate import annotate
from openclaw_forensics.platforms.load import load
from tests.platforms.rows import frame, options, records, row
from tests.platforms.test_columns import bodies, headers, pairs, words

PACKS = load()
HOSTS = sorted(
    host.pattern.replace("*", "x")
    for head in PACKS.heads.values()
    for host in head.platform.hosts
    if host.role != "console"
)
PATHS = sorted({op.path for name in PACKS.ids() for op in PACKS.pack(name).operations if op.path})


@st.composite
def anything(draw: st.DrawFn) -> dict[str, Any]:
    maybe = lambda inner: draw(st.one_of(st.none(), inner))  # noqa: E731
    return row(
        maybe(st.just("https://any.example/")),
        exchange_id=draw(st.uuids()).hex,
        direction=draw(st.sampled_from(["out", "inbound", "callback"])),
        method=maybe(st.sampled_from(["GET", "POST", "", "\ufffd"])),
        host=maybe(st.sampled_from([*HOSTS, "any.example", "", "xn--\x00"])),
        path=maybe(st.sampled_from([*PATHS, "/", "", "//", "/%zz/..", "/webhook/shopee", "/a" * 3000])),
        query=maybe(pairs()),
        request_headers=maybe(headers),
        request_headers_state=maybe(st.sampled_from(schema.PART_STATES)),
        request_body=maybe(bodies()),
        request_body_state=maybe(st.sampled_from(schema.PART_STATES)),
        response_headers=maybe(headers),
        response_body=maybe(bodies()),
        response_body_state=maybe(st.sampled_from(schema.PART_STATES)),
        status=maybe(st.sampled_from([0, 100, 200, 204, 207, 302, 400, 403, 429, 500, 999, -1])),
        answer_state=maybe(st.sampled_from(["answered", "missing", "not_logged", "cancelled", "open"])),
        transport_error=maybe(st.sampled_from(schema.TRANSPORT_ERRORS)),
        client_class=maybe(words),
        duration_ms=maybe(st.floats()),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(anything(), max_size=6), st.sampled_from([(), ("shopee",), ("amazon", "ebay")]))
def test_any_rows(rows: list[dict[str, Any]], given_ids: tuple[str, ...]) -> None:
    logged = records({"level": "ERROR", "message": rows[0]["request_body"] if rows else None})
    found, noted = annotate(frame(*rows), logged, PACKS, options(platforms=given_ids, receivers=("any.example/x",)))
    assert found["exchange_id"].to_list() == [r["exchange_id"] for r in rows]
    assert noted.height == 1
    assert found.filter(found["expected_outcome"].fill_null(False) & found["failure"].is_not_null()).height == 0
