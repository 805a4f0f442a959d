"""Decides what is kept of a member beside their actor: the account, sessions, invitations, one-time links; secrets only as hashes."""

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fedcollab.base.database import Model


class Member(Model):
    """A person's account."""

    __tablename__ = "member"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(Text, default="")
    roles: Mapped[list[str]] = mapped_column(JSON)
    language: Mapped[str] = mapped_column(String(16), default="")
    time_zone: Mapped[str] = mapped_column(Text, default="")
    new_password_due: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
    disabled_at: Mapped[int | None]


class LoginSession(Model):
    """One signed-in browser; the cookie's value is stored as its hash alone."""

    __tablename__ = "login_session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    created_at: Mapped[int]
    seen_at: Mapped[int]
    agent: Mapped[str] = mapped_column(Text)


class Invitation(Model):
    """A link that makes one account, within 7 days."""

    __tablename__ = "invitation"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class LoginLink(Model):
    """A link that signs its person in once, within 15 minutes, to choose a new password."""

    __tablename__ = "login_link"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class Notice(Model):
    """A one-time link was made for somebody: shown on the pages of that person and of all admins until each has read it."""

    __tablename__ = "notice"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    about_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    at: Mapped[int]
