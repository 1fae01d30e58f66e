"""A private key for signed sign-ins, made once per process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@cache
def private_key(number: int, bits: int = 2048) -> RSAPrivateKey:
    """Another key for each number."""
    del number
    return generate_private_key(65_537, bits)


def private_pem(key: RSAPrivateKey, passphrase: bytes | None = None) -> bytes:
    """The key as PEM, locked if there is a passphrase."""
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def public_pem(key: RSAPrivateKey) -> str:
    """The public half, as an app is given it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_file(folder: Path, key: RSAPrivateKey) -> Path:
    """The key in a file of its own."""
    path = folder / "key.pem"
    path.write_bytes(private_pem(key))
    return path
