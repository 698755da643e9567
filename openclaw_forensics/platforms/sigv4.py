"""AWS Signature Version 4, in a header or in a pre-signed address.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (2026-11).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from openclaw_forensics.platforms.message import Message
from openclaw_forensics.platforms.parameters import UNRESERVED
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.strings import Build

_SCOPE = re.compile(r"Credential=([^/,\s]{1,128})/([0-9]{8})/([^/,\s]{1,64})/([^/,\s]{1,64})/aws4_request")
_SIGNED = re.compile(r"SignedHeaders=([A-Za-z0-9;_-]{1,4096})")
_UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class _Claims:
    """What the request says about its own signature."""

    day: str
    region: str
    service: str
    signed: tuple[str, ...]
    stamp: str
    presigned: bool


def string_to_sign(build: Build) -> bytes:
    """The string to sign. Raises NotComputableError."""
    claims = _claims(build.message)
    canonical = _canonical(build, claims)
    scope = f"{claims.day}/{claims.region}/{claims.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()
    return f"AWS4-HMAC-SHA256\n{claims.stamp}\n{scope}\n{digest}".encode()


def signing_key(secret: bytes, message: Message) -> bytes:
    """The key derived from the secret for this request's day, region and service. Raises NotComputableError."""
    claims = _claims(message)
    key = b"AWS4" + secret
    for step in (claims.day, claims.region, claims.service, "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key


def _claims(message: Message) -> _Claims:
    query = {name.lower(): values[0] for name, values in message.query().items()}
    if "x-amz-credential" in query:
        text = f"Credential={query['x-amz-credential']} SignedHeaders={query.get('x-amz-signedheaders', 'host')}"
        stamp = query.get("x-amz-date")
    else:
        text = next(iter(message.headers("request").get("authorization", ())), "")
        stamp = next(iter(message.headers("request").get("x-amz-date", ())), None)
    scope, signed = _SCOPE.search(text[:8192]), _SIGNED.search(text[:8192])
    if not scope or not signed or stamp is None:
        seen = message.seen("request", "headers")
        raise NotComputableError("part_absent" if seen else "part_not_recorded", "Authorization or X-Amz-Date")
    names = tuple(signed[1].lower().split(";"))
    return _Claims(scope[2], scope[3], scope[4], names, stamp, "x-amz-credential" in query)


def _canonical(build: Build, claims: _Claims) -> str:
    message = build.message
    method, path = message.get("method"), message.get("path") or "/"
    if method is None:
        raise NotComputableError("part_not_recorded", "method")
    # Every service but S3 encodes the path a second time.
    uri = path if claims.service == "s3" else quote(path, safe=f"/{UNRESERVED}")
    headers = "".join(f"{name}:{_header(message, name)}\n" for name in claims.signed)
    payload = _payload(build, claims)
    return "\n".join((method, uri, _query(message), headers, ";".join(claims.signed), payload))


def _query(message: Message) -> str:
    pairs = [part.partition("=") for part in (message.get("query") or "").split("&") if part]
    encoded = [
        (quote(unquote_plus(name), safe=UNRESERVED), quote(unquote_plus(value), safe=UNRESERVED))
        for name, _, value in pairs
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name.lower() != "x-amz-signature")


def _header(message: Message, name: str) -> str:
    found = message.headers("request").get(name)
    if found is None and name == "host" and message.get("host"):
        return message.get("host") or ""
    if found is None:
        seen = message.seen("request", "headers")
        raise NotComputableError("part_absent" if seen else "part_not_recorded", f"header {name}")
    return ",".join(re.sub(r"\s+", " ", value.strip()) for value in found)


def _payload(build: Build, claims: _Claims) -> str:
    declared = build.message.headers("request").get("x-amz-content-sha256")
    if declared:
        return declared[0]
    if claims.presigned and claims.service == "s3":
        return _UNSIGNED
    return hashlib.sha256(build.part("body?")).hexdigest()
