"""Decides what the pages of keepers show: on one node two who hold the key, one who waits for it and one without a key; on the other
nobody who holds it any more. Rooms that do not go on by themselves, with all kinds of tasks."""

from typing import TYPE_CHECKING

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.demo import Stage
from fedcollab.features.members import service as members
from fedcollab.sealing import acting, boxes, casesecrets, crossing, keeper_tasks, keepers, people, rooms, sheets, unlocked, working
from fedcollab.sealing.facts import Seen
from fedcollab.sealing.keeper_tasks import BACKED, BOX_SHUT, BOX_TO_MAKE, INVITED, KEY_MISSING, NOBODY, OWNER_AWAY, REFUSED_KEY, TAKEN

if TYPE_CHECKING:
    from .scene import Scene


def unlock(_session: Session, node: Node, person_id: str, token: str, unlock_key: bytes) -> None:
    """What a person's password would unlock."""
    with node.ring.begin() as ring:
        unlocked.unlock(ring, token, people.opened(ring, person_id, unlock_key), node.now())


async def keep(made: "Scene") -> None:
    """Noor and Hana hold the key, Adil waits for it, Lena has none of her own yet; on the empty node Vera comes after the last keeper."""
    busy, empty, ilse, sokha = made.busy, made.empty, made.people["ilse"], made.people["sokha"]
    for name, key in (("noor", True), ("hana", True), ("adil", True), ("lena", False)):
        await _join(made, busy, name, key=key)
    noor, hana = made.people["noor"], made.people["hana"]
    await busy.write(keepers.name, ilse, noor.person_id)
    await busy.write(keepers.begin, noor)
    for name in ("hana", "adil", "lena"):
        await busy.write(keepers.name, noor, made.people[name].person_id)
    await busy.write(_hand, noor, made.unlocks["noor"], hana.person_id)
    await busy.write(_sheets, noor, made.unlocks["noor"])
    await busy.write(_rooms, made)
    for name in ("gone", "vera"):
        await _join(made, empty, name, key=True)
    gone, vera = made.people["gone"], made.people["vera"]
    await empty.write(keepers.name, sokha, gone.person_id)
    await empty.write(keepers.begin, gone)
    await empty.write(_sheets, gone, made.unlocks["gone"])
    await empty.write(members.disable, sokha, gone.person_id)
    await empty.write(keepers.name, sokha, vera.person_id)


async def _join(made: "Scene", one: Stage, name: str, *, key: bool) -> None:
    done = await one.write(members.add_member, None, username=name, name=f"{name.title()} K.", roles=[MEMBER])
    found = await one.kernel.database.read(actors.by_id, done.person_id)
    made.people[name] = Viewer(found.organisation_id, found.id, frozenset({MEMBER}), found.name)
    made.places[name] = found.id
    if key:
        made.unlocks[name] = name.encode().ljust(32)
        await one.write(_make, found.id, made.unlocks[name])


def _make(session: Session, node: Node, person_id: str, unlock_key: bytes) -> None:
    with node.ring.begin() as ring:
        people.make(session, ring, node, person_id, unlock_key)


def _hand(session: Session, node: Node, keeper: Viewer, unlock_key: bytes, person_id: str) -> None:
    with node.ring.look() as ring:
        [mine] = people.opened(ring, keeper.person_id, unlock_key)
    key = people.current(session, person_id)
    assert key is not None
    keepers.hand(session, node, keeper, mine, person_id, key.kid)


def _rooms(session: Session, node: Node, made: "Scene") -> None:
    """Hana leads a room that is frozen, one that our own node has forked, and one that goes on; nobody is on another; and all that can wait
    for keepers waits. Lena's access is locked."""
    hana = made.people["hana"]
    with node.ring.look() as ring:
        keys = people.opened(ring, hana.person_id, made.unlocks["hana"])
    ids = [working.found(session, node, hana, keys, kind, AMBER) for kind in ("case", "case", "group", "case")]
    frozen = rooms.by_row(session, node, ids[0])
    rooms.say(session, node, frozen.id, Seen(frozen.me, 1, boxes.generate().public.kid))
    forked = rooms.by_row(session, node, ids[3])
    rooms.say(session, node, forked.id, *(casesecrets.made(acting.turn(forked))[0] for _ in range(2)))
    working.unassign(session, node, hana, ids[2], hana.person_id)
    for kind in (BOX_TO_MAKE, KEY_MISSING, BOX_SHUT, INVITED, OWNER_AWAY, BACKED, TAKEN, REFUSED_KEY):
        keeper_tasks.wait(session, node, kind, ids[1])
    keeper_tasks.wait(session, node, NOBODY, ids[2])
    made.places |= {"frozen": ids[0], "led": ids[1], "forked": ids[3]}
    crossing.lock(session, node, made.people["lena"])


def _sheets(session: Session, node: Node, keeper: Viewer, unlock_key: bytes) -> None:
    with node.ring.look() as ring:
        [mine] = people.opened(ring, keeper.person_id, unlock_key)
    sheets.make(session, node, keeper, mine, "")
