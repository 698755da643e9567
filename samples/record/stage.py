"""The stage of one recording: programs started and stopped, each with its clock, in a folder that is thrown away."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from record.authority import issue
from record.clock import Clock
from record.receiver import configure

HERE = Path(__file__).resolve().parent
HOSTS = {
    "amazon": ["sellingpartnerapi-eu.amazon.com", "api.amazon.com"],
    "shopee": ["partner.shopeemobile.com"],
    "shopify": ["*.myshopify.com"],
}


class Actor:
    """A program that takes JSON commands on standard input and answers each with a line."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | environment, text=True
        )

    def ask(self, what: str, **how: Any) -> Any:
        """Let it do something and wait until it is done. Raises RuntimeError when the program ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what} | how) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(f"{self._process.args!r} ended while it should {what}")
        return json.loads(line)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)


class Stage:
    """Where a scenario is played. `captures` is the folder that the programs write to."""

    def __init__(self, captures: Path, start: datetime) -> None:
        self.captures = captures
        shutil.rmtree(captures, ignore_errors=True)
        captures.mkdir(parents=True)
        self.folder = Path(tempfile.mkdtemp(prefix="record-"))
        self.clock = Clock(self.folder, start)
        self.ca, self.pem = issue(self.folder, [h for hosts in HOSTS.values() for h in hosts])
        self._running: list[Actor | subprocess.Popen[bytes]] = []
        self._ports: dict[str, int] = {}
        self.proxy_port = free_port()
        self._proxy: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for program in reversed(self._running):
            if isinstance(program, Actor):
                program.stop()
            else:
                program.terminate()
                program.wait(20)
        self.proxy_stop()
        shutil.rmtree(self.folder)

    def platform(self, name: str) -> Actor:
        """The stand-in of a platform."""
        self._ports[name] = free_port()
        actor = self._actor(
            ["-m", f"record.platforms.{name}"],
            self.clock.environment()
            | {
                "PORT": str(self._ports[name]),
                "PEM": str(self.pem),
                "HOOK_CA": str(self.folder / "mitmproxy-ca-cert.pem"),
            },
        )
        actor.ask("ready")
        return actor

    def erp(self, name: str, *, zone: str = "UTC", clock: str = "true", **settings: str) -> Actor:
        """An ERP that reaches the platforms through the proxy and writes its log into `captures`."""
        proxy = f"http://127.0.0.1:{self.proxy_port}"
        environment = self.clock.environment(clock, zone) | {
            "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "REQUESTS_CA_BUNDLE": str(self.folder / "mitmproxy-ca-cert.pem"),
            "SSL_CERT_FILE": str(self.folder / "mitmproxy-ca-cert.pem"), "LOGS": str(self.captures),
        }  # fmt: skip
        return self._actor(["-m", f"record.erp.{name}"], environment | {k.upper(): v for k, v in settings.items()})

    def proxy(
        self, *, dump: str | None = None, har: str | None = None, reverse: str | None = None, only: str | None = None
    ) -> None:
        """Start mitmdump, which writes what passes into `captures`; it replaces one that runs."""
        self.proxy_stop()
        stand_ins = ",".join(f"{host}={port}" for name, port in self._ports.items() for host in HOSTS[name])
        arguments = [
            str(Path(sys.executable).with_name("mitmdump")), "-q",
            "--listen-host", "127.0.0.1", "-p", str(self.proxy_port),
            "--set", f"confdir={self.folder}", "--set", f"ssl_verify_upstream_trusted_ca={self.ca}",
            "--set", "connection_strategy=lazy",
        ]  # fmt: skip
        if reverse:
            arguments += ["--mode", f"reverse:{reverse}", "--set", "keep_host_header=true"]
        else:
            arguments += ["-s", str(HERE / "redirect.py")]
        if dump:
            arguments += ["-w", str(self.captures / dump)]
        if only:
            arguments += ["--set", f"save_stream_filter={only}"]
        if har:
            arguments += ["--set", f"hardump={self.captures / har}"]
        self._proxy = subprocess.Popen(arguments, env=os.environ | self.clock.environment() | {"STAND_INS": stand_ins})
        wait_for(self.proxy_port)

    def proxy_stop(self) -> None:
        """End mitmdump; it writes its HAR now."""
        if self._proxy is not None:
            self._proxy.terminate()
            self._proxy.wait(30)
            self._proxy = None

    def receiver(self, secret: str, locations: str, *, combined: bool = True) -> Path:
        """nginx and the application behind it; returns the file that makes the application fail while it exists."""
        self._nginx_port, self._app_port, self._combined = free_port(), free_port(), combined
        broken = self.folder / "broken"
        module = [sys.executable, "-m", "record.receiver"]
        self.run(module, PORT=str(self._app_port), SECRET=secret, BROKEN=str(broken), PYTHONPATH=str(HERE.parent))
        self._nginx = self.run(["nginx", "-p", str(self.folder), "-c", str(self._configure(locations))])
        for port in (self._nginx_port, self._app_port):
            wait_for(port)
        return broken

    def reconfigure(self, locations: str) -> None:
        """Give nginx another configuration and let it reload."""
        self._configure(locations)
        self._nginx.send_signal(signal.SIGHUP)
        time.sleep(1)

    def _configure(self, locations: str) -> Path:
        return configure(self.folder, self.captures, self._nginx_port, self._app_port, locations, self._combined)

    @property
    def receiver_address(self) -> str:
        """Where nginx listens."""
        return f"http://127.0.0.1:{self._nginx_port}"

    def run(self, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Any other program, with the true clock; it ends with the stage."""
        process = subprocess.Popen(command, env=os.environ | self.clock.environment() | environment)
        self._running.append(process)
        return process

    def node(self, script: str, *, zone: str = "UTC", clock: str = "true", **settings: str) -> Actor:
        """An ERP written for Node; its packages lie where NODE_PATH says."""
        environment = self.clock.environment(clock, zone) | {
            "PROXY": f"http://127.0.0.1:{self.proxy_port}",
            "NODE_EXTRA_CA_CERTS": str(self.folder / "mitmproxy-ca-cert.pem"),
            "LOGS": str(self.captures),
        }  # fmt: skip
        actor = Actor(["node", str(HERE / "erp" / script)], environment | {k.upper(): v for k, v in settings.items()})
        self._running.append(actor)
        return actor

    def _actor(self, arguments: list[str], environment: dict[str, str]) -> Actor:
        actor = Actor(
            [sys.executable, *arguments], environment | {"PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        )
        self._running.append(actor)
        return actor


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there. Raises TimeoutError after 30 s."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")
