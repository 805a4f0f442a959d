"""Decides how a partner's file gets here: when a member first opens it, by one signed request for all who wait; checked, then kept."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.blobs import Growing, new_key
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.crash import reach
from fedcollab.base.errors import N_, NotFound, Refused, TooLarge, Unavailable, Unreachable
from fedcollab.base.http import MORE_THAN_SAID
from fedcollab.base.room import MEGABYTE
from fedcollab.base.session import Session
from fedcollab.federation import knocking
from fedcollab.federation.kernel import Kernel
from fedcollab.federation.models import ADMITTED, Partner

from . import arrival, picturing, quotas
from .arrival import Whole
from .decoding import Drawn
from .kinds import Kind
from .models import AWAY, CACHED, FETCHING, HERE, REFUSED, File
from .scanning import Malware
from .service import REASONS, drop_bytes, preview_of
from .shelves import Shelves, Turn

log = logging.getLogger("fedcollab.files")
UNSAID = 20 * MEGABYTE  # that a file may have of which its organisation says no size
PATIENCE, REST = 20.0, 60  # seconds that a reader waits; before a partner is asked again
AT_MOST, OF_ONE = 60, 15  # fetches that may be under way or wait, in all and from one host
ALIKE = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "audio/mp3": "audio/mpeg", "application/x-pdf": "application/pdf"}
ANY = ("", "application/octet-stream", "binary/octet-stream")
AWAY_NOW = N_("This file lies on the node of %(host)s, which does not answer just now. Nothing is lost: try again in %(number)s seconds.")
NOT_GIVEN = N_("This file lies on the node of %(host)s, which does not give it out any more. Ask them for it.")
ON_ITS_WAY = N_("This file is being fetched from the node of %(host)s. It is large: open it again in %(number)s seconds.")
BUSY = N_("Many files are being fetched just now. Open this one again in %(number)s seconds.")
TOO_BIG = N_("This file lies on the node of %(host)s. It is larger than what this node keeps of partners' files: ask your administrator.")


class NotAsSaid(Refused):
    """A partner's file is not what the partner says that it is."""

    status = 502
    text = REASONS["type"]


@dataclass(frozen=True)
class Wanted:
    """A file that is to be fetched: from where, what was said of it, at most how many bytes, and the name that they get."""

    id: str
    uri: str
    host: str
    name: str
    media_type: str
    size: int
    sha256: str
    most: int
    key: str


async def bring(kernel: Kernel, shelves: Shelves, file_id: str) -> None:
    """Has a partner's file here when it returns; all who want it at the same time wait for one fetch. Raises Unavailable, with when to try
    again: where the partner can't be asked, and where it takes longer than somebody waits."""
    host = await kernel.database.read(_asked, file_id)
    task = shelves.fetching.get(file_id)
    if task is None:
        turn = shelves.turns.setdefault(host, Turn())
        if len(shelves.fetching) >= AT_MOST or turn.under_way >= OF_ONE:
            raise Unavailable(BUSY, reason="too many fetches of files", retry_after=REST, number=REST)
        turn.under_way += 1
        task = shelves.fetching[file_id] = asyncio.create_task(_in_turn(kernel, shelves, file_id, turn))
        task.add_done_callback(lambda done: _done(shelves, file_id, host, done))
    done, _ = await asyncio.wait([task], timeout=PATIENCE)
    if not done:
        host = await kernel.database.read(_host, file_id)
        raise Unavailable(ON_ITS_WAY, reason="a file is still being fetched", retry_after=REST, host=host, number=REST)
    task.result()


def _done(shelves: Shelves, file_id: str, host: str, task: "asyncio.Task[None]") -> None:
    shelves.fetching.pop(file_id, None)
    shelves.turns[host].under_way -= 1
    if not shelves.turns[host].under_way:
        del shelves.turns[host]
    if not task.cancelled():
        task.exception()  # whoever still waits hears it; nobody may


def _host(session: Session, file_id: str) -> str:
    query = sa.select(Actor.host).join(File, File.organisation_id == Actor.id).where(File.id == file_id)
    return session.scalar(query) or ""


def _asked(session: Session, file_id: str) -> str:
    """The host that would be asked for a file."""
    query = sa.select(File.uri, Actor.host, File.through_id).join(Actor, Actor.id == File.organisation_id).where(File.id == file_id)
    row = session.execute(query).one_or_none()
    return _from(session, *row)[1] if row is not None else ""


async def _in_turn(kernel: Kernel, shelves: Shelves, file_id: str, turn: Turn) -> None:
    """A host has two of the places at most, and its other files wait outside: one that is slow keeps nobody else's waiting."""
    async with turn.places:
        await _one(kernel, shelves, file_id)


async def _one(kernel: Kernel, shelves: Shelves, file_id: str) -> None:
    """One fetch from beginning to end, no transaction open while anybody is waited for."""
    async with shelves.fetches:
        _recall(kernel, shelves, file_id, await kernel.database.read(_host, file_id))
        wanted = await kernel.database.write(begin, kernel.node, file_id)
        if wanted is None:
            return
        growing = shelves.arriving.growing(wanted.key)
        try:
            await _fetch(kernel, shelves, wanted, growing)
        except BaseException:
            with suppress(Unavailable):
                await kernel.database.write(give_up, kernel.node, wanted)
            raise
        finally:
            await growing.remove()


def _recall(kernel: Kernel, shelves: Shelves, file_id: str, host: str) -> None:
    """A partner that did not answer is left alone for a minute."""
    left = (shelves.failed.get(file_id, 0) - kernel.node.now()) // MICROSECONDS
    if left > 0:
        raise Unavailable(AWAY_NOW, reason="a partner did not answer a moment ago", retry_after=left, host=host, number=left)
    shelves.failed.pop(file_id, None)


async def _fetch(kernel: Kernel, shelves: Shelves, wanted: Wanted, growing: Growing) -> None:
    await growing.begin()

    async def take(chunk: bytes) -> None:
        kernel.node.room.need_for_file(len(chunk))  # others fill the disk as well
        await growing.add(chunk)

    try:
        await knocking.load(kernel, wanted.uri, wanted.most, take)
    except Unreachable as error:
        if error.reason == MORE_THAN_SAID:
            await kernel.database.write(refuse, kernel.node, wanted, "size")
            raise NotAsSaid(REASONS["size"], reason="a partner's file: size") from None
        raise _failed(kernel, shelves, wanted, error) from None
    await growing.safe()
    whole = Whole(growing.path, wanted.name, growing.size, growing.sha256())
    kind = await _looked_at(kernel, shelves, wanted, whole)
    drawn = await picturing.drawn(shelves, whole, kind)
    await shelves.cache.take(whole.path, wanted.key, whole.sha256)
    preview = await picturing.store(shelves, CACHED, wanted.key, drawn)
    reach("fetch.stored")
    if not await kernel.database.write(arrived, kernel.node, wanted, whole, kind, drawn, preview):
        for key in (wanted.key, preview_of(wanted.key)):
            await shelves.cache.remove(key)


def _failed(kernel: Kernel, shelves: Shelves, wanted: Wanted, error: Unreachable) -> Exception:
    log.info("a file was not fetched", extra={"reason": error.reason})
    if error.answer in (401, 403, 404, 410):
        return NotFound(NOT_GIVEN, host=wanted.host)
    while len(shelves.failed) >= 1000:
        del shelves.failed[next(iter(shelves.failed))]
    wait = max(REST, min(error.retry_after or 0, 3600))
    shelves.failed[wanted.id] = kernel.node.now() + wait * MICROSECONDS
    return Unavailable(AWAY_NOW, reason="a file's partner does not answer", retry_after=wait, host=wanted.host, number=wait)


async def _looked_at(kernel: Kernel, shelves: Shelves, wanted: Wanted, whole: Whole) -> Kind:
    """Raises NotAsSaid where the file is another than was said, or none that is taken: it is shown so from then on."""
    reason = _differs(wanted, whole)
    try:
        kind = await arrival.look(shelves, whole)
        reason = reason or ("" if _same_type(wanted.media_type, kind) else "type")
    except Refused as error:
        reason = reason or ("malware" if isinstance(error, Malware) else "type")
    if reason:
        await kernel.database.write(refuse, kernel.node, wanted, reason)
        raise NotAsSaid(REASONS[reason], reason=f"a partner's file: {reason}")
    return kind


def _differs(wanted: Wanted, whole: Whole) -> str:
    if wanted.size and whole.size != wanted.size:
        return "size"
    return "hash" if wanted.sha256 and whole.sha256 != wanted.sha256 else ""


def _same_type(said: str, kind: Kind) -> bool:
    return said in ANY or ALIKE.get(said, said) == kind.media_type


def begin(session: Session, node: Node, file_id: str) -> Wanted | None:
    """Makes room, and says that the file is being fetched; None where it is here. Raises NotFound, TooLarge, StorageFull."""
    columns = (File.uri, File.organisation_id, File.name, File.media_type, File.size, File.sha256, File.state, Actor.host, File.through_id)
    query = sa.select(*columns).join(Actor, Actor.id == File.organisation_id).where(File.id == file_id, File.by_id.is_(None))
    row = session.execute(query).one_or_none()
    if row is None or row.state not in (AWAY, FETCHING, HERE):
        raise NotFound()
    if row.state == HERE:
        return None
    share = node.settings.cache_quota * MEGABYTE * node.settings.cache_share // 100
    most = row.size or min(UNSAID, share)
    if most > min(share, quotas.limit(node.settings)):
        raise TooLarge(TOO_BIG, host=row.host)
    node.room.need_for_file(most)
    _make_room(session, node, row.organisation_id, share - most)
    _make_room(session, node, "", node.settings.cache_quota * MEGABYTE - most)
    key = new_key()
    session.execute(sa.update(File).where(File.id == file_id).values(state=FETCHING, key=key, size=most, used_at=node.now()))
    uri, host = _from(session, row.uri, row.host, row.through_id)
    return Wanted(file_id, uri, host, row.name, row.media_type, row.size, row.sha256, most, key)


def _from(session: Session, uri: str, host: str, through_id: str | None) -> tuple[str, str]:
    """(address, host) that are asked: its own organisation, or, where that is no partner of ours, the host of the group that it came
    through."""
    ours = session.execute(sa.select(Partner.id).where(Partner.host == host, Partner.state == ADMITTED)).first()
    group = session.execute(sa.select(Actor.uri, Actor.host).where(Actor.id == (through_id or ""))).one_or_none()
    if ours is not None or group is None:
        return uri, host
    return f"{group.uri.partition('://')[0]}://{group.host}/files?uri={quote(uri, safe='')}", group.host


def _make_room(session: Session, node: Node, organisation_id: str, left: int) -> None:
    """Those that were read least recently go until all, or one organisation's, take no more than `left` bytes."""
    over = quotas.cached_bytes(session, organisation_id) - left
    cached = sa.select(File.id, File.size).where(File.by_id.is_(None), File.key != "", File.state == HERE).order_by(File.used_at)
    if organisation_id:
        cached = cached.where(File.organisation_id == organisation_id)
    going: list[str] = []
    for row in session.execute(cached):
        if over <= 0:
            break
        going.append(row.id)
        over -= row.size
    if over > 0:
        raise Unavailable(BUSY, reason="the room for partners' files is taken by fetches", retry_after=REST, number=REST)
    evict(session, node, going)


def evict(session: Session, node: Node, ids: list[str]) -> None:
    """Their bytes go; what is known of them stays, so that they can be fetched again."""
    drop_bytes(session, node, ids, CACHED)
    session.execute(sa.update(File).where(File.id.in_(ids), File.state.in_((HERE, FETCHING))).values(state=AWAY))


def arrived(session: Session, node: Node, wanted: Wanted, whole: Whole, kind: Kind, drawn: Drawn, preview: str) -> bool:
    """It is here; False where it was said anew or taken away meanwhile."""
    same = sa.and_(File.id == wanted.id, File.state == FETCHING, File.key == wanted.key)
    what = dict(state=HERE, size=whole.size, sha256=whole.sha256, media_type=kind.media_type, used_at=node.now())
    what |= dict(width=drawn.width, height=drawn.height, pages=drawn.pages, preview=preview)
    return session.execute(sa.update(File).where(same).values(**what).returning(File.id)).first() is not None


def refuse(session: Session, node: Node, wanted: Wanted, reason: str) -> None:
    """It is not what was said."""
    same = sa.and_(File.id == wanted.id, File.state == FETCHING, File.key == wanted.key)
    session.execute(sa.update(File).where(same).values(state=REFUSED, reason=reason, key="", size=wanted.size))


def give_up(session: Session, node: Node, wanted: Wanted) -> None:
    """It could not be had this time."""
    same = sa.and_(File.id == wanted.id, File.state == FETCHING, File.key == wanted.key)
    session.execute(sa.update(File).where(same).values(state=AWAY, key="", size=wanted.size))


def begin_anew(session: Session, node: Node) -> None:
    """For the start: what a process that died was fetching is away again."""
    ids = list(session.scalars(sa.select(File.id).where(File.state == FETCHING)))
    evict(session, node, ids)


__all__ = ["NotAsSaid", "begin_anew", "bring"]
