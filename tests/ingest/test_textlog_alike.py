"""A long log is read wording by wording, a short one line by line: the calls must be the same."""

from __future__ import annotations

import random

import polars as pl
import pytest

from openclaw_forensics.ingest.calls import read_calls
from openclaw_forensics.ingest.lineformat import load_formats
from openclaw_forensics.ingest.stamps import Calendar
from openclaw_forensics.ingest.textlog_records import learn_layout, split_records

LINES = 6000  # enough for wordings to be worth it
SLICE = 500  # too few for that
STACK = (
    "\ncom.example.ApiException: call refused\n\tat com.example.Sync.run(Sync.java:40)"
    "\nCaused by: java.net.SocketTimeoutException: Read timed out"
)
REQUESTS = (
    'request POST https://api.example.com/stock?shop={n}&sign=a%2Fb&t={n} body={{"sku":"S-{n}","n":{n}}}',
    "request GET https://api.example.com/orders?page={n}&status=UNSHIPPED",
    "request GET https://api.example.com/orders/{n}",
    "GET https://api.example.com/find?q={n}&error=404 HTTP/1.1",
    'calling https://api.example.com/v2?a={n}"x',
    "is it done? 请求 https://api.example.com/late?n={n}，参数 {{}}",
)
ANSWERS = (
    'response 200 cost={m}ms body={{"error":"","items":[{{"id":"{n}"}}],"more":false}}',
    'response 401 cost={m}ms body={{"error":"invalid_token","message":"GET https://x.example.com/a 500 {n}"}}',
    'response for https://api.example.com/orders?page={n}&error=500 {{"code":{m}}}',
    '200 OK {{"id":{n}}} trailing {m}',
    "failed: error=503 for https://api.example.com/x?y={n}",
    'result={{"url":"https://api.example.com/z?{n}","status":200}}',
)
OTHERS = ("stored {m} rows", "sync failed for {n}" + STACK, "why? because {n}", "{{}}", "?", "")


def _log(seed: int) -> str:
    dice = random.Random(seed)
    lines = []
    for n in range(LINES):
        wording = dice.choice(dice.choices((REQUESTS, ANSWERS, OTHERS), (5, 5, 1))[0][: dice.choice((2, 2, 2, 6))])
        level = dice.choice(("INFO ", "INFO ", "INFO ", "WARN ", "ERROR"))
        stamp = f"2026-03-17 01:{n // 600 % 60:02}:{n // 10 % 60:02}.{n % 1000:03}"
        head = f"{stamp} [job-{n % 7}] {level} c.e.Client{n % 3} - "
        lines.append(head + wording.format(n=n, m=n % 90 + 10))
    return "\n".join(lines) + "\n"


def _mutated(text: str, seed: int) -> str:
    """Characters dropped, doubled and replaced here and there."""
    dice = random.Random(seed)
    signs = list(text)
    for _ in range(800):
        at = dice.randrange(len(signs))
        signs[at] = dice.choice(("", signs[at] * 2, "?", '{"', "}", " ", "\n", "请", '"', "=", " 500 "))
    return "".join(signs)


CASES = {
    "as written": _log(1),
    "another order": _log(2),
    "mutated": _mutated(_log(3), 3),
    "mutated twice": _mutated(_mutated(_log(4), 4), 5),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_wordings_and_single_lines_tell_the_same_calls(text: str) -> None:
    formats = load_formats()
    data = text.encode()
    layout = learn_layout(data[:60_000], formats)
    records = split_records(data, layout, offset=0, line=1, calendar=Calendar(None))
    whole = read_calls(records, formats.groups)
    pieces = [
        read_calls(records.slice(begin, SLICE), formats.groups).with_columns(pl.col("row") + begin)
        for begin in range(0, records.height, SLICE)
    ]
    single = pl.concat(pieces).with_columns(pl.col("row").cast(pl.UInt32))
    assert whole.height > LINES // 2
    assert whole.equals(single)


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_heads_are_the_same_in_a_long_log_and_line_by_line(text: str) -> None:
    formats = load_formats()
    data = text.encode()
    layout = learn_layout(data[:60_000], formats)
    records = split_records(data, layout, offset=0, line=1, calendar=Calendar(None))
    assert records["size"].sum() == len(data)
    for record in records.sample(200, seed=1).iter_rows(named=True):
        own = data[record["offset"] : record["offset"] + record["size"]]
        alone = split_records(own, layout, offset=record["offset"], line=record["line"], calendar=Calendar(None))
        assert alone.height == 1
        assert alone.row(0, named=True) == record
