"""Decides how a sealed group comes before one of our people who is on it: opened, its audience known, put on record; and how something more
is said in it."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.orm import Session

from fedcollab.access.models import RED
from fedcollab.access.viewer import CASEWORKER, KEEPER, MODERATOR, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import Gone, N_, NotFound, Refused
from fedcollab.base.statements import put
from fedcollab.feature import member_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import access_list, holding, naming, room_chain, room_content, working
from fedcollab.sealing.access_list import Access
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.entries import Entry, document
from fedcollab.sealing.facts import owner
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.naming import Names
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_models import GROUP, SealedMessage
from fedcollab.sealing.room_state import OPEN
from fedcollab.sealing.unlocked import unlocked_of

from . import folding, places
from .entries import Group, People
from .folding import Item
from .models import GroupNamed, GroupSeen

Keys = list[PersonPrivate]
LEADERS = frozenset({MODERATOR, KEEPER, CASEWORKER})  # who speaks for the organisation: founds, answers, invites, removes


class NoLonger(Gone):
    """Somebody with a page of a group that they were taken off meanwhile."""

    text = N_("You are no longer in this group, so nothing was sent or changed. If that is a mistake, ask a keeper or somebody in it.")


@dataclass(frozen=True, repr=False)
class Reach:
    """Who reads what is sent now: at how many organisations, how many people as far as those have said, and how many organisations have
    not said how many of theirs."""

    people: int
    organisations: int
    silent: int


@dataclass(frozen=True, repr=False)
class Here:
    """A group open before one of our people. `named` is None until its name could be read; `retention` is the last
    day on which it is kept (empty: nobody has said one); `seen` the last message that they had before
    them when they came; `waiting` how many messages cannot be opened yet, `later` how many a newer program wrote."""

    viewer: Viewer
    opened: Opened
    person: str
    owners: frozenset[str]
    names: Names
    access: Access
    reach: Reach
    named: Group | None
    retention: str
    seen: str
    waiting: int
    later: int

    @property
    def id(self) -> str:
        """As it stands in addresses."""
        return self.opened.room_id

    @property
    def path(self) -> str:
        return f"/sealed/{self.opened.room_id}"

    @property
    def label(self) -> str:
        return self.opened.label

    @property
    def leads(self) -> bool:
        """Whether our organisation leads the group."""
        return self.access.leads

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self.access.state == OPEN

    @property
    def may_lead(self) -> bool:
        """Whether whoever looks may say who is inside."""
        return bool(self.viewer.roles & LEADERS)

    @property
    def moderates(self) -> bool:
        """Whether whoever looks takes others' posts away."""
        return self.leads and (self.viewer.moderates or self.viewer.is_keeper)


def open_group(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> Here:
    """The group for one of us who is on it, in a unit that writes: what is due is made good, what came is noted, their reading is put on
    record. Raises NotFound, NoLonger."""
    opened = opened_by(session, node, viewer, keys, room_id)
    working.settle(session, node, opened, keys)
    places.note(session, node, opened)
    said = _told(session, node, opened)
    here = _here(session, node, viewer, opened, said)
    _on_record(session, node, here)
    return here


def opened_by(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> Opened:
    """A group's room for somebody who is on it. Raises NotFound, NoLonger."""
    try:
        opened = holding.open_room(session, node, viewer, keys, room_id)
    except NotFound:
        raise (NoLonger if holding.was_assigned(session, room_id, viewer.person_id) else NotFound) from None
    if opened.kind != GROUP:
        raise NotFound
    return opened


def say(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, make: Callable[[Here], Entry], once: str = "") -> str:
    """Adds the entry that `make` answers; the message's row. A form sent twice, known by `once`, says it once. Raises what `open_group`
    raises, what `make` does, and Frozen, Ended, Outside."""
    here = open_group(session, node, viewer, keys, room_id)
    uri, said = room_content.by_form(session, node, room_id, once)
    return places.rows_of(session, room_id, [uri])[uri] if said else add(session, node, here, make(here), uri)


def add(session: Session, node: Node, here: Here, entry: Entry, uri: str = "", *, files: Sequence[Carried] = ()) -> str:
    """The same for a group that is open already, with sealed files that have come in here."""
    made = room_content.write(session, node, here.opened, document(entry), uri, files=files)
    places.note(session, node, here.opened)
    row = places.rows_of(session, here.id, [made])[made]
    if isinstance(entry, Group):
        _name(session, here.id, row, entry.retention)
    return row


def _here(session: Session, node: Node, viewer: Viewer, opened: Opened, said: Mapping[str, int]) -> Here:
    me, owners = actors.by_id(session, viewer.person_id).uri, _owners(opened)
    names = naming.names(session, {me, *access_list.uris(opened.room)})
    found = access_list.access(session, opened, names)
    named = _named(session, node, opened)
    last = sa.select(GroupSeen.message_id).where(GroupSeen.room_id == opened.room_id, GroupSeen.person_id == viewer.person_id)
    seen = session.execute(last).scalar() or ""
    counts = places.waiting(session, opened), places.later(session, opened.room_id)
    kept = (kept_until(session, opened.room_id) if opened.room.leads else named.retention) if named else ""
    return Here(viewer, opened, me, owners, names, found, _reach(found, said), named, kept, seen, *counts)


def _named(session: Session, node: Node, opened: Opened) -> Group | None:
    """How the group is called; the message that says so is noted for the list of groups. The day on which it ends is believed of our own
    organisation alone: whoever led the group before ends it no more."""
    found = _latest(session, opened)
    if found is not None:
        ours = found[0].organisation == node.actor_uri
        _name(session, opened.room_id, found[0].row, found[1].retention if ours else kept_until(session, opened.room_id))
    return found[1] if found else None


def kept_until(session: Session, room_id: str) -> str:
    """The last day on which a group is kept, as far as our organisation has said it; empty for never."""
    return session.execute(sa.select(GroupNamed.retention).where(GroupNamed.room_id == room_id)).scalar() or ""


def _latest(session: Session, opened: Opened) -> tuple[Item, Group] | None:
    return folding.group(places.items(session, opened, places.in_place(session, opened.room_id, places.GROUP)), _owners(opened))


def _owners(opened: Opened) -> frozenset[str]:
    return frozenset(owner(key) for key in opened.room.line.keys)


def _name(session: Session, room_id: str, row: str, retention: str) -> None:
    there = session.execute(sa.select(GroupNamed.message_id, GroupNamed.retention).where(GroupNamed.room_id == room_id)).one_or_none()
    if there is None:
        put(session, GroupNamed, room_id=room_id, message_id=row, retention=retention)
    elif there != (row, retention):
        session.execute(sa.update(GroupNamed).where(GroupNamed.room_id == room_id).values(message_id=row, retention=retention))


def counted(session: Session, opened: Opened) -> Mapping[str, int]:
    """{organisation: how many of its people are on the group, as it has said itself}."""
    return folding.people(places.items(session, opened, places.in_place(session, opened.room_id, places.PEOPLE)))


def _reach(found: Access, said: Mapping[str, int]) -> Reach:
    ours, others = len(found.ours), found.others
    numbers = [len(one.people) or said.get(one.who.uri, 0) for one in others]
    return Reach(ours + sum(numbers), len(others) + 1, sum(not number for number in numbers))


def _told(session: Session, node: Node, opened: Opened) -> Mapping[str, int]:
    """How many people of each organisation are on it, as they have said. Says how many of us are, where that is not what we said last,
    and, where we lead, how the group is called: both again when somebody has come who cannot read what was before."""
    said, ours, came = counted(session, opened), len(holding.assigned(session, opened.room_id)), _came(opened)
    if opened.room.state != OPEN or opened.lacks:
        return said
    due = said.get(node.actor_uri, 0) != ours or places.epoch_of(session, opened.room_id, places.PEOPLE, [node.actor_uri]) < came
    news: list[Entry] = []
    if due and opened.label != RED and len(opened.room.inside) > 1:
        news.append(People(at=node.now(), number=ours))
    if opened.room.leads and 0 < places.epoch_of(session, opened.room_id, places.GROUP, _owners(opened)) < came:
        named = _latest(session, opened)
        kept = kept_until(session, opened.room_id)
        if named is not None and not "" < kept < iso(node.now())[:10]:  # one that is over ends by itself
            news.append(replace(named[1], at=node.now(), retention=kept))
    for entry in news:
        with contextlib.suppress(Refused):  # nothing can be sent now, which keeps nobody from reading
            room_content.write(session, node, opened, document(entry))
    if news:
        places.note(session, node, opened)
    return said


def _came(opened: Opened) -> int:
    """The epoch in which somebody has come last."""
    keys = opened.room.line.keys
    there = [{(member.organisation, member.person) for member in key.members} for key in keys]
    return max((key.epoch for key, (before, now) in zip(keys[1:], pairwise(there), strict=True) if now - before), default=0)


def _on_record(session: Session, node: Node, here: Here) -> None:
    """What is TLP:RED at every look, anything else once a day and person; and what they have before them now."""
    today = iso(node.now())[:10]
    mine = sa.and_(GroupSeen.room_id == here.id, GroupSeen.person_id == here.viewer.person_id)
    before = session.execute(sa.select(GroupSeen.opened_on).where(mine)).scalar()
    if before is None:
        put(session, GroupSeen, room_id=here.id, person_id=here.viewer.person_id, message_id="", opened_on=today)
    elif before != today:
        session.execute(sa.update(GroupSeen).where(mine).values(opened_on=today))
    if here.label == RED:
        room_chain.add(session, node, here.id, here.viewer, "sealed.read")
    elif before != today:
        room_chain.add(session, node, here.id, here.viewer, "sealed.open")


def seen(session: Session, here: Here) -> None:
    """All that has come so far has been before whoever looks."""
    last = session.execute(sa.select(sa.func.max(SealedMessage.id)).where(SealedMessage.room_id == here.id)).scalar() or ""
    mine = sa.and_(GroupSeen.room_id == here.id, GroupSeen.person_id == here.viewer.person_id)
    session.execute(sa.update(GroupSeen).where(mine, GroupSeen.message_id < last).values(message_id=last))


async def acted(request: web.Request, work: Callable[..., Any], *args: Any) -> Any:
    """What `work(session, node, viewer, keys, group id, ...)` answers, as one unit, for whoever is signed in, has something to do with the
    group and has unlocked their keys. A form is read before this."""
    viewer, kernel, room_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    if not (viewer.is_keeper or await kernel.database.read(holding.was_assigned, room_id, viewer.person_id)):
        raise NotFound
    keys = await unlocked_of(request)
    return await kernel.database.write(work, kernel.node, viewer, keys, room_id, *args)


async def here_of(request: web.Request) -> Here:
    """The group of a page's address. Raises Unauthorized, Locked, NotFound, NoLonger."""
    here: Here = await acted(request, open_group)
    return here
