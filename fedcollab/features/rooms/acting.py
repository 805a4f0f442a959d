"""Decides what our people do about who is in a sealed group: begin one, invite, answer, assign, remove, leave, hand the lead over, make a
new key. Each is one unit, on record in the room's chain."""

from collections.abc import Sequence

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Forbidden, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.sealing import crossing, holding, leaving, room_chain, rooms, working
from fedcollab.sealing.entries import document
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.room_content import write
from fedcollab.sealing.room_models import GROUP

from . import inside, opening, units
from .entries import Group
from .opening import LEADERS, Keys

LABELS = (AMBER, STRICT, RED)
NOT_YOURS = N_("Keepers, moderators and caseworkers say who is in a group. Ask one of them.")
NOBODY = N_("Choose who takes part.")


def begin(session: Session, node: Node, viewer: Viewer, keys: Keys, label: str, entry: Group) -> str:
    """A group of ours with its name; whoever begins it is in it. Its row. Raises Refused while cases are not open here, Forbidden."""
    check_leads(viewer)
    if label not in LABELS:
        raise BadRequest
    room_id = working.found(session, node, viewer, keys, GROUP, label)
    write(session, node, holding.open_room(session, node, viewer, keys, room_id), document(entry))
    units.at_once(session, node, viewer, keys, room_id, units.opens)
    return room_id


def check_leads(viewer: Viewer) -> None:
    """Raises Forbidden for whoever does not speak for the organisation."""
    if not viewer.roles & LEADERS:
        raise Forbidden(NOT_YOURS)


def invite(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, who: str, history: str = "") -> None:
    """Asks an organisation inside, or a person by name where the group is for named people; `history` is "yes" where they read what was
    written before. Raises NoKey (P15), InsideAlready, NotTheOwner, Refused, Forbidden."""
    opened = _opened(session, node, viewer, keys, room_id)
    person, organisation = (who, inside.organisation_of(session, who)) if opened.label == RED else ("", who)
    working.invite(session, node, viewer, room_id, organisation, person, since=1 if history == "yes" else 0)


def withdraw(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, invitation: str) -> None:
    """Takes an invitation back that was not answered."""
    _opened(session, node, viewer, keys, room_id)
    working.take_back_invitation(session, node, viewer, room_id, invitation)


def remove(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, organisation: str, person: str) -> None:
    """Puts a member out; the key is turned at once."""
    _opened(session, node, viewer, keys, room_id)
    working.remove(session, node, viewer, room_id, organisation, person)


def assign(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, person_id: str) -> None:
    """Lets a colleague in: by anybody of ours in the group, or by a keeper, who may so come in themselves."""
    _check_group(session, room_id)
    inside.check_ours(session, [person_id])
    holding.assign(session, node, viewer, keys, room_id, person_id)


def unassign(session: Session, node: Node, viewer: Viewer, _keys: Keys, room_id: str, person_id: str) -> None:
    """Takes one of ours off it; whoever goes themselves leaves somebody behind. In a group of named people they give up their seat."""
    _check_group(session, room_id)
    if person_id == viewer.person_id and rooms.by_id(session, room_id).label == RED:
        working.leave(session, node, viewer, room_id)
    elif person_id == viewer.person_id:
        leaving.go(session, node, viewer, room_id)
    else:
        check_leads(viewer)
        working.unassign(session, node, viewer, room_id, person_id)


def leave(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> None:
    """Our organisation goes."""
    opened = _opened(session, node, viewer, keys, room_id)
    if opened.label == RED:
        raise Refused(holding.BY_NAME)
    working.leave(session, node, viewer, room_id)


def deputise(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, deputies: Sequence[str]) -> None:
    """Which organisations may take the group over where ours stays away."""
    _opened(session, node, viewer, keys, room_id)
    working.deputise(session, node, viewer, room_id, tuple(dict.fromkeys(deputies)))


def hand_over(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, organisation: str) -> None:
    """A deputy leads the group from now on; we stay in it. Raises NotDeputy, NotTheOwner."""
    _opened(session, node, viewer, keys, room_id)
    working.turn(session, node, room_id, to=organisation)
    room_chain.add(session, node, room_id, viewer, "sealed.hand_over", organisation)


def turn(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> None:
    """A new key, from now on. Raises NotTheOwner, Frozen, Ended."""
    _opened(session, node, viewer, keys, room_id)
    working.turn(session, node, room_id)
    room_chain.add(session, node, room_id, viewer, "sealed.turn")


def close(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> None:
    """Nothing is added any more; it stays readable."""
    _opened(session, node, viewer, keys, room_id)
    working.close(session, node, viewer, room_id)


def answer(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str, people: Sequence[str], *, yes: bool) -> None:
    """Our yes, with who takes part, or our no. Raises NotFound where nothing is asked of whoever answers, NoInvitation, Answered."""
    crossing.check(session, viewer.person_id)
    asked = inside.asked(session, node, viewer, room_id)
    if not yes:
        working.decline(session, node, viewer, room_id, asked.invitation)
        return
    if not asked.by_name and not people:
        raise Refused(NOBODY)
    inside.check_ours(session, people)
    working.accept(session, node, viewer, room_id, asked.invitation, people, keys)


def _opened(session: Session, node: Node, viewer: Viewer, keys: Keys, room_id: str) -> Opened:
    """The group for somebody in it who speaks for the organisation. What whoever leads alone may do is checked with each act."""
    opened = opening.opened_by(session, node, viewer, keys, room_id)
    check_leads(viewer)
    return opened


def _check_group(session: Session, room_id: str) -> None:
    if rooms.by_id(session, room_id).kind != GROUP:
        raise NotFound
