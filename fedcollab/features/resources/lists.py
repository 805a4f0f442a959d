"""Decides how members keep reading lists in their organisation's name, of any resources that they see; they stay on this node."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import GREEN, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused
from fedcollab.base.once import row_id
from fedcollab.base.session import Session

from . import reading, service, shelves
from .checking import Wrong
from .models import Collection, CollectionItem
from .record import TITLE

SUMMARY, MOST, LISTS = 2000, 500, 500  # characters; resources of one list; lists


class ListRow(NamedTuple):
    """A reading list among others."""

    id: str
    title: str
    summary: str
    label: str
    posted_at: int


@dataclass(frozen=True)
class ListData:
    """A reading list with those of its resources that the viewer sees; `may_change` says whether the viewer's organisation keeps it."""

    row: Any
    items: list[reading.Listed]
    reach: reading.Reach
    may_change: bool


def listed(session: Session, viewer: Viewer) -> list[ListRow]:
    """The reading lists that a viewer sees, newest first."""
    columns: list[Any] = [getattr(Collection, name) for name in ListRow._fields]
    query = sa.select(*columns).where(policy.visible(Collection, viewer)).order_by(Collection.posted_at.desc(), Collection.id.desc())
    found = (ListRow(*row) for row in session.execute(query.limit(LISTS)))
    return [row._replace(label=said_of(row.label)) for row in found]


def shown(session: Session, viewer: Viewer, list_id: str) -> ListData:
    """One list. Raises NotFound, whether it does not exist or is not for this viewer."""
    row = _row(session, viewer, list_id)
    ids = sa.select(CollectionItem.resource_id).where(CollectionItem.collection_id == list_id).order_by(CollectionItem.place)
    items = reading.some(session, viewer, list(session.scalars(ids)))
    own = viewer.signed_in and row.organisation_id == viewer.organisation_id
    if said_of(row.label) == STRICT:
        return ListData(row, items, reading.Reach(STRICT, actors.count_people(session)), own)
    return ListData(row, items, reading.reach(session, viewer, row.audience_id, row.label), own)


def said_of(label: str) -> str:
    """The label that a list's page shows: one that was made for partners, before lists stayed on their node, reaches our people alone."""
    return STRICT if label == GREEN else label


def _row(session: Session, viewer: Viewer, list_id: str) -> Any:
    there = sa.and_(Collection.id == list_id, policy.visible(Collection, viewer))
    row = session.execute(sa.select(*Collection.__table__.columns).where(there)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def add(
    session: Session, node: Node, viewer: Viewer, *, title: str, summary: str, label: str, once: str = "", resource_id: str = ""
) -> str:
    """A new list, with a resource in it where one is named; answers its row id.

    Raises Forbidden, NotFound, Refused (Wrong names the field), StorageFull."""
    if not viewer.signed_in:
        raise Forbidden(N_("Only members keep reading lists."))
    name = markup.plain(title, TITLE)
    if not name:
        raise Wrong("title", N_("Give the list a title."))
    if session.scalar(sa.select(Collection.id).where(Collection.id == once, Collection.added_by_id == viewer.person_id)):
        return once
    if (session.scalar(sa.select(sa.func.count()).select_from(Collection)) or 0) >= LISTS:
        raise Refused(N_("There are as many reading lists as fit. Change or delete one that is there."))
    node.room.need()
    list_id, me = row_id(session, Collection, once, node.now()), viewer.organisation_id
    shared = dict(audience_id=shelves.ours(session, node, label), label=label, author_id=me, organisation_id=me, posted_at=node.now())
    words = dict(title=name, summary=markup.plain(summary, SUMMARY), added_by_id=viewer.person_id)
    uri = node.settings.uri(f"/library/lists/{list_id}")
    session.execute(sa.insert(Collection).values(id=list_id, uri=uri, **shared, **words))
    audit.record(session, node.now(), viewer, "list.add", list_id)
    if resource_id:
        put(session, node, viewer, list_id, resource_id)
    return list_id


def _own(session: Session, viewer: Viewer, list_id: str) -> Any:
    row = _row(session, viewer, list_id)
    if not viewer.signed_in or row.organisation_id != viewer.organisation_id:
        raise NotFound()
    return row


def put(session: Session, node: Node, viewer: Viewer, list_id: str, resource_id: str) -> None:
    """Puts a resource that the viewer sees at a list's end; one that is there stays. Raises NotFound, Refused."""
    _own(session, viewer, list_id)
    reading.resource(session, viewer, resource_id)
    mine = CollectionItem.collection_id == list_id
    kept, last = session.execute(sa.select(sa.func.count(), sa.func.max(CollectionItem.place)).where(mine)).one()
    if session.execute(sa.select(CollectionItem.place).where(mine, CollectionItem.resource_id == resource_id)).first() is not None:
        return
    if kept >= MOST:
        raise Refused(N_("A reading list holds at most 500 resources."))
    session.execute(sa.insert(CollectionItem).values(collection_id=list_id, resource_id=resource_id, place=(last or 0) + 1))
    audit.record(session, node.now(), viewer, "list.change", list_id)


def take(session: Session, node: Node, viewer: Viewer, list_id: str, resource_id: str) -> None:
    """Takes a resource out of a list. Raises NotFound."""
    _own(session, viewer, list_id)
    one = sa.and_(CollectionItem.collection_id == list_id, CollectionItem.resource_id == resource_id)
    session.execute(sa.delete(CollectionItem).where(one))
    audit.record(session, node.now(), viewer, "list.change", list_id)


def delete(session: Session, node: Node, viewer: Viewer, list_id: str) -> None:
    """Takes a list away: whoever made it, or a moderator. What stood in it stays. Raises NotFound, Forbidden."""
    row = _own(session, viewer, list_id)
    if not service.may_take_away(viewer, row.added_by_id):
        raise Forbidden(N_("Only whoever made this list, or a moderator, can delete it."))
    session.execute(sa.delete(CollectionItem).where(CollectionItem.collection_id == list_id))
    session.execute(sa.delete(Collection).where(Collection.id == list_id))
    audit.record(session, node.now(), viewer, "list.delete", list_id)
