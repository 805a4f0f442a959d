"""Decides what is kept of a file: what it is and where its bytes lie; of uploads that are under way; of bytes that are to be removed."""

from sqlalchemy import ForeignKey, Index, String, Text, text

from fedcollab.base.model import Mapped, Model, mapped_column

HERE, GONE, AWAY, FETCHING, REFUSED = "here", "gone", "away", "fetching", "refused"
OWN, CACHED, SEALED = "own", "cached", "sealed"  # the places of bytes; what is sealed lies beside our own
DUE, WAITS, CACHE = text("look_at IS NOT NULL"), text("removed_at IS NULL"), text("by_id IS NULL AND key != ''")


class File(Model):
    """A file, ours or a partner's, whose address is its `uri`. `by_id` is who uploaded it, none for a partner's. `key` is where its bytes
    lie, and `preview` where its picture does; both empty where there is none. `look_at` is when to look whether anything holds it still,
    `attached_at` when it was first put to something, `used_at` when it was read last. A hash, a size or a type that a partner has not said
    is empty or 0. `through_id` is the group of another organisation that a partner's came through: that group's host gives it out."""

    __tablename__ = "file"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(20), default="")
    created_at: Mapped[int]
    used_at: Mapped[int]
    look_at: Mapped[int | None]
    attached_at: Mapped[int | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    pages: Mapped[int | None]
    preview: Mapped[str] = mapped_column(String(64), default="")
    through_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (
        Index("ix_file_by_id", "by_id", "created_at"),
        Index("ix_file_look_at", "look_at", sqlite_where=DUE),
        Index("ix_file_cached", "used_at", sqlite_where=CACHE),
    )


class Upload(Model):
    """A file that somebody has begun to send: `received` of its `size` bytes are safe, under the name `key`. Its file has its id."""

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    received: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int]
    updated_at: Mapped[int] = mapped_column(index=True)


class GoneBytes(Model):
    """Bytes that belong to no file any more: taken away `at`, and not there since `removed_at`. `file_id` is the file that they were of."""

    __tablename__ = "gone_bytes"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    file_id: Mapped[str] = mapped_column(String(36))
    place: Mapped[str] = mapped_column(String(6))
    at: Mapped[int] = mapped_column(index=True)
    removed_at: Mapped[int | None]

    __table_args__ = (Index("ix_gone_bytes_waits", "at", sqlite_where=WAITS),)
