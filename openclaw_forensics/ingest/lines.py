"""Bytes to lines of text, whatever they begin with."""

from __future__ import annotations

import polars as pl

# polars takes apart what begins like a compressed stream; of those beginnings only zlib's can be text ("x^").
_POSES = b"x"


def text_lines(data: bytes) -> pl.Series:
    """The lines of valid UTF-8, without their line ends."""
    if data[:1] == _POSES:
        return pl.read_lines(b"\n" + data).to_series().slice(1)
    return pl.read_lines(data).to_series()
