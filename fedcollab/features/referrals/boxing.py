"""Decides how a preview is sealed: under a key of its own, which alone is boxed to whoever may read it, so that destroying that key's boxes
ends it wherever its ciphertext lies.

The ciphertext travels with the offer and stands in the database; the boxes are fetched, and stand in the key ring alone."""

import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fedcollab.actors.node import Node
from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.base.strictjson import loads
from fedcollab.sealing import wraps
from fedcollab.sealing.boxes import Private, Public, box, unbox
from fedcollab.sealing.locked import BEFORE, KEY, TAG, lock, unlock
from fedcollab.sealing.padding import padded, rounded, unpadded
from fedcollab.sealing.shut import Shut
from fedcollab.sealing.texts import name_of

from .preview import Preview, read

PREFIX = "rf:"  # of a preview's key in the ring
WHAT = "referral preview"
FLOOR = 1024  # bytes: what fits into this has one size
LARGEST = 8 * FLOOR


@dataclass(frozen=True)
class Header:
    """What stands in clear beside a preview, and is bound to it: of which referral it is, from whom to whom, with which room, by when an
    answer is asked for (`2027-11-30`)."""

    uri: str
    sender: str
    recipient: str
    room: str
    deadline: str

    @property
    def bound(self) -> Mapping[str, str | int]:
        return {"id": self.uri, "from": self.sender, "to": self.recipient, "room": self.room, "deadline": self.deadline}

    @property
    def purpose(self) -> str:
        return f"{WHAT} {name_of(canonical(dict(self.bound)))}"


@dataclass(frozen=True, repr=False)
class Sealed:
    """A preview's ciphertext, and the key that opens it."""

    ct: bytes
    key: bytes = field(repr=False)


def seal(preview: Preview, header: Header) -> Sealed:
    """Seals a preview under a fresh key."""
    key = os.urandom(KEY)
    text = canonical(preview.document())
    plain = padded(text.ljust(FLOOR - 4))  # JSON with blanks behind it is the same JSON: all previews but the longest have one size
    return Sealed(lock(key, plain, header.purpose), key)


def sizes() -> tuple[int, int]:
    """The least and the most bytes of a preview's ciphertext."""
    return BEFORE + rounded(FLOOR) + TAG, BEFORE + rounded(LARGEST) + TAG


def opened(ct: bytes, key: bytes, header: Header) -> Preview:
    """A preview out of its ciphertext. Raises Shut where it is another one's, was changed, or holds no preview."""
    try:
        return read(loads(unpadded(unlock(key, ct, header.purpose)).rstrip(b" ")))
    except BadRequest:
        raise Shut from None


def boxed(key: bytes, to: Public, header: Header) -> bytes:
    """The key's box for one holder."""
    return box(to, key, WHAT, header.bound)


def unboxed(private: Private, sealed: bytes, header: Header) -> bytes:
    """Undoes `boxed`. Raises Shut."""
    key = unbox(private, sealed, WHAT, header.bound)
    if len(key) != KEY:
        raise Shut
    return key


def put(node: Node, referral_id: str, to_kid: str, sealed: bytes) -> None:
    """Keeps a box in the key ring. Raises Gone where the referral's was destroyed."""
    with node.ring.begin() as ring:
        wraps.put_wrap(ring, PREFIX + referral_id, to_kid, sealed, node.now())


def get(node: Node, referral_id: str, kid: str) -> bytes | None:
    """The box for the holder of the key `kid`."""
    with node.ring.look() as ring:
        return wraps.wrap(ring, PREFIX + referral_id, kid)


def key_for(node: Node, referral_id: str, keys: Iterable[Private], header: Header) -> bytes | None:
    """The preview's key, by the first of these private halves that opens a box of it; None where none does."""
    with node.ring.look() as ring:
        found = wraps.wraps_of(ring, PREFIX + referral_id)
    for private in keys:
        sealed = next((one for kid, one in found.items() if hmac.compare_digest(kid, private.public.kid)), None)
        if sealed is not None:
            return unboxed(private, sealed, header)
    return None


def destroy(node: Node, referral_id: str, *, to_kid: str = "") -> None:
    """Destroys all boxes of a preview's key, or one holder's, for good. Do it last in a unit."""
    with node.ring.begin() as ring:
        wraps.destroy(ring, PREFIX + referral_id, node.now(), to_kid=to_kid)
