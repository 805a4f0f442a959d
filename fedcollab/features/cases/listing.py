"""Decides what stands on the page of one's cases: those one is on, those that wait for an answer, and for keepers those with nobody on.
Of a sealed case only its first entry is opened here, for the code."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import page_key
from fedcollab.feature import page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import holding, naming, opening, organisation, room_content
from fedcollab.sealing.aside_models import RoomAside
from fedcollab.sealing.naming import Named
from fedcollab.sealing.room_models import CASE, Room, RoomMember, RoomPerson
from fedcollab.sealing.room_state import CLOSED, FROZEN, OPEN
from fedcollab.sealing.unlocked import unlocked_of

from . import lateness, put_on
from .acting import worker_of
from .desk import Keys
from .grounds import CASE_STATUS, LABELS
from .kinds import parse
from .models import CaseRecord
from .record import Opened

EACH = 20
ALONE = Room.id.not_in(sa.select(RoomAside.room_id))  # what came with something else is answered with that
HEADER = (CaseRecord.opened_id, CaseRecord.status, CaseRecord.due, CaseRecord.review, CaseRecord.retention, CaseRecord.consent_end)


@dataclass(frozen=True, repr=False)
class Row:
    """A case in a list: its code (empty where that cannot be read yet) and its clear header; `since` when one came to it; `beside` the
    other organisations inside, so that one case is told from another; `fresh` that another of us has put one on it, and one has not
    opened it yet."""

    id: str
    code: str
    label: str
    state: str
    status: str
    due: str
    review: str
    since: int
    consent_end: str = ""
    beside: tuple[str, ...] = ()
    fresh: bool = False


@dataclass(frozen=True, repr=False)
class Asked:
    """Something sealed that waits for our answer: who asks, under which label."""

    id: str
    by: Named
    label: str
    since: int


@dataclass(frozen=True, repr=False)
class Mine:
    """What the page shows; `more` is where older ones begin, `open` whether cases can be opened here; for keepers the cases with nobody on,
    and those that others of us are on, with their names."""

    rows: list[Row]
    more: str
    asked: list[Asked]
    nobody: list[Row]
    others: list[tuple[Row, list[str]]]
    open: bool
    today: str
    soon: str


async def show_cases(request: web.Request) -> web.Response:
    """My cases, and what waits for somebody."""
    viewer, kernel = worker_of(request), request.app[KERNEL]
    keys = await unlocked_of(request)
    found = await kernel.database.read(mine, kernel.node, viewer, keys, request.query.get("before", ""))
    return page(request, "cases/list.html", found=found, STATUS=CASE_STATUS, LABELS=LABELS)


def mine(session: Session, node: Node, viewer: Viewer, keys: Keys, before: str = "") -> Mine:
    """The cases of one of our people, those they came to last first."""
    on_it = sa.and_(RoomPerson.room_id == Room.id, RoomPerson.person_id == viewer.person_id, RoomPerson.until.is_(None))
    query = _rows(RoomPerson.since).join(RoomPerson, on_it)
    if key := page_key(before):
        query = query.where(sa.tuple_(RoomPerson.since, Room.id) < sa.tuple_(sa.literal(key[0]), sa.literal(key[1][:36])))
    found = session.execute(query.order_by(RoomPerson.since.desc(), Room.id.desc()).limit(EACH + 1)).all()
    beside, fresh = _beside(session, node, [one.id for one in found[:EACH]]), put_on.fresh(session, viewer)
    rows = [_row(one, _code(session, node, viewer, keys, one), beside.get(one.id, ()), one.id in fresh) for one in found[:EACH]]
    return Mine(
        rows=rows,
        more=f"{rows[-1].since}-{rows[-1].id}" if len(found) > EACH else "",
        asked=waiting(session, node, viewer),
        nobody=[_row(one) for one in _nobodys(session)] if viewer.is_keeper else [],
        others=_others(session, viewer) if viewer.is_keeper else [],
        open=opening.opens(organisation.facts(session, node)),
        today=iso(node.now())[:10],
        soon=lateness.soon(node.now()),
    )


def waiting(session: Session, node: Node, viewer: Viewer) -> list[Asked]:
    """The invitations that somebody with these roles may answer: of people by name their own alone."""
    me, person = node.actor_uri, actors.by_id(session, viewer.person_id).uri
    theirs = sa.and_(RoomMember.room_id == Room.id, RoomMember.organisation == me, RoomMember.state == "invited")
    query = sa.select(Room.id, Room.owner, Room.label, Room.created_at).join(RoomMember, theirs).where(Room.kind == CASE, ALONE)
    query = query.where(sa.or_(RoomMember.person == "", RoomMember.person == person)).order_by(Room.created_at.desc()).limit(EACH)
    rows = session.execute(query).all()
    names = naming.names(session, [row.owner for row in rows])
    return [Asked(row.id, names[row.owner], row.label, row.created_at) for row in rows]


def count(session: Session, viewer: Viewer) -> int:
    """How much waits, for the menu: invitations, cases that others have put one on, one's own with something overdue, for
    keepers those with nobody on."""
    own, me = (actors.by_id(session, one).uri for one in (viewer.organisation_id, viewer.person_id))
    asked = sa.and_(
        RoomMember.organisation == own, RoomMember.state == "invited", RoomMember.person.in_(["", me]), Room.kind == CASE, ALONE
    )
    invited = sa.select(Room.id).join(RoomMember, RoomMember.room_id == Room.id).where(asked)
    on_it = sa.and_(RoomPerson.room_id == CaseRecord.room_id, RoomPerson.person_id == viewer.person_id, RoomPerson.until.is_(None))
    late = sa.select(CaseRecord.room_id).join(RoomPerson, on_it).where(CaseRecord.late)
    lonely = len(list(_nobodys(session))) if viewer.is_keeper else 0
    return len(put_on.fresh(session, viewer)) + sum(len(session.execute(query.limit(100)).all()) for query in (invited, late)) + lonely


def _others(session: Session, viewer: Viewer) -> list[tuple[Row, list[str]]]:
    mine = sa.exists().where(RoomPerson.room_id == Room.id, RoomPerson.person_id == viewer.person_id, RoomPerson.until.is_(None))
    query = _rows(Room.created_at).where(Room.state.in_((OPEN, FROZEN, CLOSED)), Room.label != RED, _somebody(), ~mine)
    rows = session.execute(query.order_by(Room.created_at.desc()).limit(100)).all()
    there = sa.and_(RoomPerson.room_id.in_([one.id for one in rows]), RoomPerson.until.is_(None), Actor.works_for == "")
    people = sa.select(RoomPerson.room_id, Actor.name).join(Actor, Actor.id == RoomPerson.person_id).where(there)
    on_it: dict[str, list[str]] = {}
    for room_id, name in session.execute(people.order_by(RoomPerson.since, Actor.id)):
        on_it.setdefault(room_id, []).append(name)
    return [(_row(one), on_it.get(one.id, [])) for one in rows]


def _somebody() -> sa.Exists:
    """In a query of rooms: whether one of us is on it; a guest alone keeps no case."""
    on_it = sa.and_(RoomPerson.room_id == Room.id, RoomPerson.until.is_(None), Actor.id == RoomPerson.person_id, Actor.works_for == "")
    return sa.exists().where(on_it)


def _rows(since: Any) -> sa.Select[Any]:
    query = sa.select(Room.id, Room.label, Room.state, since.label("since"), *HEADER).where(Room.kind == CASE)
    return query.outerjoin(CaseRecord, CaseRecord.room_id == Room.id)


def _nobodys(session: Session) -> Iterable[Any]:
    """Cases that nobody of us is on: keepers assign somebody. One for people by name is theirs alone."""
    query = _rows(Room.created_at).where(Room.state.in_((OPEN, FROZEN, CLOSED)), Room.label != RED, ~_somebody())
    return session.execute(query.order_by(Room.created_at.desc()).limit(100)).all()


def _beside(session: Session, node: Node, ids: list[str]) -> dict[str, tuple[str, ...]]:
    """{case: the names of the other organisations inside}."""
    inside = sa.and_(RoomMember.room_id.in_(ids), RoomMember.state == "in", RoomMember.organisation != node.actor_uri)
    rows = session.execute(sa.select(RoomMember.room_id, RoomMember.organisation).where(inside).distinct()).all()
    names = naming.names(session, {row.organisation for row in rows})
    return {one: tuple(sorted(names[row.organisation].said for row in rows if row.room_id == one)) for one in ids}


def _row(one: Any, code: str = "", beside: tuple[str, ...] = (), fresh: bool = False) -> Row:
    days = (one.due or "", one.review or "", one.since, one.consent_end or "")
    return Row(one.id, code, one.label, one.state, one.status or "", *days, beside, fresh)


def _code(session: Session, node: Node, viewer: Viewer, keys: Keys, one: Any) -> str:
    """The code of a case, by opening its first entry alone; empty where it does not open."""
    if not one.opened_id:
        return ""
    with contextlib.suppress(Refused):
        message = room_content.one(session, holding.open_room(session, node, viewer, keys, one.id), one.opened_id)
        return code_in(message.content) if message and message.content is not None else ""
    return ""


def code(session: Session, node: Node, viewer: Viewer, keys: Keys, case_id: str) -> str:
    """The code of a case by its row; empty where it does not open."""
    row = session.execute(_rows(Room.created_at).where(Room.id == case_id)).one_or_none()
    return _code(session, node, viewer, keys, row) if row is not None else ""


def code_in(content: object) -> str:
    """The code that a case's first entry says."""
    with contextlib.suppress(BadRequest):
        entry = parse(content)
        return entry.code if isinstance(entry, Opened) else ""
    return ""


ROUTES = (web.get("/cases", show_cases),)
