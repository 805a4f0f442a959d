"""Decides what stands in the node's database of messages of ours that are to go and are here still."""

from sqlalchemy import ForeignKey

from fedcollab.base.model import Mapped, Model, mapped_column


class MessageGoing(Model):
    """A message of ours that its case has had erased, until it was taken back, in the name of `person_id`, who opened the case."""

    __tablename__ = "message_going"
    message_id: Mapped[str] = mapped_column(ForeignKey("sealed_message.id"), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    at: Mapped[int]
