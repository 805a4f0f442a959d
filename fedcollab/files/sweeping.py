"""Decides when files and their bytes go: once a minute, and when somebody has let go of one; bytes always after the commit that says so."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import audit
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Unavailable
from fedcollab.base.session import Session
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.sealing.room_models import SealedUpload

from . import fetching, holding, uploading
from .holding import HOLDS, Holds
from .models import CACHED, OWN, File, GoneBytes, Upload
from .service import TOPIC, drop_bytes
from .shelves import SHELVES, Shelves

log = logging.getLogger("fedcollab.files")
EVERY, RESTING = 60.0, 600.0  # seconds between two rounds; after which an upload that rests is closed
AGAIN = 30 * DAY  # after which one that is held is looked at again, in case nobody has said that it was let go
AT_ONCE = 200


class Bytes(NamedTuple):
    """Bytes that are to be removed."""

    key: str
    place: str


async def run(app: web.Application) -> AsyncIterator[None]:
    """Beside the server, from its start to its end."""
    kernel, shelves = app[KERNEL], app[SHELVES]
    task = asyncio.create_task(_run(kernel, shelves, app[HOLDS]))
    yield
    for one in (task, *shelves.fetching.values()):
        one.cancel()
        await asyncio.gather(one, return_exceptions=True)
    for name in list(shelves.hands):
        uploading.close(shelves, name)
    shelves.disk.close()


async def _run(kernel: Kernel, shelves: Shelves, holds: Sequence[Holds]) -> None:
    await _try(_begin(kernel, shelves))
    event = kernel.database.wakes.event(TOPIC)
    while True:
        event.clear()
        if kernel.node.maintenance.state() is None:
            await _try(sweep(kernel, shelves, holds))
        try:
            async with asyncio.timeout(EVERY):
                await event.wait()
        except TimeoutError:
            continue


async def _try(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Unavailable as error:
        log.info("files are looked at later", extra={"reason": error.reason})
    except Exception:
        log.exception("chore", extra={"topic": TOPIC})


async def _begin(kernel: Kernel, shelves: Shelves) -> None:
    """After a process that died: what it was fetching is away, and what belongs to no upload goes. Uploads begin beside this: each is in
    the rows before it is on the disk, so the rows are looked at last."""
    await kernel.database.write(fetching.begin_anew, kernel.node)
    there = await shelves.arriving.found()
    kept = await kernel.database.read(_coming)
    for key in set(there) - kept:
        await shelves.arriving.remove(key)


def _coming(session: Session) -> set[str]:
    return {*session.scalars(sa.select(Upload.key)), *session.scalars(sa.select(SealedUpload.key))}


async def sweep(kernel: Kernel, shelves: Shelves, holds: Sequence[Holds]) -> None:
    """One round: uploads that nobody goes on with, files that nothing holds, bytes that belong to none."""
    now = asyncio.get_running_loop().time()
    for name in [name for name, one in shelves.hands.items() if now - one.used > RESTING and not one.turn.locked()]:
        uploading.close(shelves, name)
    old = await kernel.database.read(uploading.stale, kernel.node.now() - uploading.KEPT)
    if old:
        await uploading.drop(kernel, shelves, old)
    while await kernel.database.read(is_due, kernel.node.now()):  # a unit that has nothing to do would wake whoever waits for commits
        await kernel.database.write(let_go_unheld, kernel.node, holds)
    while await _remove(kernel, shelves):
        pass


def is_due(session: Session, now: int) -> bool:
    """Whether any file is to be looked at."""
    return session.execute(sa.select(File.id).where(File.look_at <= now).limit(1)).first() is not None


def let_go_unheld(session: Session, node: Node, holds: Sequence[Holds]) -> None:
    """Looks at files that are due: what nothing holds is gone, with all that was known of it."""
    due = sa.select(File.id).where(File.look_at <= node.now()).order_by(File.look_at).limit(AT_ONCE).with_for_update()
    ids = list(session.scalars(due))
    kept = holding.held(session, holds, None, ids) if ids else set()
    session.execute(sa.update(File).where(File.id.in_(kept)).values(look_at=node.now() + AGAIN))
    going = [file_id for file_id in ids if file_id not in kept]
    for place, mine in ((OWN, File.by_id.is_not(None)), (CACHED, File.by_id.is_(None))):
        drop_bytes(session, node, session.scalars(sa.select(File.id).where(File.id.in_(going), mine)).all(), place)
    own = list(session.scalars(sa.select(File.id).where(File.id.in_(going), File.by_id.is_not(None))))
    session.execute(sa.delete(File).where(File.id.in_(going)))
    for file_id in own:
        audit.record(session, node.now(), None, "file.gone", file_id)


async def _remove(kernel: Kernel, shelves: Shelves) -> bool:
    """Removes bytes; whether there may be more. Those of our own stay where they are while a backup is being made: it has the rows already
    that say that they are there."""
    busy = (kernel.node.files.root / "backup.tmp").exists()
    waiting, done, away = await kernel.database.read(waits, but=OWN if busy else ""), list[str](), set[str]()
    for one in waiting:
        if one.place not in away:
            try:
                await shelves.store(one.place).remove(one.key)
                done.append(one.key)
            except Unavailable:  # a bucket that does not answer, in nobody else's way
                away.add(one.place)
    if done:
        await kernel.database.write(removed, kernel.node, done)
    return len(done) == AT_ONCE


def waits(session: Session, but: str = "") -> list[Bytes]:
    """Bytes that are to be removed, but for those in one place."""
    query = sa.select(GoneBytes.key, GoneBytes.place).where(GoneBytes.removed_at.is_(None), GoneBytes.place != but)
    return [Bytes(*row) for row in session.execute(query.order_by(GoneBytes.at).limit(AT_ONCE))]


def removed(session: Session, node: Node, keys: list[str]) -> None:
    """They are not there any more. That a file of ours was taken away stays known, so that it does not come back with a backup."""
    mine = GoneBytes.key.in_(keys)
    session.execute(sa.update(GoneBytes).where(mine, GoneBytes.place == OWN).values(removed_at=node.now()))
    session.execute(sa.delete(GoneBytes).where(mine, GoneBytes.place != OWN))
