"""The same exchange seen by two writers counts once; two attempts never melt."""

from __future__ import annotations

from openclaw_forensics.link.doubles import drop_doubles
from tests.link.rows import exchanges

BODY = {"response_body_state": "recorded", "request_body_state": "recorded"}


def kept(*rows: dict[str, object]) -> list[str]:
    return drop_doubles(exchanges(*rows)).exchanges["exchange_id"].to_list()


def test_two_files_one_exchange_keeps_the_fuller() -> None:
    merged = drop_doubles(exchanges({"at": 0}, {"at": 0, "source_file": "b.har", **BODY}))
    assert merged.exchanges["exchange_id"].to_list() == ["x1"]
    assert merged.stays == {"x0": "x1"}
    assert merged.exchanges["also_seen"][0].to_list()[0]["file"] == "a.log"


def test_one_file_never_melts() -> None:
    assert kept({"at": 0}, {"at": 0}) == ["x0", "x1"]


def test_other_request_ids_are_other_exchanges() -> None:
    assert len(kept({"request_id": "r1"}, {"request_id": "r2", "source_file": "b.har"})) == 2


def test_same_request_id_is_the_same_however_far_the_clocks() -> None:
    assert len(kept({"request_id": "r1", "at": 0}, {"request_id": "r1", "at": 900, "source_file": "b.har"})) == 1


def test_clocks_that_disagree_are_measured() -> None:
    rows = [{"request_id": f"r{n}", "at": 10 * n, "source_file": "b.har", **BODY} for n in range(3)]
    late = [{"request_id": f"r{n}", "at": 10 * n + 90} for n in range(3)]
    assert drop_doubles(exchanges(*rows, *late)).offsets_ms == {"a.log": 90_000.0}


def test_two_candidates_are_no_unique_partner() -> None:
    assert len(kept({"at": 0}, {"at": 0, "source_file": "b.har"}, {"at": 1, "source_file": "b.har"})) == 3


def test_far_apart_is_another_attempt() -> None:
    assert len(kept({"at": 0}, {"at": 60, "source_file": "b.har"})) == 2
