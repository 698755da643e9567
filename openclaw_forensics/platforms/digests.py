"""From the string to sign to the signature as it is written."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from openclaw_forensics.platforms import sigv4
from openclaw_forensics.platforms.reasons import NotComputableError
from openclaw_forensics.platforms.strings import Build

_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha1": hashlib.sha1, "md5": hashlib.md5}


def string_of(build: Build) -> bytes:
    """The string to sign. Raises NotComputableError."""
    return sigv4.string_to_sign(build) if build.scheme.algorithm == "aws4-hmac-sha256" else build.string()


def signature_of(build: Build, sent: str = "") -> str:
    """The signature that the key gives; not for key pairs. Raises NotComputableError."""
    scheme, string = build.scheme, string_of(build)
    if scheme.algorithm == "aws4-hmac-sha256":
        key = sigv4.signing_key(build.key, build.message)
        digest = hmac.new(key, string, hashlib.sha256).digest()
    elif scheme.algorithm.startswith("hmac-"):
        digest = hmac.new(build.key, string, _HASHES[scheme.algorithm.removeprefix("hmac-")]).digest()
    else:
        digest = _HASHES[scheme.algorithm](string).digest()
    before = re.search(scheme.prefix_re, sent[:1024]) if scheme.prefix_re else None
    return (before[1] if before else "") + _sealed(encoded(digest, scheme.encoding), build)


def is_signature(build: Build, sent: str) -> bool:
    """Whether `sent` is the build's signature, computed or checked with the public key. Raises NotComputableError."""
    if build.scheme.is_key_pair:
        from openclaw_forensics.platforms.publickeys import verifies

        return verifies(build.scheme.algorithm, build.key, string_of(build), _decoded(sent, build.scheme.encoding))
    return hmac.compare_digest(signature_of(build, sent).encode(), sent.encode("utf-8", "replace"))


def encoded(digest: bytes, encoding: str) -> str:
    """A digest as it is written."""
    match encoding:
        case "base64":
            return base64.b64encode(digest).decode()
        case "base64-of-hex":
            return base64.b64encode(digest.hex().encode()).decode()
        case "HEX":
            return digest.hex().upper()
    return digest.hex()


def _sealed(written: str, build: Build) -> str:
    """The written digest, encrypted where the scheme says so. Raises NotComputableError."""
    if build.scheme.sealed_with is None:
        return written
    from openclaw_forensics.platforms.blockcipher import encrypt_ecb

    try:
        return base64.b64encode(encrypt_ecb(written.encode(), build.part(build.scheme.sealed_with))).decode()
    except ValueError as error:
        raise NotComputableError("key_unreadable", build.scheme.sealed_with) from error


def _decoded(sent: str, encoding: str) -> bytes:
    try:
        return base64.b64decode(sent, validate=True) if encoding == "base64" else bytes.fromhex(sent)
    except ValueError:  # binascii.Error is one
        return b""
