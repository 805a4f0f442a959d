"""Decides how the 32 bytes of a case key are made, boxed and believed: only what fits the signed document's commitment is a case key.

Boxes don't say who made them, and ChaCha20-Poly1305 lets somebody choose two keys that open one text to two meanings. The commitment
stands in the document that the owner has signed, so all who open a message under one `ck` open it with the same key.
"""

import hmac
import os
from dataclasses import dataclass, field, replace

from fedcollab.base.canonical import canonical

from .boxes import LONGER, Private, Public, box, unbox
from .casekeys import CaseKey
from .locked import KEY, derive
from .shut import Shut
from .texts import written

BOX = KEY + LONGER  # bytes of the box of a case key


@dataclass(frozen=True, eq=False)
class CaseSecret:
    """A case key that was held against its document; only `made`, `held` and `opened` make one."""

    room: str
    epoch: int
    ck: str
    raw: bytes = field(repr=False)

    @property
    def of(self) -> str:
        return of(self.room, self.epoch)


def of(room: str, epoch: int) -> str:
    """What a box of a case key is said to hold; under this it also stands in the key ring."""
    return f"ck:{room}:{epoch}"


def made(plan: CaseKey) -> tuple[CaseKey, CaseSecret]:
    """A fresh key for an epoch whose document is ready but for `commit`; (the document with it, the key)."""
    raw = os.urandom(KEY)
    document = replace(plan, commit=_commitment(plan, raw))
    return document, held(document, raw)


def held(document: CaseKey, raw: bytes) -> CaseSecret:
    """A key held against the document. Raises Shut where it is another one."""
    if len(raw) != KEY or not hmac.compare_digest(_commitment(document, raw), document.commit):
        raise Shut
    return CaseSecret(document.room, document.epoch, document.ck, raw)


def boxed(secret: CaseSecret, to: Public) -> bytes:
    """The box of a case key for a member's key; who gets one is not decided here."""
    return box(to, secret.raw, secret.of, {"ck": secret.ck})


def opened(document: CaseKey, private: Private, sealed: bytes) -> CaseSecret:
    """A case key out of its box. Raises Shut where the box is another's or another epoch's, or what it holds is not what the document
    commits to."""
    return held(document, unbox(private, sealed, of(document.room, document.epoch), {"ck": document.ck}))


def _commitment(document: CaseKey, raw: bytes) -> str:
    bound = canonical({"commit": 1, "room": document.room, "epoch": document.epoch})
    return written(derive(raw, b"", bound))
