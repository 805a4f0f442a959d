"""Decides what of referrals stands in the node's database: who refers to whom and where it stands, and the preview in ciphertext."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class Referral(Model):
    """A referral that we have sent (`sent`), or that a partner has. `room` is the id of the room that it hands over, `invitation` the one
    into it, `deadline` the day by which an answer is asked for, `kid` the organisation's key that the preview's is boxed to, `preview` its
    ciphertext, `box_at` when the box was here. Of one that came to nothing there are left its id, whose it was, its state, and the days.

    One to an organisation without a node has no `organisation_id`: `outside` says to whom, the guest of ours who is asked by a link has its
    id, and `tries` counts the wrong codes."""

    __tablename__ = "referral"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    sent: Mapped[bool]
    organisation_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    outside: Mapped[str] = mapped_column(Text, default="")
    case_id: Mapped[str | None] = mapped_column(ForeignKey("room.id"), index=True)
    room: Mapped[str] = mapped_column(Text)
    invitation: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(40), default="")
    deadline: Mapped[str] = mapped_column(String(10))
    kid: Mapped[str] = mapped_column(String(64), default="")
    preview: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    at: Mapped[int]
    box_at: Mapped[int | None]
    next_at: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[int]
    late_at: Mapped[int | None]
    __table_args__ = (Index("ix_referral_state", "state", "sent", "at"), Index("ix_referral_organisation_id", "organisation_id", "state"))


class ReferralWord(Model):
    """What one side has said of a referral: `side` is sender or recipient, `said_at` when by its own clock, `at` when we knew."""

    __tablename__ = "referral_word"
    referral_id: Mapped[str] = mapped_column(ForeignKey("referral.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    side: Mapped[str] = mapped_column(String(16), primary_key=True)
    said_at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(40), default="")
    at: Mapped[int]


class ReferralPerson(Model):
    """One of our own people who looks at a referral that has come; it never leaves the node."""

    __tablename__ = "referral_person"
    referral_id: Mapped[str] = mapped_column(ForeignKey("referral.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    by_id: Mapped[str] = mapped_column(String(36))
    since: Mapped[int]
    __table_args__ = (Index("ix_referral_person_person_id", "person_id"),)
