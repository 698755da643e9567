"""URLs taken apart, and HTTP versions by their one name, for whole columns."""

from __future__ import annotations

import polars as pl

from openclaw_forensics.exchanges import READ_COLUMNS

# RFC 3986, appendix B, with the authority split further; every group stops at the next delimiter.
_BASE = (
    r"^(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}):)?"
    r"(?://(?:[^/@]*@)?(?P<host>\[[^\]/]*\]|[^/:]*)(?::(?P<port>\d{0,5}))?)?(?P<path>.*)"
)
_VERSIONS = {
    "http/1.0": "1.0",
    "1.0": "1.0",
    "http/1.1": "1.1",
    "1.1": "1.1",
    "http/2.0": "2",
    "http/2": "2",
    "2.0": "2",
    "2": "2",
    "h2": "2",
    "h2c": "2",
    "http/3.0": "3",
    "http/3": "3",
    "3": "3",
    "3.0": "3",
    "h3": "3",
    "h3-29": "3",
}


def url_columns(url: pl.Series) -> list[pl.Series]:
    """`scheme`, `host`, `port`, `path` and `query` of a column of URLs; what is not written is null.

    Only distinct URLs without their queries are taken apart: an interface has few of them.
    """
    url = url.str.splitn("#", 2).struct.field("field_0")
    split = url.str.splitn("?", 2).struct.unnest()
    base = split.to_series(0).rename("base")
    distinct = base.unique()
    groups = distinct.str.extract_groups(_BASE).struct.unnest()
    known = pl.DataFrame(
        [
            distinct,
            groups["scheme"].str.to_lowercase(),
            groups["host"].str.to_lowercase().str.strip_chars("[]").replace("", None),
            groups["port"].cast(pl.Int64, strict=False),
            groups["path"],
        ]
    )
    parts = base.to_frame().join(known, on="base", how="left", maintain_order="left")
    return [*parts.drop("base").get_columns(), split.to_series(1).rename("query")]


def version(column: str) -> pl.Expr:
    """HTTP versions as `1.0`, `1.1`, `2` or `3`, null for whatever else stands there."""
    return pl.col(column).str.to_lowercase().replace_strict(_VERSIONS, default=None, return_dtype=pl.String)


def version_of(text: str | None) -> str | None:
    """One HTTP version by its name in the frame."""
    return _VERSIONS.get((text or "").strip().lower())


def url_parts(url: str | None) -> dict[str, object]:
    """The columns of one URL, for readers that build rows."""
    frame = pl.DataFrame(url_columns(pl.Series([url], dtype=READ_COLUMNS["url"])))
    return dict(frame.row(0, named=True))
