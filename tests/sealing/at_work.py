"""Opens cases on a running node of a test: two keepers who hold the organisation's key, and colleagues with keys of their own."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import CASEWORKER, MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.features.members import service as members
from fedcollab.sealing import holding, keepers, key_asking, partner_keys, people, room_content, sheets, state, working
from fedcollab.sealing.holding import Opened
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.room_content import Message
from fedcollab.sealing.room_models import Room
from tests.nodes import Here, asked, settled_between, until
from tests.rows import quick_keys

UNLOCK = b"u" * 32


@dataclass
class Person:
    """One of a node's people, with their unlocked keys."""

    here: Here
    viewer: Viewer
    keys: list[PersonPrivate] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.viewer.person_id

    async def uri(self) -> str:
        return (await self.here.read(actors.by_id, self.id)).uri  # type: ignore[no-any-return]

    async def do(self, act: Callable[..., Any], *values: Any, **more: Any) -> Any:
        """An act of `working` that takes no key."""
        return await self.here.write(act, self.viewer, *values, **more)

    async def unlocked(self, act: Callable[..., Any], *values: Any, **more: Any) -> Any:
        """An act that takes their keys."""
        return await self.here.write(act, self.viewer, self.keys, *values, **more)

    async def open(self, room_id: str) -> Opened:
        return await self.unlocked(holding.open_room, room_id)  # type: ignore[no-any-return]

    async def settle(self, room_id: str) -> None:
        opened = await self.open(room_id)
        await self.here.write(working.settle, opened, self.keys)

    async def say(self, room_id: str, content: Mapping[str, Any]) -> str:
        opened = await self.open(room_id)
        return await self.here.write(room_content.write, opened, content)  # type: ignore[no-any-return]

    async def messages(self, room_id: str) -> list[Message]:
        opened = await self.open(room_id)
        return await self.here.read(room_content.read, opened)  # type: ignore[no-any-return]

    async def read(self, room_id: str) -> list[Any]:
        """What they read: contents, and what is lacking where there is none."""
        return [dict(one.content) if one.content is not None else one.lacks for one in await self.messages(room_id)]


@dataclass
class Desk:
    """A node with cases open: Ilse and Ruth are keepers, others join by name."""

    here: Here
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def me(self) -> str:
        return self.here.url + "/actor"

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    async def join(self, name: str, *roles: str) -> Person:
        def work(session: Any, node: Node) -> Viewer:
            with quick_keys():
                made = members.add_member(session, node, None, username=name, name=name.title(), roles=list(roles or (MEMBER, CASEWORKER)))
            me = actors.own(session, node)
            return Viewer(me.id, made.person_id, frozenset(roles or (MEMBER, CASEWORKER)), made.name)

        self.people[name] = Person(self.here, await self.here.write(work))
        await self.new_key(name)
        return self.people[name]

    async def new_key(self, name: str, signed_by: PersonPrivate | None = None) -> None:
        """A key, which is in use where it is the first or signed by the one before."""
        person = self.people[name]

        def work(session: Any, node: Node) -> PersonPrivate:
            with node.ring.begin() as ring:
                return people.make(session, ring, node, person.id, UNLOCK, signed_by=signed_by)

        person.keys = [await self.here.write(work), *person.keys]

    async def room(self, room_id: str) -> Any:
        return (await self.here.sql("SELECT state, epoch, ck, label FROM room WHERE id = :id", id=room_id))[0]

    async def room_id(self, uri: str) -> str:
        """This node's own row of a room."""
        found = sa.select(Room.id).where(Room.uri == uri)
        return await until("the room is known", lambda: self.here.read(lambda s: s.execute(found).scalar()))  # type: ignore[no-any-return]

    async def invitation(self, room_id: str) -> str:
        """The id of the last invitation that came."""
        query = "SELECT said FROM room_fact WHERE room_id = :id AND kind = 'invited' ORDER BY at DESC"
        rows = await until("an invitation is there", lambda: self.here.sql(query, id=room_id))
        said = rows[0][0]  # PostgreSQL has read it already
        return str((json.loads(said) if isinstance(said, str) else said)["id"])

    async def ask(self) -> int:
        """Asks for boxes that are due, now."""
        await self.here.read_write(lambda session: session.execute(sa.text("UPDATE key_request SET next_at = 0")) and None)
        return await asked(key_asking.lanes(self.here.kernel))


async def open_cases(here: Here) -> Desk:
    """Two keepers hold the organisation's key from now on."""
    desk = Desk(here, {"ilse": Person(here, here.viewer)})
    await here.write(lambda session, node: state.turn_on(session, node, here.viewer.person_id))
    await desk.new_key("ilse")
    ilse = desk["ilse"]
    await ilse.do(keepers.name, ilse.id)
    await ilse.do(keepers.begin)
    await ilse.do(sheets.make, ilse.keys[0], "")
    ruth = await desk.join("ruth")
    await ilse.do(keepers.name, ruth.id)
    await ilse.do(keepers.hand, ilse.keys[0], ruth.id, ruth.keys[0].public.kid)
    return desk


async def join_room(owner: Person, desk: Desk, uri: str, room_id: str, *names: str, since: int = 0) -> str:
    """An organisation is invited, says yes with these people of its own, and has its boxes; its own row of the room."""
    await knows_key(owner.here, desk.me)
    await owner.do(working.invite, room_id, desk.me, since=since)
    there = await desk.room_id(uri)
    invitation = await desk.invitation(there)
    await desk["ilse"].do(working.accept, there, invitation, [desk[name].id for name in names])
    await until("they are inside", lambda: desk.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
    await until("they have their box", desk.ask)
    await settled_between(owner.here, desk.here)
    return there


async def found(person: Person, label: str = AMBER) -> tuple[str, str]:
    """A room of somebody's own: (its id on the wire, its row)."""
    room_id = await person.unlocked(working.found, "case", label)
    return (await person.open(room_id)).uri, room_id


async def both(*desks: Desk) -> None:
    await asyncio.gather(*(desk.here.quiet() for desk in desks))


async def knows_key(here: Here, organisation: str) -> None:
    """Waits until a node has a partner's key to seal to: an invitation before that is refused."""

    def known(session: Any) -> bool:
        there = actors.by_uri(session, organisation)
        return there is not None and partner_keys.has_key(session, there.id)

    await until("their key is known", lambda: here.read(known))
