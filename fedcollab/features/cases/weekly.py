"""Decides how people on cases see once a week who read what in them: their home page says only that there is something, this page what."""

from typing import NamedTuple

from aiohttp import web

from fedcollab.access.viewer import CASEWORKER, KEEPER, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.feature import HomeNote, member_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import holding, room_reads
from fedcollab.sealing.room_reads import Reads
from fedcollab.sealing.unlocked import unlocked_of

from . import listing
from .desk import OPENERS, Keys

MOST, WEEKS = 50, 8  # cases on the page; weeks that can be looked back


class Week(NamedTuple):
    """The reads of a week that ended at `until`, by case: its row, its code (empty where that cannot be opened), who read it; `earlier` and
    `later` how many weeks back the ones beside it are, where there are."""

    since: int
    until: int
    cases: list[tuple[str, str, list[Reads]]]
    earlier: int | None
    later: int | None


async def show_week(request: web.Request) -> web.Response:
    """Who read what in one's cases in the last whole week, or in one before."""
    viewer, kernel, asked = member_of(request), request.app[KERNEL], request.query.get("back", "")
    if not viewer.roles & OPENERS:
        raise NotFound
    keys = await unlocked_of(request)
    back = min(int(asked), WEEKS) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 0
    found = await kernel.database.read(week, kernel.node, viewer, keys, back)
    if not back:  # who looks at the last one has seen it
        await kernel.database.write(room_reads.looked, viewer.person_id, found.until + 1)
    return page(request, "cases/week.html", found=found)


def week(session: Session, node: Node, viewer: Viewer, keys: Keys, back: int = 0) -> Week:
    """That week."""
    until = room_reads.ended(node.now()) - back * room_reads.WEEK
    reads = room_reads.of(session, holding.mine(session, viewer.person_id), until)
    chosen = sorted(reads, key=lambda case: (-max(one.last for one in reads[case]), case))[:MOST]
    cases = [(case, listing.code(session, node, viewer, keys, case), reads[case]) for case in chosen]
    return Week(until - room_reads.WEEK, until - 1, cases, back + 1 if back < WEEKS else None, back - 1 if back else None)


def waits(session: Session, node: Node, viewer: Viewer) -> bool | None:
    """For the home page: whether there is something to look at, and nothing of what it is."""
    return room_reads.waits(session, viewer.person_id, node.now()) or None


NOTE = HomeNote("cases/week_note.html", CASEWORKER, waits, personal=True, or_role=KEEPER)
ROUTES = (web.get("/cases/read", show_week),)
