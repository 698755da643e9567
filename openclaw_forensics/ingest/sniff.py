"""Which reader a file belongs to: readers are asked in turn, the surest wins, and one that fails is skipped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from openclaw_forensics.errors import UsageError
from openclaw_forensics.ingest import registry
from openclaw_forensics.ingest.api import NOT_MINE, Reader, Sniff
from openclaw_forensics.ingest.sources import Source

CERTAIN = 92  # a score that no other reader is asked after


class Identified(NamedTuple):
    """The reader that won (None when none knows the file), its judgement, and everybody's, best first."""

    reader: Reader | None
    sniff: Sniff
    scores: list[tuple[str, Sniff]]


def identify(
    source: Source, forced: str | None = None, readers: Iterable[Reader] | None = None, *, thorough: bool = False
) -> Identified:
    """Ask the readers about `source` until one is certain; `thorough` asks all of them.

    A `forced` format wins unasked; UsageError when it is unknown.
    """
    if forced is not None:
        return Identified(by_name(forced, None if readers is None else list(readers)), Sniff(100, "as told"), [])
    head = source.text_head()
    judged: list[tuple[Reader, Sniff]] = []
    for reader in registry.in_turn() if readers is None else readers:
        judged.append((reader, _ask(reader, head, source.path)))
        if judged[-1][1].score >= CERTAIN and not thorough:
            break
    scores = sorted(((reader.name, sniff) for reader, sniff in judged), key=lambda pair: -pair[1].score)
    best = max(judged, key=lambda pair: pair[1].score, default=None)
    if best is None or best[1].score <= 0:
        return Identified(None, NOT_MINE, scores)
    return Identified(*best, scores)


def by_name(name: str, readers: Sequence[Reader] | None = None) -> Reader:
    """The reader of the format `name`. Raises UsageError that says which names come near."""
    readers = registry.readers() if readers is None else readers
    wanted = name.strip().lower().replace("_", "-")
    for reader in readers:
        if reader.name == wanted:
            return reader
    known = [reader.name for reader in readers]
    near = difflib.get_close_matches(wanted, known, n=3) or known
    raise UsageError(f"unknown input format {name!r}; did you mean {', '.join(near)}?")


def _ask(reader: Reader, head: bytes, name: str) -> Sniff:
    try:
        return reader.sniff(head, name)
    except Exception as exc:  # one bad reader must not take the others down
        return Sniff(0, f"the reader failed: {type(exc).__name__}: {exc}"[:200])
