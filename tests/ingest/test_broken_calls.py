"""A call and its failure in one hand-written record; sound calls and answers stay what they are."""

from __future__ import annotations

import pytest

from openclaw_forensics.ingest.broken_calls import broken

URL = "https://api.peer.example/v1/orders"


@pytest.mark.parametrize(
    ("message", "rest", "kind"),
    [
        (f"POST {URL} failed: java.net.ConnectException: Connection refused", None, "connect"),
        (f"POST {URL} failed", 'java.io.IOException: Unable to tunnel through proxy. "HTTP/1.1 407"', "proxy"),
        (f"GET {URL} error: Read timed out", None, "timeout"),
        (f"GET {URL} failed after 3 retries: dial tcp: lookup api.peer.example: no such host", None, "dns"),
        (f"调用接口异常 url={URL} err=java.net.SocketTimeoutException: Read timed out", None, "timeout"),
        (f"request to {URL} failed, reason: connect ECONNREFUSED 203.0.113.7:443", None, "connect"),
        ("orders failed", f"requests.exceptions.ConnectionError: RemoteDisconnected()\n{URL}", "reset"),
    ],
    ids=["one line", "exception below", "words only", "go", "chinese by name", "node-fetch", "address at the end"],
)  # fmt: skip
def test_a_failed_call_is_read(message: str, rest: str | None, kind: str) -> None:
    call = broken(message, rest)
    assert call is not None
    assert (call["url"], call["transport_error"], call["role"]) == (URL, kind, "failure")


@pytest.mark.parametrize(
    "message",
    [
        f'POST {URL} 200 {{"message":"payment failed: connection refused by the bank"}}',
        f"POST {URL} failed with status 502: connection reset by peer",
        f"POST {URL} failed: order A-7 has no lines",
        "order A-7 failed: Connection refused",
    ],
    ids=["an answer's text", "a status", "no transport", "no address"],
)
def test_what_shows_an_answer_or_no_transport_is_none(message: str) -> None:
    assert broken(message, None) is None
