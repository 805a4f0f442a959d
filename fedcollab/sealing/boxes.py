"""Decides how something is sealed to the holder of a key pair: HPKE with ML-KEM-768 and X25519 together, bound to what it is and for whom.

RFC 9180 in base mode, with the KEM MLKEM768-X25519 (0x647a), HKDF-SHA256 (0x0001) and ChaCha20-Poly1305 (0x0003): whoever opens a box by
force needs a quantum computer and a weakness of the newer half. A box says nothing of its sender: what it holds has to be held
against something signed (see casesecrets.py).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest

from .reading import members, one_of
from .shut import Shut
from .texts import name_of, read, written

SUITE = "HPKE-647a-0001-0003"
HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
QUANTUM, CURVE = 1184, 32  # bytes of the two public halves
SEED = 64  # bytes of ML-KEM's private half
LONGER = 1136  # bytes that a box has beyond its text
LARGEST_PLAIN, LARGEST = 600_000, 602_000  # bytes of what is in a box, and of a box: keys, or a padded text (padding.py)
FORM = b"\1"
P = TypeVar("P", bound="Public")


@dataclass(frozen=True)
class Public:
    """A public half; `raw` is ML-KEM's 1,184 bytes, then X25519's 32."""

    raw: bytes = field(repr=False)

    @cached_property
    def kid(self) -> str:
        """The key's name: a hash of all of the public half, and of its suite."""
        return name_of(self._named())

    @cached_property
    def key(self) -> MLKEM768X25519PublicKey:
        """The library's form of it. Raises ValueError where it is no key."""
        if len(self.raw) != QUANTUM + CURVE:
            raise ValueError("not the size of a public half")
        quantum, curve = self.raw[:QUANTUM], self.raw[QUANTUM:]
        return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(quantum), X25519PublicKey.from_public_bytes(curve))

    def document(self) -> dict[str, Any]:
        """How it is published."""
        return {"suite": SUITE, "kid": self.kid, "box": written(self.raw)}

    def _named(self) -> bytes:
        return SUITE.encode() + self.raw


@dataclass(frozen=True, eq=False)
class Private:
    """A private half; `raw` is ML-KEM's seed of 64 bytes, then X25519's 32."""

    raw: bytes = field(repr=False)

    @cached_property
    def public(self) -> Public:
        return Public(self._raw_public())

    @cached_property
    def key(self) -> MLKEM768X25519PrivateKey:
        return MLKEM768X25519PrivateKey(*self._halves)

    def to_bytes(self) -> bytes:
        """To be sealed, never to be written as it is."""
        return FORM + self.raw

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Undoes `to_bytes`. Raises Shut for anything else."""
        if not data.startswith(FORM) or len(data) != len(FORM) + SEED + CURVE:
            raise Shut
        return cls(data[len(FORM) :])

    @cached_property
    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        return MLKEM768PrivateKey.from_seed_bytes(self.raw[:SEED]), X25519PrivateKey.from_private_bytes(self.raw[SEED:])

    def _raw_public(self) -> bytes:
        quantum, curve = self._halves
        return quantum.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def generate() -> Private:
    """A new pair."""
    return Private(os.urandom(SEED + CURVE))


def published(document: object) -> Public:
    """The public half in what somebody has published. Raises BadRequest where it is none, goes by another name, or nothing can be sealed
    to it."""
    said = said_by(document, {"suite", "kid", "box"})
    return checked(Public(read(said["box"], QUANTUM + CURVE, QUANTUM + CURVE)), said["kid"])


def said_by(document: object, names: set[str]) -> Mapping[str, Any]:
    """The members of a published key. Raises BadRequest unless they are exactly these, of our suite."""
    said = members(document, names)
    one_of(said["suite"], (SUITE,))
    return said


def checked(public: P, kid: object) -> P:
    """A stranger's public half, tried: bytes of the right size may still be no key (a point of small order, numbers beyond the field)."""
    try:
        HPKE.encrypt(b"", public.key)
    except (ValueError, UnsupportedAlgorithm):
        raise BadRequest(reason="sealing: nothing can be sealed to this public key") from None
    if public.kid != kid:
        raise BadRequest(reason="sealing: a public key under another name")
    return public


def box(to: Public, plain: bytes, of: str, bound: Mapping[str, str | int] | None = None) -> bytes:
    """Seals `plain`, at most 600,000 bytes, to the holder of `to` alone: `of` says what it is, `bound` what else has to be the same when it
    is opened. 1,136 bytes longer than the text."""
    if len(plain) > LARGEST_PLAIN:
        raise ValueError("a box holds at most 600,000 bytes: more is sealed by a key of its own")
    return HPKE.encrypt(plain, to.key, _info(to, of, bound))


def unbox(private: Private, sealed: bytes, of: str, bound: Mapping[str, str | int] | None = None) -> bytes:
    """Undoes `box`. Raises Shut for another key, where the box was made of something else or for somebody else, or was changed."""
    try:
        if len(sealed) > LARGEST:
            raise Shut
        return HPKE.decrypt(sealed, private.key, _info(private.public, of, bound))
    except (InvalidTag, ValueError):
        raise Shut from None


def _info(to: Public, of: str, bound: Mapping[str, str | int] | None) -> bytes:
    return canonical({"box": 1, "suite": SUITE, "of": of, "to": to.kid, "bound": dict(bound or {})})
