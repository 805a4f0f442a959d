"""Decides what stands on the page of one's sealed groups, and the note at home: how much is new, without a name. Of each group only the
message that names it is opened."""

import contextlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.errors import FedcollabError, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import holding, opening, organisation, room_content, state
from fedcollab.sealing.room_models import GROUP, THERE, Room, RoomMember, RoomPerson, SealedMessage
from fedcollab.sealing.typed import checked, in_words
from fedcollab.sealing.unlocked import unlocked_of

from . import acting, folding, inside
from .entries import Group
from .forms import group_form, proposed, read_written
from .inside import Asked, Deserted
from .models import GroupEntry, GroupNamed, GroupSeen
from .opening import LEADERS, Keys
from .places import PEOPLE
from .telling import LABEL_HINTS, LABELS, NEEDED

EACH = 50


class Note(NamedTuple):
    """How many messages somebody has not seen, in how many groups."""

    messages: int
    groups: int


@dataclass(frozen=True, repr=False)
class Row:
    """A group in a list: its name (empty where it cannot be read yet), how many organisations are inside, what is new."""

    id: str
    name: str
    label: str
    state: str
    organisations: int
    new: int


@dataclass(frozen=True, repr=False)
class Mine:
    """What the page shows; `open` says whether groups can be begun here, `may_lead` whether whoever looks does so."""

    rows: list[Row]
    asked: list[Asked]
    nobody: list[Deserted]
    open: bool
    may_lead: bool


async def show_groups(request: web.Request) -> web.Response:
    """My sealed groups, and what waits for an answer."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    if not await kernel.database.read(state.is_on):
        return page(request, "rooms/list.html", found=Mine([], [], [], open=False, may_lead=False), LABELS=LABELS)
    keys = await unlocked_of(request)
    found = await kernel.database.read(mine, kernel.node, viewer, keys)
    return page(request, "rooms/list.html", found=found, LABELS=LABELS)


def mine(session: Session, node: Node, viewer: Viewer, keys: Keys) -> Mine:
    """The groups of one of our people, those that were written in last first."""
    new = unread(session, viewer)
    query = sa.select(Room.id, Room.label, Room.state, GroupNamed.message_id, sa.func.max(SealedMessage.id).label("last"))
    query = query.join(RoomPerson, _on(viewer)).outerjoin(GroupNamed, GroupNamed.room_id == Room.id)
    query = query.outerjoin(SealedMessage, SealedMessage.room_id == Room.id).where(Room.kind == GROUP)
    query = (
        query.group_by(Room.id, Room.label, Room.state, GroupNamed.message_id).order_by(sa.func.max(SealedMessage.id).desc()).limit(EACH)
    )
    rows = [_row(session, node, viewer, keys, one, new.get(one.id, 0)) for one in session.execute(query).all()]
    nobody = inside.nobodys(session) if viewer.is_keeper else []
    is_open = opening.opens(organisation.facts(session, node))
    return Mine(rows, inside.waiting(session, node, viewer), nobody, is_open, bool(viewer.roles & LEADERS))


def _row(session: Session, node: Node, viewer: Viewer, keys: Keys, one: Any, new: int) -> Row:
    members = sa.select(sa.func.count(RoomMember.organisation.distinct())).where(RoomMember.room_id == one.id, RoomMember.state == "in")
    name = _name(session, node, viewer, keys, one.id, one.message_id) if one.message_id else ""
    return Row(one.id, name, one.label, one.state, session.execute(members).scalar_one(), new)


def _name(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, message_id: str) -> str:
    with contextlib.suppress(Refused):
        opened = holding.open_room(session, node, viewer, keys, room_id)
        found = [folding.read(row, message) for row, message in room_content.some(session, opened, [message_id]).items()]
        return next((item.entry.name for item in found if isinstance(item.entry, Group)), "")
    return ""


def unread(session: Session, viewer: Viewer) -> dict[str, int]:
    """{group: how many messages of others one has not had before them}; needs no key."""
    me = actors.by_id(session, viewer.person_id).uri
    seen = sa.and_(GroupSeen.room_id == Room.id, GroupSeen.person_id == viewer.person_id)
    fresh = sa.and_(SealedMessage.room_id == Room.id, SealedMessage.state == THERE, SealedMessage.author != me)
    query = sa.select(Room.id, sa.func.count()).join(RoomPerson, _on(viewer)).join(SealedMessage, fresh).outerjoin(GroupSeen, seen)
    counts = sa.exists().where(GroupEntry.message_id == SealedMessage.id, GroupEntry.place == PEOPLE)  # how many they are: no news
    query = query.where(Room.kind == GROUP, ~counts, SealedMessage.id > sa.func.coalesce(GroupSeen.message_id, "")).group_by(Room.id)
    return {row[0]: row[1] for row in session.execute(query)}


def count(session: Session, viewer: Viewer) -> int:
    """For the menu: how many invitations this person may answer, and in how many of their groups something is new."""
    us, me = actors.by_id(session, viewer.organisation_id).uri, actors.by_id(session, viewer.person_id).uri
    mine = [me, ""] if viewer.roles & LEADERS else [me]
    asked = sa.and_(RoomMember.organisation == us, RoomMember.state == "invited", RoomMember.person.in_(mine), Room.kind == GROUP)
    query = sa.select(sa.func.count()).select_from(RoomMember).join(Room, Room.id == RoomMember.room_id)
    return int(session.execute(query.where(asked)).scalar_one()) + len(unread(session, viewer))


def at_home(session: Session, _node: Node, viewer: Viewer) -> Note | None:
    """What the note at home says; None where nothing is new."""
    found = unread(session, viewer)
    return Note(sum(found.values()), len(found)) if found else None


def _on(viewer: Viewer) -> sa.ColumnElement[bool]:
    return sa.and_(RoomPerson.room_id == Room.id, RoomPerson.person_id == viewer.person_id, RoomPerson.until.is_(None))


async def new_group(request: web.Request) -> web.Response:
    """The form of a new group, and making it."""
    viewer, kernel = member_of(request), request.app[KERNEL]
    if not viewer.roles & LEADERS:
        raise NotFound
    written = await read_written(request)
    keys = await unlocked_of(request)
    error: FedcollabError | None = None
    if written.sent:
        try:
            entry = checked(Group, group_form(written.fields, kernel.node.now()), kernel.node.now(), NEEDED)
            made = await kernel.database.write(acting.begin, kernel.node, viewer, keys, written.fields.get("label", ""), entry)
            return redirect(f"/sealed/{made}/people")
        except Refused as wrong:
            error = wrong
    errors = in_words(error, words_of(request)) if error else {}
    shown = dict(typed=written.fields or {"retention": proposed(kernel.node.now())}, errors=errors, LABELS=LABELS, HINTS=LABEL_HINTS)
    return page(request, "rooms/new.html", status=error.status if error else 200, **shown)


ROUTES = (
    web.get("/sealed", show_groups),
    web.get("/sealed/new", new_group),
    web.post("/sealed/new", new_group),
)
