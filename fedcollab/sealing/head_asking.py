"""Decides how a member's node gets the entries of our record of a room that it lacks, and how we get theirs: by a signed GET, a page at a
time, and of what cannot be had the record is followed anew."""

from collections.abc import Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import HOUR, MINUTE
from fedcollab.base.errors import BadRequest, FedcollabError, NotFound
from fedcollab.base.session import Session
from fedcollab.federation import beside, knocking
from fedcollab.federation.authenticate import authenticate
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.federation.views import document_answer

from . import chains, head_receiving, head_telling, heads, room_chain
from .chain_models import ChainHead
from .chains import Entry, Place
from .heads import Head
from .reading import NUMBER, uri
from .room_models import Room
from .texts import named

PATH = "/rooms/chains"
PAGES, TRIES, AT_ONCE = 20, 6, 10  # pages of one record in a row; how often one is asked; records in one run
EVERY, FIRST, LONGEST = 30.0, MINUTE, 6 * HOUR  # seconds between two looks


async def get_chain(request: web.Request) -> web.Response:
    """Entries of our record of a room from a number on, for members of it; 404 for all others, and for what is no longer kept."""
    kernel, asked = request.app[KERNEL], request.query
    found = await authenticate(kernel, request, b"")
    try:
        room, first = uri(asked.get("room")), int(asked.get("from", ""))
    except (BadRequest, ValueError):
        raise NotFound from None
    answer = document_answer(await kernel.database.read(_page, kernel.node, found.actor, room, first))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(session: Session, node: Node, who: ActorData, room: str, first: int) -> dict[str, Any]:
    room_id = head_receiving.is_inside(session, node, room, who)
    after = room_chain.place(session, room_id, first - 1) if 1 <= first <= NUMBER else None
    if after is None:
        raise NotFound
    lines = [one.line() for one in room_chain.page(session, node, room_id, after)]
    return {"room": room, "node": node.actor_uri, "seq": after.seq, "hash": after.hash, "lines": lines}


@dataclass(frozen=True)
class Lacking:
    """A record of which we know one place and are told of a later one."""

    room_id: str
    known: Head
    head: Head
    document: dict[str, Any]
    after: int
    tries: int


async def lanes(kernel: Kernel, busy: Collection[str] = ()) -> dict[str, Coroutine[Any, Any, int]]:
    """What is due, by whose record it is, without those who are busy: each is asked for one after the other."""
    found = await kernel.database.read(due, kernel.node, busy)
    nodes = sorted({one.known.node for one in found})
    return {node: _of_one(kernel, [one for one in found if one.known.node == node]) for node in nodes}


async def _of_one(kernel: Kernel, all_of_it: Iterable[Lacking]) -> int:
    done = 0
    for lacking in all_of_it:
        try:
            way = await _way(kernel, lacking)
        except FedcollabError:
            await kernel.database.write(again, kernel.node, lacking)
        else:
            done += await kernel.database.write(came, kernel.node, lacking, way)
    return done


def due(session: Session, node: Node, busy: Collection[str] = ()) -> list[Lacking]:
    """What is to be asked for now, the oldest first, of nobody who is `busy`."""
    columns = (ChainHead.room_id, ChainHead.organisation, ChainHead.seq, ChainHead.hash, ChainHead.at, ChainHead.pending, ChainHead.tries)
    query = sa.select(*columns, Room.uri).join(Room, Room.id == ChainHead.room_id)
    query = query.where(ChainHead.next_at > 0, ChainHead.next_at <= node.now(), ChainHead.organisation.not_in(list(busy)))
    query = query.order_by(ChainHead.next_at).limit(AT_ONCE)
    found = []
    for row in session.execute(query):
        known = Head(row.uri, row.organisation, row.seq, row.hash, row.at)
        pending: Any = row.pending
        if pending:
            head = heads.read_head(pending["head"])
            found.append(Lacking(row.room_id, known, head, pending["head"], pending["after"], row.tries))
    return found


async def _way(kernel: Kernel, lacking: Lacking) -> list[Entry]:
    """The entries from behind the place that we know up to the head, as that node gives them now. Raises what asking raises, and
    BadRequest where they do not lead there: then they show nothing."""
    found, at = list[Entry](), lacking.known.place
    base = f"{lacking.known.node.partition('://')[0]}://{host_of(lacking.known.node)}{PATH}"
    for _ in range(PAGES):
        asked = urlencode({"room": lacking.known.room, "from": at.seq + 1})
        begins, entries = _read(await knocking.get(kernel, f"{base}?{asked}"), lacking.known, at)
        if not entries or (found and begins != at):
            break
        found += [one for one in entries if one.seq <= lacking.head.seq]
        at = entries[-1].place
        if at.seq >= lacking.head.seq:
            break
    if not found or found[-1].place != lacking.head.place:
        raise BadRequest(reason="sealing: entries that do not lead to the head")
    return found


def _read(page: dict[str, Any], known: Head, at: Place) -> tuple[Place, list[Entry]]:
    lines, seq = page.get("lines"), page.get("seq")
    if not isinstance(lines, list) or len(lines) > room_chain.PAGE or seq != at.seq or type(seq) is not int:
        raise BadRequest(reason="sealing: no page of a record")
    begins = Place(seq, named(page.get("hash")) if seq else "")
    return begins, chains.placed(known.room, known.node, begins, lines)


def came(session: Session, node: Node, lacking: Lacking, way: list[Entry]) -> bool:
    """The record is whole up to its head again, or it is another one, which is put on record."""
    if not _waits(session, lacking):
        return False
    if way[0].prev == lacking.known.hash:
        head_telling.keep_head(session, node, lacking.room_id, lacking.head, lacking.document)
    else:
        begins = Place(way[0].seq - 1, way[0].prev)
        head_receiving.put_on_record(session, node, lacking.room_id, lacking.head, lacking.document, begins, way)
    return True


def again(session: Session, node: Node, lacking: Lacking) -> None:
    """Nobody answered, or nothing of use: asked again after twice the time, and in the end no more."""
    if not _waits(session, lacking):
        return
    if lacking.tries + 1 >= TRIES:
        head_receiving.begin_anew(session, node, lacking.room_id, lacking.head, lacking.document, lacking.after)
    else:
        values = dict(tries=lacking.tries + 1, next_at=node.now() + min(FIRST << (2 * lacking.tries), LONGEST))
        session.execute(sa.update(ChainHead).where(_there(lacking)).values(**values))


def _there(lacking: Lacking) -> sa.ColumnElement[bool]:
    return sa.and_(ChainHead.room_id == lacking.room_id, ChainHead.organisation == lacking.known.node)


def _waits(session: Session, lacking: Lacking) -> bool:
    """Whether it is still what was asked for: another head may have come meanwhile."""
    pending: Any = session.execute(sa.select(ChainHead.pending).where(_there(lacking), ChainHead.hash == lacking.known.hash)).scalar()
    return bool(pending) and pending["head"] == lacking.document


async def _begin(app: web.Application, busy: Collection[str]) -> dict[str, Coroutine[Any, Any, int]]:
    return await lanes(app[KERNEL], busy)


run = beside.each(EVERY, _begin, "entries could not be asked for", "heads")
ROUTES = (web.get(PATH, get_chain),)
