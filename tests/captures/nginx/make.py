"""Makes the logs beside it: runs nginx with `nginx.conf` on loopback and sends good, bad and hostile requests.

Usage: python make.py (needs nginx on the PATH). Of the error log only lines that name a client are kept.
"""

from __future__ import annotations

import contextlib
import http.server
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PORT, BACKEND = 18380, 18390


class Receiver(http.server.BaseHTTPRequestHandler):
    """The application behind nginx."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/slow"):
            time.sleep(4)
        refused = "bad" in self.path
        body = b"" if refused else b'{"code":0}'
        try:
            self.send_response(401 if refused else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


def call(path: str, *, method: str = "POST", body: bytes | None = b"a=1", timeout: float = 10, **headers: str) -> None:
    named = {"User-Agent": "Shop-Push/1.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data=body, method=method, headers=named)
    with contextlib.suppress(OSError):
        urllib.request.urlopen(request, timeout=timeout).read()


def raw(data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", PORT)) as peer:
        peer.sendall(data)
        peer.settimeout(1)
        with contextlib.suppress(OSError):
            peer.recv(4096)


def drive() -> None:
    order = '{"订单":"A","k":"v"}'.encode()
    call("/hook?sign=%E8%AE%A2&x=1", body=order, X_Forwarded_For="203.0.113.7, 10.0.0.2", X_Shop_Id="S1")
    call("/hook/orders?x=2", X_Shop_Id="S2", Referer="https://example.com/a b")
    call("/hook/bad?sign=0", X_Shop_Id="S1")
    call("/slow?client-gives-up", timeout=1)
    call("/slow?gateway-timeout")
    call("/two")
    call("/moved", timeout=1)
    call("/denied")
    call("/drop")
    call("/hook/large", body=b"x" * 3000)
    call("/nothing", method="GET", body=None)
    raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xaa\xbb\r\n\r\n")
    agent = b'User-Agent: "q\\u" \xe5\xba\x97\r\n'
    raw(b'GET /quote"back\\slash\xe8\xae\xa2 HTTP/1.1\r\nHost: a\r\n' + agent + b"Connection: close\r\n\r\n")
    raw(b"GET /two words HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    raw(b"GET http://shop.example.com:8080/abs?a=1 HTTP/1.0\r\n\r\n")
    raw(b"\r\n")
    raw(b"GET /half")
    time.sleep(3)


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", BACKEND), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("logs", "tmp"):
            (Path(folder) / name).mkdir()
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        process = subprocess.Popen([nginx, "-p", folder, "-c", str(HERE / "nginx.conf")])
        time.sleep(1)
        drive()
        process.terminate()
        process.wait()
        for log in sorted((Path(folder) / "logs").glob("*.log")):
            data = log.read_bytes()
            if log.name == "error.log":
                data = b"".join(line for line in data.splitlines(keepends=True) if b", client: " in line)
            (HERE / log.name).write_bytes(data)


if __name__ == "__main__":
    main()
