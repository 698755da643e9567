"""Signatures of key pairs: checked with the public key, or with the private one, which contains it."""

from __future__ import annotations

from typing import Any

from openclaw_forensics.platforms.strings import NotComputableError


def verifies(algorithm: str, key: bytes, string: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of `string` under the PEM key. Raises NotComputableError for no such key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    public = _public(key)
    try:
        if algorithm == "rsa-sha256" and isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, string, padding.PKCS1v15(), hashes.SHA256())
        elif algorithm == "ecdsa-sha256" and isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, string, ec.ECDSA(hashes.SHA256()))
        elif algorithm == "ed25519" and isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, string)
        else:
            raise NotComputableError("key_unreadable", "key")
    except InvalidSignature:
        return False
    return True


def _public(key: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        if b"PRIVATE KEY" in key:
            private: Any = serialization.load_pem_private_key(key, None)
            return private.public_key()
        return serialization.load_pem_public_key(key)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotComputableError("key_unreadable", "key") from error
