"""A report that quotes HTTP messages: request line, headers, body, status line, between prose and fences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openclaw_forensics.ingest.api import NOT_MINE, Part, ReadOptions, Sniff
from openclaw_forensics.ingest.curl import pasted_part
from openclaw_forensics.ingest.pasted_text import COMMAND, REQUEST, STATUS, read_pasted
from openclaw_forensics.ingest.sources import Source

_LINES = 2000  # of the head that are looked at
_LOGGED = re.compile(
    r"^\[?\d{2,4}[-/. ]?(?:\d\d|[A-Z][a-z]{2})[-/. ]\d{2,4}[T :]|^\s*(?:Traceback \(|at [\w.$]+\(|Caused by: )"
    r"|^(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL)[ :\]]",
)


class PastedReader:
    """Whole HTTP messages as they are pasted into an issue or a ticket."""

    name = "pasted"

    def sniff(self, head: bytes, name: str) -> Sniff:
        """A request line or a command of curl on a line of its own, and no line of a log or of a stack trace."""
        lines = [line[:2000] for line in head.decode("utf-8", "replace").splitlines()[:_LINES]]
        sent = sum(bool(REQUEST.match(line) or COMMAND.match(line)) for line in lines)
        if not sent or any(_LOGGED.match(line) for line in lines):
            return NOT_MINE
        got = sum(bool(STATUS.match(line)) for line in lines)
        if not read_pasted("\n".join(lines)):
            return NOT_MINE
        return Sniff(72 if got else 55, f"{sent} requests and {got} status lines, as pasted", "pasted")

    def read(self, source: Source, options: ReadOptions) -> Iterator[Part]:
        """All calls in one part."""
        yield pasted_part(source, self.name, read_pasted, "text around messages")
