"""Decides what is remembered of the node itself: what its disk looked like each day, and what an admin has said that nothing else shows."""

from sqlalchemy import BigInteger, ForeignKey, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column


class DiskSample(Model):
    """What the disk looked like at one moment: bytes of the database with its log, bytes that were free, bytes inside the database that
    it can use again."""

    __tablename__ = "disk_sample"
    at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    database: Mapped[int] = mapped_column(BigInteger)
    free: Mapped[int] = mapped_column(BigInteger)
    reusable: Mapped[int] = mapped_column(BigInteger)


class Said(Model):
    """Something that an admin has said of the node and that no other fact shows: that the printed key lies on paper (`value` is the key's
    name), that the first steps need not be shown any more; and that it came out of a backup (made at `value`)."""

    __tablename__ = "said"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    at: Mapped[int]
    by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
