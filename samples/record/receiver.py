"""The receiver of callbacks: a real nginx before a small application that checks signatures, as an ERP has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import os
import signal
import sys
from pathlib import Path

CONF = """
user root; daemon off; env LD_PRELOAD; env FAKETIME_TIMESTAMP_FILE; env FAKETIME_NO_CACHE;
env FAKETIME_DONT_FAKE_MONOTONIC; pid {folder}/nginx.pid; worker_processes 1; error_log {logs}/error.log notice;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  log_format hooks '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
                   '"$http_user_agent" host=$host rt=$request_time topic=$http_x_shopify_topic';
  {access}
  server {{
    listen 127.0.0.1:{port}; server_name {name};
    {locations}
  }}
}}
"""
OPEN = "location / {{ proxy_pass http://127.0.0.1:{app}; }}"
LOGIN = """
    location / {{ auth_request /session; error_page 401 = @login; proxy_pass http://127.0.0.1:{app}; }}
    location = /session {{
      internal; proxy_pass http://127.0.0.1:{app}/session; proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }}
    location @login {{ return 302 https://login.lumen-erp.example/signin?next=$request_uri; }}
"""


def configure(folder: Path, logs: Path, port: int, app: int, locations: str, combined: bool) -> Path:
    """Write nginx's configuration: `combined` and its own format, or its own format alone."""
    own = f"access_log {logs}/hooks.log hooks;"
    access = f"access_log {logs}/access.log combined; {own if not combined else ''}" if combined else own
    path = folder / "nginx.conf"
    path.write_text(
        CONF.format(
            folder=folder,
            logs=logs,
            access=access,
            port=port,
            name="hooks.lumen-erp.example",
            locations=locations.format(app=app),
        )
    )
    return path


class Application(http.server.BaseHTTPRequestHandler):
    """Accepts genuine deliveries; while the file named in BROKEN exists it fails, as with a database that is away."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sign = base64.b64encode(hmac.new(os.environ["SECRET"].encode(), body, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(sign, self.headers.get("X-Shopify-Hmac-Sha256") or ""):
            self._send(401, b"unauthorized")
        elif os.path.exists(os.environ["BROKEN"]):
            self._send(500, b"Internal Server Error")
        else:
            self._send(200, b"")

    def do_GET(self) -> None:
        self._send(401 if self.path == "/session" else 404, b"")

    do_HEAD = do_GET

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Application).serve_forever()
