"""Decides when and how partners are asked for what this node has missed: at a start, a gap or an admin's wish, by pages until whole."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import INTRODUCED, Actor
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.crash import reach
from fedcollab.base.database import wake
from fedcollab.base.errors import BadRequest, Refused, Unavailable, Unreachable
from fedcollab.base.http import is_activity
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.base.strictjson import loads

from . import activitystreams as ap
from . import delivery, fetch, inbox, knocking, no_room, other_keys, partners, proofs, streams
from .kernel import Kernel
from .models import ADMITTED, NO_ROOM, WAITING, InboxItem, Partner, is_open
from .registry import Registry
from .streams import Place

log = logging.getLogger("fedcollab.federation")
IDLE = 30.0
GAP = MINUTE
WALKED = 5000  # numbers looked at in one unit
ROOM = 4000  # activities of one partner that may wait here before its next page is asked for
MEMBERS = 200_000  # of a page as a whole; each activity has the usual limits when it is delivered
STRANGERS = 200  # authors fetched for one page: no more than it has activities
VAIN = 1.0  # seconds after a page of which nothing was believed: it costs us as much as a good one
NO_STREAM = (404, 405, 410)


def want(session: Session, node: Node, *, partner_id: str = "") -> None:
    """Asks one partner, or each that is admitted, for what we may have missed."""
    chosen = sa.update(Partner).where(Partner.id == partner_id if partner_id else Partner.state == ADMITTED)
    session.execute(chosen.values(resync_at=node.now(), resync_tries=0, resync_error=""))
    wake(session, "catchup")


def listen(session: Session, node: Node, *, partner_id: str = "") -> None:
    """Counts how far each partner's stream, or one partner's, is here without a gap. A gap that has stayed a minute is asked for."""
    columns = (Partner.id, Partner.host, Partner.heard_epoch, Partner.heard_seq, Partner.resync_at)
    heard_from = sa.and_(Partner.state == ADMITTED, *([Partner.id == partner_id] if partner_id else []))
    for row in session.execute(sa.select(*columns).where(heard_from).order_by(Partner.id)).all():
        newest = prepared(session, _newest(), {"host": row.host}).scalar_one()
        if newest is not None:
            heard = (row.heard_epoch, row.heard_seq) if newest <= row.heard_epoch else (newest, 0)
            seq, gap_at = _walk(session, row.host, heard)
            if (heard[0], seq) != (row.heard_epoch, row.heard_seq):
                move(session, row.id, (heard[0], seq))
            if gap_at is not None and gap_at <= node.now() - GAP and row.resync_at is None:
                want(session, node, partner_id=row.id)


@cache
def _newest() -> sa.Select[Any]:
    return sa.select(sa.func.max(InboxItem.epoch)).where(InboxItem.host == sa.bindparam("host"))


def _walk(session: Session, host: str, heard: Place) -> tuple[int, int | None]:
    """(the number up to which nothing lacks, when the first one beyond a gap came or None)."""
    seq = heard[1]
    for number, received_at, state in prepared(session, _beyond(), {"host": host, "epoch": heard[0], "seq": seq}):
        if number > seq + 1:
            return seq, received_at
        if state == NO_ROOM:
            return seq, None  # not heard, and nothing to ask for
        seq = number
    return seq, None


@cache
def _beyond() -> sa.Select[Any]:
    columns: list[Any] = [InboxItem.seq, InboxItem.received_at, InboxItem.state]
    mine = sa.and_(InboxItem.host == sa.bindparam("host"), InboxItem.epoch == sa.bindparam("epoch"), InboxItem.seq > sa.bindparam("seq"))
    return sa.select(*columns).where(mine).order_by(InboxItem.seq).limit(WALKED)


def move(session: Session, partner_id: str, heard: Place) -> None:
    """Remembers how far a partner's stream is here; never backwards."""
    further = sa.or_(Partner.heard_epoch < heard[0], sa.and_(Partner.heard_epoch == heard[0], Partner.heard_seq < heard[1]))
    session.execute(sa.update(Partner).where(Partner.id == partner_id, further).values(heard_epoch=heard[0], heard_seq=heard[1]))


@dataclass(frozen=True)
class Asked:
    """A partner that is being asked, how far its stream is here, and `at` which place it is read on: further, where something is not taken
    in for want of room. Such a question acknowledges nothing."""

    id: str
    host: str
    uri: str
    speaks: bool
    heard: Place
    at: Place

    @property
    def stream(self) -> str:
        return self.uri + "/stream"


class Believed(NamedTuple):
    """What of a page is its authors' own: (author's row id, activity, number); the numbers of all else; the ids of authors that are not
    known yet, and of those that are, but whose keys have not proved all of theirs."""

    found: list[tuple[str, dict[str, Any], int]]
    passed: list[int]
    unknown: set[str]
    doubted: set[str]


class Asking:
    """One task for each partner that is to be asked now."""

    def __init__(self, kernel: Kernel, group: asyncio.TaskGroup) -> None:
        self.kernel, self.group, self.running = kernel, group, set[str]()

    async def start(self) -> float:
        """Starts what is due; answers the seconds until the next. A disk that is almost full takes nothing more from anybody."""
        now = self.kernel.node.now()
        if self.kernel.node.room.low:
            return IDLE
        for partner_id, at in await self.kernel.database.read(_wanted):
            if at <= now and partner_id not in self.running:
                self.running.add(partner_id)
                self.group.create_task(self._one(partner_id))
        later = [at for partner_id, at in await self.kernel.database.read(_wanted) if partner_id not in self.running]
        return min([IDLE, *(max(0.05, (at - now) / MICROSECONDS) for at in later)])

    async def _one(self, partner_id: str) -> None:
        try:
            await ask(self.kernel, partner_id)
        except Exception:
            log.exception("worker", extra={"topic": "catchup"})
            await asyncio.sleep(1.0)
        finally:
            self.running.discard(partner_id)


def _wanted(session: Session) -> list[tuple[str, int]]:
    wanted = sa.and_(Partner.state == ADMITTED, Partner.resync_at.is_not(None))
    return [(row.id, row.resync_at or 0) for row in session.execute(sa.select(Partner.id, Partner.resync_at).where(wanted))]


async def ask(kernel: Kernel, partner_id: str) -> None:
    """Asks a partner until its stream is whole here; a failure is told to the admin and tried again, later each time. A process that
    dies midway goes on where the last page was stored."""
    try:
        await kernel.database.write(listen, kernel.node, partner_id=partner_id)
        asked, at, more = await kernel.database.read(_asked, partner_id, None), None, True
        while asked.speaks and more:
            at, more = await _page(kernel, asked)
            asked = await kernel.database.read(_asked, partner_id, at)
        await kernel.database.write(_whole, kernel.node, partner_id, has_stream=asked.speaks)
    except Unreachable as error:
        if error.answer in NO_STREAM:
            await kernel.database.write(_whole, kernel.node, partner_id, has_stream=False)
        else:
            await kernel.database.write(_failed, kernel.node, partner_id, error.reason)
    except BadRequest as error:
        await kernel.database.write(_failed, kernel.node, partner_id, f"answered with an unreadable stream: {error.reason}")
    except Unavailable:
        await asyncio.sleep(1.0)


def _asked(session: Session, partner_id: str, at: Place | None) -> Asked:
    query = sa.select(Partner.host, Partner.heard_epoch, Partner.heard_seq, Actor.uri, Actor.document)
    row = session.execute(query.join(Actor, Actor.id == Partner.organisation_id).where(Partner.id == partner_id)).one()
    speaks = bool((row.document or {}).get(ap.PROTOCOL_TERM))
    heard = (row.heard_epoch, row.heard_seq)
    return Asked(partner_id, row.host, row.uri, speaks, heard, at or heard)


async def _page(kernel: Kernel, asked: Asked) -> tuple[Place | None, bool]:
    """Stores one page; (where it is read on, if that is not where all before is here; whether there is more). While much of this partner's
    waits here, none is asked for."""
    beyond = asked.at if asked.at != asked.heard else None
    if await kernel.database.read(_full, asked.host):
        await asyncio.sleep(0.2)
        return beyond, True
    newest, entries, more = await _fetched(kernel, asked)
    believed = await _believed(kernel, asked, entries)
    heard = (newest[0], entries[-1][0]) if more else newest
    whole = await kernel.database.write(_store, kernel.node, kernel.registry, asked, believed, heard)
    if entries:
        reach("catchup.page")
    if entries and not believed.found:
        await asyncio.sleep(VAIN)
    if entries and (beyond or not whole):
        return (newest[0], entries[-1][0]), more
    return None, bool(entries)


def _full(session: Session, host: str) -> bool:
    waiting = sa.select(InboxItem.id).where(InboxItem.host == host, is_open(InboxItem, WAITING))
    return session.execute(waiting.offset(ROOM).limit(1)).first() is not None


async def _fetched(kernel: Kernel, asked: Asked) -> tuple[Place, list[tuple[int, object]], bool]:
    """A page by a GET that our Organization signs. Raises Unreachable, BadRequest."""
    url = f"{asked.stream}?since={asked.at[0]}:{asked.at[1]}"
    answer = await knocking.ask(kernel, url, streams.header(*asked.heard))
    if not is_activity(answer.content_type):
        raise Unreachable("answered with another media type than ActivityPub's", answer=200)
    document = await asyncio.to_thread(loads, answer.body, members=MEMBERS)
    if not isinstance(document, dict):
        raise BadRequest(reason="not an object")
    return streams.entries_of(document, asked.at)


async def _believed(kernel: Kernel, asked: Asked, entries: list[tuple[int, object]]) -> Believed:
    """What of a page is proved by its own actor's key; authors not met yet are fetched, within limits. Raises Unreachable where the
    partner's Organization has other keys by now than we believe: what they prove is asked for again after our admin's yes."""
    read = await kernel.database.read(_proved, asked.host, entries)
    if read.unknown:
        await asyncio.gather(*(_meet(kernel, uri) for uri in sorted(read.unknown)[:STRANGERS]))
        read = await kernel.database.read(_proved, asked.host, entries)
    if asked.uri in read.doubted:
        partner = await kernel.database.read(partners.find, asked.id)
        if not await other_keys.look_again(kernel, partner):
            raise Unreachable("shows other keys than those that were accepted")
    return read


async def _meet(kernel: Kernel, uri: str) -> None:
    """Fetches an author. Raises Unreachable where the partner can't answer just now; whoever is not there is not believed."""
    try:
        await fetch.actor(kernel, uri)
    except Unreachable as error:
        if error.answer is None or error.passes:
            raise
        log.info("not fetched", extra={"reason": error.reason})
    except Refused as refused:
        log.info("not believed", extra={"reason": refused.reason or refused.text})


def _proved(session: Session, host: str, entries: list[tuple[int, object]]) -> Believed:
    found, passed, unknown, doubted = [], list[int](), set[str](), set[str]()
    authors: dict[str, actors.ActorData | None] = {}
    keys: dict[str, Mapping[str, tuple[str, str]]] = {}
    for seq, activity in entries:
        uri = _author(host, activity)
        if uri not in authors:
            authors[uri] = actors.by_uri(session, uri) if uri else None
        author = authors[uri]
        if author is None or author.known == INTRODUCED:
            unknown |= {uri} - {""}
            passed.append(seq)
            continue
        if author.id not in keys:
            keys[author.id] = actors.keys_of(session, author.id)
        checked = _check(author, keys[author.id], activity)
        if checked is None:
            doubted.add(uri)
            passed.append(seq)
        else:
            found.append((author.id, checked, seq))
    return Believed(found, passed, unknown, doubted)


def _author(host: str, activity: object) -> str:
    """The id of the actor, on the partner's own host; empty where there is none."""
    uri = ap.ident(activity.get("actor")) if isinstance(activity, dict) else ""
    try:
        return uri if uri and host_of(uri) == host else ""
    except BadRequest:
        return ""


def _check(author: actors.ActorData, keys: Mapping[str, tuple[str, str]], activity: object) -> dict[str, Any] | None:
    """The activity as the inbox takes it, or None where its shape, its origin or its proof is not good."""
    try:
        checked = inbox.check(activity, author)
        return checked if author.disabled_at is None and proofs.proved(checked, keys) else None
    except Refused:
        return None


def _store(session: Session, node: Node, registry: Registry, asked: Asked, believed: Believed, heard: Place) -> bool:
    """Whether all of it was taken in. What there is no room for stays with its sender: no number from it on is said to be heard."""
    looked = [(registry.full(session, node, asked.host, activity), sender, activity, seq) for sender, activity, seq in believed.found]
    full, taken = (
        [one for one in looked if one[0]],
        [(sender, activity, heard[0], seq) for whose, sender, activity, seq in looked if not whose],
    )
    inbox.receive_all(session, node, asked.host, taken)
    if full:
        senders = {sender: actors.by_id(session, sender) for _, sender, _, _ in full}
        rows = [(inbox.row(node, senders[sender], activity, (heard[0], seq)), whose) for whose, sender, activity, seq in full]
        no_room.remember(session, rows)
        heard = (heard[0], min(seq for *_, seq in full) - 1)
    if believed.passed:
        numbers = ", ".join(map(str, believed.passed))
        reason = f"not proved by their actors' keys: of the stream the numbers {numbers}"
        log.info("not believed", extra={"reason": reason})
        inbox.pass_over(session, node, partners.find(session, asked.id), f"{asked.stream}?number={heard[0]}:{believed.passed[0]}", reason)
    if heard[0] != asked.heard[0]:  # whatever it says of its own stream counts
        session.execute(sa.update(Partner).where(Partner.id == asked.id).values(heard_epoch=heard[0], heard_seq=heard[1]))
    elif asked.at == asked.heard:
        move(session, asked.id, heard)
    return not full


def _whole(session: Session, node: Node, partner_id: str, *, has_stream: bool) -> None:
    """Nothing more is to be asked. Other software has no stream: what it sends is all there is."""
    mine = sa.update(Partner).where(Partner.id == partner_id)
    whole = {"whole_at": node.now()} if has_stream else {}
    session.execute(mine.values(resync_at=None, resync_tries=0, resync_error="", **whole))


def _failed(session: Session, node: Node, partner_id: str, reason: str) -> None:
    mine = sa.update(Partner).where(Partner.id == partner_id)
    tries = session.execute(mine.values(resync_tries=Partner.resync_tries + 1).returning(Partner.resync_tries)).scalar_one()
    session.execute(mine.values(resync_at=node.now() + delivery.pause(tries), resync_error=reason[:500]))
