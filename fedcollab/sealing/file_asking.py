"""Decides how a sealed file gets here: when its message comes, of whoever shared it, then of whoever leads the room, then of the others
inside; what came is kept where its hash is the one that was named, and otherwise asked for again, ever more rarely."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.blobs import Growing, new_key
from fedcollab.base.clock import HOUR, MINUTE
from fedcollab.base.crash import reach
from fedcollab.base.errors import FedcollabError, Unavailable, Unreachable
from fedcollab.base.http import MORE_THAN_SAID
from fedcollab.base.session import Session
from fedcollab.federation import beside, knocking, partners
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.files.shelves import SHELVES, Shelves

from . import room_chain, rooms, sealed_files, texts
from .carried import PATH
from .facts import organisations
from .room_models import AWAY, HERE, SealedFile, SealedMessage

FIRST, LONGEST = MINUTE, 6 * HOUR
EVERY, AT_ONCE = 15.0, 20  # seconds between two looks; files that are asked for in one
BESIDE = 2  # of one organisation side by side
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """A file that is asked for: its hash in hexadecimal, how large it is, whose it is, where it may be had, the best first."""

    id: str
    digest: str
    size: int
    organisation: str
    tries: int
    addresses: tuple[str, ...]


async def run(app: web.Application) -> AsyncIterator[None]:
    """Beside the server, from its start to its end. What a process alone was taking in when it died, nobody goes on with."""
    if not app[KERNEL].node.settings.database_url:
        try:
            await forget_old(app[KERNEL], 0)
        except FedcollabError as error:
            log.info("what was coming in is looked at later", extra={"reason": error.reason})
    async for _ in _asking(app):
        yield


async def _begin(app: web.Application, busy: Collection[str]) -> dict[str, Coroutine[Any, Any, int]]:
    await forget_old(app[KERNEL], sealed_files.KEPT)
    return await lanes(app[KERNEL], app[SHELVES], busy)


_asking = beside.each(EVERY, _begin, "sealed files could not be asked for", sealed_files.ASKING)


async def forget_old(kernel: Kernel, age: int) -> None:
    """What has begun to come in so long ago, in microseconds, and is in no message goes."""
    keys = await kernel.database.read(sealed_files.stale, kernel.node.now() - age)
    if keys:
        await kernel.database.write(sealed_files.forget, kernel.node, keys)


async def lanes(kernel: Kernel, shelves: Shelves, busy: Collection[str] = ()) -> dict[str, Coroutine[Any, Any, int]]:
    """What is due, by who has shared it, without those who are busy."""
    found = await kernel.database.read(due, kernel.node, busy)
    return {
        whose: _of_one(kernel, shelves, [one for one in found if one.organisation == whose])
        for whose in {one.organisation for one in found}
    }


async def _of_one(kernel: Kernel, shelves: Shelves, all_of_it: Iterable[Wanted]) -> int:
    places = asyncio.Semaphore(BESIDE)

    async def one(wanted: Wanted) -> bool:
        async with places:
            return await _one(kernel, shelves, wanted)

    return sum(await asyncio.gather(*map(one, all_of_it)))


async def _one(kernel: Kernel, shelves: Shelves, wanted: Wanted) -> bool:
    try:
        reason = await kernel.database.read(sealed_files.need_room, kernel.node, wanted.id, wanted.organisation, wanted.size)
        for address in wanted.addresses if not reason else ():
            found = await _from(kernel, shelves, wanted, address)
            if found is None:
                return True
            reason = reason or found
    except Unavailable:  # the disk is full, or a bucket does not answer
        reason = sealed_files.ROOM
    wait = kernel.node.now() + min(FIRST << min(wanted.tries, 20), LONGEST)
    await kernel.database.write(sealed_files.later, wanted.id, wait, reason)
    return False


async def _from(kernel: Kernel, shelves: Shelves, wanted: Wanted, address: str) -> str | None:
    """Fetches it from one address; None where it is here now, else why not: HASH, or nothing that anybody could mend."""
    growing = shelves.arriving.growing(new_key())
    try:
        await growing.begin()
        await _load(kernel, wanted, address, growing)
        if growing.size != wanted.size or growing.sha256() != wanted.digest:
            return sealed_files.HASH
        await growing.safe()
        key = sealed_files.key_of(wanted.id)
        await shelves.own.take(growing.path, key, wanted.digest)
        reach("sealed.fetched")
        if not await kernel.database.write(came, kernel.node, wanted.id, key):
            await shelves.own.remove(key)
        return None
    except Unreachable as error:
        log.info("a sealed file was not fetched", extra={"reason": error.reason})
        return sealed_files.HASH if error.reason == MORE_THAN_SAID else ""
    finally:
        await growing.remove()


async def _load(kernel: Kernel, wanted: Wanted, address: str, growing: Growing) -> None:
    async def take(chunk: bytes) -> None:
        kernel.node.room.need_for_file(len(chunk))  # others fill the disk as well
        await growing.add(chunk)

    await knocking.load(kernel, address, wanted.size, take)


def due(session: Session, node: Node, busy: Collection[str] = ()) -> list[Wanted]:
    """What is to be asked for now, the oldest first; nothing that somebody has shared who is `busy`."""
    query = sa.select(SealedFile.id, SealedFile.digest, SealedFile.size, SealedFile.room_id, SealedFile.tries, SealedMessage.organisation)
    wanted = sa.and_(SealedFile.next_at <= node.now(), SealedFile.state.in_((AWAY, HERE)), SealedFile.marked_at.is_(None))
    query = query.join(SealedMessage, SealedMessage.id == SealedFile.message_id).where(wanted)
    query = query.where(SealedMessage.organisation.not_in(list(busy)))
    rows = session.execute(query.order_by(SealedFile.next_at).limit(AT_ONCE)).all()
    return [_wanted(session, node, row) for row in rows]


def _wanted(session: Session, node: Node, row: "sa.Row[str, str, int, str, int, str]") -> Wanted:
    """Only our partners can be asked."""
    room, hosts = rooms.by_row(session, node, row.room_id), partners.admitted_hosts(session)
    inside = room.inside | {row.organisation, *(organisations(room.head) if room.head else ())}
    best = sorted(inside - {room.me}, key=lambda who: (who != row.organisation, who != room.owner, who))
    name = texts.written(bytes.fromhex(row.digest))
    asked = tuple(f"{who.partition('://')[0]}://{host_of(who)}{PATH}{name}" for who in best if host_of(who) in hosts)
    return Wanted(row.id, row.digest, row.size, row.organisation, row.tries, asked)


def came(session: Session, node: Node, file_id: str, key: str) -> bool:
    """It is here, and on record; False where it went meanwhile."""
    if not sealed_files.arrived(session, node, file_id, key):
        return False
    row = session.execute(sealed_files.message_of(file_id)).one()
    room_chain.add(session, node, row.room_id, None, "room.file_came", row.uri)
    return True
