"""The same exchange seen by two writers counts once; two attempts never melt."""

from __future__ import annotations

from openclaw_forensics.link.doubles import drop_doubles
from tests.link.rows import exchanges

BODY = {"response_body_state": "recorded", "request_body_state": "recorded"}


def kept(*rows: dict[str, object]) -> list[str]:
    frame, _ = drop_doubles(exchanges(*rows))
    return frame["exchange_id"].to_list()


def test_two_files_one_exchange_keeps_the_fuller() -> None:
    frame, stays = drop_doubles(exchanges({"at": 0}, {"at": 0, "source_file": "b.har", **BODY}))
    assert frame["exchange_id"].to_list() == ["x1"]
    assert stays == {"x0": "x1"}
    assert frame["also_seen"][0].to_list()[0]["file"] == "a.log"


def test_one_file_never_melts() -> None:
    assert kept({"at": 0}, {"at": 0}) == ["x0", "x1"]


def test_other_request_ids_are_other_exchanges() -> None:
    assert len(kept({"request_id": "r1"}, {"request_id": "r2", "source_file": "b.har"})) == 2


def test_same_request_id_is_the_same_however_far_the_clocks() -> None:
    assert len(kept({"request_id": "r1", "at": 0}, {"request_id": "r1", "at": 900, "source_file": "b.har"})) == 1


def test_two_candidates_are_no_unique_partner() -> None:
    assert len(kept({"at": 0}, {"at": 0, "source_file": "b.har"}, {"at": 1, "source_file": "b.har"})) == 3


def test_far_apart_is_another_attempt() -> None:
    assert len(kept({"at": 0}, {"at": 60, "source_file": "b.har"})) == 2
