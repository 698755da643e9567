"""Parts of a multipart/form-data body (RFC 7578), for schemes that sign fields and files."""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_PARTS = 1_000
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})')
_NAME = re.compile(rb'[;\s]name="([^"\r\n]{0,1000})"')
_FILENAME = re.compile(rb'[;\s]filename="([^"\r\n]{0,1000})"')


class Field(NamedTuple):
    """One part of a form; `filename` is None for a text field."""

    name: str
    filename: str | None
    content: bytes


def fields(body: bytes, content_type: str) -> list[Field] | None:
    """The form's parts in order, None where this is no complete multipart form."""
    boundary = _BOUNDARY.search(content_type[:1000]) if "multipart/form-data" in content_type.lower() else None
    if boundary is None:
        return None
    mark = b"--" + boundary[1].encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark, MAX_PARTS + 2)
    if len(pieces) < 2 or len(pieces) > MAX_PARTS + 1 or not pieces[-1].startswith(b"--"):
        return None
    found = []
    for piece in pieces[1:-1]:
        head, blank, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head[:4000])
        if not blank or name is None:
            return None
        file = _FILENAME.search(head[:4000])
        found.append(Field(_text(name[1]), _text(file[1]) if file else None, content))
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
