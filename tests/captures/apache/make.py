"""Makes the logs beside it: runs Apache with `httpd.conf` on loopback and sends good, bad and hostile requests.

Usage: python make.py (needs apache2 or httpd on the PATH). Of the error log only lines that name a client are kept.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PORT = 18381


def call(path: str, *, method: str = "POST", body: bytes | None = b"a=1", **headers: str) -> None:
    named = {"User-Agent": 'Push "quoted" \\ 1.0'} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data=body, method=method, headers=named)
    with contextlib.suppress(OSError):
        urllib.request.urlopen(request, timeout=10).read()


def raw(data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", PORT)) as peer:
        peer.sendall(data)
        peer.settimeout(1)
        with contextlib.suppress(OSError):
            peer.recv(4096)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("logs", "www"):
            (Path(folder) / name).mkdir()
        (Path(folder) / "www" / "ok.json").write_text('{"code":0}', encoding="utf-8")
        (Path(folder) / "www" / "empty.json").write_text("", encoding="utf-8")
        apache = shutil.which("apache2") or shutil.which("httpd") or "/usr/sbin/apache2"
        process = subprocess.Popen([apache, "-d", folder, "-f", str(HERE / "httpd.conf"), "-DFOREGROUND"])
        time.sleep(2)
        call("/ok.json?a=1&b=%E8%AE%A2", method="GET", body=None, Referer='https://example.com/"x"')
        call("/empty.json", method="GET", body=None)
        call("/gone", method="GET", body=None)
        call("/private/x", method="GET", body=None)
        raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xaa\xbb\r\n\r\n")
        raw(b"FOO /odd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        raw(b"GET /half")
        time.sleep(2)
        process.terminate()
        process.wait()
        for log in sorted((Path(folder) / "logs").glob("*.log")):
            data = log.read_bytes().replace(folder.encode(), b"/srv")
            if log.name == "error.log":
                data = b"".join(line for line in data.splitlines(keepends=True) if b"[client " in line)
            (HERE / log.name).write_bytes(data)


if __name__ == "__main__":
    main()
