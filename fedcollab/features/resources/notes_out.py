"""Decides who is told of a note on a resource: those that follow our library, where the resource is ours, else its publisher alone."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import STRICT
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, outbox

from . import note_wire, shelves
from .models import CountryNote, Resource
from .note_wire import NoteData

ACTOR: Any = Actor.__table__
AUTHOR, PUBLISHER = ACTOR.alias("author"), ACTOR.alias("publisher")  # of the table: one of the class copies its every property


def row_of(session: Session, note_id: str) -> Any:
    """A note's row with the ids of what it is about and of both organisations; None where it is not there."""
    more = (Resource.uri.label("about"), Resource.organisation_id.label("publisher_id"))
    uris = (AUTHOR.c.uri.label("author"), PUBLISHER.c.uri.label("publisher"))
    query = sa.select(*CountryNote.__table__.columns, *more, *uris).join(Resource, Resource.id == CountryNote.resource_id)
    query = query.join(AUTHOR, AUTHOR.c.id == CountryNote.author_id).join(PUBLISHER, PUBLISHER.c.id == Resource.author_id)
    return session.execute(query.where(CountryNote.id == note_id)).one_or_none()


def send(session: Session, node: Node, kind: str, note_id: str) -> None:
    """Our organisation's word: to those that follow our library, where the resource is ours, else to its publisher alone."""
    row = row_of(session, note_id)
    if row.label == STRICT:
        return
    policy.check_leaves(row.label)
    ours = row.publisher_id == row.organisation_id
    _publish(session, node, kind, row, shelves.followers(session, node) if ours else [row.publisher_id])


def send_to(session: Session, node: Node, note_id: str, organisation_id: str) -> None:
    """Sends what we say of a resource of ours to one partner that came later."""
    _publish(session, node, "Create", row_of(session, note_id), [organisation_id])


def send_again(session: Session, node: Node, resource_id: str) -> None:
    """What we have said of a resource of ours goes out with it, where it was for us alone until now: nobody has it, or has it any more."""
    about = sa.and_(CountryNote.resource_id == resource_id, CountryNote.organisation_id == actors.own(session, node).id)
    there = sa.and_(about, CountryNote.deleted_at.is_(None), CountryNote.removed.is_(None))
    for note_id in session.scalars(sa.select(CountryNote.id).where(there).order_by(CountryNote.posted_at, CountryNote.id)).all():
        send(session, node, "Create", note_id)


def _publish(session: Session, node: Node, kind: str, row: Any, to: list[str]) -> None:
    made = ap.activity(kind, outbox.new_uri(node), row.author, document_of(row), to=[row.publisher + "/followers"])
    outbox.publish(session, node, row.organisation_id, made, to=to, order_key=row.about)


def document_of(row: Any) -> dict[str, Any]:
    """A note as its object, or its Tombstone."""
    if row.deleted_at is not None:
        return note_wire.to_tombstone(row.uri, row.author, row.about, row.deleted_at)
    names = set(NoteData.__dataclass_fields__)
    return note_wire.to_object(NoteData(**{name: value for name, value in row._mapping.items() if name in names}), row.publisher)


def document(session: Session, note_id: str) -> dict[str, Any]:
    """A note as partners fetch it. Raises NotFound."""
    row = row_of(session, note_id)
    if row is None:
        raise NotFound()
    taken = note_wire.to_tombstone(row.uri, row.author, row.about, row.posted_at)
    return {"@context": ap.CONTEXT} | (document_of(row) if row.removed is None else taken)


def pass_on(session: Session, node: Node, activity: dict[str, Any], author: actors.ActorData, about: tuple[str, str]) -> None:
    """Tells those that follow our library what an organisation has said of a resource of ours, with its proof: `about` are the note's and
    the resource's ids."""
    me, (note, resource) = actors.own(session, node), about
    more = {"to": [me.uri + "/followers"], ap.INTRODUCES: announce.introductions(session, author)}
    made = ap.activity("Announce", outbox.new_uri(node), me.uri, activity, **more)
    to: Iterable[str] = {*shelves.followers(session, node), author.organisation_id}
    outbox.publish(session, node, me.id, made, to=to, order_key=resource, about=note)
