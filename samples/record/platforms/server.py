"""An HTTPS server for a stand-in: routes, answers, headers, and the commands that switch faults on."""

from __future__ import annotations

import http.server
import json
import os
import ssl
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from record.commands import obey


@dataclass
class Request:
    """What came in."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Answer:
    """What goes out. `body` None: no content."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


Route = Callable[[Request], Answer]


def serve(answer: Route, commands: dict[str, Callable[..., Any]], server_name: str = "Server") -> None:
    """Answer requests until the commands end."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def version_string(self) -> str:
            return server_name

        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command, str(self.headers["Host"]).partition(":")[0], parts.path, dict(parse_qsl(parts.query)),
                self.headers, self.rfile.read(length),
            )  # fmt: skip
            self._send(answer(request))

        def _send(self, reply: Answer) -> None:
            if reply.delay:
                threading.Event().wait(reply.delay)  # libfaketime's sleep refuses some spans
            body = b""
            if reply.body is not None:
                text = (
                    reply.body
                    if isinstance(reply.body, str)
                    else json.dumps(reply.body, separators=(",", ":"), ensure_ascii=False)
                )
                body = text.encode()
            self.send_response(reply.status)
            kind = "text/html" if body[:1] == b"<" else "application/json"
            for name, value in ({"Content-Type": kind} | reply.headers if body else reply.headers).items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["PEM"])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    obey({"ready": lambda: True} | commands)


def request_id() -> str:
    """An id as platforms make them."""
    return str(uuid.uuid4())
