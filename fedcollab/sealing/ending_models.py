"""Decides what stands in the database of a room's end: who asked for it, until when it waits, and that somebody here holds it."""

from sqlalchemy import JSON, ForeignKey, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class RoomEnding(Model):
    """A room that is to be gone, or is: asked by the organisation `by` with an `activity` (empty where it is ours), done at `due_at` unless
    one of us holds it (`held_why` a code of ending.HOLDS, `held_until` microseconds); `done_at` when it was gone here."""

    __tablename__ = "room_ending"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    by: Mapped[str] = mapped_column(Text)
    activity: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    asked_at: Mapped[int]
    due_at: Mapped[int] = mapped_column(index=True)
    held_why: Mapped[str] = mapped_column(String(16), default="")
    held_by: Mapped[str | None] = mapped_column(String(36))
    held_until: Mapped[int | None]
    done_at: Mapped[int | None] = mapped_column(index=True)
