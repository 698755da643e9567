"""Where the bytes that were read went, and why nothing came of them: no line of a capture is lost in silence."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_forensics.report.catalogue import Speaker
from openclaw_forensics.report.visible import one_line
from openclaw_forensics.result import InputFile, Result

_ASIDE = "irrelevant: "
_UNREAD = ("unreadable", "unsupported", "unrecognised", "encrypted")  # of the whole file
_SHOWN = 3  # files whose fate is told where no exchange came of any


def balance(result: Result, say: Speaker) -> str:
    """One sum over all files: bytes read, and what became of them; empty where no file tells."""
    files = [f for f in result.input.files if f.balance]
    if not files:
        return ""
    parts = {name: sum(f.balance.get(name, 0) for f in files) for name in ("exchanges", "records", "problems")}
    aside = sum(size for f in files for reason, size in f.balance.items() if reason.startswith(_ASIDE))
    return say(
        "bytes read {all} = exchanges {exchanges} + log records {records} + set aside {aside} "
        "+ not understood {problems}",
        all=sum(parts.values()) + aside,
        aside=aside,
        **parts,
    )


def set_aside(file: InputFile) -> list[tuple[str, int]]:
    """The reasons for which bytes of a file were set aside, the weightiest first."""
    reasons = [(k.removeprefix(_ASIDE), size) for k, size in file.balance.items() if k.startswith(_ASIDE)]
    return sorted(reasons, key=lambda pair: (-pair[1], pair[0]))


def fates(files: Iterable[InputFile], say: Speaker) -> list[str]:
    """What became of the largest files: the format that came nearest and why no exchange was found, or what failed."""
    largest = sorted(files, key=lambda f: (-(f.bytes or 0), f.path))[:_SHOWN]
    return [_fate(file, say) for file in largest]


def _fate(file: InputFile, say: Speaker) -> str:
    path = one_line(file.path, 60)
    if file.bytes == 0:
        return say("{path} is empty", path=path)
    if file.format is None or not file.balance or any(p.kind in _UNREAD for p in file.problems[:1]):
        why = one_line(file.problems[0].message, 160) if file.problems else say("in no known format")
        return say("{path}: {why}", path=path, why=why)
    told = [(say("not understood"), file.balance.get("problems", 0)), *set_aside(file)]
    told.append((say("log records"), file.balance.get("records", 0)))
    why, size = max(told, key=lambda pair: pair[1])
    return say(
        "{path} reads as {format}; {size} of {all} bytes: {why}",
        path=path,
        format=one_line(file.format, 20),
        size=size,
        all=file.bytes or sum(file.balance.values()),
        why=one_line(why, 80),
    )
