"""One exchange as the report shows it in full: title, telling excerpts, both sides, stack, sources, curl."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from openclaw_forensics.report.blocks import Blocks
from openclaw_forensics.report.catalogue import Speaker
from openclaw_forensics.report.minimal import hidden_in, placeholders
from openclaw_forensics.report.visible import one_line, visible
from openclaw_forensics.result import ExchangeView, InputFile

CURL_BODY = 2048
STACK_LINES = 400
# Frames of these are the language's or a library's, not the integrator's own.
_LIBRARY = re.compile(
    r"\s*(?:at\s+)?(?:java|javax|jakarta|jdk|sun|kotlin|kotlinx|scala|okhttp3|okio|retrofit2|reactor|akka|feign|hudson"
    r"|org\.(?:springframework|apache|eclipse|jboss|hibernate|asynchttpclient)|com\.(?:sun|fasterxml|google|squareup)"
    r"|io\.(?:netty|vertx|undertow|grpc)|System|Microsoft)\."
    r"|.*(?:site-packages|dist-packages|/lib/python|node_modules|node:internal|/vendor/|<frozen )"
)
_FRAME = re.compile(r"\s*(?:at\s|File \"|\.\.\. \d+ more|#\d+ )")


@dataclass(frozen=True, slots=True)
class Frames:
    """Consecutive lines of a stack; library frames are folded."""

    library: bool
    lines: tuple[str, ...]


def frames(stack: str) -> list[Frames]:
    """The stack in groups of own and library lines, at most `STACK_LINES` of them."""
    groups: list[tuple[bool, list[str]]] = []
    for line in visible(stack).split("\n")[:STACK_LINES]:
        library = bool(_FRAME.match(line[:400]) and _LIBRARY.match(line[:400]))
        if groups and groups[-1][0] == library:
            groups[-1][1].append(line[:2000])
        else:
            groups.append((library, [line[:2000]]))
    return [Frames(library and len(lines) > 1, tuple(lines)) for library, lines in groups]


def curl(exchange: ExchangeView) -> str:
    """The request as a shell command, secrets as <access_token#1>; what was not recorded is not made up."""
    request, method = exchange.request, one_line(exchange.method or "GET")
    # A placeholder in the address would have to be encoded to be sent; it is there to be replaced first.
    url = one_line(placeholders(exchange.url or "", hidden_in(request, "url")))
    parts = [f"curl -X {shlex.quote(method)} {shlex.quote(url)}"]
    for index, (name, value) in enumerate(request.headers or ()):
        if name.lower() not in {"host", "content-length", "connection", "accept-encoding"}:
            shown = placeholders(value, hidden_in(request, "headers", name, index))
            parts.append(f"-H {shlex.quote(one_line(f'{name}: {shown}'))}")
    if request.body and request.body_state in {"recorded", "reconstructed"}:
        body = visible(placeholders(request.body, hidden_in(request, "body")))
        parts.append(f"--data-raw {shlex.quote(body)}" if len(body) <= CURL_BODY else "--data-binary @body.txt")
    return " \\\n  ".join(parts)


class Card:
    """What the template needs of one exchange. `full` is False where only its row is shown."""

    def __init__(
        self, exchange: ExchangeView, number: int, say: Speaker, files: dict[str, InputFile], *, full: bool
    ) -> None:
        self.exchange, self.number, self.full, self.say = exchange, number, full, say
        self._files = files
        self.blocks = Blocks(exchange, say) if full else None
        self.stack = frames(exchange.stack) if full and exchange.stack else []
        self.curl = curl(exchange) if full else ""

    @property
    def target(self) -> str:
        """The path of the address, without its query; the host stands in the request line."""
        url = self.exchange.url or ""
        rest = url.split("://", 1)[-1].split("?", 1)[0]
        path = rest[rest.find("/") :] if "/" in rest else rest
        return one_line(path, 90)

    @property
    def outcome(self) -> str:
        """The status, or that no answer came and why."""
        exchange, say = self.exchange, self.say
        if exchange.status is not None:
            return str(exchange.status)
        if exchange.transport_error:
            return say("no answer ({why})", why=self.transport_word(exchange.transport_error))
        return say("no answer")

    def transport_word(self, kind: str) -> str:
        """What went wrong on the way."""
        say = self.say
        words = {
            "dns": say("name not resolved"),
            "connect": say("no connection"),
            "tls": say("TLS failed"),
            "reset": say("connection cut"),
            "timeout": say("timed out"),
            "proxy": say("proxy refused"),
        }
        return words.get(kind, say("transport error"))

    @property
    def recorders(self) -> list[str]:
        """The programs that recorded this exchange; a record by both sides weighs more."""
        seen: dict[str, None] = {}
        for source in self.exchange.sources:
            known = self._files.get(source.file)
            writer = (known.writer or known.format) if known else None
            seen.setdefault(one_line(writer or source.file.rsplit("/", 1)[-1], 40))
        return list(seen)
