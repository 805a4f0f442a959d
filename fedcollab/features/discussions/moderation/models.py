"""Decides what is kept of moderation: acts with their reasons, reports with what became of them, and what a member has muted."""

from sqlalchemy import ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class ModerationAct(Model):
    """One act of moderators on a post or a conversation, and its undoing; the log that everybody reads. `at` is empty while only the
    undoing has come; `author_id` is whose post it is, `told_at` when they said that they have read it."""

    __tablename__ = "moderation_act"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    object_uri: Mapped[str] = mapped_column(Text, index=True)
    context: Mapped[str] = mapped_column(Text, index=True)
    group_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    author_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"), index=True)
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[int | None]
    undone_at: Mapped[int | None]
    undone_reason: Mapped[str] = mapped_column(Text, default="")
    told_at: Mapped[int | None]


class Flag(Model):
    """A report of a post by an organisation. `person_id` is our member who made it, for their own page alone; `reason` is a key of
    `flags.REASONS`, empty where other software gave none."""

    __tablename__ = "flag"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    reason: Mapped[str] = mapped_column(String(16), default="")
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[int]

    __table_args__ = (Index(None, "organisation_id", "at"), Index(None, "person_id", "at"))


class FlagReceiver(Model):
    """An organisation whose moderators have a report, ours among them, and what they made of it. `uri` is the Flag's id; empty where the
    group's host was asked to pass it on."""

    __tablename__ = "flag_receiver"
    flag_id: Mapped[str] = mapped_column(ForeignKey("flag.id"), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, index=True)
    outcome: Mapped[str] = mapped_column(String(16), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    closed_at: Mapped[int | None]
    closed_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))

    __table_args__ = (Index(None, "organisation_id", "outcome"),)


class Mute(Model):
    """A person or a conversation (`subject_id`) that a member does not want to see; theirs alone."""

    __tablename__ = "mute"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[int]
