"""Small HAR files for tests of the command line: two shops of one marketplace, one of which fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOST = "https://sellingpartnerapi-na.amazon.com"
SECRET = "Atza|IwEBIPlantedTokenOfTheTest0123456789abcdef"
REFUSED = {"errors": [{"code": "Unauthorized", "message": "Access to requested resource is denied.",
                       "details": "The access token you provided has expired."}]}  # fmt: skip


def entry(
    at: str, status: int, body: object, token: str = SECRET, path: str = "/fba/inventory/v1/summaries"
) -> dict[str, Any]:
    """One call of the inventory API."""
    text = json.dumps(body)
    return {
        "startedDateTime": f"2026-03-01T{at}.000Z",
        "time": 80,
        "request": {
            "method": "GET",
            "url": f"{HOST}{path}?MarketplaceIds=ATVPDKIKX0DER",
            "httpVersion": "HTTP/1.1",
            "headers": [
                {"name": "x-amz-access-token", "value": token},
                {"name": "Cookie", "value": f"sid={token[5:]}"},
            ],
            "queryString": [],
            "bodySize": 0,
        },
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "x-amzn-RequestId", "value": f"r-{at}"}],
            "content": {"size": len(text), "mimeType": "application/json", "text": text},
        },
    }


def har(path: Path, *entries: dict[str, Any]) -> Path:
    """Write entries as an HTTP Archive."""
    log = {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": list(entries)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"log": log}), encoding="utf-8")
    return path


def failing(path: Path) -> Path:
    """Two calls succeed, then the same call is refused three times."""
    good = [entry(f"10:0{n}:00", 200, {"payload": {"inventorySummaries": []}}) for n in range(2)]
    return har(path, *good, *(entry(f"11:0{n}:00", 403, REFUSED) for n in range(3)))


def healthy(path: Path) -> Path:
    """Two calls, both answered well."""
    return har(path, *(entry(f"10:0{n}:00", 200, {"payload": {"inventorySummaries": []}}) for n in range(2)))
