"""Decides how somebody who leaves in peace hands over first: each case to a colleague, who knows of it what they knew; then nothing waits
for anybody when their account ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from fedcollab.access.models import RED
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, FedcollabError, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import redirect, words_of
from fedcollab.feature import COLLEAGUES, member_of, page, read_grave_form
from fedcollab.features.cases import listing, membership, needs
from fedcollab.features.cases.desk import OPENERS, Keys
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing import crossing, holding, keepers, leaving, rooms
from fedcollab.sealing.room_models import CASE
from fedcollab.sealing.unlocked import Locked, unlocked_of

PATH = "/leaving"
CHOOSE = N_("Choose who takes it over.")


@dataclass(frozen=True, repr=False)
class Mine:
    """Something sealed that one is on: the code of a case where it opens; the colleagues on it already."""

    id: str
    code: str
    label: str
    is_case: bool
    since: int
    with_me: tuple[str, ...]

    @property
    def by_name(self) -> bool:
        """Whether people are inside by name, so that nobody can be put in their place from here."""
        return self.label == RED


@dataclass(frozen=True, repr=False)
class Left:
    """What is still to be handed over, the first ones; `more` that there are others behind them; `keeps` whether they are a keeper."""

    rows: list[Mine]
    more: bool
    others: Sequence[tuple[str, str]]
    keeps: bool


def look(session: Session, node: Node, viewer: Viewer, keys: Keys, others: Sequence[tuple[str, str]]) -> Left:
    """For whoever leaves."""
    ids = holding.mine(session, viewer.person_id)
    codes = {row.id: row.code for row in listing.mine(session, node, viewer, keys).rows}
    rows = [_mine(session, viewer, room_id, codes.get(room_id, "")) for room_id in ids[: listing.EACH]]
    return Left(
        rows, len(ids) > listing.EACH, [one for one in others if one[0] != viewer.person_id], keepers.is_named(session, viewer.person_id)
    )


def _mine(session: Session, viewer: Viewer, room_id: str, code: str) -> Mine:
    row, on_it = rooms.by_id(session, room_id), holding.ours(session, room_id)
    since = next((one.since for one in on_it if one.person_id == viewer.person_id), row.created_at)
    return Mine(row.id, code, row.label, row.kind == CASE, since, tuple(one.name for one in on_it if one.person_id != viewer.person_id))


def hand_over(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, person_id: str) -> None:
    """Gives one of their cases (or sealed groups) to a colleague and takes them off it. Raises NotFound where they are not on it, Refused
    where the colleague has no key, or people are inside by name."""
    if not holding.is_assigned(session, room_id, viewer.person_id):
        raise NotFound
    if rooms.by_id(session, room_id).kind != CASE:
        leaving.hand_over(session, node, viewer, keys, room_id, person_id)
        return
    mine, theirs = (needs.known(session, room_id, who) for who in (viewer.person_id, person_id))
    if holding.is_assigned(session, room_id, person_id):
        needs.give(session, node, viewer, room_id, person_id, mine | theirs)
    else:
        membership.assign(session, node, viewer, keys, room_id, person_id, mine)
    membership.unassign(session, node, viewer, room_id, viewer.person_id)


async def show(request: web.Request) -> web.Response:
    """What is still on whoever leaves."""
    return await _page(request, member_of(request))


async def act(request: web.Request) -> web.Response:
    """Hands one over."""
    viewer, fields, kernel = member_of(request), await read_grave_form(request), request.app[KERNEL]
    keys, room_id, person = await unlocked_of(request), request.match_info["id"], fields.get("person", "")

    def work(session: Session, node: Node) -> None:
        crossing.check(session, viewer.person_id)
        if person == viewer.person_id or person not in {found for found, _ in request.app[COLLEAGUES](session, OPENERS)}:
            raise BadRequest(CHOOSE)
        hand_over(session, node, viewer, keys, room_id, person)

    try:
        await kernel.database.write(work, kernel.node)
    except (Locked, NotFound):
        raise
    except Refused as error:
        return await _page(request, viewer, error, room_id)
    return redirect(PATH)


async def _page(request: web.Request, viewer: Viewer, error: FedcollabError | None = None, about: str = "") -> web.Response:
    keys, kernel = await unlocked_of(request), request.app[KERNEL]

    def read(session: Session) -> Any:
        return look(session, kernel.node, viewer, keys, request.app[COLLEAGUES](session, OPENERS))

    found = await kernel.database.read(read)
    errors = {f"r-{about}": error.in_words(words_of(request))} if error else {}
    return page(request, "flows/leaving.html", status=error.status if error else 200, found=found, errors=errors)


ROUTES = (web.get(PATH, show), web.post(PATH + "/{id}", act))
