"""Decides what a sealed message is: bound to its room, epoch and place, signed by a person inside, of a size that tells little.

The key is HKDF-SHA256 of the case key, with 32 fresh bytes as salt and the header as info: no two sealings share one, whatever was
restored or forked meanwhile. The header is bound a second time as associated data. The signature lies inside, so that it proves nothing
to those outside, and covers the header, so that no text is carried to another room, epoch or message.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.base.strictjson import loads

from . import texts
from .casesecrets import CaseSecret
from .found_good import FoundGood
from .locked import SALT, TAG, decrypt, derive, encrypt
from .padding import COUNT, FLOOR, padded, rounded, unpadded
from .pairs import SIGNATURE, PersonPrivate, PersonPublic
from .reading import members, number, one_of, uri
from .shut import Shut

VERSION = 1
ALG = "HKDF-SHA256+ChaCha20-Poly1305+Padme"
LARGEST = 500_000  # bytes of a content in canonical JSON
SIGNED = texts.HASH + SIGNATURE  # bytes behind the content: whose key, and what it has signed
LARGEST_SEALED = rounded(COUNT + LARGEST + SIGNED) + TAG
ACKS = 200
HEAD = {"v", "room", "epoch", "ck", "id", "salt", "from", "alg", "acks"}
PURPOSE = "sealed message 1"
BEFORE = 4  # bytes before what is kept: the header's length
GOOD = FoundGood()  # of this process


@dataclass(frozen=True)
class Sealed:
    """A sealed message as anybody may read it; opening needs the case key. `head` is the header in canonical JSON, `acks` says which `ck`
    its author had last seen of each other member."""

    room: str
    epoch: int
    ck: str
    id: str
    author: str  # `from` on the wire
    acks: Mapping[str, str]
    salt: bytes
    head: bytes
    ct: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """What others see of its size, in bytes."""
        return len(self.ct) - TAG

    def document(self) -> dict[str, Any]:
        """As it stands on the wire, without context, type and proof."""
        said: dict[str, Any] = orjson.loads(self.head)
        return said | {"ct": texts.written(self.ct)}

    def to_bytes(self) -> bytes:
        """As it is kept: what was sealed once is sent again as it is, never sealed anew."""
        return len(self.head).to_bytes(BEFORE) + self.head + self.ct


@dataclass(frozen=True)
class Opened:
    """What was sealed, the name of the key that signed it, and the signature: with the header it proves the content to whoever is shown
    them (`proves`)."""

    content: dict[str, Any] = field(repr=False)
    kid: str
    signature: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Place:
    """Where a message belongs: its id, the person who writes it (`from`), and the `ck` last seen of each other member."""

    id: str
    author: str
    acks: Mapping[str, str] = field(default_factory=dict)


def seal(secret: CaseSecret, person: PersonPrivate, content: Mapping[str, Any], place: Place) -> Sealed:
    """Seals `content` for the members of an epoch, signed by the key of the person who writes. Raises ValueError for a content that is no
    JSON, or that those who open it would refuse: more than 500,000 bytes, 10,000 members or 32 levels, a NUL."""
    text = canonical(dict(content))
    if len(text) > LARGEST or not _is_content(text):
        raise ValueError("a sealed message holds at most 500,000 bytes of JSON, 10,000 members and 32 levels")
    salt = texts.written(os.urandom(SALT))
    said = {"v": VERSION, "room": secret.room, "epoch": secret.epoch, "ck": secret.ck, "alg": ALG, "salt": salt}
    said |= {"id": place.id, "from": place.author, "acks": dict(place.acks)}
    head = canonical(said)
    plain = text + texts.read(person.public.kid, texts.HASH, texts.HASH) + person.sign(PURPOSE, _signed(head, text))
    blank = _sealed(said, head, b"")
    return replace(blank, ct=encrypt(derive(secret.raw, blank.salt, head), padded(plain), head))


def parse(document: object) -> Sealed:
    """A sealed message from its document; needs no key. Raises BadRequest for anything that `Sealed.document` would not have written."""
    said = members(document, HEAD | {"ct"})
    head = {name: value for name, value in said.items() if name != "ct"}
    return _sealed(head, canonical(head), texts.read(said["ct"], FLOOR + TAG, LARGEST_SEALED))


def kept(data: bytes, uri: str) -> Sealed:
    """A sealed message as it was kept for `uri`. Raises Shut where it is another one or no message. What is kept was read strictly when it
    came, and opens only as it was sealed, its header with it: to go through all of it once more takes a fifth of opening a case."""
    head, ct = data[BEFORE : (ends := BEFORE + int.from_bytes(data[:BEFORE]))], data[ends:]
    try:
        said = orjson.loads(head)
        place = said["room"], said["epoch"], said["ck"], said["id"], said["from"]
        found = Sealed(*place, said["acks"], texts.read(said["salt"], SALT, SALT), head, ct)
    except (BadRequest, ValueError, KeyError, TypeError):
        raise Shut from None
    if found.id != uri:
        raise Shut
    return found


def _sealed(said: object, head: bytes, ct: bytes) -> Sealed:
    found = members(said, HEAD)
    one_of(found["v"], (VERSION,))
    one_of(found["alg"], (ALG,))
    salt = texts.read(found["salt"], SALT, SALT)
    place = uri(found["room"]), number(found["epoch"]), texts.named(found["ck"]), uri(found["id"]), uri(found["from"])
    return Sealed(*place, _acks(found["acks"]), salt, head, ct)


def _acks(said: object) -> dict[str, str]:
    if not isinstance(said, Mapping) or len(said) > ACKS:
        raise BadRequest(reason="sealing: no list of what was last seen")
    return {uri(member): texts.named(ck) for member, ck in said.items()}


def open_sealed(sealed: Sealed, secret: CaseSecret, keys: Iterable[PersonPublic]) -> Opened:
    """Opens a message with the case key of its epoch; `keys` are those that its author has or had. Raises Shut for another case key or
    place, a changed byte, and for a signature by none of these keys."""
    if (sealed.room, sealed.epoch, sealed.ck) != (secret.room, secret.epoch, secret.ck):
        raise Shut
    plain = unpadded(decrypt(derive(secret.raw, sealed.salt, sealed.head), sealed.ct, sealed.head))
    text, kid, signature = plain[:-SIGNED], texts.written(plain[-SIGNED:-SIGNATURE]), plain[-SIGNATURE:]
    signer = next((key for key in keys if key.kid == kid), None)
    if signer is None or not _is_by(signer, signature, _signed(sealed.head, text)):
        raise Shut
    return Opened(_content(text), kid, signature)


def _is_by(signer: PersonPublic, signature: bytes, digest: bytes) -> bool:
    """Two thirds of what opening costs, each time that somebody looks at a room, for what never changes."""
    name = GOOD.name(signer.signing, signature, digest)
    if not GOOD.has(name):
        if not signer.signed(signature, PURPOSE, digest):
            return False
        GOOD.add(name)
    return True


def header(document: object) -> Sealed:
    """A message's header alone, from `head` as JSON, for whoever has no ciphertext. Raises BadRequest."""
    said = members(document, HEAD)
    return _sealed(said, canonical(dict(said)), b"")


def proves(head: Sealed, content: Mapping[str, Any], signer: PersonPublic, signature: bytes) -> bool:
    """Whether this person has written this content for this header: no case key is needed for that."""
    return signer.signed(signature, PURPOSE, _signed(head.head, canonical(dict(content))))


def _is_content(text: bytes) -> bool:
    try:
        _content(text)
    except Shut:
        return False
    return True


def _content(text: bytes) -> dict[str, Any]:
    """What a member has sealed is still a stranger's JSON: read strictly, and in canonical form alone."""
    try:
        content = loads(text)
        if not isinstance(content, dict) or canonical(content) != text:
            raise Shut
    except (BadRequest, ValueError):
        raise Shut from None
    return content


def _signed(head: bytes, text: bytes) -> bytes:
    return hashlib.sha256(head).digest() + hashlib.sha256(text).digest()
