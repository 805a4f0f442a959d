"""Decides how an import is stored: the text as it came, and each of its entries with what became of it."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column

READING, PREVIEW, RUNNING, DONE = "reading", "preview", "running", "done"
NEW, KNOWN, BROKEN, ADDED, FAILED = "new", "known", "broken", "added", "failed"
OPEN = (NEW, KNOWN)


class Import(Model):
    """A file or text that somebody imports: `name` of the file, its `format`, whether its coding was `guessed`; the label and the publisher
    that its entries get where they say nothing narrower, or nothing. `entries` is how many were found."""

    __tablename__ = "library_import"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    publisher: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(8))
    guessed: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16), index=True)
    entries: Mapped[int]
    created_at: Mapped[int]
    changed_at: Mapped[int]


class ImportRow(Model):
    """One entry: its record, or the reason why there is none; `notes` say what was left out or guessed. `resource_id` is what it has
    become, or what is here already; `same_as` the number of the entry of the same file that says the same."""

    __tablename__ = "library_import_row"
    import_id: Mapped[str] = mapped_column(ForeignKey("library_import.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int]
    record: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    notes: Mapped[list[Any]] = mapped_column(JSON)
    label: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    chosen: Mapped[bool]
    resource_id: Mapped[str | None] = mapped_column(String(36))
    same_as: Mapped[int | None]

    __table_args__ = (Index("ix_library_import_row_next", "import_id", "state", "number"),)
