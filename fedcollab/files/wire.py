"""Decides how a file stands in a document: an attachment with its address, type, size and hash (FEP-ef61's `digestMultibase`)."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from fedcollab.base.addresses import host_of
from fedcollab.base.crypto import unbase58
from fedcollab.base.errors import BadRequest
from fedcollab.federation import activitystreams as ap

from .naming import label
from .service import Attachment, FileData

MOST, LONGEST = 20, 2000  # attachments of one document that are read; characters of an address
SHA256 = b"\x12\x20"  # multihash: SHA-256, 32 bytes
LARGEST = 1 << 50  # bytes: what says to be larger is no size
KINDS = {"image": "Image", "audio": "Audio", "video": "Video"}
TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,90}")


def attachment(file: FileData) -> dict[str, Any]:
    """A file of ours as others read it."""
    digest = "u" + urlsafe_b64encode(SHA256 + bytes.fromhex(file.sha256)).decode().rstrip("=")
    made: dict[str, Any] = {
        "type": KINDS.get(file.media_type.partition("/")[0], "Document"),
        "mediaType": file.media_type,
        "url": file.uri,
        "name": file.name,
        ap.SIZE: file.size,
        ap.DIGEST: digest,
    }
    return made | ({"width": file.width, "height": file.height} if file.width and file.height else {})


def parse(document: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files that a document names, 20 at most and each once; what lies on another host than the document is none of its."""
    listed = document.get("attachment")
    try:
        host = host_of(ap.ident(document))
    except BadRequest:
        return ()
    found = (_one(said, host) for said in (listed if isinstance(listed, list) else [listed])[:MOST])
    return tuple({one.uri: one for one in found if one is not None}.values())


def _one(said: object, host: str) -> Attachment | None:
    if not isinstance(said, Mapping) or not {"Document", "Image", "Audio", "Video"} & set(ap.types(said)):
        return None
    uri, link = _address(said.get("url"))
    if not uri or len(uri) > LONGEST or not _lies_at(uri, host):
        return None
    kind = str(said.get("mediaType") or link.get("mediaType") or "").lower()
    name = ap.text(said, "name") or uri.partition("?")[0]
    width, height = (_number(said.get(field), 100_000) or None for field in ("width", "height"))
    both = (width, height) if width and height else (None, None)
    media_type = kind if TYPE.fullmatch(kind) else ""
    return Attachment(uri, label(name), media_type, _number(said.get(ap.SIZE), LARGEST), digest(said.get(ap.DIGEST)), *both)


def _address(url: object) -> tuple[str, Mapping[str, Any]]:
    """(address, the link that it came from): a text, a Link, or the first of several."""
    if isinstance(url, list):
        url = next((one for one in url if isinstance(one, (str, Mapping))), "")
    if isinstance(url, Mapping):
        href = url.get("href")
        return (href if isinstance(href, str) else ""), url
    return (url if isinstance(url, str) else ""), {}


def addresses(document: Mapping[str, Any]) -> list[str]:
    """The addresses of the things that a document has in `attachment`, an empty one for what has none."""
    listed = document.get("attachment")
    several = listed if isinstance(listed, list) else [] if listed is None else [listed]
    return [one if isinstance(one, str) else _named(one) if isinstance(one, Mapping) else "" for one in several]


def _named(said: Mapping[str, Any]) -> str:
    return _address(said.get("url"))[0] or str(said.get("href") or ap.ident(said))


def _lies_at(uri: str, host: str) -> bool:
    try:
        return uri.isprintable() and host_of(uri) == host
    except BadRequest:
        return False


def _number(said: object, most: int) -> int:
    return said if isinstance(said, int) and not isinstance(said, bool) and 0 < said < most else 0


def digest(said: object) -> str:
    """A SHA-256 in hexadecimal, of a multihash in base58 (z) or base64url (u); empty for anything else."""
    if not isinstance(said, str) or len(said) > 100:
        return ""
    try:
        raw = unbase58(said[1:]) if said.startswith("z") else urlsafe_b64decode(said[1:] + "=" * (-len(said[1:]) % 4))
    except ValueError:
        return ""
    return raw[2:].hex() if said[:1] in ("z", "u") and raw[:2] == SHA256 and len(raw) == 34 else ""


__all__ = ["Attachment", "addresses", "attachment", "digest", "parse"]
