"""Decides what is kept of a guest beside their account: who they are, for which case, who asked and let them in, and until when."""

from sqlalchemy import ForeignKey, LargeBinary, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class Guest(Model):
    """A guest of ours on one case, from the invitation on. `works_for` is their organisation, `type` what it is, as a code; `until` the
    last day, or empty. The invitation's token is stored as its hash alone, empty once it is used or ended; `preview`, what
    they see before they answer, opens by the token alone and goes with it."""

    __tablename__ = "guest"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    works_for: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(40))
    until: Mapped[str] = mapped_column(String(10), default="")
    token_hash: Mapped[str] = mapped_column(String(64), index=True)
    preview: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    expires_at: Mapped[int]
    by_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    at: Mapped[int]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"), unique=True)
    joined_at: Mapped[int | None]
    let_in_at: Mapped[int | None]
    let_in_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    ended_at: Mapped[int | None]
    ended_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
