"""The short way and the general way give the same frames, whatever a log does between two calls."""

from __future__ import annotations

import random

import polars as pl
import pytest

from openclaw_forensics.ingest.lineformat import load_formats
from openclaw_forensics.ingest.stamps import Calendar
from openclaw_forensics.ingest.textlog import Piece, first_lane, parse
from openclaw_forensics.ingest.textlog_assembly import Assembly
from openclaw_forensics.ingest.textlog_lane import Lane
from openclaw_forensics.ingest.textlog_records import Layout, last_head, learn_layout
from tests.ingest.wordings import long_log, mutated

PIECE = 200_000  # bytes


def _shop(seed: int, *, traced: bool, disorder: float) -> str:
    """Calls of several threads with the answer next in its thread, and now and then something else between the two."""
    dice = random.Random(seed)
    lines: list[tuple[int, str]] = []
    for n in range(3000):
        begin, wait = n * 40, dice.randint(5, 900)
        head = f"[job-{n % 9}] " + (f"[{dice.getrandbits(64):016x}] " if traced else "") + "INFO  c.e.Client - "
        answer = f'{{"error":"","id":{n}}}' if dice.random() > disorder / 2 else '{"error":"auth","message":"} {"}'
        lines.append((begin, f'{head}request POST https://api.example.com/orders/{n}?t={n} body={{"sku":"S{n}"}}'))
        lines.append((begin + wait, f"{head}response {dice.choice((200, 200, 401))} cost={wait}ms body={answer}"))
        if dice.random() < disorder:
            lines.append((begin + wait // 2, head + dice.choice(BETWEEN).format(n=n)))
        if dice.random() < disorder / 4:
            lines.append(lines[-1])  # written by two appenders
        lines.append((begin + wait + 1, f"{head}stored {n} rows"))
    lines.sort(key=lambda line: line[0])
    return "".join(
        f"2026-03-17 0{t // 3_600_000}:{t // 60_000 % 60:02}:{t // 1000 % 60:02}.{t % 1000:03} {line}\n"
        for t, line in lines
    )


BETWEEN = (
    "response 503 cost=7ms",
    'response for https://api.example.com/other {{"code":1}}',
    "retry {n}",
    "failed\njava.net.SocketTimeoutException: Read timed out\n\tat a.B.c(B.java:1)",
    "request GET https://api.example.com/inner/{n}",
    'body: {{"late":{n}}}',
    "请求 https://api.example.com/中文?n={n}",
)
CASES = {
    **{
        f"calls {name}, {disorder} between": _shop(7, traced=name == "traced", disorder=disorder)
        for name in ("traced", "untraced")
        for disorder in (0.0, 0.05, 0.5)
    },
    "many wordings, traced": long_log(2, traced=True),
    "mutated": mutated(_shop(8, traced=True, disorder=0.05), 3),
    "mutated wordings": mutated(long_log(3, traced=True), 3),
}


def _pieces(data: bytes, layout: Layout) -> list[Piece]:
    pieces, begin = [], 0
    while begin < len(data):
        end = (
            begin + (last_head(data[begin : begin + PIECE], layout) or PIECE)
            if begin + PIECE < len(data)
            else len(data)
        )
        pieces.append(Piece(data[begin:end], begin, data.count(b"\n", 0, begin) + 1, (), end == len(data)))
        begin = end
    return pieces


def _read(pieces: list[Piece], layout: Layout, lane: Lane | None) -> tuple[pl.DataFrame, pl.DataFrame, list[object]]:
    formats, assembly = load_formats(), Assembly("app.log", "textlog", layout.writer)
    parts = [assembly.add(parse(piece, layout, formats, Calendar(), lane)) for piece in pieces]
    exchanges = pl.concat([p.exchanges for p in parts]).sort("line", "locator", maintain_order=True)
    return exchanges, pl.concat([p.records for p in parts]), [p.balance for p in parts]


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_both_ways_give_the_same(text: str) -> None:
    data = text.encode()
    layout = learn_layout(data[:60_000], load_formats())
    pieces = _pieces(data, layout)
    lane = first_lane(pieces[0], layout, load_formats())
    exchanges, records, balance = _read(pieces, layout, None)
    assert exchanges.height > 1000
    quick = _read(pieces, layout, lane)
    assert quick[0].equals(exchanges)
    assert quick[1].equals(records)
    assert quick[2] == balance


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("calls")])
def test_plain_calls_go_the_short_way(name: str) -> None:
    data = CASES[name].encode()
    layout = learn_layout(data[:60_000], load_formats())
    pieces = _pieces(data, layout)
    lane = first_lane(pieces[0], layout, load_formats())
    assert lane is not None
    assert {wording.role for wording in lane.wordings} == {"request", "answer"}
    short = parse(pieces[1], layout, load_formats(), Calendar(), lane).calls
    if "0.5" not in name:
        assert short.height > 300


@pytest.mark.parametrize(
    ("stamp", "ordered"),
    [("2026-03-17 01:00:00.123", False), ("2026-03-17T01:00:00,123", False), ("01:00:00.123", True)],
)
def test_only_times_of_day_need_the_lines_before(stamp: str, ordered: bool) -> None:
    text = f"{stamp} [job-1] INFO  c.e.Client - request GET https://api.example.com/a\n" * 5
    assert learn_layout(text.encode(), load_formats()).needs_order is ordered
