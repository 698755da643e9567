"""An addon of mitmproxy: every connection to a platform ends at its stand-in on loopback, whatever the host's name."""

from __future__ import annotations

import os

from mitmproxy import http
from mitmproxy.proxy import server_hooks

PORTS = dict(pair.rsplit("=", 1) for pair in os.environ["STAND_INS"].split(",") if pair)
HOSTS: dict[str, int] = {name: int(port) for name, port in PORTS.items()}


def _port(host: str) -> int | None:
    return next(
        (port for name, port in HOSTS.items() if host == name or (name[0] == "*" and host.endswith(name[1:]))), None
    )


def request(flow: http.HTTPFlow) -> None:
    """Refuse what has no stand-in, so that no packet leaves this machine."""
    if _port(flow.request.pretty_host) is None:
        flow.kill()


def server_connect(data: server_hooks.ServerConnectionHookData) -> None:
    """Connect to loopback in the platform's place; name and SNI stay."""
    host = data.server.sni or (data.server.address or ("", 0))[0]
    port = _port(host)
    if port is None:
        data.server.error = "no stand-in for this host"
    else:
        data.server.address = ("127.0.0.1", port)
