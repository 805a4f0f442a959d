"""Decides what a viewer reads of the library, each query carrying the viewer's clause; what is not visible is not found."""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, STRICT, Audience, AudienceMember
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import receipts
from fedcollab.federation.models import Partner
from fedcollab.federation.receipts import ReceiptData
from fedcollab.files import service as files
from fedcollab.files.models import File

from . import service, shelves
from .models import CURRENT, CountryNote, LabelChange, Resource, Translation, Version

PAGE = 30


class Listed(NamedTuple):
    """A resource in a list; `pages` are its file's."""

    id: str
    title: str
    abstract: str
    kind: str
    year: int | None
    language: str
    label: str
    state: str
    reason: str
    review_on: str
    posted_at: int
    known: str
    host: str
    pages: int | None


def listed(session: Session, viewer: Viewer, before: tuple[int, str] | None = None) -> list[Listed]:
    """A page of what the viewer sees, newest first, after the key (posted_at, id) of the page before."""
    key = dict(zip(("before_at", "before_id"), before, strict=True)) if before else {}
    return prepared(session, _listed_query(paged=bool(before)), policy.asked_by(viewer) | key).of(Listed)


@cache
def _listed_query(*, paged: bool) -> sa.Select[Any]:
    query = _rows().where(policy.visible(Resource), Resource.deleted_at.is_(None))
    if paged:
        query = query.where(sa.tuple_(Resource.posted_at, Resource.id) < sa.tuple_(sa.bindparam("before_at"), sa.bindparam("before_id")))
    return query.order_by(Resource.posted_at.desc(), Resource.id.desc()).limit(PAGE)


def _rows() -> sa.Select[Any]:
    own = [getattr(Resource, name) for name in Listed._fields if name not in ("known", "host", "pages")]
    columns: list[Any] = [*own, Actor.known, Actor.host, File.pages]
    newest = sa.and_(Version.resource_id == Resource.id, Version.number == Resource.number)
    query = sa.select(*columns).join(Actor, Actor.id == Resource.organisation_id)
    return query.outerjoin(Version, newest).outerjoin(File, File.id == Version.file_id)


def some(session: Session, viewer: Viewer, ids: list[str]) -> list[Listed]:
    """Those of these that the viewer sees, in the order given: what a search or a list names."""
    values = policy.asked_by(viewer) | {"ids": ids}
    found = {row.id: row for row in prepared(session, _some_query(), values).of(Listed)} if ids else {}
    return [found[one] for one in ids if one in found]


@cache
def _some_query() -> sa.Select[Any]:
    return _rows().where(policy.visible(Resource), Resource.deleted_at.is_(None), Resource.id.in_(sa.bindparam("ids", expanding=True)))


def due(session: Session, viewer: Viewer, today: str) -> list[Listed]:
    """Our resources whose day of review has come, the longest due first: all for moderators, for others those that they have added."""
    return prepared(session, _due_rows(all_of_us=viewer.moderates), _due(viewer, today) | policy.asked_by(viewer)).of(Listed)


@cache
def _due_rows(*, all_of_us: bool) -> sa.Select[Any]:
    due = sa.and_(_is_due(all_of_us=all_of_us), policy.visible(Resource))
    return _rows().where(due).order_by(Resource.review_on, Resource.id).limit(200)


def count_due(session: Session, viewer: Viewer, today: str = "") -> int:
    """How many of them there are; without a day, by the database's own calendar."""
    values = _due(viewer, today)
    return int(prepared(session, _due_query(all_of_us=viewer.moderates, dated=bool(today)), values).scalar_one())


@cache
def _due_query(*, all_of_us: bool, dated: bool) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(Resource).where(_is_due(all_of_us=all_of_us, dated=dated))


def _due(viewer: Viewer, today: str) -> dict[str, Any]:
    return {"us": viewer.organisation_id, "me": viewer.person_id, "today": today}


def _is_due(*, all_of_us: bool, dated: bool = True) -> sa.ColumnElement[bool]:
    day: sa.ColumnElement[str] = sa.bindparam("today", type_=sa.String) if dated else sa.cast(sa.func.current_date(), sa.String(10))
    ours = sa.and_(Resource.organisation_id == sa.bindparam("us"), Resource.deleted_at.is_(None), Resource.state == CURRENT)
    mine = [] if all_of_us else [Resource.added_by_id == sa.bindparam("me")]
    return sa.and_(Resource.review_on != sa.literal_column("''"), Resource.review_on <= day, ours, *mine)


class VersionView(NamedTuple):
    """One version as a page shows it."""

    number: int
    note: str
    link: str
    published_at: int
    state: str
    reason: str
    file: files.FileData | None


class NoteView(NamedTuple):
    """A note as a page shows it; `removed` is why the publisher's moderators took it away, `mine` whether the viewer may change it."""

    id: str
    country: str
    html: str
    language: str
    posted_at: int
    edited_at: int | None
    confirmed_at: int | None
    removed: str | None
    name: str
    host: str
    known: str
    mine: bool


@dataclass(frozen=True)
class Reach:
    """Who sees something of ours, in figures; of a partner's library the figures are not known here."""

    label: str
    people: int = 0
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A resource's page: its row, who publishes it, versions newest first, and what stands beside it. `receipts` are what partners said to
    its withdrawal or narrowed label, `withdrawals` to that of one version, `labels` how its label was changed (for our members)."""

    row: Any
    publisher: actors.ActorData
    versions: list[VersionView]
    translations: list[Listed]
    notes: list[NoteView]
    reach: Reach
    ours: bool
    may_take_away: bool
    adder: str
    receipts: list[ReceiptData]
    withdrawals: dict[int, list[ReceiptData]]
    labels: list[Any]

    @property
    def newest(self) -> VersionView | None:
        return self.versions[0] if self.versions else None


def resource(session: Session, viewer: Viewer, resource_id: str) -> Any:
    """A resource's row. Raises NotFound, whether it does not exist, was deleted or is not for this viewer."""
    there = sa.and_(Resource.id == resource_id, Resource.deleted_at.is_(None), policy.visible(Resource, viewer))
    row = session.execute(sa.select(*Resource.__table__.columns).where(there)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def sees(session: Session, viewer: Viewer, uri: str) -> bool:
    """Whether a resource of this address is here and the viewer sees it."""
    there = sa.and_(Resource.uri == uri, Resource.deleted_at.is_(None), policy.visible(Resource, viewer))
    return session.execute(sa.select(Resource.id).where(there)).first() is not None


def shown(session: Session, viewer: Viewer, resource_id: str, now: int) -> Shown:
    """All that stands on a resource's page. Raises NotFound as `resource` does."""
    row = resource(session, viewer, resource_id)
    ours = viewer.signed_in and row.organisation_id == viewer.organisation_id
    versions = _versions(session, resource_id)
    named = {number: service.about_version(row.uri, number) for number in (one.number for one in versions)}
    said = receipts.of(session, now, [row.uri, *named.values()]) if ours else {}
    changes = sa.select(LabelChange.before, LabelChange.after, LabelChange.reason, LabelChange.at, Actor.name)
    changes = changes.join(Actor, Actor.id == LabelChange.by_id).where(LabelChange.resource_id == resource_id)
    return Shown(
        row=row,
        publisher=actors.by_id(session, row.organisation_id),
        versions=versions,
        translations=_translations(session, viewer, row),
        notes=_notes(session, viewer, resource_id),
        reach=reach(session, viewer, row.audience_id, row.label),
        ours=ours,
        may_take_away=ours and service.may_take_away(viewer, row.added_by_id),
        adder=actors.by_id(session, row.added_by_id).name if ours and row.added_by_id else "",
        receipts=said.get(row.uri, []),
        withdrawals={number: said[uri] for number, uri in named.items() if uri in said},
        labels=list(session.execute(changes.order_by(LabelChange.at.desc()).limit(20))) if ours else [],
    )


def _versions(session: Session, resource_id: str) -> list[VersionView]:
    listed = sa.select(*Version.__table__.columns).where(Version.resource_id == resource_id).order_by(Version.number.desc())
    rows = session.execute(listed).all()
    held = files.of(session, [row.file_id for row in rows if row.file_id])
    names = VersionView._fields[:-1]
    return [VersionView._make([*(getattr(row, name) for name in names), held.get(row.file_id)]) for row in rows]


def _translations(session: Session, viewer: Viewer, row: Any) -> list[Listed]:
    """Those that the record names, those that name it, and those that are named beside it."""
    named = sa.select(Translation.uri).where(Translation.resource_id == row.id)
    naming = sa.select(Resource.uri).join(Translation, Translation.resource_id == Resource.id).where(Translation.uri == row.uri)
    others = session.scalars(naming.order_by(Resource.posted_at, Resource.id).limit(100))  # however many: its own names stand all the same
    uris = {*session.scalars(named), *others}
    ids = sa.select(Resource.id).where(Resource.uri.in_(uris)).order_by(Resource.language, Resource.id)
    return some(session, viewer, list(session.scalars(ids))) if uris else []


def _notes(session: Session, viewer: Viewer, resource_id: str) -> list[NoteView]:
    """Oldest first; what the publisher's moderators took away is empty, but for moderators and the organisation that wrote it."""
    own = CountryNote.organisation_id == viewer.organisation_id
    reads_all = sa.or_(CountryNote.removed.is_(None), own, sa.literal(viewer.moderates))
    text = sa.case((reads_all, CountryNote.html), else_="").label("html")
    columns: list[Any] = [text if name == "html" else getattr(CountryNote, name) for name in NoteView._fields[:8]]
    query = sa.select(*columns, Actor.name, Actor.host, Actor.known, CountryNote.organisation_id, CountryNote.added_by_id)
    there = sa.and_(CountryNote.resource_id == resource_id, CountryNote.deleted_at.is_(None), policy.visible(CountryNote, viewer))
    rows = session.execute(query.join(Actor, Actor.id == CountryNote.organisation_id).where(there).order_by(CountryNote.posted_at))
    return [NoteView._make([*row[:11], _is_mine(viewer, row)]) for row in rows]


def _is_mine(viewer: Viewer, row: Any) -> bool:
    ours = viewer.signed_in and row.organisation_id == viewer.organisation_id
    return bool(ours and service.may_take_away(viewer, row.added_by_id))


def reach(session: Session, viewer: Viewer, audience_id: str, label: str) -> Reach:
    """Who sees what is under a label in an audience: of our own in figures."""
    if label == CLEAR or not viewer.signed_in:
        return Reach(label)
    owner = session.scalar(sa.select(Audience.owner_id).where(Audience.id == audience_id))
    if owner != viewer.organisation_id:
        return Reach(label)
    query = sa.select(Actor.name, Actor.known, Partner.people).join(AudienceMember, AudienceMember.organisation_id == Actor.id)
    query = query.outerjoin(Partner, Partner.organisation_id == Actor.id).where(AudienceMember.audience_id == audience_id)
    rows = session.execute(query.order_by(Actor.known != OWN, Actor.name)).all()
    people = sum(row.people or 0 for row in rows if row.known != OWN) + actors.count_people(session)
    return Reach(label, people, tuple(row.name for row in rows))


def own_reach(session: Session, node: Node, label: str) -> Reach:
    """Who would see something of ours under a label, in figures, also before anything was published."""
    inside = [(node.actor_uri, actors.own(session, node).name)] if label == STRICT else shelves.inside(session, node)
    of_partners = sa.select(sa.func.sum(Partner.people)).join(Actor, Actor.id == Partner.organisation_id)
    there = of_partners.where(Actor.uri.in_([uri for uri, _ in inside]))
    people = actors.count_people(session) + int(session.scalar(there) or 0)
    return Reach(label, people, tuple(name for _, name in inside))


def may_ask_about(session: Session, viewer: Viewer, uri: str, words: bool) -> bool:
    """Whether a partner may ask for an activity about a record or a note: a visible one, which was not taken away where it has words."""
    for model, gone in ((Resource, Resource.deleted_at), (CountryNote, CountryNote.removed)):
        there = sa.and_(model.uri == uri, policy.visible(model, viewer), *([gone.is_(None)] if words else []))
        if session.execute(sa.select(model.id).where(there)).first() is not None:
            return True
    return False


def holds(viewer: Viewer | None) -> sa.Select[str]:
    """The files that somebody may read through the library; for None all that it holds."""
    column: sa.ColumnElement[str] = sa.type_coerce(Version.file_id, sa.String(36)).label("file_id")
    query = sa.select(column).join(Resource, Resource.id == Version.resource_id).where(Version.file_id.is_not(None))
    return query if viewer is None else query.where(policy.visible(Resource, viewer))


def uploaded(session: Session, viewer: Viewer, file_id: str) -> files.FileData | None:
    """A file that the viewer has uploaded and may put to something; of others' not even the name is told."""
    mine = sa.select(File.id).where(File.id == file_id, File.by_id == (viewer.person_id or ""))
    return files.of(session, [file_id]).get(file_id) if file_id and session.execute(mine).first() is not None else None


def publishers(session: Session, viewer: Viewer, ids: set[str]) -> dict[str, str]:
    """{row id: name} of the organisations among these whose records the viewer sees."""
    seen = sa.exists().where(Resource.organisation_id == Actor.id, policy.visible(Resource, viewer))
    rows = session.execute(sa.select(Actor.id, Actor.name).where(Actor.id.in_(sorted(ids)), seen)) if ids else ()
    return {row.id: row.name for row in rows}


def is_own(session: Session, node: Node, viewer: Viewer, resource_id: str) -> bool:
    """Whether a record is one of this node that the viewer may fetch; one that was deleted too, for its Tombstone."""
    mine = sa.and_(Resource.id == resource_id, Resource.organisation_id == actors.own(session, node).id, policy.visible(Resource, viewer))
    return session.execute(sa.select(Resource.id).where(mine)).first() is not None


def resource_of_note(session: Session, viewer: Viewer, note_id: str) -> str:
    """The row id of the resource that a visible note is about. Raises NotFound."""
    query = sa.select(CountryNote.resource_id).join(Resource, Resource.id == CountryNote.resource_id)
    there = sa.and_(CountryNote.id == note_id, policy.visible(CountryNote, viewer), policy.visible(Resource, viewer))
    found = session.scalar(query.where(there))
    if found is None:
        raise NotFound()
    return found
