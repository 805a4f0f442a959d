"""Decides how the boxes of case keys are asked for: at once, then ever more rarely, of whoever leads the room, then of the others inside,
until they are here; after a week the keepers are told."""

import contextlib
from collections.abc import Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import DAY, HOUR, MINUTE
from fedcollab.base.errors import FedcollabError, NoRoom, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import part
from fedcollab.base.strictjson import loads
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import beside, knocking, partners, proofs
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.federation.registry import Verified

from . import case_boxes, keeper_tasks, room_chain, room_history, room_receiving, rooms
from .casesecrets import BOX
from .facts import organisations
from .keeper_tasks import KEY_MISSING
from .room_models import ASKED, DOCUMENT, HAD, KeyRequest, RoomKey

FIRST, LONGEST, TOLD = MINUTE, 6 * HOUR, 7 * DAY
PAGES = 1_000  # of messages that are asked for in one go
SEVERAL = 3  # members that are asked for earlier messages
EVERY, AT_ONCE = 15.0, 20  # seconds between two looks; boxes that are asked for in one


@dataclass(frozen=True)
class Wanted:
    """A case key whose boxes are due: for which keys of ours, of which organisations they may be had, the best first, and which of these
    was named for it (`first`); whether the room has had a later one since (`earlier`)."""

    room_id: str
    ck: str
    kids: tuple[str, ...]
    organisations: tuple[str, ...]
    first: str = ""
    earlier: bool = False

    def addresses(self, path: str) -> list[tuple[str, str]]:
        """(organisation, where its node would have it)."""
        return [(one, f"{one.partition('://')[0]}://{host_of(one)}/rooms/keys/{self.ck}{path}") for one in self.organisations]


async def lanes(kernel: Kernel, busy: Collection[str] = ()) -> dict[str, Coroutine[Any, Any, int]]:
    """What is due, by whom it is asked of first, without those who are busy: each is asked for one thing after the other."""
    documents = await kernel.database.read(due, kernel.node, DOCUMENT, busy)
    boxes = await kernel.database.read(due, kernel.node, ASKED, busy)
    return {
        first: _of_one(kernel, [one for one in documents if one.first == first], [one for one in boxes if one.first == first])
        for first in sorted({one.first for one in (*documents, *boxes)})
    }


async def _of_one(kernel: Kernel, documents: Iterable[Wanted], boxes: Iterable[Wanted]) -> int:
    came = 0
    for wanted in documents:
        await _document(kernel, wanted)
    for wanted in boxes:
        gave = {kid: one for kid in wanted.kids if (one := await _one(kernel, wanted, kid)) is not None}
        found, by = {kid: box for kid, (_, box) in gave.items()}, next((who for who, _ in gave.values()), "")
        whole = bool(wanted.kids) and found.keys() == set(wanted.kids)
        if whole:  # first, so that a node that is killed here asks for both once more
            whole = await _messages(kernel, wanted)
        came += await kernel.database.write(came_in, kernel.node, wanted, found, by, whole=whole)
    return came


async def _document(kernel: Kernel, wanted: Wanted) -> None:
    """Has a case key's document of the first member that shows it: who shows something else keeps it from nobody."""
    for organisation, address in wanted.addresses(""):
        with contextlib.suppress(FedcollabError):
            if await kernel.database.write(brought, kernel.node, wanted, organisation, await knocking.get(kernel, address)):
                return
    await kernel.database.write(_again, kernel.node, wanted)


async def _one(kernel: Kernel, wanted: Wanted, kid: str) -> tuple[str, bytes] | None:
    """(whose node has given it, the box)."""
    for organisation, address in wanted.addresses(f"/boxes/{kid}"):
        with contextlib.suppress(FedcollabError):
            found = (await knocking.ask(kernel, address)).body
            if len(found) == BOX:
                return organisation, found
    return None


async def _messages(kernel: Kernel, wanted: Wanted) -> bool:
    """What was written under a case key before it was ours to have, or before we came back: of the first member that answers; of an earlier
    key of several, for one alone could keep things back. False where no room is left for what they bring: it is asked for again."""
    answered, full = 0, False
    for organisation, address in wanted.addresses("/messages"):
        try:
            answered += await _of_member(kernel, wanted, organisation, address)
        except NoRoom:
            full = True
        except FedcollabError:
            continue
        if answered >= (SEVERAL if wanted.earlier else 1):
            break
    return not full


async def _of_member(kernel: Kernel, wanted: Wanted, organisation: str, address: str) -> bool:
    """All that one member has; whether it is one that we know. Raises what asking raises, NoRoom."""
    sender, after = await kernel.database.read(actors.by_uri, organisation), "0"
    if sender is None:
        return False
    for _ in range(PAGES):
        answer = loads((await knocking.ask(kernel, f"{address}?after={after}")).body)
        page = await kernel.database.write(room_history.take, kernel.node, sender, wanted.ck, answer)
        if not page.after or page.after <= after:
            break
        after = page.after
    return True


def due(session: Session, node: Node, state: str, busy: Collection[str] = ()) -> list[Wanted]:
    """What is to be asked for now, the oldest first: boxes (ASKED) or documents. Nothing for which somebody who is `busy` was named."""
    query = sa.select(KeyRequest.room_id, KeyRequest.ck, KeyRequest.organisation, KeyRequest.shut).where(KeyRequest.state == state)
    query = query.where(KeyRequest.organisation.not_in(list(busy)))
    rows = session.execute(query.where(KeyRequest.next_at <= node.now()).order_by(KeyRequest.next_at).limit(AT_ONCE)).all()
    return [_wanted(session, node, row.room_id, row.ck, row.organisation, row.shut) for row in rows]


def _wanted(session: Session, node: Node, room_id: str, ck: str, first: str, shut: list[str]) -> Wanted:
    """Only our partners can be asked: first the one that was named, then who leads the room, then the others; none of `shut`, whose box
    did not open."""
    room = rooms.by_row(session, node, room_id)
    key, hosts = room.key(ck), partners.admitted_hosts(session)
    mine = [member.mk for member in (room.head.members if room.head else ()) if member.organisation == room.me]
    others = (organisations(key) if key else set()) | room.inside | {first}
    best = sorted(others - {room.me, *shut}, key=lambda who: (who != first, who != room.owner, who))
    earlier = key is not None and room.head is not None and key.epoch < room.head.epoch
    return Wanted(room_id, ck, tuple(mine), tuple(who for who in best if host_of(who) in hosts), first, earlier)


def brought(session: Session, node: Node, wanted: Wanted, by: str, activity: dict[str, Any]) -> bool:
    """A document that somebody has shown: believed by its author's proof alone, ours too. Whether it is the one that was asked for."""
    sender, author = actors.by_uri(session, by), actors.by_uri(session, ap.ident(activity.get("actor")))
    if sender is None or author is None or not proofs.proved(activity, actors.keys_of(session, author.id), node.now()):
        return False
    with contextlib.suppress(Refused), part(session):
        room_receiving.receive_fact(session, node, Verified(activity, author, sender, proved=True))
    there = sa.select(RoomKey.ck).where(RoomKey.room_id == wanted.room_id, RoomKey.ck == wanted.ck)
    return session.execute(there).first() is not None


def came_in(session: Session, node: Node, wanted: Wanted, found: dict[str, bytes], given_by: str = "", *, whole: bool = False) -> bool:
    """What has come, from the organisation `given_by`, goes into the ring as it is: whether it opens is seen by whoever can (shut_boxes).
    Where that is not all, with the messages (`whole`), it is asked for again after twice the time. Whether all has come."""
    case_boxes.put_all(node, {(wanted.ck, kid): box for kid, box in found.items()})
    if not whole:
        _again(session, node, wanted)
        return False
    session.execute(_request(wanted).values(state=HAD, given_by=given_by))
    left = sa.select(KeyRequest.ck).where(KeyRequest.room_id == wanted.room_id, KeyRequest.state == ASKED, KeyRequest.told_at.is_not(None))
    if session.execute(left).first() is None:
        keeper_tasks.over(session, node, KEY_MISSING, wanted.room_id)
    room_chain.add(session, node, wanted.room_id, None, "room.box_came", wanted.ck)
    return True


def _again(session: Session, node: Node, wanted: Wanted) -> None:
    row = session.execute(
        sa.select(KeyRequest.tries, KeyRequest.asked_at, KeyRequest.told_at, KeyRequest.state).where(_there(wanted))
    ).one_or_none()
    if row is None:
        return  # it is ours no longer
    values = dict(tries=row.tries + 1, next_at=node.now() + min(FIRST << min(row.tries, 20), LONGEST))
    if row.state == ASKED and row.told_at is None and node.now() - row.asked_at >= TOLD:
        values["told_at"] = node.now()
        keeper_tasks.wait(session, node, KEY_MISSING, wanted.room_id)
    session.execute(_request(wanted).values(**values))


def _there(wanted: Wanted) -> sa.ColumnElement[bool]:
    return sa.and_(KeyRequest.room_id == wanted.room_id, KeyRequest.ck == wanted.ck, KeyRequest.state.in_((ASKED, DOCUMENT)))


def _request(wanted: Wanted) -> sa.Update:
    return sa.update(KeyRequest).where(_there(wanted))


async def _begin(app: web.Application, busy: Collection[str]) -> dict[str, Coroutine[Any, Any, int]]:
    return await lanes(app[KERNEL], busy)


run = beside.each(EVERY, _begin, "boxes could not be asked for", "keys")
