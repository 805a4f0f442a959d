"""Decides how a sealed file stands beside its message: by an address that holds the hash of its ciphertext, so that a node without keys can
fetch it, from whichever member, and see that it is the one that was shared. What it is called, and what it is, stands in the message."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest
from fedcollab.federation import activitystreams as ap

from . import texts
from .chunks import FileSecret, is_sealed_size, sealed_size
from .reading import NUMBER, members, number, one_of, uri

MOST = 10  # files of one message
PATH = "/rooms/files/"
MEDIA = "application/octet-stream"  # whatever it is when it is open
SHA256 = b"\x12\x20"  # multihash: SHA-256, 32 bytes
MEMBERS = {"mediaType", "url", ap.SIZE, ap.DIGEST}


@dataclass(frozen=True)
class Carried:
    """A sealed file as anybody may know of it: `size` bytes of ciphertext, whose SHA-256 is `digest`, in hexadecimal; `key` is where they
    lie on this node, where they do."""

    uri: str
    size: int
    digest: str
    key: str = ""

    @property
    def name(self) -> str:
        """What members' nodes know it by."""
        return texts.written(bytes.fromhex(self.digest))


def of(node: Node, secret: FileSecret, key: str) -> Carried:
    """A file that was sealed here."""
    return Carried(node.settings.uri(PATH + texts.written(secret.digest)), sealed_size(secret.size), secret.digest.hex(), key)


def named(uri_: str, secret: FileSecret, message: str) -> Carried | None:
    """The file that a message names to those who open it; None where what it says does not fit together."""
    name = texts.written(secret.digest)
    return Carried(uri_, sealed_size(secret.size), secret.digest.hex()) if uri_ == _place(message) + name else None


def _place(message: str) -> str:
    """Where the files of a message lie that has this id."""
    return "/".join(message.split("/")[:3]) + PATH


def documents(files: Iterable[Carried]) -> list[dict[str, Any]]:
    """As they stand beside their message."""
    return [{"type": "Document", "mediaType": MEDIA, "url": one.uri, ap.SIZE: one.size, ap.DIGEST: _hashed(one)} for one in files]


def _hashed(one: Carried) -> str:
    return texts.written(SHA256 + bytes.fromhex(one.digest))


def parse(said: object, message: str) -> tuple[Carried, ...]:
    """The files beside the message with this id; none where nothing is said. Raises BadRequest for what `documents` would not have written,
    and for a file that does not lie where its message comes from."""
    if said is None:
        return ()
    if not isinstance(said, list) or not 1 <= len(said) <= MOST:
        raise BadRequest(reason="sealing: no list of files")
    found = tuple(_one(one, message) for one in said)
    if len({one.uri for one in found}) != len(found):
        raise BadRequest(reason="sealing: a file stands twice beside a message")
    return found


def _one(said: object, message: str) -> Carried:
    found = members(said, MEMBERS)
    if not isinstance(said, Mapping) or said.get("type") != "Document":
        raise BadRequest(reason="sealing: no file")
    one_of(found["mediaType"], (MEDIA,))
    size, hashed = number(found[ap.SIZE], NUMBER), texts.read(found[ap.DIGEST], len(SHA256) + texts.HASH, len(SHA256) + texts.HASH)
    made = Carried(uri(found["url"]), size, hashed[len(SHA256) :].hex())
    if hashed[: len(SHA256)] != SHA256 or not is_sealed_size(size):
        raise BadRequest(reason="sealing: a file of no size or hash that one can have")
    if made.uri != _place(message) + made.name:
        raise BadRequest(reason="sealing: a file that does not lie where its message comes from")
    return made
