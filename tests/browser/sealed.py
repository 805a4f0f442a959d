"""Decides what the pages of sealed groups show: Mira leads one with a partner, and one of people by name; one waits for an answer, one has
nobody of us in it."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fedcollab.access.models import AMBER, RED
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.features.rooms import acting, filing, units
from fedcollab.features.rooms.entries import Edited, Group, Removed, Reply, Resource, Thread
from fedcollab.sealing import boxes, carried, leaving, people, rooms, sealed_files, working
from fedcollab.sealing.chunks import Sealer
from fedcollab.sealing.entries import Entry
from fedcollab.sealing.facts import Answer, Invited
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_activities import Header, Said
from fedcollab.sealing.room_models import GROUP, SealedFile, SealedMessage

if TYPE_CHECKING:
    from .scene import Scene

TITLE = "Has anybody seen this advert, with the same picture and another name, in the last two weeks?"
TEXT = """It promises **work in a kitchen**, and asks for:

- a picture of the passport
- the fare, to be paid back

> “We arrange all papers”"""


async def seal(made: "Scene") -> None:
    """After cases: Mira and Tomas have keys, and the partner has one."""
    await made.busy.write(_coalition, made)
    made.places["named"] = await made.busy.write(_named, made)
    made.places["left"] = await made.busy.write(_left, made)
    made.places["invited"] = await made.busy.write(_invited, made.places["kivuli"])


def _keys(node: Node, made: "Scene", name: str) -> list[PersonPrivate]:
    with node.ring.look() as ring:
        return people.opened(ring, made.people[name].person_id, made.unlocks[name])


def _coalition(session: Session, node: Node, made: "Scene") -> None:
    keys, partner = {name: _keys(node, made, name) for name in ("mira", "tomas")}, actors.by_id(session, made.places["kivuli"])
    about = "What we see, and what we tell newspapers about it."
    name = Group(at=node.now(), name="Coalition on kitchen adverts", about=about, retention="2190-01-01")
    group = acting.begin(session, node, made.people["mira"], keys["mira"], AMBER, name)
    acting.assign(session, node, made.people["mira"], keys["mira"], group, made.people["tomas"].person_id)

    def say(who: str, entry: Entry) -> str:
        return str(units.at_once(session, node, made.people[who], keys[who], group, filing.says, lambda _here: entry))

    acting.invite(session, node, made.people["mira"], keys["mira"], group, partner.uri)
    room = rooms.by_row(session, node, group)
    [seat] = room.seats
    key = boxes.generate().public
    rooms.learn(session, node, room.id, [(Said(room.id, Answer(seat.invitation.id, partner.uri, key.kid), None, key), {})])
    working.turn(session, node, group)
    working.deputise(session, node, made.people["mira"], group, (partner.uri,))
    row = say("mira", Thread(at=node.now(), title=TITLE, text=TEXT, language="en"))
    thread = _uri(session, row)
    other = say("tomas", Reply(at=node.now(), thread=thread, text="Twice, on two pages. The number is the same."))
    say("tomas", Edited(at=node.now(), of=_uri(session, other), thread=thread, text="*Twice*, on two pages. The number differs."))
    gone = say("tomas", Reply(at=node.now(), thread=thread, text="A name that should not stand here."))
    say("mira", Removed(at=node.now(), of=_uri(session, gone), thread=thread, why="It named somebody."))
    for number in range(21):
        say("mira", Thread(at=node.now(), title=f"Week {number + 1}", text="What was new."))
    about = "The questions that we ask before anybody travels."
    say("mira", Resource(at=node.now(), title="A list for travellers", about=about, link="https://travel.example/list"))
    made.places |= {"sealed": group, "sealed_thread": row, "sealed_post": row, "sealed_other": other}
    mira = made.people["mira"]
    for file in ("Advert of the kitchen.pdf", "IMG_0417.jpg"):
        units.at_once(session, node, mira, keys["mira"], group, filing.attach, row, _came(session, node, made, file))
    files = session.scalars(sa.select(SealedFile.id).where(SealedFile.room_id == group).order_by(SealedFile.at, SealedFile.id))
    made.places["sealed_file"], made.places["sealed_marked"] = files
    units.at_once(session, node, mira, keys["mira"], group, filing.mark, made.places["sealed_marked"])


def _came(session: Session, node: Node, made: "Scene", name: str) -> filing.Came:
    """A file whose bytes are nowhere, for no page of these needs them."""
    sealer = Sealer()
    sealer.update(name.encode() * 9000)
    for _ in sealer.finish():
        continue
    file = carried.of(node, sealer.secret, sealed_files.begin(session, node, made.people["mira"], 1000))
    return filing.Came(name, "application/pdf" if name.endswith("pdf") else "image/jpeg", sealer.secret, file)


def _uri(session: Session, row: str) -> str:
    return session.execute(sa.select(SealedMessage.uri).where(SealedMessage.id == row)).scalar_one()


def _named(session: Session, node: Node, made: "Scene") -> str:
    """Tomas is invited by name, and has not answered."""
    mira, keys = made.people["mira"], _keys(node, made, "mira")
    group = acting.begin(session, node, mira, keys, RED, Group(at=node.now(), name="Three of us"))
    acting.invite(session, node, mira, keys, group, actors.by_id(session, made.people["tomas"].person_id).uri)
    return group


def _left(session: Session, node: Node, made: "Scene") -> str:
    """A group that Tomas began and has left without anybody."""
    tomas, keys = made.people["tomas"], _keys(node, made, "tomas")
    group = acting.begin(session, node, tomas, keys, AMBER, Group(at=node.now(), name="Deserted"))
    working.unassign(session, node, tomas, group, tomas.person_id)
    leaving.falls_to_keepers(session, node, group)
    return group


def _invited(session: Session, node: Node, partner_id: str) -> str:
    partner = actors.by_id(session, partner_id)
    uri = f"{partner.uri.removesuffix('/actor')}/rooms/{new_id(node.now())}"
    room_id = rooms.begin(session, node, Header(uri, GROUP, AMBER), partner.uri)
    rooms.learn(session, node, uri, [(Said(uri, Invited(f"{uri}/1", partner.uri, node.actor_uri, "", "member")), {})])
    return room_id
