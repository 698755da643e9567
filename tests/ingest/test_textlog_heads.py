"""Heads of line formats that decide whether calls are found behind them."""

from __future__ import annotations

import pytest

from openclaw_forensics.ingest.textlog import TextLogReader
from tests.ingest.logs import exchanges

WIRE = (
    '{head}http-outgoing-0 >> "POST /token HTTP/1.1[\\r][\\n]"\n'
    '{head}http-outgoing-0 >> "Host: one.example[\\r][\\n]"\n'
    '{head}http-outgoing-0 >> "[\\r][\\n]"\n{head}http-outgoing-0 >> "a=1"\n'
    '{head}http-outgoing-0 << "HTTP/1.1 401 Unauthorized[\\r][\\n]"\n{head}http-outgoing-0 << "[\\r][\\n]"\n'
    '{head}http-outgoing-0 << "{{}}"\n'
)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("2017-02-08 21:24:39 DEBUG wire:72 - ", id="log4j with line numbers"),
        pytest.param("14:34:41 DEBUG [org.apache.http.wire] : ", id="Karaf"),
        pytest.param("17/02/08 21:24:39 DEBUG http.wire: ", id="Spark"),
        pytest.param("2017-02-08 21:24:39.120:DBUG:oeja.wire:qtp1-2: ", id="Jetty"),
    ],
)
def test_the_wire_log_is_read_behind_any_head(head: str) -> None:
    (row,) = exchanges(TextLogReader(), WIRE.format(head=head))
    assert (row["path"], row["host"], row["status"], row["request_body"]) == ("/token", "one.example", 401, "a=1")


def test_lambdas_request_id_is_the_trace() -> None:
    head = "2023-09-18T01:20:0{}.123Z\t8f5e1a2b-0000-4000-8000-000000000000\tINFO\t"
    text = head.format(1) + 'POST https://one.example/x {"a":1}\n' + head.format(2) + '403 {"code":7}\n'
    (row,) = exchanges(TextLogReader(), text)
    assert (row["status"], row["trace_id"]) == (403, "8f5e1a2b-0000-4000-8000-000000000000")
