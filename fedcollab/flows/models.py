"""Decides how this node keeps which conversation a resource belongs to."""

from sqlalchemy import ForeignKey

from fedcollab.base.model import Mapped, Model, mapped_column


class ResourceThread(Model):
    """A conversation about a resource; `grew`: the one that the resource grew from."""

    __tablename__ = "resource_thread"
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("thread.id"), primary_key=True, index=True)
    grew: Mapped[bool]
