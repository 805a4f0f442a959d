"""Decides what the pages of cases show: Mira works on one with a partner, in which a good deal has happened; one waits for an answer, one
has nobody of us on it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fedcollab.access.models import AMBER, STRICT
from fedcollab.access.viewer import CASEWORKER, MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.session import Session
from fedcollab.features.cases import acting, beginning, desk, membership
from fedcollab.features.cases.mending import Masking
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.sharing import Share
from fedcollab.features.cases.work import Contact, Decision, Message, Progress, Task
from fedcollab.features.members import service as members
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import boxes, people, room_chain, room_reads, rooms, working
from fedcollab.sealing.facts import Answer, Invited
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_activities import Header, Said
from fedcollab.sealing.room_models import CASE

from .casefiles import files

if TYPE_CHECKING:
    from .scene import Scene

CODE = "kofabe-turaso"


async def work(made: "Scene") -> None:
    """Mira and Tomas work on cases; the partner has a key, and is on one of hers."""
    busy = made.busy
    for name in ("mira", "tomas"):
        await busy.write(_join, made, name)
    made.places["kivuli"] = await busy.write(_has_key, "Kivuli Support")
    made.places["case"] = await busy.write(_case, made)
    made.places["alone"] = await busy.write(_alone, made)
    await busy.write(_read_last_week, made)
    await busy.write(files, made)
    made.places["nobodys"] = await busy.write(_nobodys, made)
    made.places["asked"] = await busy.write(_asked, made.places["kivuli"])


def _read_last_week(session: Session, node: Node, made: "Scene") -> None:
    then = replace(node, clock=lambda: room_reads.ended(node.now()) - DAY)
    for name, times in (("mira", 4), ("tomas", 1)):
        for _ in range(times):
            room_chain.add(session, then, made.places["case"], made.people[name], "case.read")


def _join(session: Session, node: Node, made: "Scene", name: str) -> None:
    done = members.add_member(session, node, None, username=name, name=f"{name.title()} S.", roles=[MEMBER, CASEWORKER])
    me = actors.own(session, node)
    made.people[name] = Viewer(me.id, done.person_id, frozenset({MEMBER, CASEWORKER}), done.name)
    made.unlocks[name], made.places[name] = name.encode().ljust(32), done.person_id
    with node.ring.begin() as ring:
        people.make(session, ring, node, done.person_id, made.unlocks[name])


def _has_key(session: Session, _node: Node, name: str) -> str:
    """A partner's organisation, whose document shows a key from now on."""
    known = sa.and_(Actor.name == name, Actor.kind == ORGANIZATION)
    partner_id, document = session.execute(sa.select(Actor.id, Actor.document).where(known)).one()
    there = dict(document or {}) | {ap.ORGANISATION_KEY: boxes.generate().public.document()}
    session.execute(sa.update(Actor).where(Actor.id == partner_id).values(document=there))
    return str(partner_id)


def _keys(node: Node, made: "Scene", name: str) -> list[PersonPrivate]:
    with node.ring.look() as ring:
        return people.opened(ring, made.people[name].person_id, made.unlocks[name])


def _opened(node: Node, label: str, **over: Any) -> Opened:
    said: dict[str, Any] = dict(purpose="Safe support and legal advice", basis=("VitalInterests",), condition=("VitalInterests",))
    said |= dict(label=label, lead=node.actor_uri, review="2030-01-31", retention="2031-01-31", code=CODE, at=node.now() - 9 * DAY)
    return Opened(**said | over)


def _case(session: Session, node: Node, made: "Scene") -> str:
    mira, keys, partner = made.people["mira"], _keys(node, made, "mira"), actors.by_id(session, made.places["kivuli"])
    case_id = beginning.open_case(session, node, mira, keys, _opened(node, AMBER))

    def say(entry: Entry) -> str:
        return str(acting.at_once(session, node, mira, keys, case_id, acting.says, lambda _desk: entry))

    said: dict[str, Any] = dict(why="Legal advice, as she has asked for", basis="Consent", without="Danger", out_of="NL", into="KE")
    said |= dict(what="What the lawyer needs to know", without_why="She cannot be asked today", transfer="VitalInterests")
    shown = membership.seen(desk.look_at(session, node, mira, keys, case_id))
    share = lambda _desk, to: Share(at=node.now(), to=to.uri, **said)  # noqa: E731  # a line of its own would be longer
    acting.at_once(session, node, mira, keys, case_id, membership.invite, partner.id, share, shown)
    opened = desk.look_at(session, node, mira, keys, case_id).opened
    [seat] = opened.room.seats
    key = boxes.generate().public
    rooms.learn(session, node, opened.uri, [(Said(opened.uri, Answer(seat.invitation.id, partner.uri, key.kid), None, key), {})])
    working.turn(session, node, case_id)
    now = node.now()
    say(Message(at=now, text="Received, thank you.\n\nA lawyer who speaks the language has time on Tuesday. Is a video call safe?"))
    say(Contact(at=now, who="bafuko-tezara", how="Phone", on="2026-11-20", time="09:10", reached="Reached", outcome="She is well."))
    say(
        Decision(
            at=now, what="We ask for legal advice only. No address is shared.", why="She wishes it so.", who=("Mira S.", "she herself")
        )
    )
    me = actors.by_id(session, mira.person_id).uri
    done = say(Task(at=now, what="Send the list of courses", due="2026-11-27"))
    say(Progress(at=now, of=done, state="Done", note="They start on Monday."))
    say(Task(at=now, what="Agree how the lawyer may be in touch", owner=me, due="2026-11-01"))
    hidden = say(Message(at=now, text="A name that should not stand here."))
    say(Masking(at=now, of=(hidden,)))
    return case_id


def _alone(session: Session, node: Node, made: "Scene") -> str:
    """One that Mira has just opened."""
    entry = _opened(node, AMBER, code="sutoga-behafo", at=node.now())
    return beginning.open_case(session, node, made.people["mira"], _keys(node, made, "mira"), entry)


def _nobodys(session: Session, node: Node, made: "Scene") -> str:
    tomas, keys = made.people["tomas"], _keys(node, made, "tomas")
    case_id = beginning.open_case(session, node, tomas, keys, _opened(node, STRICT, review="2026-10-01"))
    membership.unassign(session, node, tomas, case_id, tomas.person_id)
    return case_id


def _asked(session: Session, node: Node, partner_id: str) -> str:
    partner = actors.by_id(session, partner_id)
    uri = f"{partner.uri.removesuffix('/actor')}/rooms/{new_id(node.now())}"
    case_id = rooms.begin(session, node, Header(uri, CASE, AMBER), partner.uri)
    word = Invited(f"{uri}/1", partner.uri, node.actor_uri, "", "member")
    rooms.learn(session, node, uri, [(Said(uri, word), {})])
    return case_id
