"""The parts of one message as labelled blocks of lines: raw, decoded, decrypted; marked, masked, missing, cut.

Seven states are told apart; an empty box never stands for anything. A pseudonym is shown as a pill only where the
document says that one stands, so that captured text which merely reads like one cannot pose as it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from openclaw_forensics.report.catalogue import Speaker
from openclaw_forensics.report.layout import Layout, Pointer, fields, lay_out
from openclaw_forensics.report.minimal import hidden_in, place
from openclaw_forensics.report.runs import Line, Run, add, by_name, hex_lines, line_of, pills, split
from openclaw_forensics.report.visible import visible
from openclaw_forensics.result import ExchangeView, Hidden, Mark, Message
from openclaw_forensics.words import Text

SHOWN = 16 * 1024  # characters of a body in full view
RAW = 4 * 1024  # characters of a raw body repeated beside its layout
_DECOMPRESS = ("gzip", "deflate", "br", "zstd", "zlib")


@dataclass(slots=True)
class Block:
    """One labelled part of a message."""

    name: str
    count: str = ""  # what stands in brackets behind the name
    chain: str = ""
    state: str = "recorded"
    notice: str = ""
    lines: list[Line] = field(default_factory=list)
    folded: bool = False
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines around one mark."""

    number: int
    name: str
    why: Text
    lines: tuple[Line, ...]


def size(count: int, say: Speaker) -> str:
    """A number of bytes for people."""
    if count < 10_000:
        return say.plural("{n} byte", "{n} bytes", count)
    return f"{count / 1024:,.0f} KiB" if count < 10 * 1024 * 1024 else f"{count / 1024 / 1024:,.0f} MiB"


class Blocks:
    """The blocks of one exchange, side by side, with its marks placed in them."""

    def __init__(self, exchange: ExchangeView, say: Speaker) -> None:
        self.exchange, self.say = exchange, say
        self.marks = list(enumerate(exchange.marks, 1))
        self.whole: dict[int, tuple[Block, int]] = {}  # mark number → its block in full, and its line
        self.request = self._side("request", exchange.request)
        self.response = self._side("response", exchange.response)

    def excerpts(self, limit: int = 3, around: int = 3) -> list[Excerpt]:
        """Up to `limit` excerpts of the lines around the first marks."""
        made: list[Excerpt] = []
        for number, mark in self.marks:
            if number in self.whole and len(made) < limit:
                block, at = self.whole[number]
                lines = block.lines[max(0, at - around) : at + around + 1]
                made.append(Excerpt(number, block.name, mark.why, tuple(lines)))
        return made

    def _side(self, side: Literal["request", "response"], message: Message) -> list[Block]:
        blocks = [self._first_line(side)]
        blocks.append(self._headers(side, message))
        blocks += self._bodies(side, message)
        return blocks

    def _of(self, side: str, part: str) -> list[tuple[int, Mark, Pointer]]:
        """The marks in one part of one side, with the pointer inside it."""
        found = []
        for number, mark in self.marks:
            where = place(mark.pointer)
            if mark.pointer.startswith(f"/{side}/") and where[:1] == (part,):
                found.append((number, mark, where[1:]))
        return found

    def _first_line(self, side: str) -> Block:
        exchange, say = self.exchange, self.say
        if side == "response":
            text = str(exchange.status) if exchange.status is not None else say("no answer")
            if exchange.transport_error_text:
                text += f" {exchange.transport_error_text}"
            block = self._laid(Block(say("status line")), text, lay_out(text), [])
            self._whole_part(block, [m for part in ("status", "") for m in self._of(side, part)])
            return block
        url = f"{exchange.method or ''} {exchange.url or ''}".strip()
        query = url.find("?")
        laid = fields(url, query, "?&") if query > 0 and len(url) > 100 else fields(url, len(url), "?&")
        if query > 0 and not laid.spans:
            for name, span in fields(url, query, "?&").spans.items():
                laid.spans[name] = (span[0], span[1], 0)
        hidden = [*hidden_in(exchange.request, "url"), *hidden_in(exchange.request, "query")]
        offset = len(url) - len(exchange.url or "")
        shifted = [h.model_copy(update={"start": add(h.start, offset), "end": add(h.end, offset)}) for h in hidden]
        block = self._laid(Block(say("request line")), url, laid, shifted, self._of(side, "query"))
        self._whole_part(block, [m for part in ("url", "path", "method") for m in self._of(side, part)])
        return block

    def _whole_part(self, block: Block, marks: list[tuple[int, Mark, Pointer]]) -> None:
        for number, _, _ in marks[:1]:
            block.lines[0].mark = number
            self.whole.setdefault(number, (block, 0))

    def _headers(self, side: str, message: Message) -> Block:
        say = self.say
        headers = message.headers or ()
        name = say("request headers") if side == "request" else say("answer headers")
        block = Block(name, count=str(len(headers)) if headers else "", state=message.headers_state)
        block.notice = self._notice(message.headers_state, message, 0, bool(headers))
        for index, (key, value) in enumerate(headers):
            text = f"{key}: {value}"
            offset = len(key) + 2
            hidden = [
                h.model_copy(update={"start": add(h.start, offset), "end": add(h.end, offset)})
                for h in hidden_in(message, "headers", key, index)
            ]
            laid = Layout()
            laid.put(text.replace("\n", "⏎").replace("\r", "⏎"), 0)
            one = self._laid(Block(name), text, laid, hidden)
            block.lines += one.lines
        for number, mark, where in self._of(side, "headers"):
            wanted = where[0].lower() if where else ""
            hit = next((i for i, (key, _) in enumerate(headers) if key.lower() == wanted or str(i) == wanted), None)
            if hit is None:
                self._ghost(block, len(block.lines), number, where[-1] if where else mark.kind, "")
            else:
                self._highlight(block.lines[hit], number)
                self.whole.setdefault(number, (block, hit))
        return block

    def _bodies(self, side: str, message: Message) -> list[Block]:
        say = self.say
        name = say("request body") if side == "request" else say("answer body")
        state, text = message.body_state, message.body
        notice = self._notice(state, message, len((text or "").encode("utf-8", "replace")), bool(text))
        marks = self._of(side, "body") or self._of(side, "decoded")
        if state == "undecodable":
            return [Block(name, state=state, notice=notice, lines=hex_lines(text or ""))]
        if not text and not message.decoded:
            block = Block(name, state=state, notice=notice)
            for number, mark, where in marks:
                self._ghost(block, len(block.lines), number, where[-1] if where else mark.kind, "")
            return [block]
        bytes_ = size(message.body_size or len((text or "").encode("utf-8", "replace")), say)
        part = "decoded" if message.decoded else "body"
        source = message.decoded or text or ""
        laid = lay_out(source)
        block = self._laid(Block(name, state=state, notice=notice), source, laid, hidden_in(message, part), marks)
        block.count, block.chain = bytes_, self._chain(message, bytes_, laid.formatted)
        block.cut = self._shorten(block)
        if not text or not (message.decoded or laid.formatted):
            return [block]
        raw = Layout()
        raw.rest(text[:RAW], 0)
        beside = self._laid(Block(say("raw"), folded=True), text[:RAW], raw, hidden_in(message, "body"))
        beside.count = bytes_
        beside.cut = say("first {n} only", n=size(RAW, say)) if len(text) > RAW else ""
        return [block, beside]

    def _chain(self, message: Message, size_: str, formatted: bool) -> str:
        say = self.say
        steps = [say("raw {size}", size=size_)]
        for step in message.decoded_by:
            steps.append(say("{step} unpacked", step=step) if step in _DECOMPRESS else say("{step} decoded", step=step))
        if message.decrypted_with:
            steps.append(say("decrypted: {key}", key=message.decrypted_with))
        if formatted:
            steps.append(say("laid out in lines"))
        return visible(" → ".join(steps))

    def _shorten(self, block: Block) -> str:
        total = 0
        for n, line in enumerate(block.lines):
            total += sum(len(run.text) for run in line.runs) + 1
            if total > SHOWN and n:
                left = len(block.lines) - n
                # Excerpts keep the whole list; only the view is cut.
                self.whole = {k: (replace(b) if b is block else b, at) for k, (b, at) in self.whole.items()}
                block.lines = block.lines[:n]
                return self.say(
                    "The report shows {n}; {left} more lines are left out.", n=size(SHOWN, self.say), left=left
                )
        return ""

    def _notice(self, state: str, message: Message, length: int, has_text: bool) -> str:
        say, reason = self.say, visible(message.state_reason or "")
        total = size(message.body_size, say) if message.body_size is not None else ""
        match state:
            case "empty":
                return say("empty (0 bytes)")
            case "not_recorded":
                return say("not recorded: {reason}", reason=reason) if reason else say("not recorded")
            case "masked":
                return say("masked by the source")
            case "truncated" if message.truncated_by == "report":
                return say("The report holds {n} of {total}.", n=size(length, say), total=total or say("unknown"))
            case "truncated":
                return say("The source cut it at {n}.", n=size(length, say))
            case "reconstructed":
                return say("put together from log fields; no basis for a signature check")
            case "undecodable":
                return say("cannot be decoded: {reason}", reason=reason) if reason else say("cannot be decoded")
            case _:
                return "" if has_text else say("empty (0 bytes)")

    def _laid(
        self,
        block: Block,
        source: str,
        laid: Layout,
        hidden: list[Hidden],
        marks: list[tuple[int, Mark, Pointer]] | None = None,
    ) -> Block:
        """Fill a block from a layout: pills where something is hidden, marks where something tells."""
        shown = pills(source, laid, hidden)
        block.lines = [Line(split(line, shown)) for line in laid.lines]
        ghosts: list[tuple[int, int, str, str]] = []
        for number, mark, where in marks or []:
            span = laid.spans.get(where) or by_name(source, laid, where)
            if not where and not mark.missing and (told := line_of(laid, source, self.exchange.error_code)) is not None:
                span = (0, 0, told)  # a mark on all of it is shown where the code stands
            if span is not None and not mark.missing:
                self._highlight(block.lines[span[2]], number)
                self.whole.setdefault(number, (block, span[2]))
            else:
                at = laid.ends.get(
                    where[:-1], len(block.lines) if not laid.ends else laid.ends.get((), len(block.lines))
                )
                ghosts.append((at, number, where[-1] if where else mark.kind, "  " * len(where)))
        # From the end, so that earlier places stay right.
        for at, number, missing, indent in sorted(ghosts, reverse=True):
            self._ghost(block, at, number, missing, indent)
        return block

    def _highlight(self, line: Line, number: int) -> None:
        line.mark = line.mark or number
        lead = 1 if len(line.runs) > 1 and line.runs[0].text.isspace() else 0
        line.runs[lead:] = [replace(run, kind="mark") if run.kind == "text" else run for run in line.runs[lead:]]

    def _ghost(self, block: Block, at: int, number: int, missing: str, indent: str) -> None:
        text = self.say("⟨missing {name}⟩", name=visible(missing))
        runs = [Run("text", indent)] if indent else []
        block.lines.insert(at, Line([*runs, Run("mark", text)], mark=number, ghost=True))
        moved = {k: (b, i + 1) for k, (b, i) in self.whole.items() if b is block and i >= at}
        self.whole |= moved
        self.whole.setdefault(number, (block, at))
