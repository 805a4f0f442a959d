"""Decides what a newcomer is sent of our library: all of it, oldest first, a part a minute, from where it was left."""

from collections.abc import Sequence

import sqlalchemy as sa

from fedcollab.access.models import GREEN, STRICT
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.federation import outbox
from fedcollab.federation.models import WAITING, Activity, Delivery, Partner, is_open

from . import notes_out, sending, shelves
from .models import Catalogue, CountryNote, Resource

PART, PARTS = 50, 4  # records a unit, which holds the writer for some 60 ms; units a minute
BACKLOG = 1000  # deliveries that wait for somebody: then nothing is added


def send_catalogue(session: Session, node: Node) -> None:
    """Chore: the next part, for the newcomers that wait longest and take what they are sent."""
    unfinished = sa.select(Catalogue.organisation_id, Catalogue.after).where(Catalogue.done_at.is_(None)).order_by(Catalogue.begun_at)
    rows = session.execute(unfinished).all()
    inside, left = set(shelves.followers(session, node)) if rows else set(), PART
    for organisation_id, after in rows:
        if left and organisation_id in inside and not _is_full(session, organisation_id):
            left -= _part(session, node, organisation_id, after, left)


def _is_full(session: Session, organisation_id: str) -> bool:
    mine = sa.select(Delivery.seq).join(Partner, Partner.id == Delivery.partner_id).where(Partner.organisation_id == organisation_id)
    return session.execute(mine.where(is_open(Delivery, WAITING)).offset(BACKLOG).limit(1)).first() is not None


def _part(session: Session, node: Node, organisation_id: str, after: str, most: int) -> int:
    """Answers how many records it was."""
    me, library = actors.own(session, node).id, shelves.ours(session, node, GREEN)
    ours = sa.and_(Resource.organisation_id == me, Resource.audience_id == library, Resource.deleted_at.is_(None), Resource.id > after)
    ids = session.scalars(sa.select(Resource.id).where(ours).order_by(Resource.id).limit(most)).all()
    for resource_id in ids:
        sending.send_to(session, node, resource_id, organisation_id)
    _notes(session, node, organisation_id, me, ids)
    where = dict(after=ids[-1] if ids else after, done_at=node.now() if len(ids) < most else None)
    session.execute(sa.update(Catalogue).where(Catalogue.organisation_id == organisation_id).values(**where))
    return len(ids)


def _notes(session: Session, node: Node, organisation_id: str, me: str, resource_ids: Sequence[str]) -> None:
    """What organisations have said of these records: we as it stands, others as it was said, with their proof, and passed on."""
    there = sa.and_(CountryNote.resource_id.in_(resource_ids), CountryNote.deleted_at.is_(None), CountryNote.removed.is_(None))
    there = sa.and_(there, CountryNote.label != STRICT)
    ours = sa.select(CountryNote.id).where(there, CountryNote.organisation_id == me).order_by(CountryNote.posted_at)
    for note_id in session.scalars(ours).all():
        notes_out.send_to(session, node, note_id, organisation_id)
    about = sa.select(CountryNote.uri).where(there, CountryNote.organisation_id != me)
    kept = sa.select(Activity.id, Activity.order_key).where(Activity.object_uri.in_(about), Activity.actor_id == me, Activity.body != "")
    rows = session.execute(kept.order_by(Activity.created_at, Activity.id)).all()
    outbox.publish_again(session, organisation_id, [(row.id, row.order_key) for row in rows])
