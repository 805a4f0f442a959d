"""Decides what the printed key of backups is: 32 random bytes in groups of letters that notice a slip, and the key pair grown from it."""

import hashlib
import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedcollab.base.errors import Misconfigured

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: none that looks like another
LIKE = str.maketrans("OILU", "011V", " -\t\r\n.")
GROUPS, EACH, BITS = 13, 4, 20  # 13 groups of 4 letters and a check are 260 bits: the key, and 4 that are 0
BYTES = 32
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Pair(NamedTuple):
    """The two halves: `public` as bytes, to be kept on the node; `private` to be used and forgotten."""

    public: bytes
    private: MLKEM768X25519PrivateKey


def make() -> bytes:
    """A new key."""
    return os.urandom(BYTES)


def groups(key: bytes) -> list[str]:
    """The key as it is printed: 13 groups of five letters, of which the last checks the four before and their place."""
    number = int.from_bytes(key)
    parts = [number >> BITS * (GROUPS - 1 - at) & (1 << BITS) - 1 for at in range(GROUPS)]
    return [_letters(part) + _check(at, part) for at, part in enumerate(parts)]


def read(text: str) -> bytes:
    """The key as somebody has typed it, in small letters or capitals, with or without spaces and dashes. Raises Misconfigured, which says
    in which groups the slip is."""
    typed = text.upper().translate(LIKE)
    found = [typed[at : at + EACH + 1] for at in range(0, len(typed), EACH + 1)]
    if len(found) != GROUPS or len(found[-1]) != EACH + 1 or set(typed) - set(LETTERS):
        raise Misconfigured(
            "The printed key has %(groups)s groups of five letters and digits. Type all of them, as they are printed.", groups=GROUPS
        )
    parts = [sum(LETTERS.index(letter) << 5 * (EACH - 1 - at) for at, letter in enumerate(group[:EACH])) for group in found]
    wrong = [str(at + 1) for at, (part, group) in enumerate(zip(parts, found, strict=True)) if group[EACH] != _check(at, part)]
    number = sum(part << BITS * (GROUPS - 1 - at) for at, part in enumerate(parts))
    if wrong or number >> 8 * BYTES:
        raise Misconfigured("The printed key has a slip in group %(wrong)s. Compare it with the paper.", wrong=", ".join(wrong) or "1")
    return number.to_bytes(BYTES)


def _letters(part: int) -> str:
    return "".join(LETTERS[part >> 5 * (EACH - 1 - at) & 31] for at in range(EACH))


def _check(at: int, part: int) -> str:
    return LETTERS[hashlib.sha256(bytes([at]) + part.to_bytes(3)).digest()[0] & 31]


def pair(key: bytes) -> Pair:
    """The key pair (HPKE with ML-KEM-768 and X25519) that grows out of the printed key, always the same."""
    quantum = MLKEM768PrivateKey.from_seed_bytes(_grown(key, "ml-kem", 64))
    curve = X25519PrivateKey.from_private_bytes(_grown(key, "x25519", 32))
    public = quantum.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return Pair(public, MLKEM768X25519PrivateKey(quantum, curve))


def _grown(key: bytes, part: str, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, None, b"fedcollab backup " + part.encode()).derive(key)


def seal(public: bytes, plain: bytes, purpose: str) -> bytes:
    """Seals for the holder of the printed key alone, bound to `purpose` (RFC 9180)."""
    halves = MLKEM768PublicKey.from_public_bytes(public[:-32]), X25519PublicKey.from_public_bytes(public[-32:])
    return SUITE.encrypt(plain, MLKEM768X25519PublicKey(*halves), purpose.encode())


def unseal(private: MLKEM768X25519PrivateKey, sealed: bytes, purpose: str) -> bytes:
    """Undoes `seal`. Raises Misconfigured under another key."""
    try:
        return SUITE.decrypt(sealed, private, purpose.encode())
    except (InvalidTag, ValueError):
        raise Misconfigured("The printed key is another backup's: it does not open this one.") from None


def name(public: bytes) -> str:
    """The key's name, which stands on the paper and in each backup: eight letters that say nothing of it."""
    return _letters(int.from_bytes(hashlib.sha256(public).digest()[:3]) & 0xFFFFF) + _letters(
        int.from_bytes(hashlib.sha256(public).digest()[3:6]) & 0xFFFFF
    )
