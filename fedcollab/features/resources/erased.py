"""Decides what of the library does not come back with an older backup: what was deleted or withdrawn after it is so again."""

import json

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.access import policy
from fedcollab.access.models import STRICT
from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import NotFound, Refused

from . import notes, service
from .models import WITHDRAWN, CountryNote, LabelChange, Resource, Version


def taken_since(session: Session, since: int) -> list[str]:
    """The records and notes that were deleted since, by their uris; and what was withdrawn or narrowed since, as JSON."""
    gone: list[str] = []
    for model in (Resource, CountryNote):
        gone += session.scalars(sa.select(model.uri).where(model.deleted_at >= since).order_by(model.deleted_at))
    lately = sa.and_(Resource.changed_at >= since, Resource.deleted_at.is_(None))
    query = sa.select(Resource.uri, Resource.reason, Resource.revision, Resource.label, Resource.state)
    changed = sa.exists().where(LabelChange.resource_id == Resource.id, LabelChange.at >= since)
    noted = sa.or_(Resource.state == WITHDRAWN, Resource.label == STRICT, changed)
    rows = session.execute(query.where(lately, noted).order_by(Resource.changed_at)).all()
    return gone + [json.dumps(dict(row._mapping), separators=(",", ":")) for row in rows]


def take_again(session: Session, node: Node, name: str) -> None:
    """Takes away, withdraws or narrows what has come back. Raises NotFound where it is not here, Refused where it is so already."""
    said = json.loads(name) if name.startswith("{") else {"uri": name}
    uri = said["uri"]
    note = sa.and_(CountryNote.uri == uri, CountryNote.deleted_at.is_(None))
    if note_id := session.scalar(sa.select(CountryNote.id).where(note)):
        notes.bury(session, node, note_id)
        return
    there = sa.select(Resource.id, Resource.state, Resource.number, Resource.revision, Resource.label)
    row = session.execute(there.where(Resource.uri == uri, Resource.deleted_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound()
    if "state" not in said:
        service.bury(session, node, row.id, revision=service.next_revision(node, row.revision))
        return
    if said["state"] == row.state and not policy.is_wider(row.label, said["label"]):
        raise Refused()
    label, revision = said["label"], max(row.revision, int(said["revision"]))
    service.again(session, node, row.id, state=said["state"], reason=said["reason"], label=label, revision=revision)
    if said["state"] == WITHDRAWN:
        newest = sa.and_(Version.resource_id == row.id, Version.number == row.number)
        session.execute(sa.update(Version).where(newest).values(state=WITHDRAWN, reason=said["reason"]))


ERASURES = Part("resources", taken_since, take_again)
