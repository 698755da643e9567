"""Access logs written as one JSON object per line, with keys that whoever configured the server chose.

nginx with `escape=json`, Envoy's JSON log, cloud balancers as delivered by a log service. Keys are known by
`rules/formats/columns.toml`. A value that nginx left out (`"status":,` or `"x":-`) breaks the JSON of its line only.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec
import polars as pl

from openclaw_forensics.ingest.accesslog_fields import REQUEST_HEADER, header_name
from openclaw_forensics.ingest.headernames import access_keys

NEEDED = 3  # roles among method, target, status, client, stamp that make JSON lines an access log
_TELLING = ({"status"}, {"target", "path", "request"}, {"client", "upstream_status", "protocol", "flags"}, {"stamp"})
_NO_VALUE = re.compile(rb":\s*-?\s*(?=[,}])")
_BARE_LIST = re.compile(rb":\s*((?:-|\d[\d.]*)(?:\s*[,:]\s*(?:-|\d[\d.]*))+)\s*(?=[,}])")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


@cache
def _roles() -> dict[str, str]:
    return {key: role for role, keys in access_keys().items() for key in keys}


def role_of(key: str) -> str | None:
    """What a key holds, or None."""
    plain = re.sub(r"[^0-9a-z]+", "_", key[:100].lower()).strip("_")
    if role := _roles().get(plain):
        return role
    return REQUEST_HEADER + header_name(plain.removeprefix("http_")) if plain.startswith("http_") else None


def keys_of(texts: list[str]) -> dict[str, str]:
    """Key to role, from the first lines; of two keys with one role the first counts."""
    found: dict[str, str] = {}
    for text in texts:
        for key in _decode(text) or {}:
            role = role_of(key)
            if role and role not in found.values():
                found[key] = role
    return found


def is_access(texts: list[str]) -> bool:
    """Whether lines are an access log's: outcome, target, peer and time are all among their keys."""
    roles = set(keys_of(texts).values())
    return all(roles & group for group in _TELLING)


def raw_of(data: bytes | None, lines: pl.DataFrame, keys: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Raw columns, and the lines that are no JSON object. `data`: the same lines as they lie in the chunk."""
    fast = _all_at_once(data, lines, keys) if data is not None else None
    if fast is not None:
        return _typed(fast), lines.clear()
    rows: list[dict[str, str | None]] = []
    numbers: list[int] = []
    broken: list[bool] = []
    for number, text in zip(lines["line"], lines["text"], strict=True):
        found = _decode(text)
        broken.append(found is None)
        if found is not None:
            rows.append({role: _text(found.get(key)) for key, role in keys.items()})
            numbers.append(number)
    raw = pl.DataFrame(rows, schema={role: pl.String() for role in keys.values()})
    raw = raw.insert_column(0, pl.Series("line", numbers, dtype=pl.Int64))
    return _typed(raw), lines.filter(pl.Series(broken, dtype=pl.Boolean))


def _all_at_once(data: bytes, lines: pl.DataFrame, keys: dict[str, str]) -> pl.DataFrame | None:
    try:
        frame = pl.read_ndjson(data, schema={key: pl.String() for key in keys})
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
    if frame.height != lines.height:
        return None
    return frame.select(lines["line"], *(pl.col(key).alias(role) for key, role in keys.items()))


def _decode(text: str) -> dict[str, msgspec.Raw] | None:
    """One line's object with its values undecoded; values that nginx left out are null."""
    data = text.encode("utf-8", "replace")
    try:
        return _OBJECT.decode(data)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _OBJECT.decode(_BARE_LIST.sub(rb':"\1"', _NO_VALUE.sub(b":null", data)))
    except (msgspec.DecodeError, RecursionError):
        return None


def _text(value: msgspec.Raw | None) -> str | None:
    if value is None:
        return None
    data = bytes(value)
    if data == b"null":
        return None
    if data[:1] != b'"':
        return data.decode("utf-8", "replace")
    try:
        return _TEXT.decode(data)
    except msgspec.DecodeError:
        return None


def _typed(raw: pl.DataFrame) -> pl.DataFrame:
    """The stamp's column under the name of its notation, decided by the first value."""
    if "stamp" not in raw.columns:
        return raw
    first = raw["stamp"].drop_nulls().head(1).to_list()
    sample = first[0] if first else ""
    if re.fullmatch(r"\d{9,10}(?:\.\d+)?(?:[eE]\+?\d)?", sample):
        return raw.rename({"stamp": "stamp_epoch"})
    if re.fullmatch(r"\d{13}", sample):
        seconds = pl.col("stamp").cast(pl.Float64, strict=False) / 1000
        return raw.with_columns(seconds.cast(pl.String).alias("stamp_epoch")).drop("stamp")
    return raw.rename({"stamp": "stamp_iso"}) if re.match(r"\d{4}-\d\d-\d\d", sample) else raw
