"""Large captures for measuring: `generate.py --kind logback|jsonlines|nginx|har --mb N --out FILE`.

Calls of several marketplaces (hosts from the packs) for orders, stock and shipments: request and answer lines with
trace ids, one percent failures with stack traces. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

RULES = Path(__file__).resolve().parent.parent / "rules"
START = datetime(2026, 3, 17, 1, 0, tzinfo=UTC)
CALLS = (
    ("GET", "/orders/v0/orders?page={n}&status=UNSHIPPED&limit=50", "OrderSync", None),
    (
        "POST",
        "/api/v2/product/update_stock?shop={shop}&timestamp={epoch}",
        "StockPush",
        '{{"sku":"SKU-{n}","stock":{stock},"warehouse":"W{shop}"}}',
    ),
    (
        "POST",
        "/logistics/ship?order={n}",
        "ShipConfirm",
        '{{"order_id":"{n}","tracking_number":"YT{n:010d}","carrier":"YUN"}}',
    ),
    ("GET", "/logistics/tracking?number=YT{n:010d}", "TrackPull", None),
)
FAILURES = (
    (401, '{"error":"invalid_token","message":"The access token is invalid or has expired","request_id":"%s"}'),
    (
        429,
        '{"error":"too_many_requests","message":"You exceeded your quota for the resource.","request_id":"%s"}',
    ),
    (400, '{"error":"param_error","message":"warehouse is required","request_id":"%s"}'),
    (503, '{"error":"internal_error","message":"Service unavailable, try later","request_id":"%s"}'),
)
STACK = "\n".join(
    ["com.example.erp.http.ApiException: call refused"]
    + [f"\tat com.example.erp.sync.Worker{i}.run(Worker{i}.java:{40 + i})" for i in range(16)]
    + ["Caused by: com.example.erp.http.StatusException: unexpected status"]
)


def hosts() -> list[str]:
    """API hosts without wildcards from the packs; names of no one when there are none."""
    found: set[str] = set()
    for path in sorted(RULES.glob("*/platform.toml")):
        try:
            held = tomllib.loads(path.read_text(encoding="utf-8")).get("hosts", [])
        except tomllib.TOMLDecodeError:
            continue
        found.update(h["pattern"] for h in held if "*" not in h["pattern"] and h.get("role", "api") == "api")
    return sorted(found)[:12] or [f"api{i}.marketplace.example" for i in range(8)]


class Call:
    """One made-up call."""

    def __init__(self, n: int, dice: random.Random, names: list[str]) -> None:
        method, path, job, body = dice.choice(CALLS)
        self.method, self.job, self.n = method, job, n
        self.at = START + timedelta(milliseconds=37 * n)
        self.ms = dice.randint(30, 900)
        slots = {"n": n, "shop": n % 7, "epoch": int(self.at.timestamp()), "stock": n % 90}
        self.url = f"https://{dice.choice(names)}{path.format(**slots)}"
        self.body = body.format(**slots) if body else None
        self.trace = f"{dice.getrandbits(64):016x}"
        self.thread = f"job-{n % 24}"
        self.failed = dice.random() < 0.01
        request_id = f"{dice.getrandbits(96):024x}"
        if self.failed:
            self.status, text = dice.choice(FAILURES)
            self.answer = text % request_id
        else:
            self.status = 200
            rows = ",".join(f'{{"id":"{n}{i}","sku":"SKU-{i}","qty":{i},"price":"{i}.90"}}' for i in range(n % 5))
            self.answer = (
                f'{{"error":"","message":"","response":{{"items":[{rows}],"more":false}},"request_id":"{request_id}"}}'
            )


def _calls() -> Iterator[Call]:
    dice, names = random.Random(7), hosts()
    n = 0
    while True:
        n += 1
        yield Call(n, dice, names)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def logback(call: Call) -> str:
    """A request line, an answer line, and the trace of a failure."""
    front = f"[{call.thread}] [{call.trace}]"
    body = f" body={call.body}" if call.body else ""
    end = call.at + timedelta(milliseconds=call.ms)
    lines = [
        f"{_stamp(call.at)} {front} INFO  c.e.erp.client.{call.job}Client - request {call.method} {call.url}{body}",
        f"{_stamp(end)} {front} INFO  c.e.erp.client.{call.job}Client - "
        f"response {call.status} cost={call.ms}ms body={call.answer}",
    ]
    if call.failed:
        lines.append(f"{_stamp(end)} {front} ERROR c.e.erp.sync.{call.job} - {call.job} failed for {call.n}\n{STACK}")
    elif call.n % 3 == 0:
        lines.append(f"{_stamp(end)} {front} INFO  c.e.erp.sync.{call.job} - stored {call.n % 50} rows")
    return "\n".join(lines) + "\n"


def jsonlines(call: Call) -> str:
    """One record per call, and one for the error."""
    record = {
        "@timestamp": call.at.isoformat(),
        "level": "INFO",
        "logger_name": f"c.e.erp.client.{call.job}Client",
        "thread_name": call.thread,
        "traceId": call.trace,
        "message": "call done",
        "method": call.method,
        "url": call.url,
        "status": call.status,
        "cost": call.ms,
        "requestBody": call.body,
        "responseBody": call.answer,
    }
    lines = [json.dumps(record, ensure_ascii=False)]
    if call.failed:
        error = {
            "@timestamp": call.at.isoformat(),
            "level": "ERROR",
            "logger_name": f"c.e.erp.sync.{call.job}",
            "thread_name": call.thread,
            "traceId": call.trace,
            "message": f"{call.job} failed",
            "stack_trace": STACK,
        }
        lines.append(json.dumps(error))
    return "\n".join(lines) + "\n"


def nginx(call: Call) -> str:
    """A callback in the combined format with request time."""
    status = 502 if call.failed else 200
    at = call.at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    request = f"POST /hooks/{call.n % 6}?t={call.n} HTTP/1.1"
    return f'203.0.113.{call.n % 250} - - [{at}] "{request}" {status} 15 "-" "Push/1.0" {call.ms / 1000:.3f}\n'


def har(call: Call) -> str:
    """One entry of a HAR, with the comma before it where it is not the first."""

    def message(text: str | None) -> dict[str, object]:
        return {"mimeType": "application/json", "text": text or "", "size": len(text or "")}

    request: dict[str, object] = {
        "method": call.method,
        "url": call.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "queryString": [],
        "headers": [{"name": "X-Trace", "value": call.trace}],
        "headersSize": -1,
        "bodySize": len(call.body or ""),
    }
    if call.body:
        request["postData"] = message(call.body)
    entry = {
        "startedDateTime": call.at.isoformat(),
        "time": call.ms,
        "request": request,
        "response": {
            "status": call.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "redirectURL": "",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": message(call.answer),
            "headersSize": -1,
            "bodySize": len(call.answer),
        },
        "cache": {},
        "timings": {"send": 1, "wait": call.ms - 2, "receive": 1},
    }
    return ("" if call.n == 1 else ",\n") + json.dumps(entry)


KINDS: dict[str, tuple[Callable[[Call], str], str, str]] = {
    "logback": (logback, "", ""),
    "jsonlines": (jsonlines, "", ""),
    "nginx": (nginx, "", ""),
    "har": (har, '{"log":{"version":"1.2","creator":{"name":"generate","version":"1"},"entries":[\n', "\n]}}\n"),
}


def write(kind: str, megabytes: float, out: Path) -> int:
    """Write about `megabytes` (10^6 bytes) and return how many calls they hold."""
    make, before, after = KINDS[kind]
    size, count = len(before), 0
    with out.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(before)
        for call in _calls():
            size += stream.write(make(call))
            count += 1
            if size >= megabytes * 1e6:
                break
        stream.write(after)
    return count


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=sorted(KINDS), required=True)
    parser.add_argument("--mb", type=float, default=200)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    count = write(arguments.kind, arguments.mb, arguments.out)
    sys.stdout.write(f"{count} calls\n")


if __name__ == "__main__":
    main()
