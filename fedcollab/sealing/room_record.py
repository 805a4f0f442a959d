"""Decides what people on a room read of its record: who did what, with the names that this node still knows, and up to where the other
members vouch for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import ORGANIZATION, Actor
from fedcollab.actors.node import Node
from fedcollab.base.session import Session

from . import room_chain
from .chain_models import ChainHead, ChainSigned, RoomChain, RoomEntry, RoomWho
from .room_state import Room

SHOWN = 50
NOBODY = "-"  # in an address: the node itself
CHECKED = 1000  # entries that are read whenever somebody looks


@dataclass(frozen=True)
class Line:
    """An entry for reading. `who` and `subject` are as the entry has them; `by` and `about` the names of whom they stand for, empty where
    that is nobody or no longer known."""

    seq: int
    at: int
    who: str
    by: str
    action: str
    about: str


@dataclass(frozen=True)
class Vouched:
    """Another member's part in it: up to which entry of ours they have countersigned, when (None for never), and how often, as they say,
    ours did not go on from what they knew; up to which of theirs we have followed, when we saw that last, and since when we know that
    theirs did not go on."""

    organisation: str
    seq: int
    at: int | None
    breaks: int
    their_seq: int
    seen_at: int | None
    broken_at: int | None


@dataclass(frozen=True)
class Record:
    """A page of a room's record, the newest first; `older` is where the next one begins. `people` are those who can be chosen, by the id
    in the record; `broken` the first number at which the newest entries do not hold, `since` the checkpoint before which none is kept."""

    lines: tuple[Line, ...]
    older: int | None
    people: tuple[tuple[str, str], ...]
    members: tuple[Vouched, ...]
    end: int
    told_at: int
    broken: int | None
    since: int


def asked(query: Mapping[str, str]) -> tuple[str, int | None]:
    """Whose entries, before which number, as the address of a page asks for them."""
    before = query.get("before", "")
    return query.get("who", "")[:400], int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None


def look(session: Session, node: Node, room_id: str, room: Room, who: str = "", before: int | None = None) -> Record:
    """The newest entries, those of `who` alone where it is not empty (NOBODY: the node's own), or those before a number."""
    query = sa.select(RoomEntry.seq, RoomEntry.at, RoomEntry.who, RoomEntry.action, RoomEntry.subject).where(RoomEntry.room_id == room_id)
    if who:
        query = query.where(RoomEntry.who == ("" if who == NOBODY else who))
    if before is not None:
        query = query.where(RoomEntry.seq < before)
    rows = session.execute(query.order_by(RoomEntry.seq.desc()).limit(SHOWN + 1)).all()
    names = _names(session, room_id, room, {text for row in rows for text in (row.who, row.subject)})
    lines = tuple(Line(one.seq, one.at, one.who, names.get(one.who, ""), one.action, names.get(one.subject, "")) for one in rows[:SHOWN])
    chain = session.execute(
        sa.select(RoomChain.seq, RoomChain.told_at, RoomChain.from_seq).where(RoomChain.room_id == room_id)
    ).one_or_none()
    return Record(
        lines=lines,
        older=lines[-1].seq if len(rows) > SHOWN else None,
        people=tuple(sorted(_people(session, room_id, room).items(), key=lambda one: (one[1].casefold(), one[0]))),
        members=_members(session, room_id, room),
        end=chain.seq if chain else 0,
        told_at=chain.told_at if chain else 0,
        broken=room_chain.verify(session, node, room_id, CHECKED),
        since=chain.from_seq if chain else 0,
    )


def _people(session: Session, room_id: str, room: Room) -> dict[str, str]:
    """{id in the record: name} of our people who stand in it, and of the organisations inside."""
    query = sa.select(RoomWho.who, Actor.name).join(Actor, Actor.id == RoomWho.person_id).where(RoomWho.room_id == room_id)
    ours = {row.who: row.name for row in session.execute(query) if row.name}
    return ours | _organisations(session, room.inside - {room.me})


def _organisations(session: Session, uris: set[str]) -> dict[str, str]:
    named = sa.select(Actor.uri, Actor.name).where(Actor.uri.in_(sorted(uris)), Actor.kind == ORGANIZATION)
    return {row.uri: row.name for row in session.execute(named)}


def _names(session: Session, room_id: str, room: Room, ids: set[str]) -> dict[str, str]:
    """The names of those of these ids that stand for somebody: people, ours by their id in the record, and organisations."""
    uris = {one for one in ids if "://" in one}
    found = {row.uri: row.name for row in session.execute(sa.select(Actor.uri, Actor.name).where(Actor.uri.in_(sorted(uris))))}
    rows = {one for one in ids if one and one not in uris}
    found |= {row.id: row.name for row in session.execute(sa.select(Actor.id, Actor.name).where(Actor.id.in_(sorted(rows))))}
    return found | _people(session, room_id, room)


def _members(session: Session, room_id: str, room: Room) -> tuple[Vouched, ...]:
    others = sorted(room.inside - {room.me})
    names = _organisations(session, set(others))
    heads: dict[str, Any] = {
        row.organisation: row
        for row in session.execute(
            sa.select(ChainHead.organisation, ChainHead.seq, ChainHead.seen_at, ChainHead.broken_at).where(ChainHead.room_id == room_id)
        )
    }
    ours = sa.and_(ChainSigned.room_id == room_id, ChainSigned.organisation == room.me)
    signed: dict[str, Any] = {
        row.by: row for row in session.execute(sa.select(ChainSigned.by, ChainSigned.seq, ChainSigned.at, ChainSigned.breaks).where(ours))
    }
    return tuple(_vouched(names.get(one) or one, signed.get(one), heads.get(one)) for one in others)


def _vouched(name: str, signed: Any, head: Any) -> Vouched:
    ours = (signed.seq, signed.at, signed.breaks) if signed else (0, None, 0)
    return Vouched(name, *ours, *((head.seq, head.seen_at, head.broken_at) if head else (0, None, None)))
