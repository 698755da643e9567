"""The readers there are, by name. A new format is one module and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from typing import cast

from openclaw_forensics.ingest.api import Reader

# In the order in which ties are decided: the format with the more certain signs first.
_READERS = (
    "refuse.RefusedReader",
    "har.HarReader",
    "mitmproxy.MitmproxyReader",
    "chlsj.CharlesReader",
    "saz.FiddlerReader",
    "newman.NewmanReader",
    "burp.BurpReader",
    "curl.CurlReader",
    "pasted.PastedReader",
    "caddy.CaddyReader",
    "alb.AlbReader",
    "envoy.EnvoyReader",
    "squid.SquidReader",
    "haproxy.HaproxyReader",
    "iis.W3CReader",
    "errorlog.ErrorLogReader",
    "accesslog.AccessLogReader",
    "logfmt.LogfmtReader",
    "wrapped.WrappedReader",
    "jsonlines.JsonLinesReader",
    "table.TableReader",
    "textlog.TextLogReader",
)


def in_turn() -> Iterator[Reader]:
    """The readers one by one, each imported when its turn comes."""
    for path in _READERS:
        reader = _reader(path)
        if reader is not None:
            yield reader


@cache
def readers() -> tuple[Reader, ...]:
    """One reader of each format; they hold no state between files."""
    return tuple(in_turn())


def names() -> tuple[str, ...]:
    """The formats' names, as `--input-format` spells them."""
    return tuple(reader.name for reader in readers())


@cache
def _reader(path: str) -> Reader | None:
    module, _, name = path.partition(".")
    full = f"{__package__}.{module}"
    try:
        return cast("Reader", getattr(importlib.import_module(full), name)())
    except ModuleNotFoundError as exc:
        if exc.name != full:
            raise
        return None
