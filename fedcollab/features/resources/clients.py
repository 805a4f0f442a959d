"""Decides which records a member's own tool reads among what came to its owner, and how."""

import heapq
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import beginning, made_at
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.clients import Arrival, Key

from . import activities, sending
from .models import Resource

COLUMNS = (Resource.id, Resource.uri, Resource.revision, Resource.posted_at, Resource.deleted_at, Actor.uri.label("author"))
A_MILLISECOND = 1000


def arrivals(session: Session, node: Node, viewer: Viewer, before: Key | None, limit: int) -> list[Arrival]:
    """Others' records that the viewer may see, the latest to arrive first: each as its organisation's Create, or its Delete."""
    ours = sa.and_(Resource.organisation_id == viewer.organisation_id, Resource.added_by_id.is_distinct_from(viewer.person_id))
    came = [(row.posted_at, row) for row in _newest(session, viewer, limit, ours, _before(before), Resource.posted_at, Resource.id)]
    theirs = sa.and_(Resource.organisation_id != viewer.organisation_id, _made_before(before))
    came += [(made_at(row.id), row) for row in _newest(session, viewer, limit, theirs, sa.true(), Resource.id)]
    newest = heapq.nlargest(limit, came, key=lambda one: (one[0], one[1].id))
    return [Arrival(at, row.id, _arrived(session, node, row)) for at, row in newest]


def _newest(session: Session, viewer: Viewer, limit: int, whose: Any, before: Any, *order: Any) -> list[Any]:
    query = sa.select(*COLUMNS).join(Actor, Actor.id == Resource.author_id).where(policy.visible(Resource, viewer), whose, before)
    return list(session.execute(query.order_by(*(column.desc() for column in order)).limit(limit)))


def _before(key: Key | None) -> sa.ColumnElement[bool]:
    """Of ours: what was put into the library before a moment."""
    if key is None:
        return sa.true()
    return sa.tuple_(Resource.posted_at, Resource.id) < sa.tuple_(sa.literal(key[0]), sa.literal(key[1]))


def _made_before(key: Key | None) -> sa.ColumnElement[bool]:
    """Of partners': what came here before a moment, which its row's id says; when it was published there says nothing of that."""
    if key is None:
        return sa.true()
    at, row_id = key
    if at % A_MILLISECOND:
        return Resource.id < beginning(at + A_MILLISECOND)
    return Resource.id < max(beginning(at), min(beginning(at + A_MILLISECOND), row_id))


def _arrived(session: Session, node: Node, row: Any) -> dict[str, Any]:
    """A record as it is now. Which activity has brought it is not kept: an address of this node stands for that."""
    local = node.settings.uri(f"/library/{row.id}")
    if row.deleted_at is not None:
        gone = activities.to_tombstone(row.uri, row.author, row.revision, row.deleted_at)
        return ap.activity("Delete", local + "#deleted", row.author, gone)
    shown = activities.to_object(sending.data(session, row.id))
    return ap.activity("Create", local + "#arrived", row.author, shown, to=shown["to"], published=shown["published"])
