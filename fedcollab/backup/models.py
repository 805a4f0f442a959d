"""Decides what stands on record of backups: one row a run, whatever became of it."""

from sqlalchemy import BigInteger, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column

VERIFIED, FAILED = "verified", "failed"


class BackupRun(Model):
    """One attempt: `verified` when it was made and opened, `failed` with the reason in words. `place` is the directory, `name` the backup's
    file in it, `size` and `written` are bytes in all and bytes that had to be written anew."""

    __tablename__ = "backup_run"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[int] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    written: Mapped[int] = mapped_column(BigInteger, default=0)
    why: Mapped[str] = mapped_column(Text, default="")
