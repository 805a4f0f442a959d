"""Decides what is kept of rooms' records: the entries of our own, where each node's ends, and who has countersigned what."""

from sqlalchemy import JSON, ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class RoomChain(Model):
    """Our own record of a room: its last entry, in one row that each new one locks; up to which entry the others were told, and when;
    before `from_seq` entries are gone, for which `checkpoint` (a head of ours, proved) stands."""

    __tablename__ = "room_chain"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    uri: Mapped[str] = mapped_column(Text)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    told_seq: Mapped[int] = mapped_column(default=0)
    told_hash: Mapped[str] = mapped_column(String(64), default="")
    told_at: Mapped[int] = mapped_column(default=0)
    from_seq: Mapped[int] = mapped_column(default=0)
    from_hash: Mapped[str] = mapped_column(String(64), default="")
    checkpoint: Mapped[dict[str, object] | None] = mapped_column(JSON)


class RoomEntry(Model):
    """One act in a room: random ids and no content. `hash` covers the row and the hash before it."""

    __tablename__ = "room_entry"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
    who: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("ix_room_entry_at", "room_id", "at"),)


class RoomWho(Model):
    """By which random id one of our people stands in a room's record: another one in each room, and nobody's once this row is gone."""

    __tablename__ = "room_who"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    who: Mapped[str] = mapped_column(String(36))
    __table_args__ = (Index("ix_room_who_person_id", "person_id"),)


class ChainHead(Model):
    """Where a node's record of a room ended when we saw it last (our own: when we told it last). We have followed it without a gap since
    `since`; `breaks` times it did not go on from what we knew, first at `broken_at`: `broken` is what shows it. `pending` is a newer head
    whose entries are asked for, `signed_seq` the last that we have countersigned."""

    __tablename__ = "chain_head"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[int]
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    seen_at: Mapped[int]
    since: Mapped[int] = mapped_column(default=0)
    breaks: Mapped[int] = mapped_column(default=0)
    broken: Mapped[dict[str, object] | None] = mapped_column(JSON)
    broken_at: Mapped[int | None]
    pending: Mapped[dict[str, object] | None] = mapped_column(JSON)
    next_at: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    signed_seq: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_chain_head_pending", "next_at"),)


class ChainSigned(Model):
    """What one organisation has countersigned last of another's record: of ours, and by us."""

    __tablename__ = "chain_signed"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(Text, primary_key=True)
    by: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int]
    breaks: Mapped[int]
    at: Mapped[int]
    document: Mapped[dict[str, object]] = mapped_column(JSON)


class WeekRead(Model):
    """Up to which time one of our people has seen who read what in their cases."""

    __tablename__ = "week_read"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    until: Mapped[int]
