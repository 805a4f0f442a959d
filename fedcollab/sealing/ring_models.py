"""Decides what lies in the key ring: boxes that only their holders open, and what was destroyed. Nothing here can be read by the node."""

from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy import LargeBinary, String

from fedcollab.base.model import Mapped, Model, mapped_column

CURRENT, OLD = "current", "old"


class RingModel(Model):
    """Root of the key ring's tables; they have a metadata of their own, for they lie in a database of their own."""

    metadata: ClassVar = sa.MetaData()


class PersonSecret(RingModel):
    """A person key's private halves, sealed twice: under the password and under the recovery code."""

    __tablename__ = "person_secret"
    kid: Mapped[str] = mapped_column(String(100), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(36), index=True)
    by_password: Mapped[bytes] = mapped_column(LargeBinary)
    by_code: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10), default=CURRENT)
    created_at: Mapped[int]


class Unlocked(RingModel):
    """A person key that a signed-in browser has unlocked, under a key made of its cookie; it goes with the session and is in no backup."""

    __tablename__ = "unlocked"
    session_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kid: Mapped[str] = mapped_column(String(100), primary_key=True)
    box: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]


class Wrap(RingModel):
    """The box of a private half or a case key (`of`: ok:KID, rk:KID, mk:KID, ck:ROOM:EPOCH), for the holder of another key."""

    __tablename__ = "wrap"
    of: Mapped[str] = mapped_column(String(200), primary_key=True)
    to_kid: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)
    box: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]


class SheetBox(RingModel):
    """The recovery key's private half, for whoever has this pair of printed sheets."""

    __tablename__ = "sheet_box"
    rk: Mapped[str] = mapped_column(String(100), primary_key=True)
    pair: Mapped[str] = mapped_column(String(10), primary_key=True)
    box: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]


class Destroyed(RingModel):
    """What was destroyed, so that no older ring brings it back: all boxes of it, or (`to_kid`) those that one key opened until then."""

    __tablename__ = "destroyed"
    of: Mapped[str] = mapped_column(String(200), primary_key=True)
    to_kid: Mapped[str] = mapped_column(String(100), primary_key=True, default="")
    at: Mapped[int]
