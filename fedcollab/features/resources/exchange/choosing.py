"""Decides which records go out for a filter of the library, one record, or a reading list: only what the viewer sees, no story, and nothing
that was withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa
from multidict import MultiMapping

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.resources import found, lists, sending
from fedcollab.features.resources.models import CURRENT, Resource
from fedcollab.features.resources.record import Record
from fedcollab.search.finding import Asked, find
from fedcollab.search.query import LONGEST

from .rows import STORY

FILTERS = ("type", "topic", "country", "language", "year", "organisation")
VALUES, CODE, PART = 20, 64, 200  # values of a filter; characters of one; records that are read at once
LAST = 1 << 62


class Item(NamedTuple):
    """A record on its way out. `name` is that of the organisation that publishes it, `abstract` its summary's beginning as plain text."""

    id: str
    uri: str
    label: str
    state: str
    reason: str
    posted_at: int
    changed_at: int
    abstract: str
    name: str
    record: Record


COLUMNS = [name for name in Item._fields if name not in ("name", "record")]


@dataclass(frozen=True)
class Choice:
    """What is asked for: a question and filters as the library's page has them, or one record, or one reading list."""

    q: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resource_id: str = ""
    list_id: str = ""

    @property
    def narrowed(self) -> bool:
        return bool(self.q or any(self.chosen.values()))

    @property
    def query(self) -> str:
        """The same as the query of an address, in one order whatever the order was."""
        return urlencode(
            [("q", self.q)] * bool(self.q) + [(name, value) for name in FILTERS for value in sorted(self.chosen.get(name, ()))]
        )


def choice(query: MultiMapping[str]) -> Choice:
    """From the query of an address; what can be no value of a filter is left out."""
    chosen = {name: tuple(filter(_may_be, dict.fromkeys(query.getall(name, []))))[:VALUES] for name in FILTERS}
    return Choice(query.get("q", "").strip()[:LONGEST], chosen, query.get("id", "")[:CODE], query.get("list", "")[:CODE])


def _may_be(value: str) -> bool:
    return 0 < len(value) <= CODE and value.isascii() and value.replace("-", "").isalnum()


def part(session: Session, viewer: Viewer, asked: Choice, after: str) -> tuple[list[Item], str]:
    """The next records, newest first but in a list's own order, and where to go on after them; empty when that were all. Raises NotFound
    for a record or list that is not there, or not for this viewer."""
    if asked.resource_id:
        items = _some(session, viewer, [asked.resource_id])
        if not items:
            raise NotFound()
        return items, ""
    if asked.list_id:
        return _some(session, viewer, [one.id for one in lists.shown(session, viewer, asked.list_id).items]), ""
    if asked.narrowed:
        return _found(session, viewer, asked, after)
    at, _, last = after.partition("-")
    key = {"at": int(at) if at.isdigit() else LAST, "last": last}
    items = _items(prepared(session, _newest(), policy.asked_by(viewer) | key).all())
    return items, f"{items[-1].posted_at}-{items[-1].id}" if len(items) == PART else ""


def _found(session: Session, viewer: Viewer, asked: Choice, after: str) -> tuple[list[Item], str]:
    of = {name: asked.chosen.get(name, ()) for name in FILTERS}
    years = tuple(int(year) for year in of["year"] if year.isdigit() and len(year) == 4)
    filters = dict(
        topics=of["topic"], countries=of["country"], languages=of["language"], organisations=of["organisation"], types=of["type"]
    )
    hits = find(session, viewer, Asked(asked.q, kinds=(found.KIND,), years=years, before=after, **filters), PART)
    return _some(session, viewer, [hit.subject_id for hit in hits.rows]), hits.next


def _some(session: Session, viewer: Viewer, ids: list[str]) -> list[Item]:
    rows = prepared(session, _named(), policy.asked_by(viewer) | {"ids": ids}).all() if ids else []
    items = {item.id: item for item in _items(rows)}
    return [items[one] for one in ids if one in items]


def _items(rows: Any) -> list[Item]:
    return [Item._make([*(getattr(row, name) for name in COLUMNS), row.name, sending.record_of(row)]) for row in rows]


def rows() -> sa.Select[Any]:
    """The rows that items are made of, whoever may see them."""
    columns: list[Any] = [getattr(Resource, name) for name in dict.fromkeys([*COLUMNS, *sending.FIELDS])]
    return sa.select(*columns, Actor.name).join(Actor, Actor.id == Resource.organisation_id)


def _visible() -> sa.Select[Any]:
    there = sa.and_(Resource.deleted_at.is_(None), Resource.state == CURRENT, Resource.kind != STORY)
    return rows().where(policy.visible(Resource), there)


@cache
def _named() -> sa.Select[Any]:
    return _visible().where(Resource.id.in_(sa.bindparam("ids", expanding=True)))


@cache
def _newest() -> sa.Select[Any]:
    before = sa.tuple_(Resource.posted_at, Resource.id) < sa.tuple_(sa.bindparam("at"), sa.bindparam("last"))
    return _visible().where(before).order_by(Resource.posted_at.desc(), Resource.id.desc()).limit(PART)


items_of = _items
