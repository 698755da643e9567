# ruff: noqa: E501  log lines stand as their writers print them
"""JSON access logs of proxies: their own key names, units and stamps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ingest.readers import read, rows

LOGS: dict[str, tuple[str, dict[str, Any]]] = {
    "Traefik counts nanoseconds from the start": (
        '{"ClientAddr":"192.0.2.1:39496","ClientHost":"192.0.2.1","DownstreamStatus":502,"Duration":357313000,"OriginDuration":324669,"OriginStatus":502,"Overhead":32644,"RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/hook?a=1","RequestProtocol":"HTTP/1.1","RequestScheme":"http","StartUTC":"2021-12-08T14:02:43.5Z","level":"info","msg":"","time":"2021-12-08T14:02:43Z"}\n',
        {"method": "GET", "url": "http://shop.example/hook?a=1", "status": 502, "duration_ms": 357.313,
         "client_address": "192.0.2.1", "started_at": datetime(2021, 12, 8, 14, 2, 43, 500000, tzinfo=UTC)},
    ),
    "Envoy Gateway behind CRI": (
        '2025-12-31T17:37:40.493035218+01:00 stdout F {"start_time":"2025-12-31T16:37:40.479Z","method":"POST","x-envoy-origin-path":"/hook","response_code":404,"duration":11,"response_flags":"-",":authority":"shop.example","protocol":"HTTP/2","downstream_remote_address":"192.0.2.1:59292"}\n',
        {"method": "POST", "path": "/hook", "status": 404, "duration_ms": 11.0,
         "started_at": datetime(2025, 12, 31, 16, 37, 40, 479000, tzinfo=UTC)},
    ),
    "Cloudflare": (
        '{"ClientIP":"192.0.2.1","ClientRequestHost":"shop.example","ClientRequestMethod":"POST","ClientRequestURI":"/hook?a=1","EdgeEndTimestamp":"2022-10-30T00:00:03Z","EdgeResponseBytes":570,"EdgeResponseStatus":403,"EdgeStartTimestamp":"2022-10-30T00:00:02Z","RayID":"761f"}\n',
        {"method": "POST", "path": "/hook", "host": "shop.example", "status": 403, "trace_id": "761f",
         "started_at": datetime(2022, 10, 30, 0, 0, 2, tzinfo=UTC)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_a_proxys_own_keys(name: str) -> None:
    text, expected = LOGS[name]
    row = rows(read(text.encode(), "access.log")).row(0, named=True)
    assert {key: row[key] for key in expected} == expected
    assert row["direction"] == "inbound"
