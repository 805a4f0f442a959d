"""Decides what harvesters of other catalogues see of ours: the public records of this organisation, what became of those that were public,
in the order of their changes. No story, nothing of partners, nothing that was never public."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access.models import CLEAR
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.resources.models import LabelChange, Resource
from fedcollab.features.resources.stories.models import Story

from . import choosing
from .choosing import Item
from .rows import STORY

PAGE = 100
TOPIC, KIND = "topic", "kind"


class Header(NamedTuple):
    """A record as a list names it: `stamp` is when it changed last, `gone` that it is public no more, or was deleted."""

    stamp: int
    id: str
    uri: str
    kind: str
    topics: tuple[str, ...]
    gone: bool


class Wanted(NamedTuple):
    """Which ones: stamped from then until before then, of a set (its name and code), after a place in their order."""

    since: int
    until: int
    name: str = ""
    code: str = ""
    at: int = -1
    last: str = ""


def headers(session: Session, node: Node, wanted: Wanted) -> list[Header]:
    """The next of them, and one more where there are more."""
    values = dict(me=actors.own(session, node).id, since=wanted.since, until=wanted.until, at=wanted.at, last=wanted.last)
    code = {"code": wanted.code if wanted.name == KIND else f'%"{wanted.code}"%'} if wanted.name else {}
    found = [*prepared(session, _public(wanted.name), values | code)]
    if not wanted.name:  # what is gone is in no set any more
        found += prepared(session, _narrowed(), values)
    made = [
        Header(row.stamp, row.id, row.uri, "" if row.gone else row.kind, () if row.gone else tuple(row.topics), bool(row.gone))
        for row in found
    ]
    return sorted(made)[: PAGE + 1]


@cache
def _public(name: str) -> sa.Select[Any]:
    """The public ones and, where no set is asked for, those that were public when they were deleted."""
    told = sa.exists().where(Story.resource_id == Resource.id)
    there = [Resource.organisation_id == sa.bindparam("me"), Resource.label == CLEAR, Resource.kind != STORY, ~told]
    if name:
        there.append(Resource.deleted_at.is_(None))
        column = Resource.kind if name == KIND else sa.cast(Resource.topics, sa.Text)
        there.append(column.like(sa.bindparam("code")) if name == TOPIC else column == sa.bindparam("code"))
    return _page(Resource.changed_at, Resource.deleted_at.is_not(None), *there)


@cache
def _narrowed() -> sa.Select[Any]:
    """Those that are for partners or for us by now: stamped with the end of their being public, and by no later change."""
    ended = (
        sa.select(sa.func.max(LabelChange.at)).where(LabelChange.resource_id == Resource.id, LabelChange.before == CLEAR).scalar_subquery()
    )
    was = sa.select(LabelChange.resource_id).where(LabelChange.before == CLEAR)
    mine = [Resource.organisation_id == sa.bindparam("me"), Resource.label != CLEAR, Resource.deleted_at.is_(None)]
    return _page(ended, sa.true(), *mine, Resource.kind != STORY, Resource.id.in_(was))


def _page(stamp: Any, gone: Any, *there: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns: list[Any] = [stamp.label("stamp"), Resource.id, Resource.uri, Resource.kind, Resource.topics, gone.label("gone")]
    within = [stamp >= sa.bindparam("since"), stamp < sa.bindparam("until")]
    after = sa.or_(stamp > sa.bindparam("at"), sa.and_(stamp == sa.bindparam("at"), Resource.id > sa.bindparam("last")))
    return sa.select(*columns).where(*there, *within, after).order_by(stamp, Resource.id).limit(PAGE + 1)


def items(session: Session, headers: list[Header]) -> dict[str, Item]:
    """What is to be said of those that are public, by their ids."""
    ids = [header.id for header in headers if not header.gone]
    rows = prepared(session, _rows(), {"ids": ids}).all() if ids else []
    return {item.id: item for item in choosing.items_of(rows)}


@cache
def _rows() -> sa.Select[Any]:
    return choosing.rows().where(
        Resource.id.in_(sa.bindparam("ids", expanding=True)), Resource.label == CLEAR, Resource.deleted_at.is_(None)
    )


def one(session: Session, node: Node, uri: str) -> Header | None:
    """One record by its address; None for what never was public, or is not ours."""
    there = sa.select(Resource.id, Resource.changed_at).where(Resource.uri == uri)
    row = session.execute(there).one_or_none()
    if row is None:
        return None
    values = dict(me=actors.own(session, node).id, since=0, until=choosing.LAST, at=-1, last="", id=row.id)
    for query in (_public(""), _narrowed()):
        found = session.execute(query.where(Resource.id == row.id), values).first()
        if found is not None:
            gone = bool(found.gone)
            return Header(found.stamp, found.id, found.uri, "" if gone else found.kind, () if gone else tuple(found.topics), gone)
    return None


def earliest(session: Session, node: Node) -> int:
    """The time before which no record that is shown has changed; of what is not shown nothing is said."""
    found = headers(session, node, Wanted(0, choosing.LAST))
    return found[0].stamp if found else node.now()
