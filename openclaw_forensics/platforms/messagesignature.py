"""The signature base of HTTP Message Signatures (RFC 9421, 2.5), of the first signature that Signature-Input lists.

Content-Digest (RFC 9530) stands in it as it must be for the body, where the body's bytes are known: a signature over
the digest of another body then does not fit, as the receiver finds as well.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openclaw_forensics.platforms.reasons import NotComputableError

if TYPE_CHECKING:
    from openclaw_forensics.platforms.message import Message
    from openclaw_forensics.platforms.strings import Build

_INPUT = re.compile(r'^\s*[a-z*][a-z0-9_.*-]{0,100}\s*=\s*(\(([^()]{0,4096})\)(?:[^,"]|"[^"]{0,1024}")*)')
_COMPONENT = re.compile(r'"([^"]{1,256})"(;[^\s"]{0,256})?')
_DIGEST = re.compile(r"([a-z0-9-]{1,20})=:[^:]{0,200}:")
_DIGESTS = {"sha-256": "sha256", "sha-512": "sha512"}  # RFC 9530, 5
_PORTS = {"http": ":80", "https": ":443"}  # left out of an authority (RFC 9421, 2.2.3)


def signature_base(build: Build) -> str:
    """The lines that are signed. Raises NotComputableError."""
    sent = _header(build.message, "signature-input")
    match = _INPUT.search(sent[:8192])
    if match is None:
        raise NotComputableError("not_understood", "Signature-Input")
    lines = [f'"{name}": {_value(build, name)}' for name in _components(match[2])]
    return "\n".join([*lines, f'"@signature-params": {match[1].rstrip()}'])


def authority(message: Message) -> str:
    """Host and port in lower case, a scheme's own port left out. Raises NotComputableError."""
    try:
        parts = urlsplit(message.get("url") or "")
    except ValueError:
        parts = urlsplit("")
    host = parts.netloc.rpartition("@")[2] or next(iter(message.headers("request").get("host", ())), "")
    host = (host or message.get("host") or "").strip().lower()
    if not host:
        raise NotComputableError("part_not_recorded", "host")
    return host.removesuffix(_PORTS.get(parts.scheme.lower(), ":443"))


def base_url(message: Message) -> str:
    """Scheme, authority and path (RFC 5849, 3.4.1.2). Raises NotComputableError."""
    url = message.get("url") or ""
    scheme = url.partition("://")[0].lower()
    if scheme not in _PORTS:
        raise NotComputableError("part_not_recorded", "url")
    return f"{scheme}://{authority(message)}{message.get('path') or '/'}"


def _components(listed: str) -> Iterator[str]:
    for name, parameters in _COMPONENT.findall(listed):
        if parameters:
            raise NotComputableError("not_understood", f"{name}{parameters}")
        yield name


def _value(build: Build, name: str) -> str:
    message = build.message
    if name == "content-digest":
        return _content_digest(build)
    if not name.startswith("@"):
        return _header(message, name)
    path, query = message.get("path") or "/", message.get("query")
    url = message.get("url") or ""
    known = {
        "@method": message.get("method") or "",
        "@path": path,
        "@query": f"?{query or ''}",
        "@request-target": f"{path}?{query}" if query else path,
        "@target-uri": url,
        "@scheme": url.partition("://")[0].lower(),
    }
    if name == "@authority":
        return authority(message)
    if not known.get(name):
        raise NotComputableError("part_not_recorded" if name in known else "not_understood", name)
    return known[name]


def _header(message: Message, name: str) -> str:
    found = message.headers("request").get(name)
    if found is None:
        seen = message.seen("request", "headers")
        raise NotComputableError("part_absent" if seen else "part_not_recorded", name)
    return ", ".join(re.sub(r"[\r\n]+\s*", " ", value.strip()) for value in found)


def _content_digest(build: Build) -> str:
    sent = _header(build.message, "content-digest")
    try:
        body = build.part("body?")
    except NotComputableError:
        return sent  # the signature covers the header; only the check of the body is lost

    def digest(match: re.Match[str]) -> str:
        if match[1] not in _DIGESTS:
            return match[0]
        made = hashlib.new(_DIGESTS[match[1]], body).digest()
        return f"{match[1]}=:{base64.b64encode(made).decode()}:"

    return _DIGEST.sub(digest, sent[:4096])
