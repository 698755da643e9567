"""Records the dumps in this folder: a small server and a client on loopback with mitmdump between them.

python record.py MITMDUMP NAME      # writes NAME.mitm, and NAME.har where this mitmproxy can
"""

from __future__ import annotations

import gzip
import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ORDER = {"order_id": 576460752303423488, "title": "商品", "items": [{"sku": "SKU-1", "qty": 2}]}


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers as an order interface does, well and badly."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer(200, json.dumps({"received": len(self.rfile.read(length))}).encode(), "application/json")

    def do_GET(self) -> None:
        body = json.dumps(ORDER, ensure_ascii=False).encode()
        if self.path.startswith("/orders/gzip"):
            self._answer(200, gzip.compress(body), "application/json", {"Content-Encoding": "gzip"})
        elif self.path.startswith("/orders/gbk"):
            self._answer(200, "<error>签名错误</error>".encode("gbk"), "text/xml; charset=GBK")
        elif self.path.startswith("/orders/lost"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif self.path.startswith("/orders/none"):
            self._answer(204, b"", "text/plain")
        elif self.path.startswith("/orders/broken"):
            self._answer(200, b"\x1f\x8b\x08 not gzip after all", "application/json", {"Content-Encoding": "gzip"})
        elif self.path.startswith("/orders"):
            self._answer(200, body, "application/json", {"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"})
        else:
            self._answer(401, b'{"code": "invalid_token", "message": "expired"}', "application/json")

    def _answer(self, status: int, body: bytes, kind: str, *more: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in (pair for fields in more for pair in fields.items()):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def call(proxy: int, method: str, url: str, body: bytes | None = None) -> None:
    """One call through the proxy; its fate does not matter here."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy, timeout=10)
    try:
        headers = {"Authorization": "Bearer made-up-for-this-recording", "User-Agent": "erp/1"}
        connection.request(method, url, body, headers)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as exc:
        print(method, url, exc, file=sys.stderr)
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(mitmdump: str, name: str) -> None:
    """Record the calls."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shop, proxy, nobody = f"http://127.0.0.1:{server.server_port}", free_port(), free_port()
    dump, har = FOLDER / f"{name}.mitm", FOLDER / f"{name}.har"
    dump.unlink(missing_ok=True)
    arguments = [mitmdump, "-q", "--listen-host", "127.0.0.1", "-p", str(proxy), "-w", str(dump)]
    if "hardump" in subprocess.run([mitmdump, "--options"], capture_output=True, text=True, check=True).stdout:
        arguments += ["--set", f"hardump={har}"]
    process = subprocess.Popen(arguments)
    time.sleep(6)
    call(proxy, "GET", f"{shop}/orders?page=1&sign=abc")
    call(proxy, "POST", f"{shop}/orders", json.dumps({"name": "名称"}, ensure_ascii=False).encode())
    call(proxy, "DELETE", f"{shop}/orders/1")
    for path in ("gzip", "gbk", "none", "broken", "lost"):
        call(proxy, "GET", f"{shop}/orders/{path}")
    call(proxy, "GET", f"{shop}/token")
    call(proxy, "GET", f"http://127.0.0.1:{nobody}/orders")
    call(proxy, "GET", "http://shop.invalid/orders")
    time.sleep(1)
    process.terminate()
    process.wait(20)
    server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
