"""Decides what the node's database knows of organisations' keys, of the papers that open our own, and of its keepers: nothing secret."""

from sqlalchemy import JSON, ForeignKey, Index, String

from fedcollab.base.model import Mapped, Model, mapped_column

CURRENT, OLD = "current", "old"


class OrganisationKey(Model):
    """The public half of an organisation's key, to which cases are sealed: our own ones and those that partners publish. `document` is
    how it is published; an `old` one is sealed to no more, and of ours it still opens what was."""

    __tablename__ = "organisation_key"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    kid: Mapped[str] = mapped_column(String(100))
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), default=CURRENT)
    at: Mapped[int]

    __table_args__ = (Index(None, "organisation_id", "kid", unique=True),)


class RecoveryKey(Model):
    """A recovery key, which three printed sheets open, any two of them: its public half, who made it, when two of its sheets were typed
    in to try them, and when they were used in earnest, by whom. Renewed, it is `old` and opens nothing."""

    __tablename__ = "recovery_key"
    kid: Mapped[str] = mapped_column(String(100), primary_key=True)
    document: Mapped[dict[str, object]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), default=CURRENT)
    at: Mapped[int]
    by_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    tried_at: Mapped[int | None]
    used_at: Mapped[int | None]
    used_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))


class Keeper(Model):
    """One of our people who was named a keeper. `kid` is the person's key to which the organisation's was handed; empty until then. Where
    the person has another key today, it has to be handed again."""

    __tablename__ = "keeper"
    person_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    kid: Mapped[str] = mapped_column(String(100), default="")
    named_by_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    named_at: Mapped[int]
    since: Mapped[int | None]
