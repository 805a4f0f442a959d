"""Decides how something is sealed under a key of 32 bytes: by a fresh key each time, for one purpose, and so that no second key fits."""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .shut import Shut

KEY = SALT = 32
TAG = 16
NONCE = bytes(12)  # each derived key seals once
FORM = b"\1"
BEFORE = len(FORM) + SALT + KEY


def derive(secret: bytes, salt: bytes, info: bytes, length: int = KEY) -> bytes:
    """HKDF-SHA256 (RFC 5869): `length` bytes for what `info` says."""
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def encrypt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """ChaCha20-Poly1305 under a key that seals nothing else."""
    return ChaCha20Poly1305(key).encrypt(NONCE, plain, bound)


def decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Undoes `encrypt`. Raises Shut."""
    try:
        return ChaCha20Poly1305(key).decrypt(NONCE, sealed, bound)
    except (InvalidTag, ValueError):
        raise Shut from None


def lock(key: bytes, plain: bytes, purpose: str) -> bytes:
    """Seals `plain` under `key` for one purpose, which is not part of the result."""
    salt = os.urandom(SALT)
    own, commit = _keys(key, salt, purpose)
    return FORM + salt + commit + encrypt(own, plain, purpose.encode())


def unlock(key: bytes, locked: bytes, purpose: str) -> bytes:
    """Undoes `lock`. Raises Shut under another key, for another purpose, or where a byte was changed."""
    own, commit = _keys(key, locked[len(FORM) : len(FORM) + SALT], purpose)
    if not hmac.compare_digest(FORM + commit, locked[: len(FORM)] + locked[len(FORM) + SALT : BEFORE]):
        raise Shut
    return decrypt(own, locked[BEFORE:], purpose.encode())


def _keys(key: bytes, salt: bytes, purpose: str) -> tuple[bytes, bytes]:
    """The key that seals, and what commits to it: ChaCha20-Poly1305 alone lets one text open under two keys that somebody has chosen."""
    if len(key) != KEY:
        raise ValueError("a key has 32 bytes")
    both = derive(key, salt, b"fedcollab lock " + purpose.encode(), 2 * KEY)
    return both[:KEY], both[KEY:]
