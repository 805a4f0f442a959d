"""Decides what the pages of a group read: conversations with their titles, the posts of one, resources, what is found inside. Each is a
plan (sealing/made_ready.py), and opens no more messages than it shows; only a search opens all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.sealing import going, naming, room_sending, sealed_files
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.naming import Names
from fedcollab.sealing.room_models import ERASED, SealedMessage
from fedcollab.search.words import letters

from . import attached, folding, opening, places
from .attached import Files
from .folding import THERE, Shown
from .opening import Here, Keys
from .places import RESOURCE

EACH, POSTS, FOUND = 20, 50, 100  # conversations, posts or resources of a page; what is found


@dataclass(frozen=True, repr=False)
class Row:
    """A conversation in a list: its opener as it stands (None where it never came), how many posts it has, when the last came, and
    whether something in it is new for whoever looks; `row` is by what it is found."""

    row: str
    opener: Shown | None
    posts: int
    at: int
    new: bool


@dataclass(frozen=True, repr=False)
class Front:
    """The first page of a group: conversations, and where the older ones begin."""

    here: Here
    rows: list[Row]
    more: str
    resources: list[Shown]
    names: Names


@dataclass(frozen=True, repr=False)
class Conversation:
    """A page of a conversation; `opener` as in `Row`, `row` by what it is found, `place` its id; `number` of `pages`; `files` of its
    posts."""

    here: Here
    row: str
    place: str
    opener: Shown | None
    posts: list[Shown]
    number: int
    pages: int
    count: int
    names: Names
    files: Files


class Own(NamedTuple):
    """A post or resource before whoever wants to change or remove it, with the conversation that it stands in."""

    here: Here
    post: Shown
    place: str
    row: str
    names: Names


def front(session: Session, _node: Node, here: Here, _keys: Keys, before: str) -> Write:
    """Conversations, the newest first; all of it counts as seen from now on."""
    listed = places.conversations(session, here.id, before, EACH + 1)
    openers = _openers(session, here, [one.place for one in listed[:EACH]])
    rows = [_row(session, here, one, openers.get(one.place)) for one in listed[:EACH]]
    kept = _shown(session, here, [RESOURCE], places.in_place(session, here.id, RESOURCE)[-5:])
    more = listed[EACH - 1].last if len(listed) > EACH else ""
    found = Front(here, rows, more, kept[::-1], _names(session, [*kept, *(row.opener for row in rows if row.opener)]))

    def write(session: Session) -> Front:
        opening.seen(session, here)
        return found

    return write


def _row(session: Session, here: Here, one: places.Conversation, opener: Shown | None) -> Row:
    last = session.execute(sa.select(SealedMessage.at, SealedMessage.author).where(SealedMessage.id == one.last)).one()
    row = opener.row if opener else one.last
    return Row(row, opener, one.posts, last.at, here.seen < one.last and last.author != here.person)


def _openers(session: Session, here: Here, uris: Sequence[str]) -> dict[str, Shown]:
    rows = places.rows_of(session, here.id, uris)
    found = _shown(session, here, uris, [rows[uri] for uri in uris if uri in rows])
    return {one.uri: one for one in found if places.place_of(session, here.id, one.row) == one.uri}


def _shown(session: Session, here: Here, within: Iterable[str], rows: Sequence[str]) -> list[Shown]:
    """These posts as they stand, in this order."""
    found = places.items(session, here.opened, rows)
    said = places.said_of(session, here.id, within, [one.uri for one in found])
    return folding.posts(found, places.items(session, here.opened, said), here.owners)


def conversation(session: Session, node: Node, here: Here, _keys: Keys, row: str, number: int) -> Write:
    """A page of the conversation that a message belongs to. Raises NotFound where that is none."""
    place = places.place_of(session, here.id, row)
    if not place.startswith("http"):
        raise NotFound
    rows = places.posts_of(session, here.id, place)
    pages = max(1, -(-len(rows) // POSTS))
    number = min(max(1, number), pages)
    posts = _shown(session, here, [place], rows[(number - 1) * POSTS : number * POSTS])
    opener = next((one for one in posts if one.uri == place), None) or _openers(session, here, [place]).get(place)
    first = opener.row if opener else row
    files = attached.beside(session, here, posts)
    found = Conversation(here, first, place, opener, posts, number, pages, len(rows), _names(session, posts), files)

    def write(session: Session) -> Conversation:
        opening.seen(session, here)
        return _made_good(session, node, found)

    return write


def page_of(session: Session, room_id: str, row: str) -> int:
    """On which page of its conversation a post stands."""
    rows = places.posts_of(session, room_id, places.place_of(session, room_id, row))
    return rows.index(row) // POSTS + 1 if row in rows else 1


def resources(session: Session, node: Node, here: Here, _keys: Keys, number: int) -> Write:
    """A page of the group's resources, the newest first."""
    rows = places.in_place(session, here.id, RESOURCE)[::-1]
    pages = max(1, -(-len(rows) // POSTS))
    number = min(max(1, number), pages)
    posts = _shown(session, here, [RESOURCE], rows[(number - 1) * POSTS : number * POSTS])
    files = attached.beside(session, here, posts)
    found = Conversation(here, "", RESOURCE, None, posts, number, pages, len(rows), _names(session, posts), files)
    return lambda session: _made_good(session, node, found)


def one(session: Session, _node: Node, here: Here, _keys: Keys, row: str) -> Write:
    """One post or resource. Raises NotFound for what is none."""
    found = own(session, here, row)
    return lambda _session: found


def own(session: Session, here: Here, row: str) -> Own:
    """The same of a group, for another plan."""
    place = places.place_of(session, here.id, row)
    found = _shown(session, here, [place], [row]) if place.startswith("http") or place == RESOURCE else []
    if not found:
        raise NotFound
    first = places.rows_of(session, here.id, [place]).get(place, row)
    known = places.place_of(session, here.id, first) == place  # else it was taken back before anybody here had opened it
    return Own(here, found[0], place, first if known else row, _names(session, found))


def search(session: Session, here: Here, asked: str) -> tuple[list[Shown], Names]:
    """Posts and resources in whose words each word asked for stands, the newest first. Everything is opened, by a reader, and nothing
    kept."""
    wanted = _flat(asked).split()
    found = [one for one in _everything(session, here) if wanted and one.state == THERE and _says(one, wanted)]
    found = sorted(found, key=lambda one: one.row, reverse=True)[:FOUND]
    return found, _names(session, found)


def _everything(session: Session, here: Here) -> Iterator[Shown]:
    for place, rows in places.everything(session, here.id).items():
        if place.startswith("http") or place == RESOURCE:
            items = places.items(session, here.opened, rows)
            posts = [item for item in items if not folding.place(item.entry, item.uri)[1]]
            yield from folding.posts(posts, items, here.owners)


def _says(one: Shown, wanted: Sequence[str]) -> bool:
    said = _flat("\n".join((one.title, one.text, one.link, *(file.entry.name for file in one.files))))
    return all(word in said for word in wanted)


def _flat(text: str) -> str:
    return text.lower() if text.isascii() else letters(text)


def _names(session: Session, found: Iterable[Shown]) -> Names:
    return naming.names(session, {uri for one in found for uri in (one.author, one.organisation, one.by)})


def _made_good(session: Session, node: Node, found: Conversation) -> Conversation:
    """What whoever leads has removed of ours is destroyed, here and everywhere; others' own nodes see to theirs. Files that we know by
    their messages alone are asked for."""
    here = found.here
    removed = [one for one in found.posts if one.state == folding.REMOVED and one.organisation == here.opened.room.me]
    take_back(session, node, here, *removed)
    return replace(found, files=attached.learned(session, node, here, found.files))


def take_back(session: Session, node: Node, here: Here, *posts: Shown) -> None:
    """Posts of ours, all that has changed them and their files go, everywhere; but no file that was marked (P23). A few messages at once,
    more of them by and by (going.py)."""
    wanted, ours = [uri for post in posts for uri in (post.uri, *post.edits)], sa.and_(SealedMessage.state != ERASED, _ours(here))
    there = set(session.scalars(sa.select(SealedMessage.uri).where(SealedMessage.room_id == here.id, SealedMessage.uri.in_(wanted), ours)))
    there -= sealed_files.marked(session, here.id, wanted)
    gone = [uri for uri in wanted if uri in there]
    for uri in gone[: going.EACH]:
        room_sending.take_back(session, node, here.viewer, uri)
    if len(gone) > going.EACH:
        going.begin(session, node, here.viewer, here.id, gone[going.EACH :])


def _ours(here: Here) -> sa.ColumnElement[bool]:
    return SealedMessage.organisation == here.opened.room.me
