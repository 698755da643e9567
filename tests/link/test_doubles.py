"""The same exchange seen by two writers counts once; two attempts never melt."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import permutations
from typing import Any

from openclaw_forensics.link.doubles import find_doubles
from openclaw_forensics.link.meetings import SLACK, may_meet
from tests.link.rows import exchanges

BODY = {"response_body_state": "recorded", "request_body_state": "recorded"}


def kept(*rows: dict[str, object]) -> list[str]:
    frame = exchanges(*rows)
    return find_doubles(frame).merged(frame)["exchange_id"].to_list()


def test_two_files_one_exchange_keeps_the_fuller() -> None:
    frame = exchanges({"at": 0}, {"at": 0, "source_file": "b.har", **BODY})
    doubles = find_doubles(frame)
    merged = doubles.merged(frame)
    assert merged["exchange_id"].to_list() == ["x1"]
    assert doubles.stays == {"x0": "x1"}
    assert merged["also_seen"][0].to_list()[0]["file"] == "a.log"


def test_one_file_never_melts() -> None:
    assert kept({"at": 0}, {"at": 0}) == ["x0", "x1"]


def test_other_request_ids_are_other_exchanges() -> None:
    assert len(kept({"request_id": "r1"}, {"request_id": "r2", "source_file": "b.har"})) == 2


def test_same_request_id_is_the_same_however_far_the_clocks() -> None:
    assert len(kept({"request_id": "r1", "at": 0}, {"request_id": "r1", "at": 900, "source_file": "b.har"})) == 1


def test_clocks_that_disagree_are_measured() -> None:
    rows = [{"request_id": f"r{n}", "at": 10 * n, "source_file": "b.har", **BODY} for n in range(3)]
    late = [{"request_id": f"r{n}", "at": 10 * n + 90} for n in range(3)]
    assert find_doubles(exchanges(*rows, *late)).offsets_ms == {"a.log": 90_000.0}


def test_two_candidates_are_no_unique_partner() -> None:
    assert len(kept({"at": 0}, {"at": 0, "source_file": "b.har"}, {"at": 1, "source_file": "b.har"})) == 3


def test_far_apart_is_another_attempt() -> None:
    assert len(kept({"at": 0}, {"at": 60, "source_file": "b.har"})) == 2


ROTATED = {"a.log": "app.log", "a.log.1": "app.log", "b.har": None}


def test_pieces_of_one_rotated_log_never_melt() -> None:
    rows = exchanges({"at": 0}, {"at": 0.5, "source_file": "a.log.1"})
    assert find_doubles(rows, ROTATED).stays == {}


def test_a_line_copied_into_the_rotated_piece_counts_once() -> None:
    line = {"at": 0, "raw_stamp": "2026-03-17 06:00:00.123", "url": "https://h/o", "thread": "t"}
    rows = exchanges({**line}, {**line, "source_file": "a.log.1"})
    assert find_doubles(rows, ROTATED).stays == {"x1": "x0"}


def test_a_copied_stamp_without_fraction_is_no_proof() -> None:
    line = {"at": 0, "raw_stamp": "2026-03-17 06:00:00", "url": "https://h/o", "thread": "t"}
    assert find_doubles(exchanges({**line}, {**line, "source_file": "a.log.1"}), ROTATED).stays == {}


def test_partners_in_two_pieces_of_one_log_are_not_unique() -> None:
    rows: list[dict[str, object]] = [
        {"at": 0, "source_file": "b.har", **BODY},
        {"at": 0},
        {"at": 1, "source_file": "a.log.1"},
    ]
    assert find_doubles(exchanges(*rows), ROTATED).stays == {}


def test_nothing_that_overlaps_or_shares_an_id_is_left_out_before_it_is_looked_at() -> None:
    chance = random.Random(7)
    drawn: list[dict[str, object]] = [
        {
            "at": chance.uniform(0, 400),
            "source_file": chance.choice(["a.log", "b.har", "c.log"]),
            "request_id": chance.choice([None, None, f"r{chance.randrange(40)}"]),
            "path": chance.choice(["/o", "/p", None]),
            "duration_ms": chance.choice([None, 0.0, 5000.0, 90_000.0]),
        }
        for _ in range(150)
    ]
    rows = exchanges(*drawn)
    meeting = set(may_meet(rows, {})["exchange_id"])
    partners = {
        str(one["exchange_id"])
        for one, other in permutations(rows.iter_rows(named=True), 2)
        if one["path"] == other["path"] and one["source_file"] != other["source_file"] and _touch(one, other)
    }
    assert partners
    assert partners <= meeting
    assert len(meeting) < rows.height


def _touch(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if one["request_id"] is not None and one["request_id"] == other["request_id"]:
        return True
    ends = [row["started_at"] + timedelta(milliseconds=row["duration_ms"] or 0) + SLACK for row in (one, other)]
    return bool(one["started_at"] <= ends[1] and other["started_at"] <= ends[0])
