"""Decides what the node's database keeps of people's sealing keys: that cases are on, and public halves, ours and other nodes'."""

import sqlalchemy as sa
from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String

from fedcollab.base.model import Mapped, Model, mapped_column

CURRENT, WAITING, OLD = "current", "waiting", "old"
IN_USE = sa.text("state = 'current'")


class SealingState(Model):
    """That cases are on at this node, since when and by whom; no row while they are off."""

    __tablename__ = "sealing_state"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    on_at: Mapped[int]
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))


class AccessLock(Model):
    """One of our people who has locked their own access, before a border say: nothing sealed opens for them until a keeper undoes it."""

    __tablename__ = "access_lock"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    at: Mapped[int]


class PersonKeyRow(Model):
    """A person's public halves. `state` is `current` (what is sealed to them is sealed to this one, at most one a person), `waiting`
    (nobody has vouched for it: of ours a keeper has to readmit its holder, of another node's somebody here has to compare words) or
    `old` (replaced or withdrawn). `document` is what their node publishes, with the signature of the key before; `first_hand` whether
    their own organisation has said so."""

    __tablename__ = "person_key"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    kid: Mapped[str] = mapped_column(String(100))
    public: Mapped[bytes] = mapped_column(LargeBinary)
    signing: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10))
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    prev: Mapped[str] = mapped_column(String(100), default="")
    first_hand: Mapped[bool] = mapped_column(default=True)
    at: Mapped[int]
    confirmed_at: Mapped[int | None]
    confirmed_by: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))

    __table_args__ = (
        Index(None, "person_id", "kid", unique=True),
        Index("ix_person_key_kid", "kid"),
        Index("uq_person_key_current", "person_id", unique=True, sqlite_where=IN_USE),
    )
