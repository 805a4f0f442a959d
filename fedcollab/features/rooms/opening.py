"""Decides how a sealed group comes before one of our people who is on it: opened, its audience known, put on record; and how something more
is said in it. In which units: units.py."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.access.viewer import CASEWORKER, KEEPER, MODERATOR, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import Gone, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import put
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
    them when they came, `last` the last that there is; `waiting` how many messages cannot be opened yet, `later` how many a newer program
    wrote. `news` is what is to be told in it first, `naming` the message that says how it is called, and until when it is kept by it."""

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
    last: str
    waiting: int
    later: int
    news: tuple[Entry, ...]
    naming: tuple[str, str] | None

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


def look_at(session: Session, node: Node, viewer: Viewer, opened: Opened) -> Here:
    """The group for one of us who has opened its room, once what has come is noted. Changes nothing, so that a unit that only reads can do
    it."""
    said = counted(session, opened)
    me, owners = actors.by_id(session, viewer.person_id).uri, _owners(opened)
    names = naming.names(session, {me, *access_list.uris(opened.room)})
    found = access_list.access(session, opened, names)
    named = _latest(session, opened)
    kept, calling = _named(session, node, opened, named)
    mine = sa.select(GroupSeen.message_id).where(GroupSeen.room_id == opened.room_id, GroupSeen.person_id == viewer.person_id)
    seen = session.execute(mine).scalar() or "", _last(session, opened.room_id)
    counts = places.waiting(session, opened), places.later(session, opened.room_id)
    news = _news(session, node, opened, said, named)
    reach, group = _reach(found, said), named[1] if named else None
    return Here(viewer, opened, me, owners, names, found, reach, group, kept, *seen, *counts, news, calling)


def settle(session: Session, node: Node, here: Here, keys: Keys) -> Here:
    """What is due whenever a group is opened: keys that others lack, how it is called for the list of groups, what is to be told."""
    working.settle(session, node, here.opened, keys)
    if here.naming:
        _name(session, here.id, *here.naming)
    for entry in here.news:
        with contextlib.suppress(Refused):  # nothing can be sent now, which keeps nobody from reading
            add(session, node, here, entry)
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


def add(session: Session, node: Node, here: Here, entry: Entry, uri: str = "", *, files: Sequence[Carried] = ()) -> str:
    """Adds an entry to a group that is open, with sealed files that have come in here; the message's row. Raises Frozen, Ended, Outside."""
    made = room_content.write(session, node, here.opened, document(entry), uri, files=files)
    row = places.rows_of(session, here.id, [made])[made]
    places.keep(session, node, places.Notes(here.id, (places.Note(row, made, *folding.place(entry, made)),), row))
    if isinstance(entry, Group):
        _name(session, here.id, row, entry.retention)
    return row


def _last(session: Session, room_id: str) -> str:
    return session.execute(sa.select(sa.func.max(SealedMessage.id)).where(SealedMessage.room_id == room_id)).scalar() or ""


def _named(session: Session, node: Node, opened: Opened, found: tuple[Item, Group] | None) -> tuple[str, tuple[str, str] | None]:
    """Until when a group is kept, and the message that says how it is called, which is noted for the list of groups. The day on which it
    ends is believed of our own organisation alone: whoever led the group before ends it no more."""
    if found is None:
        return "", None
    ours = found[0].organisation == node.actor_uri
    said = found[1].retention if ours else kept_until(session, opened.room_id)
    return said if opened.room.leads else found[1].retention, (found[0].row, said)


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


def _news(session: Session, node: Node, opened: Opened, said: Mapping[str, int], named: tuple[Item, Group] | None) -> tuple[Entry, ...]:
    """How many of us are on it, where that is not what we `said` last, and, where we lead, how the group is called: both again when
    somebody has come who cannot read what was before."""
    ours, came = len(holding.assigned(session, opened.room_id)), _came(opened)
    if opened.room.state != OPEN or opened.lacks:
        return ()
    due = said.get(node.actor_uri, 0) != ours or places.epoch_of(session, opened.room_id, places.PEOPLE, [node.actor_uri]) < came
    news: list[Entry] = []
    if due and opened.label != RED and len(opened.room.inside) > 1:
        news.append(People(at=node.now(), number=ours))
    if opened.room.leads and 0 < places.epoch_of(session, opened.room_id, places.GROUP, _owners(opened)) < came:
        kept = kept_until(session, opened.room_id)
        if named is not None and not "" < kept < iso(node.now())[:10]:  # one that is over ends by itself
            news.append(replace(named[1], at=node.now(), retention=kept))
    return tuple(news)


def _came(opened: Opened) -> int:
    """The epoch in which somebody has come last."""
    keys = opened.room.line.keys
    there = [{(member.organisation, member.person) for member in key.members} for key in keys]
    return max((key.epoch for key, (before, now) in zip(keys[1:], pairwise(there), strict=True) if now - before), default=0)


def on_record(session: Session, node: Node, here: Here) -> None:
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
    """All that had come when they looked has been before whoever looks."""
    mine = sa.and_(GroupSeen.room_id == here.id, GroupSeen.person_id == here.viewer.person_id)
    session.execute(sa.update(GroupSeen).where(mine, GroupSeen.message_id < here.last).values(message_id=here.last))
