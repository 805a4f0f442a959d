"""Decides what of consents stands in the node's database: random ids, to whom, until when, and whether it was ended; what somebody agreed
to is sealed."""

from sqlalchemy import ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column

GIVEN, WITHDRAWN, ENDED = "given", "withdrawn", "ended"
ERASED, KEPT = ANSWERS = ("erased", "kept")


class ConsentMark(Model):
    """A consent's clear half, one in each room where something is given on it: `uri` is the id of the sealed entry that says it, `room`
    where that stands or what it opens, the other side `organisation_id`; `ours` where we have given what it is about; `whose` it is, by a
    name that says nothing. It holds to the end of the day `until`. `asked` is the activity that ended it, `stopped_at` when the recipient's
    node has confirmed that it shows nothing of it any more, `answer` what its keepers did then: erased it, or kept it on a ground of their
    own."""

    __tablename__ = "consent_mark"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text)
    ours: Mapped[bool]
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), index=True)
    until: Mapped[str] = mapped_column(String(10))
    whose: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16))
    asked: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[int]
    ended_at: Mapped[int | None]
    stopped_at: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(16), default="")
    answered_at: Mapped[int | None]
    __table_args__ = (
        Index("ix_consent_mark_uri", "uri", "organisation_id", "ours", "room_id", unique=True),
        Index("ix_consent_mark_state", "state", "until"),
    )


class ConsentThing(Model):
    """What was given on a consent: a room or a message, by its id on the wire."""

    __tablename__ = "consent_thing"
    mark_id: Mapped[str] = mapped_column(ForeignKey("consent_mark.id"), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, primary_key=True)
    __table_args__ = (Index("ix_consent_thing_uri", "uri"),)
