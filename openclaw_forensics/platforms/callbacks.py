"""Which requests are a platform's calls to us: by receiver as given, by a path that names a pack, or by a hook's words.

Signatures and user agents of webhooks are judged in `signs`. On captures of outgoing traffic (a proxy in front of the
receiver looks the same) a path has to say more, and a browser's own requests are never callbacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import polars as pl

from openclaw_forensics.platforms.load import fold

HOOK_WORD = r"(?i)(?:^|[^a-z])(?:web)?(?:hooks?|callbacks?|notify|notifications?|push)(?:[^a-z]|$)|webhook"
_BROWSER = r"^Mozilla/"
MIN_ALIAS = 4  # letters; shorter aliases must be a whole path segment


def is_receiver(receivers: Iterable[str]) -> pl.Expr:
    """Rows that go to one of the given HOST[/PATH]; a log that names no host is judged by the path alone."""
    fits = pl.lit(False)
    for receiver in receivers:
        host, slash, path = receiver.strip().removeprefix("https://").removeprefix("http://").partition("/")
        name = host.partition(":")[0].lower()
        prefix = f"{slash}{path}".rstrip("/")
        same_host = pl.col("host") == name
        if prefix:
            same_host = same_host | pl.col("host").is_null()
            same_path = (pl.col("path") == prefix) | pl.col("path").str.starts_with(f"{prefix}/")
            fits = fits | (same_host & (same_path | (pl.col("path") == f"{prefix}/"))).fill_null(False)
        else:
            fits = fits | same_host.fill_null(False)
    return fits


def named_in(paths: pl.Series, names: Mapping[str, str]) -> pl.Series:
    """The platform that each path names by id or alias; null where none or several do."""
    distinct = paths.drop_nulls().unique()
    found = pl.Series([_named(path, names) for path in distinct], dtype=pl.String)
    return paths.replace_strict(distinct, found, default=None, return_dtype=pl.String)


def _named(path: str, names: Mapping[str, str]) -> str | None:
    segments = [fold(s) for s in path[:500].split("/") if s]
    words = {w for s in segments for w in re.split(r"[^0-9a-z\u0080-\uffff]+", s) if len(w) >= MIN_ALIAS}
    hits = {names[s] for s in (*segments, *sorted(words)) if s in names}
    return next(iter(hits)) if len(hits) == 1 else None


def is_post() -> pl.Expr:
    """POST requests, and those of writers that name no method."""
    return pl.col("method").fill_null("POST") == "POST"


def says_hook() -> pl.Expr:
    """Paths that say webhook, callback, notify, push or hook."""
    return pl.col("path").str.contains(HOOK_WORD).fill_null(False)


def from_browser() -> pl.Expr:
    """Requests of a browser."""
    agent = pl.element().filter(pl.element().struct.field("name").str.to_lowercase() == "user-agent")
    value = pl.col("request_headers").list.eval(agent.struct.field("value")).list.first()
    return value.str.contains(_BROWSER).fill_null(False)
