"""Decides what keepers see of who is inside a room: in a freeze both lists side by side, in names; and what can be done about it here."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.sealing import acting, holding, mending, rooms
from fedcollab.sealing.casekeys import CaseKey
from fedcollab.sealing.chain_models import RoomEntry
from fedcollab.sealing.facts import Backed, Seen, by, of, organisations
from fedcollab.sealing.room_state import FROZEN, Room

from .tasks import Named, Place, names, place_of

HEAL, AGREE, BACK, TAKE_OVER, HAND_BACK = "heal", "agree", "back", "take_over", "hand_back"
ROLES = {
    "owner": N_("manages access"),
    "deputy": N_("may take over with another one’s word"),
    "member": N_("works on it"),
    "guest": N_("guest"),
}


@dataclass(frozen=True)
class Inside:
    """An organisation in a list, or a person of it by name; its role."""

    who: Named
    role: str
    person: Named | None


@dataclass(frozen=True)
class List:
    """One list of who is inside: the beginning of its name, by which it is spoken of on the phone; who has issued it and who works with it;
    empty `inside` where it is not here yet. `only` are those whom the others don't name."""

    ck: str
    short: str
    epoch: int
    by: Named | None
    used_by: list[Named]
    inside: list[Inside]
    only: frozenset[str]


@dataclass(frozen=True)
class Look:
    """How a room stands. `lists` are two or more in a freeze, `healing` the one that would end it, `lacking` who has yet to agree to that;
    `acts` what can be done here and now; `to` the deputies who could be backed, or the members who could lead. `forked` says that we have
    issued all lists in dispute ourselves, `restored_at` when our node came out of a backup last (None: not that it knew
    the room then), `proposed` who would stand in the list that we make."""

    place: Place
    state: str
    frozen: bool
    leads: bool
    inside: list[Inside]
    deputies: list[Named]
    backed: list[tuple[Named, Named]]
    lists: list[List]
    healing: List | None
    lacking: list[Named]
    acts: frozenset[str]
    to: list[Named]
    forked: bool
    restored_at: int | None
    proposed: list[Inside]


def look(session: Session, node: Node, viewer: Viewer, room_id: str) -> Look:
    """For keepers who hold the organisation's key, and for whoever is on the room. Raises NotFound for others."""
    place = place_of(session, room_id)
    if not holding.may_assign(session, room_id, viewer):
        raise NotFound
    room = rooms.by_row(session, node, room_id)
    known = names(session, _uris(room))
    claims = [_list(room, ck, known) for ck in sorted(room.line.disputed)] if room.state == FROZEN else []
    healing = room.line.healing
    acts = _acts(room)
    return Look(
        place=place,
        state=room.state,
        frozen=room.state == FROZEN,
        leads=room.leads,
        inside=_inside(room.head, known),
        deputies=[known[uri] for uri in (room.head.deputies if room.head else ())],
        backed=_backed(room, known),
        lists=claims,
        healing=_list(room, healing.ck, known) if healing else None,
        lacking=[known[uri] for uri in sorted(room.lacking)],
        acts=acts,
        to=[known[uri] for uri in _to(room, acts)],
        forked=_is_forked(room),
        restored_at=restored_at(session, room_id),
        proposed=_inside(acting.heal(room), known) if HEAL in acts else [],
    )


def _is_forked(room: Room) -> bool:
    """Whether a freeze is nobody's doing but ours: each list in dispute is here, issued by us, and signed, so that no one else made one."""
    return room.state == FROZEN and {key.ck for key in room.both} == room.line.disputed and all(key.issuer == room.me for key in room.both)


def restored_at(session: Session, room_id: str) -> int | None:
    """When this node came out of a backup last, as the room's record says."""
    came = sa.select(sa.func.max(RoomEntry.at)).where(RoomEntry.room_id == room_id, RoomEntry.action == "room.restored")
    return session.execute(came).scalar_one()


def _uris(room: Room) -> set[str]:
    keys = [key for key in [room.head, room.line.healing, *room.both] if key is not None]
    people = {member.person for key in keys for member in key.members if member.person}
    return people | {room.me}.union(*map(organisations, keys), *(key.deputies for key in keys), {by(fact) for fact in room.facts})


def _inside(key: CaseKey | None, known: dict[str, Named]) -> list[Inside]:
    members = key.members if key else ()
    return [Inside(known[one.organisation], one.role, known[one.person] if one.person else None) for one in members]


def _list(room: Room, ck: str, known: dict[str, Named]) -> List:
    key = room.key(ck)
    used = sorted({one.by for one in of(room.facts, Seen) if one.ck == ck and one.by in known})
    others = [organisations(other) for other in room.both if other.ck != ck]
    only = frozenset(organisations(key).difference(*others)) if key and others else frozenset()
    return List(
        ck, ck[:8], key.epoch if key else 0, known[key.issuer] if key else None, [known[uri] for uri in used], _inside(key, known), only
    )


def _backed(room: Room, known: dict[str, Named]) -> list[tuple[Named, Named]]:
    """(who, whom) has said that a deputy may take over from where the room stands."""
    head = room.head
    words = [one for one in of(room.facts, Backed) if head is not None and one.ck == head.ck]
    return [(known[one.by], known[one.deputy]) for one in sorted(words, key=lambda one: (one.by, one.deputy)) if one.deputy in known]


def _acts(room: Room) -> frozenset[str]:
    head, healing = room.head, room.line.healing
    tries: dict[str, Callable[[], Any]] = {HEAL: lambda: acting.heal(room), TAKE_OVER: lambda: acting.take_over(room)}
    if healing is not None and room.me in room.lacking:
        tries[AGREE] = lambda: acting.agree(room, healing.ck)
    if head is not None and head.deputies:
        tries[BACK] = lambda: acting.back(room, next((one for one in head.deputies if one != room.me), head.deputies[0]))
    if len(room.inside) > 1:
        tries[HAND_BACK] = lambda: acting.turn(room)
    found = frozenset(name for name, attempt in tries.items() if _goes(attempt))
    return found - {HEAL} if healing is not None and healing.issuer == room.me else found


def _goes(attempt: Callable[[], Any]) -> bool:
    with contextlib.suppress(Refused):
        attempt()
        return True
    return False


def _to(room: Room, acts: frozenset[str]) -> list[str]:
    if BACK in acts and room.head is not None:
        return [one for one in room.head.deputies if one != room.me]
    return sorted(room.inside - {room.me}) if HAND_BACK in acts else []


def do(session: Session, node: Node, viewer: Viewer, room_id: str, act: str, to: str = "", *, out: bool = False) -> None:
    """One of the acts; `to` names the list that is agreed to, the deputy who is backed, or who leads from now on. Raises Refused."""
    if act == HEAL:
        mending.heal(session, node, viewer, room_id)
    elif act == AGREE:
        mending.agree(session, node, viewer, room_id, to)
    elif act == BACK:
        mending.back(session, node, viewer, room_id, to)
    elif act == TAKE_OVER:
        mending.take_over(session, node, viewer, room_id, out=out)
    elif act == HAND_BACK:
        mending.hand_back(session, node, viewer, room_id, to)
    else:
        raise NotFound
