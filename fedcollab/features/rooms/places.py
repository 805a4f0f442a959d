"""Decides which messages of a group a page opens: where each belongs is noted when it is first opened, in random ids alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.sealing import room_content, sealed_files
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.room_models import ERASED, SealedMessage

from . import folding
from .entries import Group, People, Resource, Suspected
from .folding import NEWER, Item
from .models import GroupEntry

READING = 2  # one more whenever the program learns another kind of entry
EACH = 300  # messages that are opened and noted at a time, that are asked for at once
LATER = f"{NEWER}:"
WAITS = (room_content.KEY, room_content.AUTHOR, room_content.STOPPED)  # it may be opened another time
GROUP, PEOPLE, RESOURCE, SUSPECTED = Group.KIND, People.KIND, Resource.KIND, Suspected.KIND


class Note(NamedTuple):
    """Where a message belongs, as it is kept: its row, its id on the wire, its place, what it is about."""

    row: str
    uri: str
    place: str
    about: str


class Notes(NamedTuple):
    """What is to be noted of a group's messages, and the row of the last one that was looked at for it."""

    room_id: str
    found: tuple[Note, ...]
    last: str


class Conversation(NamedTuple):
    """A conversation: the id by which it is known, how many posts it has, its newest message's id here."""

    place: str
    posts: int
    last: str


def fresh(session: Session, opened: Opened, after: str = "") -> Notes | None:
    """Opens some of what nobody of ours has opened yet, behind the row `after`, and says where each belongs; None where there is nothing
    more. What lacks its key waits. Changes nothing, so that a unit that only reads can do it."""
    there = sa.select(GroupEntry.message_id).where(GroupEntry.message_id == SealedMessage.id, ~_to_read_again())
    query = sa.select(SealedMessage.id).where(SealedMessage.room_id == opened.room_id, SealedMessage.state != ERASED, ~there.exists())
    query = query.where(SealedMessage.ck.in_(sorted(opened.secrets))).order_by(SealedMessage.id).limit(EACH)
    while rows := session.scalars(query.where(SealedMessage.id > after)).all():
        after = rows[-1]
        found = tuple(_note(item) for item in items(session, opened, rows) if item.unread not in WAITS)
        if found:
            return Notes(opened.room_id, found, after)
    return None


def keep(session: Session, node: Node, notes: Notes) -> None:
    """Notes it, but of what has gone meanwhile. Files that somebody has marked are opened and handed out no more from this commit on
    (P23)."""
    there = sa.select(SealedMessage.id).where(SealedMessage.id.in_([one.row for one in notes.found]), SealedMessage.state != ERASED)
    rows = set(session.scalars(there.where(SealedMessage.room_id == notes.room_id)))
    found = [one for one in notes.found if one.row in rows]
    if not found:
        return
    session.execute(sa.delete(GroupEntry).where(GroupEntry.message_id.in_(sorted(rows))))
    values = (dict(message_id=one.row, room_id=notes.room_id, place=one.place, about=one.about) for one in found)
    put(session, GroupEntry, *values)
    mark(session, node, notes.room_id, [*(one.uri for one in found), *(one.about for one in found if one.place == SUSPECTED)])


def mark(session: Session, node: Node, room_id: str, uris: Iterable[str]) -> None:
    """The files of those of these messages, by their ids on the wire, of which somebody has said so, whichever came first here, the file or
    the word."""
    said = sa.select(GroupEntry.about).where(_in(room_id), GroupEntry.place == SUSPECTED)
    for part in _parts(sorted(set(uris))):
        named = session.scalars(said.where(GroupEntry.about.in_(part))).all()
        if named:
            sealed_files.mark(session, node, rows_of(session, room_id, named))  # of this group alone: a word in it is no word elsewhere


def marks(session: Session, room_id: str) -> int:
    """How many words there are in a group that mark files."""
    return session.execute(sa.select(sa.func.count()).where(_in(room_id), GroupEntry.place == SUSPECTED)).scalar_one()


def _to_read_again() -> sa.ColumnElement[bool]:
    """What an earlier program could not read, and this one may."""
    return sa.and_(GroupEntry.place.startswith(LATER, autoescape=True), GroupEntry.place != f"{LATER}{READING}")


def _note(item: Item) -> Note:
    place, about = (f"{LATER}{READING}", "") if item.unread == NEWER else folding.place(item.entry, item.uri)
    return Note(item.row, item.uri, place, about)


def items(session: Session, opened: Opened, rows: Sequence[str]) -> list[Item]:
    """These messages, opened, in this order."""
    found = room_content.some(session, opened, rows)
    return [folding.read(row, found[row]) for row in rows if row in found]


def waiting(session: Session, opened: Opened) -> int:
    """How many messages of a group cannot be opened yet."""
    there = sa.select(GroupEntry.message_id).where(GroupEntry.message_id == SealedMessage.id)
    fresh = sa.select(sa.func.count()).where(SealedMessage.room_id == opened.room_id, SealedMessage.state != ERASED, ~there.exists())
    return session.execute(fresh).scalar_one()


def unread(session: Session, room_id: str) -> dict[str, str]:
    """{a message's id: why nobody of ours reads it}, as far as that is known without opening it: a key is missing, or it was taken back."""
    rows = session.execute(sa.select(SealedMessage.uri, SealedMessage.state).where(SealedMessage.room_id == room_id))
    return {row.uri: ERASED if row.state == ERASED else room_content.KEY for row in rows}


def later(session: Session, room_id: str) -> int:
    """How many messages of a group a newer program has written."""
    return session.execute(sa.select(sa.func.count()).where(_in(room_id), GroupEntry.place.startswith(LATER, autoescape=True))).scalar_one()


def in_place(session: Session, room_id: str, place: str) -> list[str]:
    """The messages of a place, less those that are about another one, oldest first."""
    query = sa.select(GroupEntry.message_id).where(_in(room_id), GroupEntry.place == place, GroupEntry.about == "")
    return list(session.scalars(query.order_by(GroupEntry.message_id)))


def posts_of(session: Session, room_id: str, place: str) -> list[str]:
    """The posts of a conversation: its first one, then the others as they came."""
    rows, first = in_place(session, room_id, place), rows_of(session, room_id, [place]).get(place, "")
    return [first, *(row for row in rows if row != first)] if first in rows else rows


def epoch_of(session: Session, room_id: str, place: str, organisations: Iterable[str]) -> int:
    """The newest epoch in which one of these organisations has said something in this place; 0 for never."""
    here = sa.and_(_in(room_id), GroupEntry.place == place, GroupEntry.message_id == SealedMessage.id)
    query = sa.select(sa.func.max(SealedMessage.epoch)).join(GroupEntry, here)
    return session.execute(query.where(SealedMessage.organisation.in_(sorted(organisations)))).scalar() or 0


def said_of(session: Session, room_id: str, within: Iterable[str], uris: Iterable[str]) -> list[str]:
    """The messages in these places that are about one of these posts."""
    here = sa.and_(_in(room_id), GroupEntry.place.in_(sorted(set(within))))
    query = sa.select(GroupEntry.message_id).where(here).order_by(GroupEntry.message_id)
    return [row for part in _parts(sorted(set(uris))) for row in session.scalars(query.where(GroupEntry.about.in_(part)))]


def conversations(session: Session, room_id: str, before: str, most: int) -> list[Conversation]:
    """Conversations, those that were written in last first; those whose newest message is older than `before`, where that is given."""
    last = sa.func.max(GroupEntry.message_id)
    posts = sa.func.sum(sa.case((GroupEntry.about == "", 1), else_=0))
    query = sa.select(GroupEntry.place, posts, last).where(_in(room_id), GroupEntry.place.startswith("http"))
    query = query.group_by(GroupEntry.place).order_by(last.desc()).limit(most)
    return [Conversation(*row) for row in session.execute(query.having(last < before) if before else query)]


def place_of(session: Session, room_id: str, message_id: str) -> str:
    """Where a message belongs; empty for one that is not known here."""
    query = sa.select(GroupEntry.place).where(_in(room_id), GroupEntry.message_id == message_id)
    return session.execute(query).scalar() or ""


def about_of(session: Session, room_id: str, message_id: str) -> str:
    """The post that a message is about; empty for none."""
    return session.execute(sa.select(GroupEntry.about).where(_in(room_id), GroupEntry.message_id == message_id)).scalar() or ""


def rows_of(session: Session, room_id: str, uris: Iterable[str]) -> dict[str, str]:
    """{a message's id: its row} of a group."""
    query = sa.select(SealedMessage.uri, SealedMessage.id).where(SealedMessage.room_id == room_id)
    return {row.uri: row.id for part in _parts(sorted(set(uris))) for row in session.execute(query.where(SealedMessage.uri.in_(part)))}


def everything(session: Session, room_id: str) -> dict[str, list[str]]:
    """{place: its messages, those about others with them} of a whole group."""
    query = sa.select(GroupEntry.place, GroupEntry.message_id).where(_in(room_id)).order_by(GroupEntry.message_id)
    found: dict[str, list[str]] = {}
    for row in session.execute(query):
        found.setdefault(row.place, []).append(row.message_id)
    return found


def _in(room_id: str) -> sa.ColumnElement[bool]:
    return GroupEntry.room_id == room_id


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + EACH] for start in range(0, len(values), EACH))
