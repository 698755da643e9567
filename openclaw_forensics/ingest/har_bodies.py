"""Bodies of HAR entries: what is absent, empty, encoded, in a side file or rebuilt from parameters."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote_plus

import msgspec
import orjson
import polars as pl

from openclaw_forensics.ingest.decode import Body, body_of, from_base64, text_of
from openclaw_forensics.ingest.har_model import Request, Response, header_pairs, pairs_of
from openclaw_forensics.ingest.inflate import compression_of

Side = Callable[[str], bytes | None]  # a file beside the HAR, by its name

BODY = pl.Struct({"text": pl.String, "bytes": pl.Binary, "exact": pl.Boolean, "state": pl.String, "reason": pl.String})
_NO_BODY_STATUS = (204, 205, 304)
_MAGIC = ("\x1f\x8b", "\x1f\ufffd", "(\xb5/\xfd", "(\ufffd/\ufffd")  # gzip's and zstd's


def request_bodies(requests: list[Request], methods: pl.Series, side: Side) -> pl.DataFrame:
    """The columns of BODY for the requests."""
    posts = [request.postData for request in requests]
    frame = pl.DataFrame(
        {
            "text": [post.text if post else None for post in posts],
            "size": [request.bodySize for request in requests],
            "method": methods,
        },
        schema={"text": pl.String, "size": pl.Float64, "method": pl.String},
    ).with_columns(pl.col("method").str.to_uppercase().is_in(["GET", "HEAD", "OPTIONS"]).fill_null(False).alias("bare"))
    blank = pl.col("text").fill_null("") == ""
    unsized = pl.col("size").fill_null(-1) <= 0
    empty = blank & ((pl.col("size") == 0) | (unsized & (pl.col("bare") | pl.col("text").is_not_null())))
    plain = _plain(frame, blank, empty)
    doubtful = _mangled_rows(frame["text"])
    special = {
        at: body
        for at, post in enumerate(posts)
        if post
        and (not post.text or post.base64 or post.encoding or post.file or at in doubtful)
        and (body := _request_body(requests[at], side))
    }
    return _patched(plain, _misread(frame) | special)


def response_bodies(responses: list[Response], statuses: pl.Series, methods: pl.Series, side: Side) -> pl.DataFrame:
    """The columns of BODY for the responses; `methods` are those of their requests."""
    contents = [response.content for response in responses]
    frame = pl.DataFrame(
        {
            "text": [content.text if content else None for content in contents],
            "size": [content.size if content else None for content in contents],
            "status": statuses,
            "method": methods,
            "said": [content is not None for content in contents],
        },
        schema={"text": pl.String, "size": pl.Float64, "status": pl.Int64, "method": pl.String, "said": pl.Boolean},
    )
    bare = pl.col("status").is_in(_NO_BODY_STATUS) | ((pl.col("status") > 0) & (pl.col("method") == "HEAD"))
    blank = pl.col("text").fill_null("") == ""
    unsized = pl.col("text").is_not_null() & (pl.col("size").fill_null(-1) <= 0)
    empty = blank & pl.col("said") & (bare.fill_null(False) | unsized)
    plain = _plain(frame, blank, empty)
    doubtful = _mangled_rows(frame["text"])
    special = {
        at: body
        for at, content in enumerate(contents)
        if content and (content.encoding or content.file or at in doubtful)
        and (body := _response_body(responses[at], side))
    }  # fmt: skip
    return _patched(plain, _misread(frame) | special)


def _plain(frame: pl.DataFrame, blank: pl.Expr, empty: pl.Expr) -> pl.DataFrame:
    """Bodies that stand as text. Exact: nothing was replaced in them and their length is the one stated, if any."""
    whole = ~pl.col("text").str.contains("\ufffd", literal=True).fill_null(False)
    sized = (pl.col("size").fill_null(-1) <= 0) | (pl.col("text").str.len_bytes() == pl.col("size"))
    return frame.select(
        pl.when(~blank | empty).then(pl.col("text").fill_null("")).alias("text"),
        pl.lit(None, dtype=pl.Binary).alias("bytes"),
        (empty | (~blank & sized & whole)).alias("exact"),
        pl.when(empty).then(pl.lit("empty")).when(blank).then(pl.lit("not_recorded"))
        .otherwise(pl.lit("recorded")).alias("state"),
        pl.lit(None, dtype=pl.String).alias("reason"),
    )  # fmt: skip


def _misread(frame: pl.DataFrame) -> dict[int, Body]:
    """UTF-8 that a writer put down as Latin-1, one character per byte: undone where the stated length proves it."""
    text, size = pl.col("text"), pl.col("size")
    differing = frame.with_row_index("at").filter(size > 0, text.str.len_bytes() != size)  # seldom any
    suspects = differing.filter(text.str.len_chars() == size, text.str.contains(r"^[\x00-\u00ff]*$"))
    mended: dict[int, Body] = {}
    for at, written in suspects.select("at", "text").iter_rows():
        try:
            mended[at] = Body(written.encode("latin-1").decode(), None, True, "recorded")
        except UnicodeError:
            continue
    return mended


def _patched(plain: pl.DataFrame, special: dict[int, Body]) -> pl.DataFrame:
    if not special:
        return plain
    schema = dict(plain.schema) | {"at": pl.Int64()}
    patches = pl.DataFrame([(*body, at) for at, body in special.items()], schema=schema, orient="row")
    untouched = plain.with_row_index("at").with_columns(pl.col("at").cast(pl.Int64))
    kept = untouched.join(patches, on="at", how="anti")
    return pl.concat([kept.select(patches.columns), patches]).sort("at").drop("at")


def _request_body(request: Request, side: Side) -> Body | None:
    post = request.postData
    if post is None:
        return None
    kind = post.mimeType or ""
    if post.file and not post.text:
        return _side_body(post.file, kind, side)
    encoded = post.base64 or (post.text if (post.encoding or "").lower() == "base64" else None)
    if encoded is not None:
        return _encoded_body(encoded, kind, pairs_of(request.headers))
    if _mangled(post.text):
        return _mangled_body(post.text or "", kind, pairs_of(request.headers))
    if not post.text and (text := _form(post.params, kind)):
        return Body(text, None, False, "reconstructed", "rebuilt from the parameters the capture lists")
    return None


def _response_body(response: Response, side: Side) -> Body | None:
    content = response.content
    if content is None:
        return None
    kind = content.mimeType or ""
    if content.file and not content.text:
        return _side_body(content.file, kind, side)
    if (content.encoding or "").lower() == "base64":
        if not content.text:
            return None
        return _encoded_body(content.text, kind, pairs_of(response.headers))
    if _mangled(content.text):
        return _mangled_body(content.text or "", kind, pairs_of(response.headers))
    return None


def _side_body(name: str, kind: str, side: Side) -> Body:
    data = side(name)
    if data is None:
        return Body(None, None, False, "not_recorded", "the body lies in a file that is not part of this capture")
    return text_of(data, kind)


def _encoded_body(text: str, kind: str, headers: list[tuple[str, str]]) -> Body:
    data = from_base64(text)
    if data is None:
        return Body(text, None, False, "undecodable", "said to be base64 and is not")
    if compression_of(data) in ("gzip", "zstd"):  # a writer that keeps the content coding on
        return body_of(data, [*headers, *([("content-type", kind)] if kind else [])])
    return text_of(data, kind)


def _mangled(text: str | None) -> bool:
    """A compressed body that the writer put down as text, byte by byte or through UTF-8."""
    return text is not None and text.startswith(_MAGIC)


def _mangled_rows(text: pl.Series) -> frozenset[int]:
    """Where `_mangled` holds in a column."""
    found = text.to_frame("text").select(pl.any_horizontal(pl.col("text").str.starts_with(magic) for magic in _MAGIC))
    return frozenset(found.to_series().arg_true().to_list())


def _mangled_body(text: str, kind: str, headers: list[tuple[str, str]]) -> Body:
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return Body(text, None, False, "undecodable", "a compressed body that was put down as text and is lost")
    return body_of(data, [*headers, ("content-type", kind)])


def _form(params: msgspec.Raw, kind: str) -> str | None:
    try:
        listed = orjson.loads(bytes(params))
    except orjson.JSONDecodeError:
        return None
    pairs = header_pairs(listed)
    if not pairs or "multipart" in kind.lower():
        return None
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
