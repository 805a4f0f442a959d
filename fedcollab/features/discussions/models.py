"""Decides how groups, threads and posts are stored; counts and last times are kept on write, so that reading never counts."""

from sqlalchemy import ForeignKey, Index, String, Text, text

from fedcollab.access.models import SharedObject
from fedcollab.base.model import Mapped, Model, mapped_column

PUBLIC = text("label = 'TLP:CLEAR'")
LAST = 1 << 62  # the place of posts that wait for their host: after all others


class Thread(SharedObject, Model):
    """A conversation in a group; its uri is the `context` of its posts, which another group may use as well. `locked` is why the
    group's moderators have ended it; `untitled` says that its opener was deleted, or taken away by moderators, and its title with it."""

    __tablename__ = "thread"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text)
    group_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(16))
    last_post_at: Mapped[int]
    posts: Mapped[int] = mapped_column(default=0)
    locked: Mapped[str | None] = mapped_column(Text)
    untitled: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("ix_thread_group_newest", "group_id", "last_post_at", "id"),
        Index("ix_thread_group_uri", "group_id", "uri", unique=True),
        Index("ix_thread_uri", "uri"),
        Index("ix_thread_public", "author_id", sqlite_where=PUBLIC),
    )


class Post(SharedObject, Model):
    """An opener or a reply. `source` is the Markdown of our own, `html` is safe as stored. `place` is its number in the thread as the
    host announced it; `confirmed_at` is empty while an own post waits for the host's echo. Why moderators of the group's home have
    `removed` it, ours have `hidden` it here, its host has `refused` it: empty where they have not."""

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
    removed: Mapped[str | None] = mapped_column(Text)
    hidden: Mapped[str | None] = mapped_column(Text)
    refused: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_post_thread_place", "thread_id", "place", "id"),
        Index("ix_post_arrived", "confirmed_at", "id"),
        Index("ix_post_public", "author_id", sqlite_where=PUBLIC),
    )


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


class PostFile(Model):
    """A file that a post carries, under the post's label; gone with the post, or when its author takes it away."""

    __tablename__ = "post_file"
    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("file.id"), primary_key=True, index=True)
    number: Mapped[int]


class DraftFile(Model):
    """A file that waits with a form in mid-composition, for its author alone."""

    __tablename__ = "draft_file"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    place: Mapped[str] = mapped_column(String(36), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("file.id"), primary_key=True, index=True)
    number: Mapped[int]


class ThreadRead(Model):
    """How far a person has read: the last post's `place`."""

    __tablename__ = "thread_read"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("thread.id"), primary_key=True)
    read_place: Mapped[int]


class Mention(Model):
    """Somebody named in a post, by its author; `seen_at` is when one of our own has looked, empty while it is news to them."""

    __tablename__ = "mention"
    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    at: Mapped[int]
    seen_at: Mapped[int | None]

    __table_args__ = (Index("ix_mention_person_seen", "person_id", "seen_at"), Index("ix_mention_at", "at"))


class Thanks(Model):
    """One person's thanks for one post. `uri` is the Like's id and `at` its time, as its author's proof says; taken back, the row stays
    with `undone_at`, so that the same Like brought again changes nothing."""

    __tablename__ = "thanks"
    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, index=True)
    at: Mapped[int]
    undone_at: Mapped[int | None]
