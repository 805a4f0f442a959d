"""Decides what of cases stands in the node's database beside their rooms: days and codes in clear, and who of us needs to know what."""

from sqlalchemy import ForeignKey, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class CaseRecord(Model):
    """The clear header of a case (header.py), so that lists and reminders need no key: the code of its status, and days (2027-11-30) or
    nothing. `opened_id` is the id of the message with its first entry; a case is found here once that could be read. `late`: a task or
    the review is overdue while the case is worked on."""

    __tablename__ = "case_record"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    opened_id: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    due: Mapped[str] = mapped_column(String(10), index=True)
    review: Mapped[str] = mapped_column(String(10), index=True)
    retention: Mapped[str] = mapped_column(String(10), index=True)
    consent_end: Mapped[str] = mapped_column(String(10))
    late: Mapped[bool] = mapped_column(default=False)


class CaseNeed(Model):
    """A part of people's records that one of us needs to know in a case: of everybody in it ("health"), or of one by their random code
    ("bafuko-tezara/health"). `by_id` has said so."""

    __tablename__ = "case_need"
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    by_id: Mapped[str] = mapped_column(String(36))
    at: Mapped[int]
