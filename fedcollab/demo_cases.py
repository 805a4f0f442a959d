"""Decides what the demo shows of sealed work: two organisations with keepers, a case of both, a referral that waits, a sealed group."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import EPOCH
from fedcollab.base.errors import FedcollabError
from fedcollab.base.session import Session
from fedcollab.features.cases import beginning, codes, membership
from fedcollab.features.cases.acting import at_once, says
from fedcollab.features.cases.desk import Desk
from fedcollab.features.cases.people import Exploitation, Identity, Person, SafeContact
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.sharing import Consent, Share
from fedcollab.features.cases.work import Contact, Decision, Message, Task
from fedcollab.features.rooms import acting, filing, units
from fedcollab.features.rooms.entries import Group, Thread
from fedcollab.federation.kernel import Kernel
from fedcollab.flows import propose_referral
from fedcollab.sealing import keepers, people, sheets, state
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_models import CASE, GROUP, Room, RoomMember

WAY: dict[str, Any] = {"out_of": "NL", "into": "BE", "transfer": "WithinEEA"}
PURPOSE = "A safe place, legal advice, and her passport back"
SHARED = ("What the lawyer and the shelter need to know", "Legal advice and a place in Liège, as she has asked for")
AGREED = "Her name, how to reach her, and what happened at the farm: for the lawyer and the shelter"
REFERRED = ("Her name and how to reach her", "A lawyer who speaks Romanian, near to where she will live")
CONTACT = (
    "weekdays from 14:00 to 15:00",
    "Never call. Never write in the evening: the foreman reads her phone.",
    "She is safe today. She asks about her passport.",
)
DECIDED = ("We ask for the passport in writing, by the lawyer", "She does not want the police to come to the farm.")
TASKS = ("Ask the labour inspectorate who runs the packing hall", "Find a bed near Liège from the 15th")
ASKED = "Has any of you met this packing hall before? She speaks of a van that comes on Mondays."
ANSWER = "Oui : deux personnes nous ont parlé de la même camionnette, le lundi. Nous avons une avocate qui parle roumain."
GROUP_NAME, GROUP_ABOUT = "Seasonal work, north", "What we hear of farms and packing halls, between our two organisations only."
TITLE, POST = "Vans on Mondays", "Three people in two weeks speak of a white van that collects on Mondays. Who hears the same?"
Until = Callable[[Callable[[], Awaitable[Any]], str], Awaitable[Any]]


@dataclass
class Workers:
    """An organisation whose people work on cases, the first of them an admin: what their passwords give, and their keys."""

    kernel: Kernel
    viewers: list[Viewer]
    unlock_keys: dict[str, bytes] = field(repr=False)
    keys: dict[str, list[PersonPrivate]] = field(default_factory=dict, repr=False)

    async def do(self, who: int, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """An act of one of them that takes no key."""
        return await self.kernel.database.write(work, self.kernel.node, self.viewers[who], *args, **more)

    async def unlocked(self, who: int, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """An act of one of them with their keys unlocked."""
        return await self.do(who, work, self.keys[self.viewers[who].person_id], *args, **more)

    async def act(self, who: int, case_id: str, plan: Any, *args: Any) -> Any:
        """An act of one of them in a case."""
        return await self.unlocked(who, at_once, case_id, plan, *args)

    async def say(self, who: int, case_id: str, make: Callable[[Desk], Entry]) -> str:
        return str(await self.act(who, case_id, says, make))


async def open_cases(at: Workers) -> None:
    """The set-up that the pages lead through: a key for each person, the organisation's with its sheets, a second keeper."""
    await at.kernel.database.write(state.turn_on, at.kernel.node, None)
    for viewer in at.viewers:
        made = await at.kernel.database.write(_key, at.kernel.node, viewer.person_id, at.unlock_keys[viewer.person_id])
        at.keys[viewer.person_id] = [made]
    first, second = (viewer.person_id for viewer in at.viewers[:2])
    await at.do(0, keepers.name, first)
    await at.do(0, keepers.begin)
    await at.do(0, sheets.make, at.keys[first][0], "")
    await at.do(0, keepers.name, second)
    await at.do(0, keepers.hand, at.keys[first][0], second, at.keys[second][0].public.kid)


def _key(session: Session, node: Node, person_id: str, unlock_key: bytes) -> PersonPrivate:
    with node.ring.begin() as ring:
        return people.make(session, ring, node, person_id, unlock_key)


async def work_together(one: Workers, other: Workers, until: Until) -> None:
    """A case that `one` has opened and both work on, somebody of it referred to `other`, who has not answered, and a group of both."""
    person = codes.fresh()
    case_id = await one.unlocked(1, beginning.open_case, _opened(one))
    await one.do(1, membership.assign, one.keys[one.viewers[1].person_id], case_id, one.viewers[0].person_id, ())
    await _fill(one, case_id, person)
    to = await one.kernel.database.read(actors.by_uri, other.kernel.node.actor_uri)
    assert to is not None
    agreed = await one.say(1, case_id, lambda _: _consent(one, person, to.uri))
    shown = membership.seen(await one.act(1, case_id, _opens))
    share = Share(at=one.kernel.node.now(), to=to.uri, what=SHARED[0], why=SHARED[1], basis="VitalInterests", consent=(agreed,), **WAY)
    await one.act(1, case_id, membership.invite, to.id, lambda *_: share, shown, membership.FROM_THE_BEGINNING)
    there = await until(lambda: _asked(other, CASE), "the case at the partner")
    may = [(viewer.person_id, viewer.name) for viewer in other.viewers]
    await other.unlocked(0, membership.answer, there, yes=True, people=[who for who, _ in may], may=may)
    await until(lambda: _inside(one, case_id, to.uri), "the partner's yes")
    await one.act(1, case_id, _opens)  # whoever opens it hands the older keys over
    await until(lambda: _says(other, there, ANSWER), "the keys of the case at the partner")
    await one.act(1, case_id, propose_referral.send, _referral(one, to.id, person, agreed), "")
    await _group(one, other, until)


def _day(at: Workers, days: int) -> str:
    return (EPOCH + timedelta(microseconds=at.kernel.node.now(), days=days)).date().isoformat()


def _opened(at: Workers) -> Opened:
    said: dict[str, Any] = dict(purpose=PURPOSE, basis=("VitalInterests",), condition=("VitalInterests",), label=AMBER)
    days: dict[str, Any] = dict(review=_day(at, 90), retention=_day(at, 730))
    return Opened(at=at.kernel.node.now(), code=codes.fresh(), lead=at.kernel.node.actor_uri, **said, **days)


async def _fill(at: Workers, case_id: str, person: str) -> None:
    now, me = at.kernel.node.now(), (await at.kernel.database.read(actors.by_id, at.viewers[1].person_id)).uri
    entries: tuple[Entry, ...] = (
        Person(at=now, person=person, role="PotentialVictim"),
        Identity(at=now, person=person, name="Mirela (invented)", age="21-23", gender="Feminine", citizen=("RO",), languages=("ro",)),
        SafeContact(at=now, person=person, methods=("Text",), times=CONTACT[0], never=CONTACT[1], word="blue scarf", language="ro"),
        Exploitation(at=now, person=person, status="Possible", types=("ForcedLabour",), means=("WithholdsDocuments", "DebtBondage")),
        Contact(at=now, who="Mirela", people=(person,), how="Text", on=_day(at, -1), time="14:10", reached="Reached", outcome=CONTACT[2]),
        Decision(at=now, what=DECIDED[0], why=DECIDED[1], who=(at.viewers[0].name, at.viewers[1].name)),
        Task(at=now, what=TASKS[0], owner=me, due=_day(at, 2)),
        Task(at=now, what=TASKS[1], due=_day(at, 5)),
        Message(at=now, text=ASKED),
    )
    for entry in entries:
        await at.say(1, case_id, lambda _, entry=entry: entry)  # type: ignore[misc]


async def _asked(at: Workers, kind: str) -> str | None:
    """The room of a kind into which an organisation is asked."""
    asked = sa.and_(RoomMember.room_id == Room.id, RoomMember.organisation == at.kernel.node.actor_uri, RoomMember.state == "invited")
    query = sa.select(Room.id).join(RoomMember, asked).where(Room.kind == kind)
    return await at.kernel.database.read(lambda session: session.execute(query).scalars().first())


def _opens(_session: Session, _node: Node, desk: Desk, _keys: list[PersonPrivate]) -> Callable[[Session], Desk]:
    return lambda _session: desk


async def _inside(at: Workers, case_id: str, organisation: str) -> bool:
    mine = sa.and_(RoomMember.room_id == case_id, RoomMember.organisation == organisation, RoomMember.state == "in")
    query = sa.select(RoomMember.room_id).where(mine)
    return await at.kernel.database.read(lambda session: session.execute(query).first() is not None)


async def _says(at: Workers, case_id: str, text: str) -> bool:
    """Says something in a case; False while its key has not come."""
    try:
        open_desk = await at.act(0, case_id, _opens)
        if open_desk.case.terms is None:
            return False
        await at.say(0, case_id, lambda one: Message(at=one.look.now, text=text))
    except FedcollabError:
        return False
    return True


def _consent(at: Workers, person: str, to: str) -> Consent:
    said: dict[str, Any] = dict(what=AGREED, parts=("identity", "contact"), how="Interpreter", capacity="Adult", decided_by="Self")
    return Consent(at=at.kernel.node.now(), person=person, to=to, until=_day(at, 60), **said)


def _referral(at: Workers, to: str, person: str, agreed: str) -> dict[str, list[str]]:
    """The forms that a referral is made of, filled in."""
    said = dict(reason="AdditionalServicesRequired", urgency="Days", age="21-23", languages="ro", country="BE", region="Liège")
    ground = dict(what=REFERRED[0], why=REFERRED[1], basis="VitalInterests", consent=agreed, **WAY)
    return {name: [value] for name, value in {**said, **ground, "to": to, "deadline": _day(at, 7)}.items()} | {
        "support": ["Legal", "SocialCare"],
        "take": [f"{person}/identity", f"{person}/contact"],
    }


async def _group(one: Workers, other: Workers, until: Until) -> None:
    room_id = await one.unlocked(0, acting.begin, AMBER, Group(at=one.kernel.node.now(), name=GROUP_NAME, about=GROUP_ABOUT))
    await one.unlocked(0, acting.invite, room_id, other.kernel.node.actor_uri, "yes")
    there = await until(lambda: _asked(other, GROUP), "the group at the partner")
    await other.unlocked(0, acting.answer, there, [viewer.person_id for viewer in other.viewers], yes=True)
    await until(lambda: _inside(one, room_id, other.kernel.node.actor_uri), "the partner's yes to the group")
    await one.unlocked(
        0, units.at_once, room_id, filing.says, lambda here: Thread(at=one.kernel.node.now(), title=TITLE, text=POST, language="en")
    )
