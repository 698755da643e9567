"""What the error names of browsers and proxies say: which transport error it was, or that the client itself gave up.

Sources: Chromium's net/base/net_error_list.h, Mozilla's xpcom/base/ErrorList.py, mitmproxy's error messages.
"""

from __future__ import annotations

import re

from openclaw_forensics.ingest.exceptions import family

_CANCELLED = re.compile(
    r"ERR_ABORTED|ERR_BLOCKED_BY_CLIENT|NS_BINDING_ABORTED|NS_ERROR_ABORT\b|NS_ERROR_DOM_ABORT|^cancell?ed\b"
    r"|[Cc]lient (?:has )?(?:closed|disconnected)"
)
# First match wins.
_NAMED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile("|".join(patterns)))
    for name, *patterns in (
        ("proxy", "ERR_PROXY|ERR_TUNNEL|ERR_SOCKS|ERR_MANDATORY_PROXY|ERR_PAC_|NS_ERROR_PROXY|NS_ERROR_UNKNOWN_PROXY"),
        ("dns", "ERR_NAME_|ERR_DNS_|ERR_ICANN_NAME|NS_ERROR_UNKNOWN_HOST|hostname could not be found"),
        (
            "tls",
            "ERR_SSL|ERR_CERT|ERR_BAD_SSL|ERR_ECH_|_CERT_|SEC_ERROR|SSL_ERROR|MOZILLA_PKIX|TLS handshake|OpenSSL",
            "NS_ERROR_NET_INADEQUATE_SECURITY|[Cc]ertificate verify",
        ),
        ("timeout", r"ERR_TIMED_OUT|NS_ERROR_NET_TIMEOUT\b|NS_ERROR_DOM_TIMEOUT"),
        (
            "connect",
            "ERR_CONNECTION_(?:REFUSED|FAILED|TIMED_OUT)|ERR_ADDRESS_|ERR_INTERNET_DISCONNECTED|ERR_UNSAFE_PORT",
            "ERR_NETWORK_ACCESS_DENIED|NS_ERROR_CONNECTION_REFUSED|NS_ERROR_NET_TIMEOUT_EXTERNAL|NS_ERROR_OFFLINE",
            "Connect call failed",
        ),
        (
            "reset",
            "ERR_CONNECTION_|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|ERR_INCOMPLETE_|ERR_CONTENT_LENGTH",
            "ERR_HTTP2_|ERR_QUIC_|ERR_NETWORK_CHANGED|ERR_NETWORK_IO_SUSPENDED|NS_ERROR_NET_(?:RESET|INTERRUPT|PARTIAL)",
            "peer closed connection|server (?:closed|disconnected)|unexpected end of|RST_STREAM|GOAWAY",
        ),
    )
)


def transport_error(text: str) -> str | None:
    """The exchanges.TransportError that an error's text names, "other" for an unknown one, None when cancelled."""
    short = text[:4000]
    if cancelled(short):
        return None
    return next((name for name, pattern in _NAMED if pattern.search(short)), None) or family(short) or "other"


def cancelled(text: str) -> bool:
    """Whether the client itself gave the request up, so that no answer was due."""
    return _CANCELLED.search(text[:4000]) is not None
