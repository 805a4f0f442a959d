"""Decides what a person's key is: a pair to which things are sealed and a pair that signs, made, named and kept as one."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fedcollab.base.errors import BadRequest

from .boxes import CURVE, QUANTUM, SEED, Private, Public, checked, said_by
from .shut import Shut
from .texts import read, written

SIGNING, SIGNATURE = 32, 64  # bytes of either half of a signing key, and of what it writes
FORM = b"\2"
P = 2**255 - 19
EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL = {0, 1, P - 1, P, P + 1, EIGHTH, P - EIGHTH}  # what the points of small order are written as, but for their sign


@dataclass(frozen=True)
class PersonPublic(Public):
    """A person's public halves; the name is a hash of both, so that neither is changed behind the other."""

    signing: bytes

    def document(self) -> dict[str, Any]:
        return super().document() | {"signing": written(self.signing)}

    def signed(self, signature: bytes, purpose: str, text: bytes) -> bool:
        """Whether this person has signed `text` for this purpose."""
        try:
            self._verifier.verify(signature, _meant(purpose, text))
        except (InvalidSignature, ValueError):
            return False
        return True

    @cached_property
    def _verifier(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.signing)

    def _named(self) -> bytes:
        return super()._named() + self.signing


@dataclass(frozen=True, eq=False)
class PersonPrivate(Private):
    """A person's private halves."""

    signing: bytes = field(repr=False)

    @cached_property
    def public(self) -> PersonPublic:
        return PersonPublic(self._raw_public(), self._signer.public_key().public_bytes_raw())

    def sign(self, purpose: str, text: bytes) -> bytes:
        """64 bytes; `purpose` keeps what is signed for one use from standing for another."""
        return self._signer.sign(_meant(purpose, text))

    def to_bytes(self) -> bytes:
        return FORM + self.raw + self.signing

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        if not data.startswith(FORM) or len(data) != len(FORM) + SEED + CURVE + SIGNING:
            raise Shut
        return cls(data[len(FORM) : -SIGNING], data[-SIGNING:])

    @cached_property
    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.signing)


def generate() -> PersonPrivate:
    """A new person's key."""
    return PersonPrivate(os.urandom(SEED + CURVE), os.urandom(SIGNING))


def published(document: object) -> PersonPublic:
    """A person's public halves from what their node publishes. Raises BadRequest where they are none, or go by another name."""
    said = said_by(document, {"suite", "kid", "box", "signing"})
    halves = read(said["box"], QUANTUM + CURVE, QUANTUM + CURVE), read(said["signing"], SIGNING, SIGNING)
    if int.from_bytes(halves[1], "little") & (1 << 255) - 1 in SMALL:
        raise BadRequest(reason="sealing: a signing key by which anybody can sign")
    return checked(PersonPublic(*halves), said["kid"])


def _meant(purpose: str, text: bytes) -> bytes:
    return b"fedcollab " + purpose.encode() + b"\0" + text
