"""Decides how a colleague is given parts of one person's record alone, on that person's page; parts of everybody's are given on the access
list."""

from dataclasses import dataclass

from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.web import redirect
from fedcollab.feature import member_of, read_grave_form
from fedcollab.sealing.made_ready import Write

from . import needs
from .acting import acted
from .desk import OPENERS, Desk, Keys
from .framing import CASE
from .grounds import PARTS
from .handles import person_at


@dataclass(frozen=True, repr=False)
class Colleague:
    """Somebody else of ours who is on the case: the parts that they know of everybody in it, and those of this one person."""

    person_id: str
    name: str
    everybody: frozenset[str]
    this: frozenset[str]


def colleagues(desk: Desk, code: str, known: dict[str, frozenset[str]]) -> list[Colleague]:
    """What the others of ours know of one person."""
    others = [one for one in desk.access.ours if one.person_id != desk.viewer.person_id]
    return [Colleague(one.person_id, one.name, *_split(known.get(one.person_id, frozenset()), code)) for one in others]


def _split(known: frozenset[str], code: str) -> tuple[frozenset[str], frozenset[str]]:
    return known & PARTS.keys(), frozenset(part for part in PARTS if f"{code}/{part}" in known)


def give(session: Session, node: Node, desk: Desk, _keys: Keys, person: str, to: str, parts: frozenset[str]) -> Write:
    """These parts of one person's record, by the handle, are for a colleague from now on, and no others of that person; what they know of
    everybody stays. Raises Forbidden for a part that the giver does not know."""
    code = person_at(desk.case, desk.id, person).code

    def write(session: Session) -> None:
        kept = {part for part in needs.known(session, desk.id, to) if not part.startswith(f"{code}/")}
        needs.give(session, node, desk.viewer, desk.id, to, kept | {f"{code}/{part}" for part in parts})

    return write


async def change(request: web.Request) -> web.Response:
    """What a colleague needs to know of one person."""
    if not member_of(request).roles & OPENERS:
        raise NotFound
    fields, person = await read_grave_form(request), request.match_info["person"]
    await acted(request, give, person, fields.get("colleague", ""), frozenset(fields.getall("part", [])))
    return redirect(f"/cases/{request.match_info['id']}/people/{person}#who-reads")


ROUTES = (web.post(CASE + "/people/{person}/needs", change),)
