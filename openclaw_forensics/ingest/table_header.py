"""The header row of an export, and what its columns hold."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from openclaw_forensics.ingest import headernames
from openclaw_forensics.ingest.table_rows import Cells, Row

SEARCHED = 30  # rows in which the header must stand; titles and filters come before it
NEEDED = 3  # columns that must be known
DELIMITERS = (",", "\t", ";", "|", "，")
_CALL = {"url", "operation", "method_or_operation", "request_body", "response_body"}


@dataclass(frozen=True, slots=True)
class Header:
    """Column index to role, the header cells as written, and what some columns' names say of their values."""

    roles: dict[int, str]
    cells: tuple[str, ...]

    def name_of(self, role: str) -> str:
        """The header cell of a role, "" where there is none."""
        return next((self.cells[index] for index, found in self.roles.items() if found == role), "")

    def has(self, *roles: str) -> bool:
        """Whether any of the roles has a column."""
        return any(role in self.roles.values() for role in roles)


def header_of(cells: Cells) -> Header | None:
    """The header that a row is, if it is one: enough known names, and one of a request, an answer or an interface."""
    if sum(bool(cell.strip()) for cell in cells) < NEEDED:
        return None
    roles = headernames.roles_of(cells)
    found = set(roles.values())
    if len(found) < NEEDED or not found & _CALL:
        return None
    return Header(roles, tuple(cells))


def find(rows: Sequence[Row]) -> tuple[int, Header] | None:
    """Index and header of the first row that is one."""
    for index, row in enumerate(rows[:SEARCHED]):
        if header := header_of(row.cells):
            return index, header
    return None


def _cells(line: str, delimiter: str) -> Cells:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def delimiter_of(text: str) -> tuple[str, int] | None:
    """The delimiter under which the first lines hold a header, and how many columns are then known."""
    best: tuple[str, int] | None = None
    lines = text.split("\n")[:SEARCHED]
    for delimiter in DELIMITERS:
        for line in lines:
            if delimiter not in line:
                continue
            header = header_of(_cells(line[:20_000].rstrip("\r"), delimiter))
            if header and len(header.roles) > (best[1] if best else 0):
                best = (delimiter, len(header.roles))
    return best
