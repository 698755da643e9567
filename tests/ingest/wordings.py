"""Made-up long logs whose lines are worded alike, as they come from one program and with bytes changed."""

from __future__ import annotations

import random

LINES = 6000  # enough for wordings to be worth it
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


def long_log(seed: int, *, traced: bool = False) -> str:
    """A log of `LINES` lines in these wordings, told by a few threads, with a trace id each where `traced`."""
    dice = random.Random(seed)
    lines = []
    for n in range(LINES):
        wording = dice.choice(dice.choices((REQUESTS, ANSWERS, OTHERS), (5, 5, 1))[0][: dice.choice((2, 2, 2, 6))])
        level = dice.choice(("INFO ", "INFO ", "INFO ", "WARN ", "ERROR"))
        stamp = f"2026-03-17 01:{n // 600 % 60:02}:{n // 10 % 60:02}.{n % 1000:03}"
        trace = f"[{n // 3:016x}] " if traced else ""
        head = f"{stamp} [job-{n % 7}] {trace}{level} c.e.Client{n % 3} - "
        lines.append(head + wording.format(n=n, m=n % 90 + 10))
    return "\n".join(lines) + "\n"


def mutated(text: str, seed: int) -> str:
    """Characters dropped, doubled and replaced here and there."""
    dice = random.Random(seed)
    signs = list(text)
    for _ in range(800):
        at = dice.randrange(len(signs))
        signs[at] = dice.choice(("", signs[at] * 2, "?", '{"', "}", " ", "\n", "请", '"', "=", " 500 "))
    return "".join(signs)
