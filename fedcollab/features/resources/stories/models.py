"""Decides how a story is stored: what waits to be checked, what was agreed to, and the hash of the code that takes it back."""

from sqlalchemy import JSON, ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class Story(Model):
    """A story that our organisation was told; who told it stands nowhere. `draft` are the fields of a form, none where nothing waits to be
    checked; `resource_id` the resource of the library that it is published as. `agreed_on` is when the person was asked last. `ended` says
    why it is no more (TakenBack, RanOut, Withdrawn), `ended_at` since when: text, uses and draft are gone then, the code stays, to look
    who has confirmed. `lessened_at` is when a use ended last."""

    __tablename__ = "story"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    resource_uri: Mapped[str] = mapped_column(Text, default="")
    draft: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    told: Mapped[str] = mapped_column(String(16))
    agreed_by: Mapped[str] = mapped_column(String(20))
    agreed_how: Mapped[str] = mapped_column(String(16))
    agreed_on: Mapped[int]
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    writer_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    written_at: Mapped[int]
    checked_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    checked_at: Mapped[int | None]
    lessened_at: Mapped[int | None]
    ended: Mapped[str | None] = mapped_column(String(16))
    ended_at: Mapped[int | None]

    __table_args__ = (Index("ix_story_lessened_at", "lessened_at"),)


class StoryUse(Model):
    """One use in one channel that the person has agreed to, until a moment."""

    __tablename__ = "story_use"
    story_id: Mapped[str] = mapped_column(ForeignKey("story.id"), primary_key=True)
    use: Mapped[str] = mapped_column(String(16), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    until: Mapped[int]

    __table_args__ = (Index("ix_story_use_until", "until"),)
