"""Decides what of a sealed room is on record: each act in it, by whom and when, with random ids and no content, in the room's own chain and
in the node's."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import ORGANIZATION, OWN, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR, new_id
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared, put

from .chain_models import RoomChain, RoomEntry, RoomWho
from .chains import START, Entry, Place
from .room_models import Room

PAGE = 500
NOBODY = Viewer()


def add(session: Session, node: Node, room_id: str, by: Viewer | None, action: str, subject: str = "") -> None:
    """Puts an act on record, last in a unit: `by` is one of our people, a partner, or None for the node itself; `subject` the random id of
    what it was done to, the room where empty."""
    viewer, now = by or NOBODY, node.now()
    # The link comes first: it locks the room's row, so that nobody is given two ids by two acts at the same time.
    link = prepared(session, _next_link(), {"room": room_id}).one_or_none() or _begin(session, room_id)
    who = _named(session, room_id, viewer.person_id) if viewer.person_id else _organisation(session, viewer.organisation_id)
    entry = Entry(link.uri, node.actor_uri, link.seq, link.hash, now, who, action, _subject(session, room_id, subject))
    row = dict(room_id=room_id, seq=entry.seq, at=now, who=who, action=action, subject=entry.subject, hash=entry.hash)
    put(session, RoomEntry, **row)
    prepared(session, _link_made(), {"room": room_id, "digest": entry.hash})
    audit.record(session, now, by, action, subject or room_id)


def is_said(session: Session, node: Node, room_id: str, organisation: str, action: str, subject: str) -> bool:
    """Whether an organisation's act is on record of the last hour: what is asked for again and again is said once in that time."""
    same = sa.and_(RoomEntry.who == organisation, RoomEntry.action == action, RoomEntry.subject == subject)
    lately = sa.and_(RoomEntry.room_id == room_id, RoomEntry.at > node.now() - HOUR)
    return session.execute(sa.select(RoomEntry.seq).where(lately, same).limit(1)).first() is not None


@cache
def _next_link() -> sa.UpdateBase:
    chain: Any = RoomChain.__table__
    here = chain.c.room_id == sa.bindparam("room")
    return sa.update(chain).where(here).values(seq=chain.c.seq + 1).returning(chain.c.uri, chain.c.seq, chain.c.hash)


@cache
def _link_made() -> sa.Update:
    chain: Any = RoomChain.__table__
    return sa.update(chain).where(chain.c.room_id == sa.bindparam("room")).values(hash=sa.bindparam("digest"))


def _begin(session: Session, room_id: str) -> Any:
    """The chain's row, with its first entry."""
    uri = session.execute(sa.select(Room.uri).where(Room.id == room_id)).scalar_one()
    put(session, RoomChain, room_id=room_id, uri=uri, seq=0, hash="", told_seq=0, told_hash="", told_at=0, from_seq=0, from_hash="")
    return prepared(session, _next_link(), {"room": room_id}).one()


def _named(session: Session, room_id: str, person_id: str) -> str:
    """By which id one of our people stands in a room's record: made when they first do."""
    found = prepared(session, _who(), {"room": room_id, "person": person_id}).one_or_none()
    if found is not None:
        return str(found.who)
    who = new_id()
    put(session, RoomWho, room_id=room_id, person_id=person_id, who=who)
    return who


@cache
def _who() -> sa.Select[Any]:
    here: Any = sa.and_(RoomWho.room_id == sa.bindparam("room"), RoomWho.person_id == sa.bindparam("person"))
    return sa.select(RoomWho.who).where(here)


def _organisation(session: Session, organisation_id: str) -> str:
    """An organisation's id on the wire: which ones are inside stands in the room's header."""
    found = prepared(session, _actor(), {"id": organisation_id}).one_or_none() if organisation_id else None
    return str(found.uri) if found is not None else ""


def _subject(session: Session, room_id: str, subject: str) -> str:
    """What it was done to, as others may know it: people of ours by their id in this room, organisations by the one on the wire."""
    found = prepared(session, _actor(), {"id": subject}).one_or_none() if subject else None
    if found is None:
        return subject
    if found.known == OWN and found.kind == PERSON:
        return _named(session, room_id, subject)
    return str(found.uri) if found.kind == ORGANIZATION else subject


@cache
def _actor() -> sa.Select[Any]:
    columns: list[Any] = [Actor.uri, Actor.kind, Actor.known]
    return sa.select(*columns).where(Actor.id == sa.bindparam("id"))


def rooms(session: Session) -> list[str]:
    """All rooms that something is on record of."""
    return list(session.scalars(sa.select(RoomChain.room_id).order_by(RoomChain.room_id)))


def end(session: Session, room_id: str) -> Place:
    """Where our record of a room ends."""
    found = session.execute(sa.select(RoomChain.seq, RoomChain.hash).where(RoomChain.room_id == room_id)).one_or_none()
    return Place(*found) if found else START


def begins(session: Session, room_id: str) -> Place:
    """The place before the oldest entry that is kept."""
    found = session.execute(sa.select(RoomChain.from_seq, RoomChain.from_hash).where(RoomChain.room_id == room_id)).one_or_none()
    return Place(*found) if found else START


def place(session: Session, room_id: str, seq: int) -> Place | None:
    """The place of an entry of ours; None where there is none, or it is no longer kept."""
    first = begins(session, room_id)
    if seq <= first.seq:
        return first if seq == first.seq else None
    digest = session.scalar(sa.select(RoomEntry.hash).where(RoomEntry.room_id == room_id, RoomEntry.seq == seq))
    return Place(seq, digest) if digest is not None else None


def page(session: Session, node: Node, room_id: str, after: Place, most: int = PAGE) -> list[Entry]:
    """Our entries behind a place, as they are kept, oldest first."""
    return [entry for entry, _ in _kept(session, node, room_id, after, most)]


def _kept(session: Session, node: Node, room_id: str, after: Place, most: int) -> list[tuple[Entry, str]]:
    """Entries with the hash that stands beside each: whoever changes a row has to change the one or the other."""
    uri = session.execute(sa.select(Room.uri).where(Room.id == room_id)).scalar_one()
    columns = (RoomEntry.seq, RoomEntry.at, RoomEntry.who, RoomEntry.action, RoomEntry.subject, RoomEntry.hash)
    query = sa.select(*columns).where(RoomEntry.room_id == room_id, RoomEntry.seq > after.seq).order_by(RoomEntry.seq).limit(most)
    found, prev = [], after.hash
    for row in session.execute(query):
        found.append((Entry(uri, node.actor_uri, row.seq, prev, row.at, row.who, row.action, row.subject), row.hash))
        prev = row.hash
    return found


def entries(session: Session, node: Node, room_id: str) -> Iterator[Entry]:
    """All entries that are kept, oldest first, a page at a time."""
    return (entry for entry, _ in _all(session, node, room_id, begins(session, room_id)))


def _all(session: Session, node: Node, room_id: str, after: Place) -> Iterator[tuple[Entry, str]]:
    while found := _kept(session, node, room_id, after, PAGE):
        yield from found
        after = Place(found[-1][0].seq, found[-1][1])


def verify(session: Session, node: Node, room_id: str, newest: int | None = None) -> int | None:
    """Reads our whole record of a room, from its checkpoint on, or its `newest` entries; the number of the first that is not as it was
    written, or missing; None where there is none."""
    last = end(session, room_id).seq
    at = (place(session, room_id, last - newest) if newest is not None else None) or begins(session, room_id)
    for entry, digest in _all(session, node, room_id, at):
        if (entry.seq, entry.prev, entry.hash) != (at.seq + 1, at.hash, digest):
            return at.seq + 1
        at = entry.place
    return None if at == end(session, room_id) else at.seq + 1
