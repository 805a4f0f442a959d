"""Decides what the pages of guests show: on Mira's case one who is inside, one who has come, one who has not yet."""

from typing import TYPE_CHECKING

from fedcollab.access.viewer import GUEST, Viewer
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.cases import membership
from fedcollab.features.cases.acting import at_once
from fedcollab.features.cases.desk import Desk, look_at
from fedcollab.features.cases.sharing import Share
from fedcollab.features.guests import service
from fedcollab.features.guests.service import Asked, GuestData
from fedcollab.features.members import service as members
from fedcollab.flows import guests
from fedcollab.sealing import people

if TYPE_CHECKING:
    from .scene import Scene

POLICE = Asked("Sara Lind", "Police of Xanten", "LawEnforcement", "2030-11-30")
LAWYER = Asked("Lin Okafor", "Okafor & Daughters", "LegalService")
NOT_COME = Asked("Bo Maas", "The night shelter", "LocalGovernmentOrganisation")


async def visit(made: "Scene") -> None:
    busy = made.busy
    made.places["lin"] = await busy.write(_comes, made, LAWYER, "lin")
    await busy.write(_let_in, made)
    made.places["sara"] = await busy.write(_comes, made, POLICE, "sara")
    made.places["link"] = (await busy.write(ask, made, NOT_COME))[1]


def ask(session: Session, node: Node, made: "Scene", asked: Asked) -> tuple[str, str]:
    """(row, token) of an invitation by Mira."""
    return service.invite(session, node, made.people["mira"], made.places["case"], asked)


def _comes(session: Session, node: Node, made: "Scene", asked: Asked, username: str) -> str:
    guest_id, token = ask(session, node, made, asked)
    come(session, node, made, token, asked, username)
    return guest_id


def come(session: Session, node: Node, made: "Scene", token: str, asked: Asked, username: str) -> str:
    """Somebody has used a link; their account."""
    account = dict(username=username, name=asked.name, works_for=asked.works_for, password_hash="", language="")
    done = members.add_guest(session, node, None, **account)
    service.joined(session, node, service.invited(session, node, token), done.person_id)
    made.people[username] = Viewer("", done.person_id, frozenset({GUEST}), done.name)
    made.unlocks[username] = username.encode().ljust(32)
    with node.ring.begin() as ring:
        people.make(session, ring, node, done.person_id, made.unlocks[username])
    return done.person_id


def _let_in(session: Session, node: Node, made: "Scene") -> None:
    mira, case = made.people["mira"], made.places["case"]
    with node.ring.look() as ring:
        keys = people.opened(ring, mira.person_id, made.unlocks["mira"])
    said = dict(what="What she needs for the complaint", why="She asked for a lawyer", basis="VitalInterests", without="Danger")
    said |= dict(without_why="She cannot be asked today", out_of="NL", into="NL")

    def share(_desk: Desk, guest: GuestData) -> Share:
        return Share(at=node.now(), to_name=guest.works_for, **said)

    guest = service.on_case(session, case, made.places["lin"])
    kid = guests.ready(session, node, guest).kid
    shown = membership.seen(look_at(session, node, mira, keys, case))
    at_once(session, node, mira, keys, case, guests.let_in, guest.id, share, kid, shown)
