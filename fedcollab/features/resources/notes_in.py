"""Decides what other organisations' notes on a resource do here: to its publisher first hand, to everybody else through the publisher."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.registry import Handler, Verified

from . import note_wire, notes, notes_out
from .activities import REASON, check_origin, line
from .models import CountryNote, Resource


def receive(session: Session, node: Node, received: Verified) -> None:
    """A note made or changed, under the narrowest of its own label, its resource's and the one that it had. Our own that comes back is
    confirmed by that."""
    _check_author(received)
    found = note_wire.parse(received.object, received.actor.uri, node.now())
    policy.check_leaves(found.label)
    resource = _resource(session, received, found.about)
    row = _known(session, received, found.uri, resource)
    if received.actor.known == OWN:
        if row is not None and row.confirmed_at is None:
            session.execute(sa.update(CountryNote).where(CountryNote.id == row.id).values(confirmed_at=node.now()))
        return
    if row is not None and (found.edited_at is None or found.edited_at <= (row.edited_at or 0)):
        return
    label = policy.narrowest(found.label, resource.label, *([row.label] if row is not None else []))
    values = dict(country=found.country, html=found.html, language=found.language, edited_at=found.edited_at, label=label)
    if row is None:
        notes.check_room(session, resource.id, received.actor.id)
        fixed = dict(id=new_id(node.now()), uri=found.uri, resource_id=resource.id, source="", confirmed_at=node.now())
        shared = dict(audience_id=resource.audience_id, posted_at=found.posted_at)
        mine = dict(author_id=received.actor.id, organisation_id=received.actor.id)
        session.execute(sa.insert(CountryNote).values(**fixed, **shared, **mine, **values))
    else:
        session.execute(sa.update(CountryNote).where(CountryNote.id == row.id).values(**values))
    _pass_on(session, node, received, resource, found.uri)
    audit.record(session, node.now(), partner(received.actor.id), "note.receive", resource.id)


def _check_author(received: Verified) -> None:
    if received.actor.kind != ORGANIZATION or received.actor.id != received.actor.organisation_id:
        raise Refused(reason="organisations say it, people don't")


def _resource(session: Session, received: Verified, about: str) -> Any:
    """The resource, where this is the way by which its notes come. Raises Refused."""
    columns = (Resource.id, Resource.uri, Resource.organisation_id, Resource.audience_id, Resource.label, Resource.deleted_at)
    row = session.execute(sa.select(*columns).where(Resource.uri == about)).one_or_none()
    if row is None:
        raise Refused(reason="no such resource here")
    if row.deleted_at is not None:
        raise Refused(reason="the resource was deleted")
    if received.through is not None:
        if received.through.id != row.organisation_id:
            raise Refused(reason="passed on by another than the resource's publisher")
    elif row.organisation_id == received.actor.id:
        return row
    elif not _is_ours(session, row) or not policy.is_inside(session, row.audience_id, received.actor.id):
        raise Refused(reason="notes go to the resource's publisher, from those inside its library")
    return row


def _is_ours(session: Session, resource: Any) -> bool:
    return actors.by_id(session, resource.organisation_id).known == OWN


def _known(session: Session, received: Verified, uri: str, resource: Any) -> Any:
    columns = (CountryNote.id, CountryNote.author_id, CountryNote.resource_id, CountryNote.edited_at, CountryNote.label)
    query = sa.select(*columns, CountryNote.confirmed_at, CountryNote.deleted_at, CountryNote.removed).where(CountryNote.uri == uri)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    if row.author_id != received.actor.id or row.resource_id != resource.id:
        raise Refused(reason="somebody else's note")
    if row.deleted_at is not None or row.removed is not None:
        raise Refused(reason="taken away here before")
    return row


def _pass_on(session: Session, node: Node, received: Verified, resource: Any, note: str) -> None:
    """What nobody else could believe stays here."""
    if received.proved and received.through is None and _is_ours(session, resource):
        notes_out.pass_on(session, node, received.activity, received.actor, (note, resource.uri))


def receive_delete(session: Session, node: Node, received: Verified) -> None:
    """Its author takes a note away."""
    _check_author(received)
    check_origin(received.object, received.actor.uri)
    uri = ap.ident(received.object)
    query = sa.select(CountryNote.id, CountryNote.author_id, CountryNote.deleted_at, CountryNote.resource_id)
    row = session.execute(query.where(CountryNote.uri == uri)).one_or_none()
    if row is None:
        raise Refused(reason="no such note here")
    if row.author_id != received.actor.id:
        raise Refused(reason="somebody else's note")
    if row.deleted_at is not None:
        return
    columns = (Resource.uri, Resource.organisation_id)
    resource = session.execute(sa.select(*columns).where(Resource.id == row.resource_id)).one()
    if received.through is not None and received.through.id != resource.organisation_id:
        raise Refused(reason="passed on by another than the resource's publisher")
    notes.bury(session, node, row.id)
    _pass_on(session, node, received, resource, uri)
    audit.record(session, node.now(), partner(received.actor.id), "note.receive_delete", row.id)


def receive_remove(session: Session, node: Node, received: Verified) -> None:
    """The moderators of a resource's publisher have taken a note away, whoever wrote it."""
    _check_author(received)
    query = sa.select(CountryNote.id, Actor.known).join(Resource, Resource.id == CountryNote.resource_id)
    mine = sa.and_(CountryNote.uri == ap.ident(received.object), Resource.organisation_id == received.actor.id)
    row = session.execute(query.join(Actor, Actor.id == CountryNote.author_id).where(mine)).one_or_none()
    if row is None:
        raise Refused(reason="no such note on a resource of theirs")
    why = line(received.activity.get("summary"), REASON) or "…"
    text = {} if row.known == OWN else {"html": ""}  # whoever wrote it may read it still
    session.execute(sa.update(CountryNote).where(CountryNote.id == row.id).values(removed=why, **text))
    audit.record(session, node.now(), partner(received.actor.id), "note.receive_remove", row.id)


HANDLERS = (
    Handler("Create", (ap.COUNTRY_NOTE,), receive, announced=True),
    Handler("Update", (ap.COUNTRY_NOTE,), receive, announced=True),
    Handler("Delete", (ap.COUNTRY_NOTE,), receive_delete, announced=True, withdraws=True),
    Handler("Remove", (ap.COUNTRY_NOTE,), receive_remove, withdraws=True),
)
