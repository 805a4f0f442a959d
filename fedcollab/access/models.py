"""Decides how an audience is stored: a label as the ceiling and a list of organisations; shared things point to it."""

from sqlalchemy import ForeignKey, Index, String, Text, text

from fedcollab.base.model import Mapped, Model, mapped_column

CLEAR, GREEN, AMBER, STRICT, RED = "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"
LABELS = (CLEAR, GREEN, AMBER, STRICT, RED)  # from widest to narrowest
VERIFIED = text("action = 'audit.verify'")  # few of many: the page asks for the newest of them


class Audience(Model):
    """Who is inside: one row a group; of what an organisation itself publishes one a label, where the group is the organisation. `history`
    says that organisations admitted later see what came before them; `stale` that the numbers of people in the signed list are no longer
    right."""

    __tablename__ = "audience"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    label: Mapped[str] = mapped_column(String(16))
    owner_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    group_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    history: Mapped[bool] = mapped_column(default=False)
    stale: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index(None, "group_id", "label", unique=True),)


class AudienceMember(Model):
    """An organisation inside an audience since a moment."""

    __tablename__ = "audience_member"
    audience_id: Mapped[str] = mapped_column(ForeignKey("audience.id"), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True, index=True)
    since: Mapped[int]


class Block(Model):
    """An organisation whose people's words are hidden on this node."""

    __tablename__ = "block"
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    at: Mapped[int]
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))


class SharedObject:
    """What every shared thing carries; `visible` reads these columns and no others."""

    uri: Mapped[str] = mapped_column(Text, unique=True)
    audience_id: Mapped[str] = mapped_column(ForeignKey("audience.id"))
    label: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    posted_at: Mapped[int]


class AuditEntry(Model):
    """One act on record: random ids and no content. `hash` covers the row and the hash before it."""

    __tablename__ = "audit_entry"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
    actor_id: Mapped[str | None] = mapped_column(String(36))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(Text)
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index("ix_audit_entry_verified", "seq", sqlite_where=VERIFIED),)


class AuditHead(Model):
    """The chain's last link, in one row that each entry locks."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
