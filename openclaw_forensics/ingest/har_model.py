"""The fields of a HAR entry that are used, typed for the fast way and built leniently for the slow one."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
import orjson

Number = float | None
Status = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31)] | None
NOTHING = msgspec.Raw()


class Header(msgspec.Struct, gc=False):
    """One header line."""

    name: str
    value: str | None = None


class PostData(msgspec.Struct, gc=False):
    """The request's body. `text` and `params` should exclude each other; browsers write both."""

    mimeType: str | None = None
    text: str | None = None
    params: msgspec.Raw = NOTHING
    encoding: str | None = None
    base64: str | None = msgspec.field(default=None, name="_textBase64")
    file: str | None = msgspec.field(default=None, name="_file")


class Content(msgspec.Struct, gc=False):
    """The response's body, decoded by the writer."""

    size: Number = None
    mimeType: str | None = None
    text: str | None = None
    encoding: str | None = None
    comment: str | None = None
    file: str | None = msgspec.field(default=None, name="_file")


class Request(msgspec.Struct, gc=False):
    """One request."""

    method: str | None = None
    url: str | None = None
    httpVersion: str | None = None
    headers: list[Header] | None = None
    postData: PostData | None = None
    bodySize: Number = None


class Response(msgspec.Struct, gc=False):
    """One response, or what stands in for it when none came."""

    status: Status = None
    httpVersion: str | None = None
    headers: list[Header] | None = None
    content: Content | None = None
    error: Any = msgspec.field(default=None, name="_error")
    failure: Any = msgspec.field(default=None, name="_failureText")
    charles: Any = msgspec.field(default=None, name="_charlesStatus")


class Entry(msgspec.Struct, gc=False):
    """One entry."""

    startedDateTime: str | None = None
    time: Number = None
    request: Request | None = None
    response: Response | None = None
    serverIPAddress: str | None = None
    error: Any = msgspec.field(default=None, name="_error")
    messages: msgspec.Raw = msgspec.field(default=NOTHING, name="_webSocketMessages")


DECODER = msgspec.json.Decoder(list[Entry])


def lenient(value: dict[str, Any]) -> Entry | None:
    """An entry from parsed JSON in which any field may have any type; None when it holds no request at all."""
    request = _dict(value.get("request"))
    if not request:
        return None
    return Entry(
        startedDateTime=_text(value.get("startedDateTime")),
        time=_number(value.get("time")),
        request=_request(request),
        response=_response(_dict(value.get("response"))),
        serverIPAddress=_text(value.get("serverIPAddress")),
        error=value.get("_error"),
        messages=_raw(value.get("_webSocketMessages")),
    )


def _request(value: dict[str, Any]) -> Request:
    headers = header_pairs(value.get("headers"))
    pseudo = {name: text for name, text in headers or () if name.startswith(":")}
    url = _text(value.get("url"))
    if not url and pseudo.get(":authority"):
        url = f"{pseudo.get(':scheme', 'https')}://{pseudo[':authority']}{pseudo.get(':path', '/')}"
    return Request(
        method=_text(value.get("method")) or pseudo.get(":method"),
        url=url,
        httpVersion=_text(value.get("httpVersion")),
        headers=_headers(headers),
        postData=_post_data(value.get("postData")),
        bodySize=_number(value.get("bodySize")),
    )


def _post_data(value: Any) -> PostData | None:
    if isinstance(value, str):
        return PostData(text=value)
    data = _dict(value)
    if not data:
        return None
    return PostData(
        mimeType=_text(data.get("mimeType")),
        text=_body_text(data.get("text")),
        params=_raw(data.get("params")),
        encoding=_text(data.get("encoding")),
        base64=_text(data.get("_textBase64")),
        file=_text(data.get("_file")),
    )


def _response(value: dict[str, Any]) -> Response | None:
    if not value:
        return None
    content = _dict(value.get("content"))
    status = _number(value.get("status"))
    return Response(
        status=int(status) if status is not None else None,
        httpVersion=_text(value.get("httpVersion")),
        headers=_headers(header_pairs(value.get("headers"))),
        content=Content(
            size=_number(content.get("size")),
            mimeType=_text(content.get("mimeType")),
            text=_body_text(content.get("text")),
            encoding=_text(content.get("encoding")),
            comment=_text(content.get("comment")),
            file=_text(content.get("_file")),
        ),
        error=value.get("_error"),
        failure=value.get("_failureText"),
        charles=value.get("_charlesStatus"),
    )


def header_pairs(value: Any) -> list[tuple[str, str]] | None:
    """Headers as pairs: from objects, from `[name, value]` pairs, or from one object; None when there are none."""
    if isinstance(value, dict):
        value = [
            (name, item) for name, items in value.items() for item in (items if isinstance(items, list) else [items])
        ]
    if not isinstance(value, list):
        return None
    pairs: list[tuple[str, str]] = []
    for item in value:
        if isinstance(item, dict):
            keys = {str(key).lower(): part for key, part in item.items()}
            pair = [keys.get("name", keys.get("key")), keys.get("value")]
        else:
            pair = list(item) if isinstance(item, (list, tuple)) else []
        if len(pair) >= 2 and (name := _text(pair[0])):
            pairs.append((name, _text(pair[1]) or ""))
    return pairs


def _headers(pairs: list[tuple[str, str]] | None) -> list[Header] | None:
    return None if pairs is None else [Header(name, value) for name, value in pairs]


def pairs_of(headers: list[Header] | None) -> list[tuple[str, str]]:
    """A message's headers as pairs."""
    return [(header.name, header.value or "") for header in headers or ()]


def _raw(value: Any) -> msgspec.Raw:
    if value is None:
        return NOTHING
    try:
        return msgspec.Raw(orjson.dumps(value))
    except (TypeError, ValueError):  # integers beyond 64 bits
        return NOTHING


def _dict(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _body_text(value: Any) -> str | None:
    """A body that some writers leave as JSON instead of text."""
    if isinstance(value, (dict, list)):
        return bytes(_raw(value)).decode()
    return _text(value)


def _number(value: Any) -> Number:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -(2**53) < value < 2**53:
        return None  # infinities and NaN as well
    return float(value)
