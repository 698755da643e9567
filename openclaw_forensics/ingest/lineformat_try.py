"""Which line formats there are, and how they fit a file: what `formats list` and `formats try` show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openclaw_forensics.ingest.api import ReadOptions
from openclaw_forensics.ingest.lineformat import fit_heads, load_formats
from openclaw_forensics.ingest.sources import Source
from openclaw_forensics.ingest.textlog import TextLogReader

SHOWN = 20
LINES = 2000


@dataclass(frozen=True, slots=True)
class Listed:
    """One format as a list shows it."""

    name: str
    description: str
    writers: tuple[str, ...]
    provenance: str
    heads: int
    messages: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a file's first lines are to the formats."""

    lines: int
    scores: dict[str, int]  # lines that begin a record, by format
    reason: str
    exchanges: list[dict[str, Any]]  # the first calls found
    records: list[dict[str, Any]]
    not_understood: list[tuple[int, str]]  # line number and text of lines outside any record's head and body


def list_formats(options: ReadOptions | None = None) -> list[Listed]:
    """All formats in force, by name. Raises RuleError for a wrong format file."""
    formats = load_formats((options or ReadOptions()).formats_dirs).formats
    rows = [Listed(f.name, f.description, f.writers, f.provenance, len(f.head), len(f.message)) for f in formats]
    return sorted(rows, key=lambda row: row.name)


def try_format(source: Source, options: ReadOptions | None = None) -> Trial:
    """Read a file's beginning with the given options and tell how far it was understood.

    Raises RuleError for a wrong format file or an unknown forced format.
    """
    options = options or ReadOptions()
    formats = load_formats(options.formats_dirs)
    lines = source.text_head().decode("utf-8", "replace").splitlines()[:LINES]
    fit = fit_heads(lines, formats, options.line_format)
    calls: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    for part in TextLogReader().read(source, options):
        calls += part.exchanges.head(SHOWN - len(calls)).rows(named=True)
        records += part.records.head(SHOWN - len(records)).rows(named=True)
        if len(calls) >= SHOWN:
            break
    told = _covered(calls + records)
    strange = [
        (number, line[:300])
        for number, line in enumerate(lines, 1)
        if line.strip() and number not in told and not line[0].isspace() and not fit.begins(line)
    ]
    best = max(fit.hits, key=lambda n: (fit.hits[n], n), default=None)
    reason = f"{fit.matched} of {fit.lines} lines begin a record; best: {best or 'none'}"
    return Trial(fit.lines, fit.hits, reason, calls, records, strange[:SHOWN])


def _covered(rows: list[dict[str, Any]]) -> set[int]:
    covered: set[int] = set()
    for row in rows:
        first, _, last = str(row["locator"]).removeprefix("lines:").partition("-")
        covered.update(range(int(first), int(last or first) + 1))
    return covered
