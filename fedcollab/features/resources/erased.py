"""Decides what of the library does not come back with an older backup: what was deleted or withdrawn after it is so again."""

import json
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import STRICT
from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import NotFound, Refused
from fedcollab.base.session import Session

from . import notes, service
from .models import WITHDRAWN, CountryNote, LabelChange, Resource, Version


def taken_since(session: Session, since: int) -> list[str]:
    """The records and notes that were deleted since, by their uris; and what was withdrawn or narrowed since, as JSON."""
    gone: list[str] = []
    for model in (Resource, CountryNote):
        gone += session.scalars(sa.select(model.uri).where(model.deleted_at >= since).order_by(model.deleted_at))
    lately = sa.and_(Resource.changed_at >= since, Resource.deleted_at.is_(None))
    query = sa.select(Resource.id, Resource.uri, Resource.reason, Resource.revision, Resource.label, Resource.state)
    changed = sa.exists().where(LabelChange.resource_id == Resource.id, LabelChange.at >= since)
    withdrawn = sa.exists().where(Version.resource_id == Resource.id, Version.state == WITHDRAWN)
    noted = sa.or_(Resource.state == WITHDRAWN, withdrawn, Resource.label == STRICT, changed)
    return gone + [_noted(session, row) for row in session.execute(query.where(lately, noted).order_by(Resource.changed_at)).all()]


def _noted(session: Session, row: Any) -> str:
    """A record as it is now, with which of its versions are withdrawn and why."""
    said = {name: value for name, value in row._mapping.items() if name != "id"}
    listed = sa.select(Version.number, Version.reason).where(Version.resource_id == row.id, Version.state == WITHDRAWN)
    versions = {str(one.number): one.reason for one in session.execute(listed.order_by(Version.number))}
    return json.dumps(said | ({"versions": versions} if versions else {}), separators=(",", ":"))


def take_again(session: Session, node: Node, name: str) -> None:
    """Takes away, withdraws or narrows what has come back. Raises NotFound where it is not here, Refused where it is so already."""
    said = json.loads(name) if name.startswith("{") else {"uri": name}
    uri = said["uri"]
    note = sa.and_(CountryNote.uri == uri, CountryNote.deleted_at.is_(None))
    if note_id := session.scalar(sa.select(CountryNote.id).where(note)):
        notes.bury(session, node, note_id)
        return
    there = sa.select(Resource.id, Resource.state, Resource.reason, Resource.number, Resource.revision, Resource.label)
    row = session.execute(there.where(Resource.uri == uri, Resource.deleted_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound()
    if "state" not in said:
        service.bury(session, node, row.id, revision=service.next_revision(node, row.revision))
        return
    versions = _current_again(session, row, said)
    if not versions and not policy.is_wider(row.label, said["label"]):
        raise Refused()
    for number, reason in versions.items():
        one = sa.and_(Version.resource_id == row.id, Version.number == number)
        session.execute(sa.update(Version).where(one).values(state=WITHDRAWN, reason=reason))
    whole = dict(state=WITHDRAWN, reason=versions[row.number]) if row.number in versions else dict(state=row.state, reason=row.reason)
    service.again(session, node, row.id, **whole, label=said["label"], revision=max(row.revision, int(said["revision"])))


def _current_again(session: Session, row: Any, said: dict[str, Any]) -> dict[int, str]:
    """Those versions of a record that have come back as they were before they were withdrawn, each with the reason; where the whole record
    is withdrawn, the newest of those that are here, whichever that is."""
    wanted = {int(number): str(reason) for number, reason in said.get("versions", {}).items()}
    if said["state"] == WITHDRAWN:
        wanted[row.number] = said["reason"]
    stand = sa.select(Version.number).where(Version.resource_id == row.id, Version.state != WITHDRAWN)
    return {number: wanted[number] for number in session.scalars(stand.order_by(Version.number)) if number in wanted}


ERASURES = Part("resources", taken_since, take_again)
