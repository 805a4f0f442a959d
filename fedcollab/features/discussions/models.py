"""Decides how groups, threads and posts are stored; counts and last times are kept on write, so that reading never counts."""

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fedcollab.access.models import SharedObject
from fedcollab.base.database import Model

LAST = 1 << 62  # the place of posts that wait for their host: after all others


class Thread(SharedObject, Model):
    """A conversation in a group; its uri is the `context` of its posts."""

    __tablename__ = "thread"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    last_post_at: Mapped[int]
    posts: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_thread_group_newest", "group_id", "last_post_at", "id"),)


class Post(SharedObject, Model):
    """An opener or a reply. `source` is the Markdown of our own, `html` is safe as stored. `place` is its number in the thread as the
    host announced it; `confirmed_at` is empty while an own post waits for the host's echo."""

    __tablename__ = "post"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("thread.id"))
    reply_to: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    place: Mapped[int]
    confirmed_at: Mapped[int | None]
    edited_at: Mapped[int | None]
    deleted_at: Mapped[int | None]

    __table_args__ = (Index("ix_post_thread_place", "thread_id", "place", "id"),)


class PostRevision(Model):
    """What a post said before an edit; gone when the post is deleted."""

    __tablename__ = "post_revision"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"), index=True)
    html: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[int]


class Draft(Model):
    """A form in mid-composition, one a person and place (a group or a thread)."""

    __tablename__ = "draft"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    place: Mapped[str] = mapped_column(String(36), primary_key=True)
    title: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[int]


class ThreadRead(Model):
    """How far a person has read: the last post's `place`."""

    __tablename__ = "thread_read"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("thread.id"), primary_key=True)
    read_place: Mapped[int]
