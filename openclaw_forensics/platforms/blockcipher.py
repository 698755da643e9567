"""AES as signature schemes use it: around a digest, or around a value that is signed in the clear."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


def encrypt_ecb(data: bytes, key: bytes) -> bytes:
    """AES-ECB with PKCS #7 padding. Raises ValueError for a key of no AES length."""
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - a scheme's choice, not ours
    return cipher.update(padder.update(data) + padder.finalize()) + cipher.finalize()


def decrypt_cbc(data: bytes, key: bytes) -> bytes:
    """AES-CBC with PKCS #7 padding and the key as IV. Raises ValueError where that gives nothing."""
    cipher = Cipher(algorithms.AES(key), modes.CBC(key)).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(cipher.update(data) + cipher.finalize()) + unpadder.finalize()
