"""Decides what a partner's records do here: its own Organization's word alone, each revision once, never under a wider label."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import LABELS
from fedcollab.access.viewer import partner
from fedcollab.actors.models import ORGANIZATION
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import receipts
from fedcollab.federation.registry import Handler, Verified
from fedcollab.files import service as files
from fedcollab.files import wire

from . import activities, sending, service, shelves
from . import found as index
from .activities import ResourceData, VersionData
from .models import WITHDRAWN, CountryNote, Resource, Translation, Version

MOST = 50_000  # records of one organisation
COLUMNS: tuple[Any, ...] = (Resource.id, Resource.organisation_id, Resource.label, Resource.state, Resource.revision, Resource.deleted_at)


def receive(session: Session, node: Node, received: Verified) -> None:
    """A partner's record, made or changed. One that is not newer than what stands here has no effect."""
    found = activities.parse(received.object, _publisher(received), node.now())
    policy.check_leaves(found.label)
    row = _known(session, received, found.uri)
    if row is not None and found.revision <= row.revision:
        return
    if row is None or row.deleted_at is not None:
        _check_room(session, received.actor.id)
    before = _withdrawn(session, row)
    resource_id = _store(session, node, received, found, row)
    narrowed = row is not None and policy.is_wider(row.label, found.label)
    if "Update" in ap.types(received.activity) and (narrowed or _withdrawn(session, row, resource_id) - before):
        receipts.answer(session, node, received.activity, to=received.actor.id, order_key=found.uri)
    audit.record(session, node.now(), partner(received.actor.id), "resource.receive", resource_id)


def _publisher(received: Verified) -> str:
    """The organisation that speaks, by its id. Raises Refused for anybody else."""
    if received.actor.kind != ORGANIZATION or received.actor.id != received.actor.organisation_id:
        raise Refused(reason="organisations publish records, people don't")
    return received.actor.uri


def _known(session: Session, received: Verified, uri: str) -> Any:
    row = session.execute(sa.select(*COLUMNS).where(Resource.uri == uri)).one_or_none()
    if row is not None and row.organisation_id != received.actor.id:
        raise Refused(reason="somebody else's record")
    return row


def _check_room(session: Session, organisation_id: str) -> None:
    kept = sa.select(Resource.id).where(Resource.organisation_id == organisation_id).order_by(Resource.posted_at, Resource.id)
    if session.execute(kept.offset(MOST - 1).limit(1)).first() is not None:
        raise Refused(reason=f"more than {MOST} records of one organisation")


def _withdrawn(session: Session, row: Any, resource_id: str = "") -> set[int]:
    """Which versions of a record are withdrawn; with 0 for the record itself."""
    there = resource_id or (row.id if row is not None else "")
    listed = sa.select(Version.number).where(Version.resource_id == there, Version.state == WITHDRAWN)
    whole = sa.select(Resource.id).where(Resource.id == there, Resource.state == WITHDRAWN, Resource.deleted_at.is_(None))
    return set(session.scalars(listed)) | ({0} if session.execute(whole).first() else set())


def _store(session: Session, node: Node, received: Verified, found: ResourceData, row: Any) -> str:
    """The record as it is now, under the narrower of two labels. Answers its row id."""
    me, audience_id = received.actor.id, shelves.of(session, node, received.actor.id)
    label = found.label if row is None or row.deleted_at is not None else policy.narrowest(found.label, row.label)
    number = found.versions[-1].number if found.versions else 0
    state: dict[str, Any] = dict(
        state=found.state, reason=found.reason, number=number, revision=found.revision, changed_at=found.changed_at
    )
    state |= dict(discussion=found.discussion, uses=[asdict(one) for one in found.uses] or None)
    values = dict(**sending.values_of(found.record, found.html), **state, label=label, audience_id=audience_id, deleted_at=None)
    if row is None:
        resource_id = new_id(node.now())
        fixed = dict(id=resource_id, uri=found.uri, author_id=me, organisation_id=me, posted_at=found.posted_at)
        session.execute(sa.insert(Resource).values(**fixed, **values))
    else:
        resource_id = str(row.id)
        session.execute(sa.update(Resource).where(Resource.id == resource_id).values(**values))
        if label != row.label:
            wider = sa.and_(CountryNote.resource_id == resource_id, CountryNote.label.in_(LABELS[: LABELS.index(label)]))
            session.execute(sa.update(CountryNote).where(wider).values(label=label))
    _versions(session, node, me, found, resource_id)
    _translations(session, resource_id, found.translations)
    index.put(session, resource_id)
    return resource_id


def _versions(session: Session, node: Node, organisation_id: str, found: ResourceData, resource_id: str) -> None:
    """All versions as the record lists them now; files that it does not name any more are let go."""
    mine = Version.resource_id == resource_id
    before = {one for one in session.scalars(sa.select(Version.file_id).where(mine)) if one}
    session.execute(sa.delete(Version).where(mine))
    rows = [_version(session, node, organisation_id, found.uri, one) | {"resource_id": resource_id} for one in found.versions]
    if rows:
        session.execute(sa.insert(Version), rows)
    files.let_go(session, node, before - {row["file_id"] for row in rows})


def _version(session: Session, node: Node, organisation_id: str, uri: str, one: VersionData) -> dict[str, Any]:
    said = wire.parse({"id": uri, "attachment": one.file}) if one.file else ()
    file_id = files.learn(session, node, organisation_id, said[0]) if said else None
    more = dict(number=one.number, note=one.note, link=one.link, state=one.state, reason=one.reason)
    return more | dict(file_id=file_id, published_at=one.published_at)


def _translations(session: Session, resource_id: str, uris: tuple[str, ...]) -> None:
    session.execute(sa.delete(Translation).where(Translation.resource_id == resource_id))
    if uris:
        session.execute(sa.insert(Translation), [dict(resource_id=resource_id, uri=uri) for uri in uris])


def receive_delete(session: Session, node: Node, received: Verified) -> None:
    """A partner takes its record away; that it is not here is told as well, where it never was here."""
    activities.check_origin(received.object, _publisher(received))
    uri, revision = ap.ident(received.object), activities.revision_of(received.object)
    row = _known(session, received, uri)
    if row is not None and revision <= row.revision and row.deleted_at is None:
        return
    if row is not None and row.deleted_at is None:
        service.bury(session, node, row.id, revision=revision)
        audit.record(session, node.now(), partner(received.actor.id), "resource.receive_delete", row.id)
    receipts.answer(session, node, received.activity, to=received.actor.id, order_key=uri)


def receive_accept(session: Session, node: Node, received: Verified) -> None:
    """An organisation confirms what our record asked of it."""
    receipts.confirm(session, node, ap.ident(received.object), _publisher(received))


def receive_follow(session: Session, node: Node, received: Verified) -> None:
    """Who begins to follow us is sent the catalogue, where our library is open to it."""
    organisation_id = received.actor.organisation_id
    if ap.ident(received.activity.get("object")) == node.actor_uri and organisation_id in shelves.followers(session, node):
        shelves.begin_catalogue(session, node, organisation_id)


HANDLERS = (
    Handler("Follow", (), receive_follow),
    Handler("Create", (ap.RESOURCE,), receive),
    Handler("Update", (ap.RESOURCE,), receive),
    Handler("Delete", (ap.RESOURCE,), receive_delete, withdraws=True),
    Handler("Accept", ("Delete", "Update"), receive_accept),
)
