r"""Request lines and targets, as servers log them: `POST /hook?a=1 HTTP/1.1`, absolute ones, and what attackers send.

Lines of the usual form are split all at once; only the others go through patterns. A request line that is none (`-`,
TLS bytes, half a line) has no method and no target, and its row stays.
"""

from __future__ import annotations

import re

import polars as pl

_METHOD = r"^[A-Z][A-Z_-]{1,19}$"
_PROTOCOL = r"^HTTP/\d(?:\.\d)?$"
_ODD_REQUEST = r"^([A-Za-z][A-Za-z_-]{1,19}) (\S.*?)(?: (HTTP/\d(?:\.\d)?))?$"
_ABSOLUTE = r"^([A-Za-z][A-Za-z0-9+.-]{0,19})://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/:?#]*)(?::(\d{1,5}))?([^?#]*)(?:\?(.*))?$"
_HOST = r"^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$"
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([\"\\nrtbfv]))")
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def split_request(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds `method`, `target` and `protocol` from `request`, where the layout logs the whole line."""
    if "request" not in raw.columns:
        return _from_parts(raw)
    request = raw["request"].fill_null("")
    parts = request.str.splitn(" ", 3).struct.unnest()
    method, target, protocol = (parts.to_series(n) for n in range(3))
    usual = method.str.contains(_METHOD) & protocol.str.contains(_PROTOCOL)
    usual = usual.fill_null(value=False)
    if not usual.all():
        odd = request.str.extract_groups(_ODD_REQUEST).struct.unnest()
        method = method.zip_with(usual, odd.to_series(0).str.to_uppercase())
        target = target.zip_with(usual, odd.to_series(1))
        protocol = protocol.zip_with(usual, odd.to_series(2))
    return raw.with_columns(method.alias("method"), target.alias("target"), protocol.alias("protocol"))


def _from_parts(raw: pl.DataFrame) -> pl.DataFrame:
    """Layouts that log method, path and query apart."""
    if "method" in raw.columns:
        method = pl.col("method").str.to_uppercase()
        raw = raw.with_columns(method=pl.when(method.str.contains(_METHOD)).then(method))
        # What has no HTTP method (FTP in a W3C log, an unread request) has no target either.
        targets = [name for name in ("target", "path") if name in raw.columns]
        raw = raw.with_columns(
            pl.when(pl.col("method").is_not_null()).then(pl.col(name)).alias(name) for name in targets
        )
    if "target" not in raw.columns and "path" in raw.columns:
        query = pl.lit("")
        if "query_marked" in raw.columns:
            query = pl.col("query_marked").fill_null("")
        elif "query" in raw.columns:
            given = pl.col("query").fill_null("")
            query = pl.when(given.is_in(["", "-"])).then(pl.lit("")).otherwise("?" + given)
        raw = raw.with_columns(target=pl.col("path") + query)
    if "target" not in raw.columns:
        return raw.with_columns(pl.lit(None, dtype=pl.String).alias("target"))
    return raw.with_columns(target=pl.when(~pl.col("target").is_in(["-", ""])).then(pl.col("target")))


def split_target(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds `url`, `scheme`, `host`, `port`, `path`, `query`, `http_version` from the target and the host columns."""
    target = raw["target"]
    parts = target.str.splitn("?", 2).struct.unnest()
    path, query = parts.to_series(0), parts.to_series(1)
    scheme, host, port = _logged_host(raw)
    absolute = target.str.contains("://", literal=True).fill_null(value=False)
    if absolute.any():
        groups = target.set(~absolute, None).str.extract_groups(_ABSOLUTE).struct.unnest()
        absolute = groups.to_series(0).is_not_null() & ~target.str.starts_with("/").fill_null(value=False)
        scheme = groups.to_series(0).str.to_lowercase().zip_with(absolute, scheme)
        host = groups.to_series(1).str.to_lowercase().zip_with(absolute, host)
        port = groups.to_series(2).cast(pl.Int64).zip_with(absolute, port)
        path = groups.to_series(3).zip_with(absolute, path)
        query = groups.to_series(4).zip_with(absolute, query)
    frame = raw.with_columns(
        scheme.alias("scheme"),
        host.alias("host"),
        port.alias("port"),
        path.alias("path"),
        query.alias("query"),
        absolute.alias("absolute"),
    )
    protocol = pl.col("protocol") if "protocol" in raw.columns else pl.lit(None, dtype=pl.String)
    return frame.with_columns(url=_url(), http_version=_version(protocol)).drop("absolute")


def _url() -> pl.Expr:
    """The absolute URL where scheme and host are known, else the target as written."""
    usual = ((pl.col("scheme") == "https") & (pl.col("port") == 443)) | (
        (pl.col("scheme") == "http") & (pl.col("port") == 80)
    )
    port = pl.when(pl.col("port").is_null() | usual).then(pl.lit("")).otherwise(pl.format(":{}", "port"))
    built = pl.format("{}://{}{}{}", "scheme", "host", port, "target")
    return pl.when(~pl.col("absolute")).then(pl.coalesce(built, "target")).otherwise(pl.col("target"))


def _version(protocol: pl.Expr) -> pl.Expr:
    number = protocol.str.extract(r"(?i)^h(?:ttp/)?(\d(?:\.\d)?)$")
    return number.replace({"2.0": "2", "3.0": "3"})


def _logged_host(raw: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Scheme, host and port of the columns that log them; the name in the request before the server's own."""
    nothing = pl.Series(values=[None], dtype=pl.String).new_from_index(0, raw.height)
    names = [name for name in ("host", "vhost") if name in raw.columns]
    host, port = nothing, nothing.cast(pl.Int64)
    if names:
        known = [pl.when(~pl.col(name).is_in(["-", "", "_"])).then(pl.col(name)) for name in names]
        groups = raw.select(pl.coalesce(*known)).to_series().str.extract_groups(_HOST).struct.unnest()
        host, port = groups.to_series(0).str.to_lowercase(), groups.to_series(1).cast(pl.Int64)
    if "port" in raw.columns:
        port = port.zip_with(port.is_not_null(), raw["port"].cast(pl.String).cast(pl.Int64, strict=False))
    scheme = nothing
    if "scheme" in raw.columns:
        scheme = raw["scheme"].str.to_lowercase().str.extract("^(https?|wss?)")
    return scheme, host, port


def unescape(raw: pl.DataFrame) -> pl.DataFrame:
    r"""Undoes the servers' own escapes (`\x22`, `\"`), which are no part of what was sent."""
    columns = ("url", "path", "query", "request_body", *(name for name in raw.columns if "header:" in name))
    replaced = [_unescaped(raw[name]) for name in columns if name in raw.columns]
    return raw.with_columns(series for series in replaced if series is not None)


def _unescaped(series: pl.Series) -> pl.Series | None:
    marked = series.str.contains("\\", literal=True).fill_null(value=False)
    if not marked.any():
        return None
    texts = series.filter(marked).unique(maintain_order=True).to_list()
    return series.replace(texts, [unescape_text(text) for text in texts])


def unescape_text(text: str) -> str:
    r"""One text without nginx's and Apache's escapes; as written where the bytes would not be UTF-8."""

    def byte(match: re.Match[bytes]) -> bytes:
        return bytes([int(match[1], 16)]) if match[1] else _CONTROL.get(match[2], match[2])

    try:
        return _ESCAPE.sub(byte, text.encode()).decode()
    except UnicodeDecodeError:
        return text
