"""Decides how this node keeps which invitations came with something else: they are answered with that, and listed nowhere else."""

from sqlalchemy import ForeignKey

from fedcollab.base.model import Mapped, Model, mapped_column


class RoomAside(Model):
    """A room that we were invited to with something else, such as a referral."""

    __tablename__ = "room_aside"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
