"""Requests and answers as people paste them into reports: whole messages between prose, fences and commands.

    POST /orders HTTP/1.1
    Host: api.example.com

    {"a":1}

    HTTP/1.1 403 Forbidden
    Content-Type: application/json

    {"code":7}

The first line may also be `GET https://…` or a command of curl. The status line may be missing: an object below a GET
is its answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from openclaw_forensics.ingest.curl_text import MAX_BODY, Seen, command
from openclaw_forensics.ingest.quoted_parts import Call
from openclaw_forensics.ingest.quoted_values import read_body

MAX_LINE = 1 << 20  # characters of one line that are looked at
_METHOD = r"(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)"
REQUEST = re.compile(rf"\s{{0,8}}(?:>\s)?{_METHOD} (https?://\S+|/\S*)(?: HTTP/([\d.]{{1,3}}))?\s*$")
STATUS = re.compile(r"\s{0,8}(?:[<>]\s)?(?:HTTP/([\d.]{1,3}) )(\d{3})(?: [A-Za-z][A-Za-z '-]{0,40})?\s*$")
COMMAND = re.compile(r"\s{0,8}(?:[\w@:~/.-]{0,60}[$#%>] ?)?curl(?:\.exe)? \S")
_TOLD = re.compile(
    r"[\W_]{0,6}(?i:(?:http )?(?:response|answer|status|reply|result|returns?|returned|got|响应|返回|应答|ответ|"
    r"respuesta|resposta|réponse|antwort)(?: ?(?:code|status|body))?)[\W_]{0,4}"
    r"(?:(?:is|was|HTTP(?:/[\d.]{1,3})?)[: ]{1,3})?"
    r"(?:([1-5]\d\d)(?:[ :,].{0,60})?)?\s*$"
)
_QUOTED = re.compile(r"\s{0,8}[<>](?: |$)")  # as curl marks its lines, and mail what it answers
_HEADER = re.compile(r"\s{0,8}([A-Za-z][A-Za-z0-9._-]{0,60}): ?(\S.*)?$")
_FENCE = re.compile(r"\s{0,8}(?:```|~~~)")
_CODED = re.compile(r"(?i)\"(?:code|error_?code|errcode|errors?|error_response|success)\"\s*:")
_WORDED = re.compile(r"(?i)\"(?:message|msg|error_?msg|errmsg|error_?message|error_description|request_?id)\"\s*:")


@dataclass(slots=True)
class _Open:
    """One call as far as it has been read."""

    line: int
    call: Call
    sent: list[dict[str, str]] = field(default_factory=list)
    received: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    place: str = "head"  # head, asked, between, answer_head, told
    last: int = 0


def read_pasted(text: str, first: int = 1) -> list[Seen]:
    """The calls of a pasted text in order; `first` is the number of its first line."""
    reader = _Reader()
    joined: list[str] = []  # a command continued by backslashes
    for number, raw in enumerate(text.split("\n"), first):
        line = raw.rstrip("\r")[:MAX_LINE]
        if joined or COMMAND.match(line):
            joined.append(line.strip().removesuffix("\\"))
            if not line.rstrip().endswith("\\") or len(joined) > 100:
                reader.command(" ".join(joined), number - len(joined) + 1)
                joined = []
            continue
        reader.feed(line, number)
    return reader.finish()


class _Reader:
    """A request line begins a call, the next one ends it; a status line begins the answer."""

    def __init__(self) -> None:
        self.done: list[Seen] = []
        self.open: _Open | None = None

    def command(self, line: str, number: int) -> None:
        """A command line of curl; what it printed is the answer."""
        self._close()
        call = command(line)
        if call.get("url"):
            self.open = _Open(number, {"method": "GET"} | call, place="between", last=number)

    def feed(self, line: str, number: int) -> None:
        """One line of the text."""
        if quoted := _QUOTED.match(line):
            line = line[quoted.end() :]
        if found := REQUEST.match(line):
            self._close()
            url = found[2] if "://" in found[2] else None
            target = None if url else found[2]
            call: Call = {"method": found[1], "url": url, "target": target, "version": found[3]}
            self.open = _Open(number, call, last=number)
            return
        opened = self.open
        if opened is None:
            return
        if found := STATUS.match(line):
            opened.call |= {"status": int(found[2])}
            opened.place, opened.received, opened.told, opened.last = "answer_head", [], [], number
        elif _FENCE.match(line):
            opened.place = "between" if opened.place in ("head", "asked") else "done" if opened.told else opened.place
        elif opened.place != "told" and (found := _TOLD.match(line)):
            if found[1] and opened.call.get("status") is None:
                opened.call |= {"status": int(found[1])}
            opened.place, opened.last = "answer_head", number
        else:
            self._content(opened, line, number)

    def _content(self, opened: _Open, line: str, number: int) -> None:
        begins = line.lstrip()[:1] in ("{", "[", "<")
        if opened.place == "head" and not begins and (header := _HEADER.match(line)):
            opened.sent.append({"name": header[1], "value": (header[2] or "").strip()})
        elif opened.place == "answer_head" and not begins and (header := _HEADER.match(line)):
            opened.received.append({"name": header[1], "value": (header[2] or "").strip()})
        elif opened.place in ("answer_head", "told"):
            if not line.strip() and not opened.told:
                return
            opened.place = "told"
            opened.told.append(line)
        elif opened.place == "between" or (opened.place == "head" and opened.call["method"] == "GET"):
            if not begins:
                return
            opened.place = "told"
            opened.told.append(line)
        elif opened.place in ("head", "asked"):
            opened.place = "asked" if line.strip() or opened.asked else opened.place
            opened.asked += [line] if opened.place == "asked" else []
        if line.strip():
            opened.last = number

    def finish(self) -> list[Seen]:
        """All calls, the last one closed."""
        self._close()
        return self.done

    def _close(self) -> None:
        opened, self.open = self.open, None
        if opened is None:
            return
        asked, told = _body(opened.asked), _body(opened.told)
        if asked and not told and opened.call.get("status") is None:
            asked, told = _sides(asked, "\n".join(opened.asked))
        host = next((h["value"] for h in opened.sent if h["name"].lower() == "host"), None)
        call: Call = {"role": "exchange", "writer": "pasted"} | opened.call
        if target := call.get("target"):
            if host is None:
                return  # a path alone, and nothing tells whose
            call |= {"url": f"https://{host}{target}", "target": None}
        if call.get("status") is None and not told:
            return
        call |= {"request_headers": opened.sent or None, "response_headers": opened.received or None}
        if body := asked or call.get("request_body"):
            call |= {"request_body": body, "request_body_state": "recorded"}
        if told:
            call |= {"response_body": told, "response_body_state": "recorded"}
        self.done.append(Seen(call, opened.line, max(opened.last, opened.line), None))


def _body(lines: list[str]) -> str | None:
    """The body at the start of what stands there: a value until it closes, a page to its end, else one paragraph."""
    text = "\n".join(lines).strip()[:MAX_BODY]
    if not text:
        return None
    if text[0] in "{[":
        return read_body(text, label=False).text
    if text[0] == "<":
        return text[: text.rfind(">") + 1] or None
    return re.split(r"\n\s*\n", text, maxsplit=1)[0]


def _sides(body: str, whole: str) -> tuple[str | None, str | None]:
    """Which side one or two bodies without a status between them belong to: two are both, an error is the answer."""
    rest = whole[whole.find(body) + len(body) :].strip() if body in whole else ""
    begin = min((at for at in (rest.find("{"), rest.find("<")) if at >= 0), default=-1)
    if begin >= 0 and (second := _body([rest[begin:]])):
        return body, second
    return (None, body) if _CODED.search(body) and _WORDED.search(body) else (body, None)
