"""Signatures of key pairs: checked with the public key, or with the private one, which contains it."""

from __future__ import annotations

import base64
import contextlib
import re
from typing import Any

from openclaw_forensics.platforms.reasons import NotComputableError

_PEM = re.compile(rb"-----BEGIN (?P<label>[A-Z ]{3,40})-----(?P<text>[A-Za-z0-9+/=\s]{20,20000})-----END ")
_BARE = re.compile(rb"(?P<label>)(?P<text>[A-Za-z0-9+/=\s]{40,20000})")  # Base64 of DER, as some consoles show it


def verifies(algorithm: str, key: bytes, string: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of `string` under the key. Raises NotComputableError for no such key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    public = _public(key)
    try:
        if algorithm == "rsa-sha256" and isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, string, padding.PKCS1v15(), hashes.SHA256())
        elif algorithm == "rsa-pss-sha256" and isinstance(public, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            public.verify(signature, string, pss, hashes.SHA256())
        elif algorithm in ("ecdsa-sha1", "ecdsa-sha256") and isinstance(public, ec.EllipticCurvePublicKey):
            used = hashes.SHA1() if algorithm == "ecdsa-sha1" else hashes.SHA256()  # noqa: S303 - the platform's choice
            public.verify(signature, string, ec.ECDSA(used))
        elif algorithm == "ed25519" and isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, string)
        else:
            raise NotComputableError("key_unreadable", "key")
    except InvalidSignature:
        return False
    return True


def _public(key: bytes) -> Any:
    """The public key of PEM (on one line as well, as some platforms send it) or of Base64 of DER."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    written = _PEM.search(key) or _BARE.fullmatch(key.strip())
    if written is None:
        raise NotComputableError("key_unreadable", "key")
    try:
        der = base64.b64decode(b"".join(written["text"].split()), validate=True)
        if b"PUBLIC" not in written["label"]:
            with contextlib.suppress(ValueError, UnsupportedAlgorithm):
                private: Any = serialization.load_der_private_key(der, None)
                return private.public_key()
        return serialization.load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotComputableError("key_unreadable", "key") from error
