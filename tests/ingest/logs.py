"""Small logs for the tests of the text readers, and how they are read there."""

from __future__ import annotations

import io
from typing import Any

from openclaw_forensics.ingest.api import Part, Reader, ReadOptions
from openclaw_forensics.ingest.sources import Source


def source(text: str | bytes, name: str = "erp.log") -> Source:
    data = text.encode() if isinstance(text, str) else text
    return Source(name, lambda: io.BytesIO(data))


def parts(reader: Reader, text: str | bytes, name: str = "erp.log", options: ReadOptions | None = None) -> list[Part]:
    return list(reader.read(source(text, name), options or ReadOptions()))


def exchanges(reader: Reader, text: str | bytes, name: str = "erp.log") -> list[dict[str, Any]]:
    return [row for part in parts(reader, text, name) for row in part.exchanges.iter_rows(named=True)]


def records(reader: Reader, text: str | bytes, name: str = "erp.log") -> list[dict[str, Any]]:
    return [row for part in parts(reader, text, name) for row in part.records.iter_rows(named=True)]


def accounted(found: list[Part]) -> int:
    """The bytes that the parts account for."""
    held = [part.balance for part in found]
    return sum(b.exchanges + b.records + b.problems + sum(b.irrelevant.values()) for b in held)


def brief(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}
