"""What is never read or read too late: each with a hit and what only looks like it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openclaw_forensics.diagnose.detectors.pages import longest
from openclaw_forensics.diagnose.detectors.windows import moment
from openclaw_forensics.diagnose.detectors.zoned_times import is_empty
from tests.diagnose.detectors.asked import API, at, call, capture, found

GAP, PAGES, POLL, ORDER, ZONE = (
    "sync.incremental_gap", "sync.pagination_incomplete", "sync.stale_poll", "sync.out_of_order",
    "schema.timezone_mismatch",
)  # fmt: skip
EMPTY = '{"orders":[]}'


def epoch(minutes):
    return int(at(minutes).timestamp())


def pull(minutes, start, end, shift=0.0, **others):
    """A pull of the window [start, end), in minutes after the start of the capture."""
    window = f"time_from={epoch(start + shift)}&time_to={epoch(end + shift)}"
    return call(minutes, f"{API}/orders?shop=1&ts={epoch(minutes)}&{window}", **others)


def steady(*, skip=(), n=6):
    return [pull(10 * i, 10 * (i - 1), 10 * i) for i in range(n) if i not in skip]


def test_a_hole_between_windows_is_found_and_named():
    [root] = found(capture(steady(skip=[3])), GAP)
    assert (root.finding.affected, root.severity, root.judgement.party) == ((2, 3), "error", "erp")
    assert "10 min" in root.finding.because[0].text.en


def test_a_hole_left_by_a_failed_pull_says_so():
    rows = steady()
    rows[3] |= {"status": 503}
    [root] = found(capture(rows), GAP)
    assert len(root.finding.because) == 2


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(steady(), id="windows join"),
        pytest.param([*steady(skip=[3]), pull(60, 15, 35)], id="read later"),
        pytest.param(steady(skip=[3], n=4), id="too few pulls"),
        pytest.param([pull(i, 1440 * i, 1440 * i + 60) for i in range(-6, 0)], id="a backfill of old days"),
        pytest.param([pull(10 * i, 10 * (i - 1), 10 * i - 0.02) for i in range(6)], id="a second"),
        pytest.param(
            [
                call(10 * i, f"{API}/orders/search?shop=1", method="POST", request_body_state="not_recorded")
                if i == 3
                else call(
                    10 * i, f"{API}/orders/search?shop=1", method="POST",
                    body=f'{{"time_from":{epoch(10 * i - 10)},"time_to":{epoch(10 * i)}}}',
                )
                for i in range(6)
            ],
            id="a body was not recorded",
        ),
        pytest.param([pull(10 * i, 10 * (i - 1), 10 * i, answer=EMPTY) for i in range(5)] * 2, id="repeated"),
    ],
)  # fmt: skip
def test_no_hole(rows):
    assert found(capture(rows), GAP) == []


def test_a_hole_in_bodies_of_posts():
    rows = [
        call(
            10 * i, f"{API}/orders/search?shop=1", method="POST",
            body=f'{{"time_from":{epoch(10 * i - 10)},"time_to":{epoch(10 * i)}}}',
        )
        for i in range(6) if i != 3
    ]  # fmt: skip
    assert len(found(capture(rows), GAP)) == 1


MORE = '{"orders":[{"id":1},{"id":2}],"next_cursor":"abc/def==","more":true}'
LAST = '{"orders":[{"id":3}],"next_cursor":"","more":false}'


def page(minutes, query="page_size=2", answer=MORE, **others):
    return call(minutes, f"{API}/orders?shop=1&ts={epoch(minutes)}&{query}", answer=answer, **others)


def stock(minutes):
    return call(minutes, f"{API}/stock?shop=1", method="POST", body=f'{{"sku":"A","quantity":{minutes}}}')


def test_a_page_that_nobody_asks_for():
    [root] = found(capture([page(0), stock(5), page(10), stock(20)]), PAGES)
    assert (root.finding.affected, root.finding.confidence) == ((0, 2), pytest.approx(0.75))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([page(0), page(0.1, "page_size=2&cursor=abc%2Fdef%3D%3D", LAST), stock(9)], id="followed"),
        pytest.param([page(0), page(0.1, "page_size=2&cursor=abc%2Fdef%3D%3D", status=500), stock(9)], id="tried"),
        pytest.param([page(0), stock(1)], id="the capture ends"),
        pytest.param([page(0, answer=LAST), stock(9)], id="the last page"),
        pytest.param([page(0, "page_size=50"), stock(9)], id="a page that is not full"),
        pytest.param([page(0, "page_size=1", '{"orders":[{"id":1}],"more":true}'), stock(9)], id="a look at one"),
        pytest.param([page(0, answer='{"orders":[],"next_cursor":"abcd"}'), stock(9)], id="an empty page"),
        pytest.param(
            [
                page(0, "page=1&page_size=2", '{"orders":[1,2],"has_more":true}'),
                page(1, "page=2&page_size=2", LAST),
                stock(9),
            ],
            id="by number",
        ),
    ],
)
def test_pages_that_were_read_or_are_none(rows):
    assert found(capture(rows), PAGES) == []


def test_a_listing_read_to_its_end_later_is_repaired():
    rows = [page(0), stock(5), page(10), page(10.1, "page_size=2&cursor=abc%2Fdef%3D%3D", LAST), stock(20)]
    rows[0]["response_body"] = MORE.replace("abc", "other")
    [root] = found(capture(rows), PAGES)
    assert root.severity == "warning"


def polls(*minutes):
    return [call(m, f"{API}/orders?shop=1&ts={epoch(m)}") for m in minutes]


REST = [stock(m) for m in range(1, 150, 7)]


@pytest.mark.parametrize(
    ("minutes", "severity"),
    [((0, 5, 10, 15, 20, 25, *range(60, 150, 5)), "warning"), ((0, 5, 10, 15, 20, 25), "error")],
    ids=["resumed", "stopped"],
)
def test_a_poll_that_pauses(minutes, severity):
    [root] = found(capture(polls(*minutes) + REST), POLL)
    assert root.severity == severity


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(polls(*range(0, 150, 5)) + REST, id="steady"),
        pytest.param(polls(0, 5, 10, 15, 20, 25, 60, 65), id="no other traffic"),
        pytest.param(polls(0, 2, 4, 6, 8, 10, 22, *range(24, 150, 2)) + REST, id="under fifteen minutes"),
        pytest.param(polls(0, 30, 60, 90, 120, 150, 240, 270) + [stock(m) for m in range(1, 270, 9)], id="three times"),
        pytest.param(polls(0, 1, 30, 31, 33, 100, 101, 102, 149) + REST, id="by hand"),
        pytest.param(polls(0, 5, 60, *range(65, 150, 5)) + REST, id="too few before"),
        pytest.param(
            [
                *polls(0, 5, 10, 15, 20),
                call(25, f"{API}/orders?shop=1&ts=1", status=401),
                *polls(*range(60, 150, 5)),
                *REST,
            ],
            id="after a refusal",
        ),
    ],
)
def test_no_pause_of_its_own(rows):
    assert found(capture(rows), POLL) == []


def update(minutes, version, sku="A", **others):
    body = f'{{"sku":"{sku}","quantity":1,"updated_at":"2026-03-17T06:{version:02d}:00Z"}}'
    return call(minutes, f"{API}/stock?shop=1", method="POST", body=body, **others)


@pytest.mark.parametrize(
    ("rows", "severity"),
    [([update(0, 1), update(1, 5), update(2, 3)], "error"),
     ([update(0, 1), update(1, 5), update(2, 3), update(3, 6)], "warning")],
    ids=["stands", "overwritten again"],
)  # fmt: skip
def test_an_older_update_after_a_newer_one(rows, severity):
    [root] = found(capture(rows), ORDER)
    assert (root.finding.affected, root.severity) == ((2,), severity)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([update(0, 1), update(1, 2), update(2, 2)], id="in order"),
        pytest.param([update(0, 5), update(1, 3, sku="B")], id="another object"),
        pytest.param([update(0, 5), update(1, 3, status=409)], id="refused"),
    ],
)
def test_updates_in_order(rows):
    assert found(capture(rows), ORDER) == []


@pytest.mark.parametrize(
    ("rows", "confidence"),
    [
        pytest.param([pull(10 * i, 10 * i - 10, 10 * i, 480, answer=EMPTY) for i in range(4)], 0.7, id="ahead"),
        pytest.param(
            [pull(10 * i, 10 * i - 10, 10 * i, 480, answer=EMPTY, zone_basis="assumed") for i in range(4)],
            0.5, id="zone assumed",
        ),
        pytest.param(
            [pull(10 * i, 10 * i - 10, 10 * i, 0 if i < 3 else -480, answer=EMPTY) for i in range(7)],
            0.6, id="from a day on",
        ),
        pytest.param(
            [
                call(m, f"{API}/shipments?shop=1", method="POST",
                     body=f'{{"order":"7{m}","ship_time":"{(at(m) + timedelta(hours=8)).isoformat()}"}}')
                for m in (0, 10, 20)
            ],
            0.6, id="a time in a body",
        ),
    ],
)  # fmt: skip
def test_a_zone_beside_the_clock(rows, confidence):
    [root] = found(capture(rows), ZONE)
    assert root.finding.confidence == pytest.approx(confidence)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([pull(10 * i, 10 * i - 10, 10 * i, answer=EMPTY) for i in range(4)], id="right"),
        pytest.param([pull(10 * i, 10 * i - 10, 10 * i, 480, answer=MORE) for i in range(4)], id="with items"),
        pytest.param([pull(10 * i, 10 * i - 10, 10 * i, -480, answer=EMPTY) for i in range(4)], id="an old window"),
        pytest.param([pull(10 * i, 10 * i - 10, 10 * i, 480, answer=EMPTY) for i in range(2)], id="twice"),
        pytest.param([pull(10 * i, 10 * i - 10, 10 * i, 37, answer=EMPTY) for i in range(4)], id="no zone"),
        pytest.param([pull(10 * i, 0, 1440, answer=EMPTY) for i in range(4)], id="the whole day"),
        pytest.param(
            [
                call(10 * i, f"{API}/orders?shop=1&time_from=2026-03-17+1{i}:00:00&time_to=2026-03-17+1{i}:10:00",
                     answer=EMPTY)
                for i in range(4, 8)
            ],
            id="local times",
        ),
        pytest.param(
            [
                call(m, f"{API}/shipments?shop=1", method="POST",
                     body=f'{{"order":"7{m}","ship_time":"{(at(m) - timedelta(hours=8)).isoformat()}"}}')
                for m in (0, 10, 20)
            ],
            id="shipped hours ago",
        ),
    ],
)  # fmt: skip
def test_no_zone_beside_the_clock(rows):
    assert found(capture(rows), ZONE) == []


@pytest.mark.parametrize(
    ("text", "instant"),
    [("1773727200", True), ("1773727200000", True), ("2026-03-17T06%3A00%3A00Z", True),
     ("2026-03-17T06:00:00+08:00", True), ("2026-03-17 06:00:00", False)],
)  # fmt: skip
def test_moments(text, instant):
    found_moment = moment(text)
    assert found_moment is not None
    assert found_moment.instant is instant


@pytest.mark.parametrize("text", ["2026-03-17", "yesterday", "", "99999999999999999", "٢٠٢٦٠٣١٧٠٦"])
def test_no_moments(text):
    assert moment(text) is None


def test_answers_that_hold_nothing():
    assert [is_empty(b) for b in ('{"a":{"b":[]}}', '{"a":[1],"b":[]}', '{"a":1}', "oops", None)] == [
        True, False, None, None, None,
    ]  # fmt: skip


def test_longest_list():
    assert [longest(b) for b in ('{"a":[1,2],"b":{"c":[1]}}', '{"a":1}', "oops")] == [2, None, None]
