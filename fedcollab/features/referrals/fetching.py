"""Decides how the box of a preview's key comes: fetched by the organisation that it is for, of the one that has sent the referral, as long
as it waits for an answer; and nobody else learns that there is one."""

import contextlib
from collections.abc import Collection, Coroutine, Iterable
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import audit
from fedcollab.access.viewer import partner
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.clock import HOUR, MINUTE
from fedcollab.base.errors import FedcollabError, NotFound
from fedcollab.base.session import Session
from fedcollab.federation import beside, knocking
from fedcollab.federation.authenticate import authenticate
from fedcollab.federation.kernel import KERNEL, Kernel
from fedcollab.sealing.casesecrets import BOX

from . import boxing
from .models import Referral
from .states import IN_PROGRESS

FIRST, LONGEST = MINUTE, 6 * HOUR
EVERY, AT_ONCE = 10.0, 20  # seconds between two looks; boxes that are asked for in one


async def lanes(kernel: Kernel, busy: Collection[str] = ()) -> dict[str, Coroutine[Any, Any, int]]:
    """What is due, by who has sent it, without those who are busy."""
    found = await kernel.database.read(due, kernel.node, busy)
    return {of: _of_one(kernel, [row for row in found if row.organisation_id == of]) for of in {row.organisation_id for row in found}}


async def _of_one(kernel: Kernel, rows: Iterable[Any]) -> int:
    came = 0
    for row in rows:
        found = b""
        with contextlib.suppress(FedcollabError):
            found = (await knocking.ask(kernel, f"{row.uri}/box")).body
        came += await kernel.database.write(came_in, kernel.node, row.id, found if len(found) == BOX else b"")
    return came


def due(session: Session, node: Node, busy: Collection[str] = ()) -> list[Any]:
    """(id, id on the wire, who has sent it) of those whose box is to be asked for now, of nobody who is `busy`."""
    waits = sa.and_(~Referral.sent, Referral.state == IN_PROGRESS, Referral.box_at.is_(None), Referral.next_at <= node.now())
    query = sa.select(Referral.id, Referral.uri, Referral.organisation_id).where(waits, Referral.kid != "")
    return list(session.execute(query.where(Referral.organisation_id.not_in(list(busy))).order_by(Referral.next_at).limit(AT_ONCE)))


def came_in(session: Session, node: Node, referral_id: str, box: bytes) -> bool:
    """A box that has come goes into the ring as it is: whether it opens is seen by whoever can. Else it is asked for again, later."""
    there = sa.and_(Referral.id == referral_id, Referral.state == IN_PROGRESS, Referral.box_at.is_(None))
    row = session.execute(sa.select(Referral.kid, Referral.tries).where(there)).one_or_none()
    if row is None:
        return False
    if not box:
        again = dict(tries=row.tries + 1, next_at=node.now() + min(FIRST << min(row.tries, 20), LONGEST))
        session.execute(sa.update(Referral).where(there).values(**again))
        return False
    boxing.put(node, referral_id, row.kid, box)
    session.execute(sa.update(Referral).where(there).values(box_at=node.now()))
    audit.record(session, node.now(), None, "referral.box_came", referral_id)
    return True


async def get_box(request: web.Request) -> web.Response:
    """The box for the organisation that it is for, as long as its answer is waited for; 404 for everybody else."""
    kernel = request.app[KERNEL]
    found = await authenticate(kernel, request, b"")
    box = await kernel.database.write(hand_out, kernel.node, found.actor, request.match_info["id"])
    return web.Response(body=box, content_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def hand_out(session: Session, node: Node, to: ActorData, referral_id: str) -> bytes:
    """Raises NotFound."""
    mine = sa.and_(Referral.id == referral_id[:36], Referral.sent, Referral.organisation_id == to.id, Referral.state == IN_PROGRESS)
    kid = session.execute(sa.select(Referral.kid).where(mine)).scalar()
    box = boxing.get(node, referral_id, kid) if kid else None
    if box is None:
        raise NotFound
    audit.record(session, node.now(), partner(to.organisation_id), "referral.box", referral_id)
    return box


async def _begin(app: web.Application, busy: Collection[str]) -> dict[str, Coroutine[Any, Any, int]]:
    return await lanes(app[KERNEL], busy)


run = beside.each(EVERY, _begin, "boxes of referrals could not be asked for", "referrals")
ROUTES = (web.get("/referrals/{id}/box", get_box),)
