"""Decides what members say of using a resource in a country, in their organisation's name: to its publisher, who passes it on."""

from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.called import countries
from fedcollab.base.errors import Conflict, Forbidden, N_, NotFound, Refused
from fedcollab.base.once import row_id
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, partners

from . import notes_out, service, shelves
from .activities import REASON
from .checking import Wrong
from .models import CountryNote, Resource
from .note_wire import LONGEST

OF_ONE, OF_ALL = 20, 500  # notes on one resource, of one organisation and together


def add(
    session: Session, node: Node, viewer: Viewer, resource_id: str, *, country: str, text: str, language: str = "", once: str = ""
) -> str:
    """Says something of a resource that the viewer sees; a form sent twice says it once. Answers the note's row id.

    Raises NotFound, Forbidden, Refused (Wrong names the field), StorageFull."""
    resource = _seen(session, viewer, resource_id)
    if not viewer.signed_in:
        raise Forbidden(N_("Only members can add a note."))
    html = _checked(country, text)
    if session.execute(sa.select(CountryNote.id).where(CountryNote.id == once, CountryNote.added_by_id == viewer.person_id)).first():
        return once
    _check_open(session, resource, viewer.organisation_id)
    check_room(session, resource_id, viewer.organisation_id)
    node.room.need()
    now, me = node.now(), viewer.organisation_id
    note_id = row_id(session, CountryNote, once, now)
    row = dict(id=note_id, uri=node.settings.uri(f"/library/notes/{note_id}"), resource_id=resource_id, country=country, language=language)
    shared = dict(audience_id=resource.audience_id, label=resource.label, author_id=me, organisation_id=me, posted_at=now)
    written = dict(source=text.strip(), html=html, added_by_id=viewer.person_id)
    confirmed = now if resource.organisation_id == me else None
    session.execute(sa.insert(CountryNote).values(**row, **shared, **written, confirmed_at=confirmed))
    notes_out.send(session, node, "Create", note_id)
    audit.record(session, now, viewer, "note.add", note_id)
    return note_id


def _seen(session: Session, viewer: Viewer, resource_id: str) -> Any:
    columns = (Resource.id, Resource.organisation_id, Resource.audience_id, Resource.label)
    there = sa.and_(Resource.id == resource_id, Resource.deleted_at.is_(None), policy.visible(Resource, viewer))
    row = session.execute(sa.select(*columns).where(there)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _checked(country: str, text: str) -> str:
    if country not in countries():
        raise Wrong("country", N_("Write one country by its name or as a code of two letters, such as KH."))
    if not text.strip():
        raise Wrong("text", N_("The note is empty. Write something first."))
    if len(text) > LONGEST:
        raise Wrong("text", N_("The note is too long: at most 4,000 characters fit."))
    return markup.render(text)


def _check_open(session: Session, resource: Any, me: str) -> None:
    """Raises Refused where the publisher can't be told."""
    if resource.organisation_id != me:
        host = actors.by_id(session, resource.organisation_id).host
        if not partners.talks_with(session, host, shelves.FEATURE):
            raise Refused(N_("The organisation that published this takes part in our library no more, so nothing can be sent to it."))


def check_room(session: Session, resource_id: str, organisation_id: str) -> None:
    """Raises Refused where nobody, or not this organisation, may say anything more of a resource."""
    mine = sa.func.count().filter(CountryNote.organisation_id == organisation_id)
    kept = sa.select(sa.func.count(), mine).where(CountryNote.resource_id == resource_id, CountryNote.deleted_at.is_(None))
    of_all, of_one = session.execute(kept).one()
    if of_all >= OF_ALL or of_one >= OF_ONE:
        raise Refused(N_("There are as many notes on this resource as fit. Change one that is there."))


def edit(session: Session, node: Node, viewer: Viewer, note_id: str, *, country: str, text: str) -> str:
    """Changes a note of our organisation. Answers the resource's row id. Raises NotFound, Forbidden, Conflict, Refused, StorageFull."""
    row = own(session, viewer, note_id)
    if row.removed is not None:
        raise Conflict(N_("The moderators of its publisher have taken this note away, so it can't be changed. You can delete it."))
    html = _checked(country, text)
    node.room.need()
    at = max(node.now(), (row.edited_at or 0) + 1000)
    changed = dict(country=country, source=text.strip(), html=html, edited_at=at)
    session.execute(sa.update(CountryNote).where(CountryNote.id == note_id).values(**changed))
    notes_out.send(session, node, "Update", note_id)
    audit.record(session, node.now(), viewer, "note.edit", note_id)
    return str(row.resource_id)


def delete(session: Session, node: Node, viewer: Viewer, note_id: str) -> str:
    """Takes a note of our organisation away, here and wherever its resource is. Answers the resource's row id."""
    row = own(session, viewer, note_id)
    bury(session, node, note_id)
    notes_out.send(session, node, "Delete", note_id)
    audit.record(session, node.now(), viewer, "note.delete", note_id)
    return str(row.resource_id)


def bury(session: Session, node: Node, note_id: str) -> None:
    """Empties a note, and the activities that carried it."""
    buried = sa.update(CountryNote).where(CountryNote.id == note_id).values(source="", html="", deleted_at=node.now())
    outbox.forget(session, node, session.execute(buried.returning(CountryNote.uri)).scalar_one())


def own(session: Session, viewer: Viewer, note_id: str) -> Any:
    """The row of a note of the viewer's organisation that they may change. Raises NotFound, Forbidden."""
    there = sa.and_(CountryNote.id == note_id, CountryNote.deleted_at.is_(None), policy.visible(CountryNote, viewer))
    row = session.execute(sa.select(*CountryNote.__table__.columns).where(there)).one_or_none()
    if row is None:
        raise NotFound()
    if not service.may_take_away(viewer, row.added_by_id) or row.organisation_id != viewer.organisation_id:
        raise Forbidden(N_("Only whoever wrote this note, or a moderator of their organisation, can change it."))
    return row


def remove(session: Session, node: Node, viewer: Viewer, note_id: str, *, reason: str) -> str:
    """A moderator of the resource's publisher takes a partner's note away for everybody, with a reason. Answers the resource's row id.

    Raises NotFound, Forbidden, Refused."""
    row, why = notes_out.row_of(session, note_id), markup.plain(reason, REASON)
    if row is None or row.removed is not None or not viewer.moderates or row.publisher_id != viewer.organisation_id:
        raise NotFound()
    if not why:
        raise Wrong("reason", N_("Say why: the reason stands where the note was."))
    session.execute(sa.update(CountryNote).where(CountryNote.id == note_id).values(removed=why))
    outbox.forget(session, node, row.uri)
    if row.label != STRICT:
        me = actors.own(session, node)
        gone = {"id": row.uri, "type": ap.COUNTRY_NOTE}
        made = ap.activity("Remove", outbox.new_uri(node), me.uri, gone, target=row.about, summary=why)
        to = {*shelves.followers(session, node), row.organisation_id} - {me.id}
        outbox.publish(session, node, me.id, made, to=to, order_key=row.about)
    audit.record(session, node.now(), viewer, "note.remove", note_id)
    return str(row.resource_id)
