"""Decides what is kept of an actor: an Organization, a Person or a Group, ours or another node's, and its keys."""

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text

from fedcollab.base.model import Mapped, Model, mapped_column

ORGANIZATION, PERSON, GROUP = "Organization", "Person", "Group"
OWN, PARTNER, INTRODUCED, FOREIGN = "own", "partner", "introduced", "foreign"
CURRENT, NEXT, OLD = "current", "next", "old"


class Actor(Model):
    """One actor. `known` says how its key is known: own, partner (pinned),
    introduced (by the host `through_id`), foreign (not vouched for). `updated_at` is when its document was made, as its proof says.
    `works_for` names the organisation without a node that a guest comes from (features/guests); it is empty for everybody else."""

    __tablename__ = "actor"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    username: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text, default="")
    host: Mapped[str] = mapped_column(Text, index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("actor.id"), index=True)
    inbox: Mapped[str] = mapped_column(Text)
    known: Mapped[str] = mapped_column(String(16))
    through_id: Mapped[str | None] = mapped_column(ForeignKey("actor.id"))
    document: Mapped[dict[str, object] | None] = mapped_column(JSON)
    created_at: Mapped[int]
    updated_at: Mapped[int]
    disabled_at: Mapped[int | None]
    works_for: Mapped[str] = mapped_column(Text, default="")


class ActorKey(Model):
    """A public key of an actor as PEM (rsa) or multibase (ed25519); the private half only of our own, sealed under the master key.
    `state` is `current`, `next` (an Organization's successor, not in use yet) or `old` (believed no more); a current one with `until` is
    old from then on. `refused_at` is when the use of an old one was last put on record."""

    __tablename__ = "actor_key"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actor.id"))
    uri: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    public: Mapped[str] = mapped_column(Text)
    sealed_private: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default=CURRENT)
    until: Mapped[int | None]
    refused_at: Mapped[int | None]

    __table_args__ = (Index(None, "actor_id", "kind"),)
