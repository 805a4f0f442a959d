"""Decides what the page of holds and erasures shows: what is held back, by whose order, why, until when; what of ours is gone, and which
organisations have confirmed that it is gone with them (P12)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from aiohttp import web

from fedcollab.base.session import Session
from fedcollab.base.web import words_of
from fedcollab.federation import receipts
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.receipts import ReceiptData
from fedcollab.sealing import going

from .acting import desk_of
from .calling import everybody
from .desk import Desk, in_full
from .facts import facts
from .framing import CASE, RECORD, show
from .header import held_to
from .hiding import ERASED, REDACTED
from .shown import Shown
from .telling import KINDS

GONE = (REDACTED, ERASED)
SHOWN = 50  # of what is gone, on one page


class Told(NamedTuple):
    """Of how many entries an organisation has said that they are gone there, how many it keeps, how many it has not answered."""

    name: str
    confirmed: int
    refused: int
    open: int


async def answers(request: web.Request, desk: Desk, items: Iterable[Shown]) -> dict[str, list[ReceiptData]]:
    """{id of an entry of ours that is gone: what each organisation that had it says}."""
    gone = [one.id for one in items if one.state in GONE and one.organisation == desk.look.organisation]
    names, kernel = everybody(desk), request.app[KERNEL]

    def read(session: Session) -> dict[str, list[ReceiptData]]:
        found = receipts.of(session, kernel.node.now(), gone)
        return {of: [replace(one, name=names[one.name].said) for one in said] for of, said in found.items()}

    return await kernel.database.read(read) if gone else {}


async def show_holds(request: web.Request) -> web.Response:
    """What is held back from erasure, and what of ours was erased."""
    desk, reader = await desk_of(request), words_of(request)
    rows = [(hold, facts(hold.entry, everybody(desk), reader)) for hold in desk.case.holds if hold.entry]
    said = await answers(request, desk, desk.case.timeline)
    gone = [(one, said[one.id]) for one in reversed(desk.case.timeline) if one.id in said]
    mine = in_full(desk)
    bounded = {hold.id: held_to(desk.case, hold, mine) for hold in desk.case.holds if hold.organisation not in mine}
    left = await request.app[KERNEL].database.read(going.left, desk.id)
    lists: dict[str, Any] = dict(gone=gone[:SHOWN], rest=max(0, len(gone) - SHOWN), told=_told(said), left=left, bounded=bounded)
    return show(request, desk, "cases/holds.html", RECORD, rows=rows, done=len(gone), KINDS=KINDS, **lists)


def _told(said: dict[str, list[ReceiptData]]) -> list[Told]:
    """How much of it each organisation has confirmed, keeps, or has not answered, by name."""
    answers, found = [one for some in said.values() for one in some], list[Told]()
    for name in sorted({one.name for one in answers}):
        mine = [one for one in answers if one.name == name]
        refused, confirmed = sum(bool(one.refused) for one in mine), sum(one.confirmed_at is not None for one in mine)
        found.append(Told(name, confirmed, refused, len(mine) - confirmed - refused))
    return found


ROUTES = (web.get(CASE + "/holds", show_holds),)
