"""Error logs of real nginx and Apache runs."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_forensics.ingest.api import Part, ReadOptions
from openclaw_forensics.ingest.errorlog import ErrorLogReader, peers
from openclaw_forensics.ingest.sources import Source

CAPTURES = Path(__file__).parent.parent / "captures"
NGINX = (CAPTURES / "nginx" / "error.log").read_bytes()
APACHE = (CAPTURES / "apache" / "error.log").read_bytes()


def read(data: bytes) -> tuple[Source, list[Part]]:
    source = Source("error.log", lambda: io.BytesIO(data))
    return source, list(ErrorLogReader().read(source, ReadOptions()))


def accounted(parts: list[Part]) -> int:
    return sum(p.balance.records + sum(p.balance.irrelevant.values()) for p in parts)


def test_nginx_records_have_level_and_time() -> None:
    source, (part,) = read(NGINX)
    assert part.exchanges.height == 0
    assert part.records["level"].to_list() == ["INFO", *["ERROR"] * 5, *["INFO"] * 4]
    assert part.records["line"].to_list() == list(range(1, 11))
    assert set(part.records["zone_basis"]) == {"assumed"}
    assert set(part.records["logger"]) == {part.writer} == {"nginx"}
    assert accounted([part]) == source.given


def test_a_message_names_client_request_and_upstream() -> None:
    _, (part,) = read(NGINX)
    timed_out = peers(part.records["message"]).row(1, named=True)
    assert timed_out == {
        "client": "127.0.0.1",
        "request": "POST /slow?gateway-timeout HTTP/1.1",
        "upstream": "http://127.0.0.1:18390/slow?gateway-timeout",
        "host": "127.0.0.1:18380",
        "connection": "9",
    }


def test_apache_records_have_module_thread_and_microseconds() -> None:
    source, (part,) = read(APACHE)
    denied = part.records.row(9, named=True)
    assert (denied["level"], denied["logger"], part.writer) == ("ERROR", "apache.authz_core", "apache")
    assert denied["at"].microsecond > 0
    assert ":" in denied["thread"]
    assert peers(part.records["message"])["client"][9].startswith("127.0.0.1:")
    assert accounted([part]) == source.given == len(APACHE)


def test_what_a_program_writes_on_several_lines_is_one_record() -> None:
    data = (
        b'2026/11/23 23:34:23 [error] 7#7: *1 FastCGI sent in stderr: "PHP message: first\n'
        b'#0 /srv/app.php(12)\n#1 {main}" while reading response header from upstream, client: 203.0.113.7, server: a, '
        b'request: "POST /hook HTTP/1.1"\n2026/11/23 23:34:24 [warn] 7#7: a buffer\n'
    )
    _, (part,) = read(data)
    assert part.records["locator"].to_list() == ["lines:1-3", "lines:4-4"]
    assert part.records["at"][0] == datetime(2026, 11, 23, 23, 34, 23, tzinfo=UTC)
    assert peers(part.records["message"])["request"][0] == "POST /hook HTTP/1.1"


def test_lines_before_the_first_record_are_stated() -> None:
    source, (part,) = read(b"a banner\n" + NGINX)
    assert part.balance.irrelevant == {"no error log line": 9}
    assert accounted([part]) == source.given


@pytest.mark.parametrize(
    ("head", "known"),
    [
        pytest.param(NGINX, True, id="nginx"),
        pytest.param(APACHE, True, id="apache"),
        pytest.param(b"2026-11-23 23:34:23 ERROR x\n", False, id="text"),
        pytest.param(bytes(range(256)), False, id="binary"),
        pytest.param(b"", False, id="empty"),
    ],
)
def test_sniffing(head: bytes, known: bool) -> None:
    assert (ErrorLogReader().sniff(head, "error.log").score > 80) is known


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([NGINX, APACHE]), st.integers(0, 3000), st.integers(0, 3000), st.binary(max_size=40))
def test_cut_and_spliced_logs_never_fail(seed: bytes, start: int, end: int, noise: bytes) -> None:
    source, parts = read(seed[:start] + noise + seed[end:])
    assert accounted(parts) == source.given
