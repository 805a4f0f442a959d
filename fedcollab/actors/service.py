"""Decides how actors come to be and are found; whether somebody may see them is decided above."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.base.clock import new_id

from . import keys
from .models import GROUP, INTRODUCED, ORGANIZATION, OWN, PERSON, Actor, ActorKey
from .node import Node
from .uris import actor_uri


@dataclass(frozen=True)
class ActorData:
    """An actor as plain values."""

    id: str
    uri: str
    kind: str
    username: str
    name: str
    summary: str
    host: str
    organisation_id: str
    inbox: str
    known: str
    through_id: str | None
    updated_at: int
    disabled_at: int | None


COLUMNS = [getattr(Actor, name) for name in ActorData.__dataclass_fields__]


def create_own(session: Session, node: Node, kind: str, *, username: str, name: str, summary: str = "") -> ActorData:
    """An actor of this node, with its keys. The Organization comes first; people and groups belong to it."""
    actor_id, now = new_id(node.now()), node.now()
    uri = actor_uri(node, kind, actor_id)
    organisation_id = actor_id if kind == ORGANIZATION else own(session, node).id
    row = dict(
        id=actor_id,
        uri=uri,
        kind=kind,
        username=username,
        name=name,
        summary=summary,
        host=node.host,
        organisation_id=organisation_id,
        inbox=uri + "/inbox",
        known=OWN,
        created_at=now,
        updated_at=now,
    )
    session.execute(sa.insert(Actor).values(row))
    keys.make(session, node, actor_id, uri)
    return by_id(session, actor_id)


def own(session: Session, node: Node) -> ActorData:
    """The node's own Organization."""
    found = by_uri(session, node.actor_uri)
    assert found is not None, "init makes the organisation before anything else"
    return found


def count_people(session: Session) -> int:
    """How many people this node has; disabled ones don't count."""
    mine = sa.select(sa.func.count()).select_from(Actor).where(Actor.known == OWN, Actor.kind == PERSON, Actor.disabled_at.is_(None))
    return session.execute(mine).scalar_one()


def by_uri(session: Session, uri: str) -> ActorData | None:
    return _one(session, Actor.uri == uri)


def by_id(session: Session, actor_id: str) -> ActorData:
    found = _one(session, Actor.id == actor_id)
    assert found is not None, "row ids come from rows"
    return found


def by_username(session: Session, node: Node, username: str) -> ActorData | None:
    """One of our own people or groups, or the organisation, by the name WebFinger uses."""
    return _one(session, sa.and_(Actor.host == node.host, Actor.known == OWN, Actor.username == username))


def public_keys(session: Session, key_uri: str) -> keys.PublicKey | None:
    """The key that a request may be signed with, if we hold it, and whose it is; None for actors that were disabled, and for those
    that a third party has introduced: it may have brought keys of its own."""
    query = sa.select(ActorKey.uri, ActorKey.kind, ActorKey.public, Actor.id, Actor.uri.label("actor_uri")).join(
        Actor, Actor.id == ActorKey.actor_id
    )
    own_word = sa.and_(Actor.known != INTRODUCED, Actor.disabled_at.is_(None))
    row = session.execute(query.where(ActorKey.uri == key_uri, own_word)).one_or_none()
    return keys.PublicKey(row.uri, row.kind, row.public, row.id, row.actor_uri) if row else None


def keys_of(session: Session, actor_id: str) -> dict[str, tuple[str, str]]:
    """{key uri: (kind, public)} of an actor."""
    found = session.execute(
        sa.select(ActorKey.uri, ActorKey.kind, ActorKey.public).where(ActorKey.actor_id == actor_id).order_by(ActorKey.id)
    )
    return {row.uri: (row.kind, row.public) for row in found}


def _one(session: Session, clause: sa.ColumnElement[bool]) -> ActorData | None:
    row = session.execute(sa.select(*COLUMNS).where(clause)).one_or_none()
    return ActorData(*row) if row else None


__all__ = [
    "GROUP",
    "ORGANIZATION",
    "PERSON",
    "ActorData",
    "by_id",
    "by_uri",
    "by_username",
    "count_people",
    "create_own",
    "keys_of",
    "own",
    "public_keys",
]
