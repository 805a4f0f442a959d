"""Decides how actors come to be and are found; whether somebody may see them is decided above."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from . import keys
from .models import GROUP, OLD, ORGANIZATION, OWN, PERSON, Actor, ActorKey
from .node import Node
from .uris import actor_uri


class ActorData(NamedTuple):
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
    works_for: str = ""


COLUMNS = [getattr(Actor, name) for name in ActorData._fields]


def create_own(session: Session, node: Node, kind: str, *, username: str, name: str, summary: str = "", works_for: str = "") -> ActorData:
    """An actor of this node, with its keys. The Organization comes first; people and groups belong to it, guests (`works_for`) stand with
    it."""
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
        works_for=works_for,
    )
    session.execute(sa.insert(Actor).values(row))
    keys.make(session, node, actor_id, uri)
    node.named(session, actor_id)
    return by_id(session, actor_id)


def own(session: Session, node: Node) -> ActorData:
    """The node's own Organization."""
    found = by_uri(session, node.actor_uri)
    assert found is not None, "init makes the organisation before anything else"
    return found


def count_people(session: Session) -> int:
    """How many people this node has; disabled ones and guests don't count."""
    return session.execute(sa.select(sa.func.count()).select_from(Actor).where(our_people())).scalar_one()


def our_people() -> sa.ColumnElement[bool]:
    """The clause for the people of this node whose accounts have not ended. Guests are not of our organisation."""
    return sa.and_(Actor.known == OWN, Actor.kind == PERSON, Actor.disabled_at.is_(None), Actor.works_for == "")


def by_uri(session: Session, uri: str) -> ActorData | None:
    return _one(session, "uri", uri)


def by_id(session: Session, actor_id: str) -> ActorData:
    found = _one(session, "id", actor_id)
    assert found is not None, "row ids come from rows"
    return found


def by_username(session: Session, node: Node, username: str) -> ActorData | None:
    """One of our own people or groups, or the organisation, by the name WebFinger uses."""
    query = sa.select(*COLUMNS).where(Actor.host == node.host, Actor.known == OWN, Actor.username == username)
    row = session.execute(query).one_or_none()
    return ActorData(*row) if row else None


def keys_of(session: Session, actor_id: str) -> keys.Keys:
    """The keys of an actor that are believed: those in use, and an accepted successor."""
    return {uri: (kind, public) for uri, kind, public in prepared(session, _keys_query(), {"actor": actor_id})}


@cache
def _keys_query() -> sa.Select[Any]:
    columns: list[Any] = [ActorKey.uri, ActorKey.kind, ActorKey.public]
    return sa.select(*columns).where(ActorKey.actor_id == sa.bindparam("actor"), ActorKey.state != OLD).order_by(ActorKey.id)


def _one(session: Session, column: str, value: str) -> ActorData | None:
    row = prepared(session, _one_query(column), {"value": value}).one_or_none()
    return ActorData(*row) if row else None


@cache
def _one_query(column: str) -> sa.Select[Any]:
    return sa.select(*COLUMNS).where(getattr(Actor, column) == sa.bindparam("value"))


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
    "our_people",
    "own",
]
