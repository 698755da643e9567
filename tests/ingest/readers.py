"""Reads literal bytes with one reader, as the tests of all capture formats need it."""

from __future__ import annotations

import io

import polars as pl

from openclaw_forensics.exchanges import ANNOTATED_COLUMNS, READ_COLUMNS
from openclaw_forensics.ingest.reading import FileRead, read_source
from openclaw_forensics.ingest.sources import Source

assert not READ_COLUMNS.keys() & ANNOTATED_COLUMNS.keys()


def read(data: bytes, name: str, forced: str | None = None) -> FileRead:
    """A file of these bytes, read; its balance is checked on the way."""
    result = read_source(Source(name, lambda: io.BytesIO(data)), forced=forced)
    balance = result.balance
    counted = balance.exchanges + balance.records + balance.problems + sum(balance.irrelevant.values())
    assert (counted, result.bytes) == (len(data), len(data)), balance
    assert "not accounted for" not in balance.irrelevant
    for part in result.parts:
        assert dict(part.exchanges.schema) == READ_COLUMNS
        assert part.exchanges["answer_state"].null_count() == 0
        assert part.exchanges.filter(
            pl.col("request_body_state").is_null() | pl.col("response_body_state").is_null()
        ).is_empty()
    ids = rows(result)["exchange_id"]
    assert ids.n_unique() == ids.len()
    return result


def rows(result: FileRead) -> pl.DataFrame:
    """All exchanges of a file."""
    return pl.concat([part.exchanges for part in result.parts]) if result.parts else pl.DataFrame(schema=READ_COLUMNS)


def kinds(result: FileRead) -> list[str]:
    """The kinds of its problems."""
    return [problem.kind for problem in result.problems]
