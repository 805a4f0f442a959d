"""Decides how keys and hashes stand in documents: multibase's base64url (`u`), in one spelling alone."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fedcollab.base.errors import BadRequest

HASH = 32


def written(data: bytes) -> str:
    """Bytes as a text."""
    return "u" + urlsafe_b64encode(data).decode().rstrip("=")


def read(text: object, least: int, most: int) -> bytes:
    """Undoes `written`. Raises BadRequest for any other spelling of the same bytes, and for fewer or more bytes than said."""
    if not isinstance(text, str) or not text.startswith("u") or not text.isascii() or len(text) > 1 + (most * 4 + 2) // 3:
        raise BadRequest(reason="sealing: no multibase text of the right size")
    try:
        data = urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    except ValueError:
        raise BadRequest(reason="sealing: no base64url") from None
    if written(data) != text or len(data) < least:
        raise BadRequest(reason="sealing: base64url in another spelling, or too short")
    return data


def name_of(data: bytes) -> str:
    """The name of bytes: their SHA-256 as a text."""
    return written(hashlib.sha256(data).digest())


def named(text: object) -> str:
    """A name of this kind, as it is. Raises BadRequest for anything else."""
    return written(read(text, HASH, HASH))
