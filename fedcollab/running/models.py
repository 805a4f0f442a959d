"""Decides what is remembered of the disk: one line a day, from which the forecast is made."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from fedcollab.base.database import Model


class DiskSample(Model):
    """What the disk looked like at one moment: bytes of the database with its log, bytes that were free, bytes inside the database that
    it can use again."""

    __tablename__ = "disk_sample"
    at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    database: Mapped[int] = mapped_column(BigInteger)
    free: Mapped[int] = mapped_column(BigInteger)
    reusable: Mapped[int] = mapped_column(BigInteger)
