"""Decides what of sealed groups stands in the node's database beside their rooms: random ids, and no word of what was written."""

from sqlalchemy import ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class GroupEntry(Model):
    """Where a message of a group belongs, so that a page opens no other ones: `place` is the id of its conversation, or "group", "people",
    "resource", "suspected", "newer:1" (not known to this program's reading 1) or empty (none of these); `about` is the post that it
    changes, removes or carries a file of, or the file that it marks, empty for a post. Known once somebody has opened it."""

    __tablename__ = "group_entry"
    message_id: Mapped[str] = mapped_column(ForeignKey("sealed_message.id"), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"))
    place: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(Text)
    __table_args__ = (Index("ix_group_entry_place", "room_id", "place", "about", "message_id"),)


class GroupNamed(Model):
    """The message that says how a group is called; `retention` is the last day (2027-11-30) on which it is kept as far as our organisation
    has said it, empty for never: whoever leads ends it then."""

    __tablename__ = "group_named"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("sealed_message.id"))
    retention: Mapped[str] = mapped_column(String(10))


class GroupSeen(Model):
    """The last message of a group that one of our people has had before them, and the day on which their opening it was last put on record
    (2027-11-30)."""

    __tablename__ = "group_seen"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(36))
    opened_on: Mapped[str] = mapped_column(String(10))
