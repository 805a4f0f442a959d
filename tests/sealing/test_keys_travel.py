"""Shows between real nodes that a person's key reaches partners, follows its signature, stops when it changes without one, and that neither
an old document nor a lying server puts another one in its place."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles
from fedcollab.sealing import keepers, pairs, people, pinned, recovery, state
from fedcollab.sealing.pairs import PersonPrivate
from tests import nodes
from tests.nodes import Here, Rogue, until

UNLOCK = b"u" * 32


async def kid_at(here: Here, uri: str) -> str:
    """The key that is used for a person at a node; empty for none."""
    found = await here.sql("SELECT kid FROM person_key JOIN actor a ON a.id = person_id WHERE a.uri = :uri AND state = 'current'", uri=uri)
    return str(found[0][0]) if found else ""


async def has(here: Here, uri: str, kid: str) -> None:
    async def same() -> bool:
        return await kid_at(here, uri) == kid

    await until(f"the key of {uri} is {kid or 'none'}", same)


async def test_a_key_reaches_a_partner_and_what_becomes_of_it_does_too(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        await nodes.befriend(a, b)
        person = a.viewer.person_id
        [(uri,)] = await a.sql("SELECT uri FROM actor WHERE id = :id", id=person)

        def first(session: Any, node: Any) -> PersonPrivate:
            state.turn_on(session, node, person)
            with node.ring.begin() as ring:
                return people.make(session, ring, node, person, UNLOCK)

        def renewed(session: Any, node: Any, before: PersonPrivate) -> PersonPrivate:
            with node.ring.begin() as ring:
                return recovery.renew(session, ring, node, person, [before], UNLOCK)

        def lost(session: Any, node: Any) -> PersonPrivate:
            with node.ring.begin() as ring:
                return recovery.begin_anew(session, ring, node, person, UNLOCK)

        def readmitted(session: Any, node: Any, waits: PersonPrivate) -> None:
            ruth = actors.create_own(session, node, actors.PERSON, username="ruth", name="Ruth")
            profiles.document(session, node, ruth)
            keeper = replace(a.viewer, person_id=ruth.id)
            with node.ring.begin() as ring:
                private = people.make(session, ring, node, ruth.id, UNLOCK)
            keepers.name(session, node, a.viewer, ruth.id)
            keepers.begin(session, node, keeper)
            recovery.readmit(session, node, keeper, [private], person, waits.public.kid)

        one = await a.write(first)
        await has(b, uri, one.public.kid)
        two = await a.write(renewed, one)
        await has(b, uri, two.public.kid)
        three = await a.write(lost)
        await has(b, uri, "")
        await a.write(readmitted, three)

        async def waits() -> Any:
            return await b.sql("SELECT person_id FROM person_key WHERE kid = :kid AND state = 'waiting'", kid=three.public.kid)

        [(there,)] = await until("the new key waits at the partner's", waits)
        assert await kid_at(b, uri) == ""
        await b.write(pinned.confirm, b.viewer, there, three.public.kid)
        await has(b, uri, three.public.kid)
        await a.write(recovery.withdraw, person)
        await has(b, uri, "")


@dataclass
class Lies:
    """A node, and a partner's server that says of its person's key what the test wants."""

    here: Here
    rogue: Rogue

    @property
    def uri(self) -> str:
        return self.rogue.uri("/people/sokha")

    async def says(self, private: PersonPrivate, by: PersonPrivate | None = None, **more: object) -> dict[str, Any]:
        """Sends its person's document with this key, and answers the activity."""
        plain = {name: value for name, value in self.rogue.documents["/people/sokha"].items() if name != "proof"}
        document = plain | {ap.PERSON_KEY: people.said(self.uri, private.public, by)} | more
        proved = self.rogue.prove(document, self.rogue.uri("/actor"))
        update = ap.activity("Update", self.rogue.uri(f"/activities/{new_id()}"), self.uri, proved)
        await self.send(update)
        return update

    async def send(self, update: dict[str, Any]) -> None:
        assert await self.rogue.send(self.here, update) == 202
        await self.here.quiet()


@pytest.fixture
async def lies(tmp_path: Path) -> AsyncIterator[Lies]:
    rogue = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(rogue.port,))
    try:
        await nodes.admit(here, rogue)
        yield Lies(here, rogue)
    finally:
        await here.stop()
        await rogue.stop()


@pytest.mark.rule("P15")
async def test_a_server_that_changes_its_persons_key_stops_its_use_and_an_old_document_brings_none_back(lies: Lies) -> None:
    one, two, three = pairs.generate(), pairs.generate(), pairs.generate()
    old = await lies.says(one)
    assert await kid_at(lies.here, lies.uri) == one.public.kid
    await lies.says(two, by=one)
    assert await kid_at(lies.here, lies.uri) == two.public.kid, "the legitimate way"
    before = await lies.here.tables()
    await lies.send(old | {"id": lies.rogue.uri(f"/activities/{new_id()}")})
    assert await kid_at(lies.here, lies.uri) == two.public.kid
    await lies.says(three)
    assert await kid_at(lies.here, lies.uri) == ""
    await lies.says(three, name="Sokha Prak")
    assert await kid_at(lies.here, lies.uri) == "", "saying it again confirms nothing"
    changed = {name: count - before[name] for name, count in (await lies.here.tables()).items() if count != before[name]}
    assert set(changed) <= {"inbox_item"}
    await lies.says(two, name="Sokha P.")
    assert await kid_at(lies.here, lies.uri) == two.public.kid, "and the next legitimate word is heard"


async def test_a_key_that_is_none_leaves_the_rest_of_a_document_good(lies: Lies) -> None:
    await lies.says(pairs.generate(), **{ap.PERSON_KEY: {"key": {"suite": "other"}}, "name": "Sokha Prak"})
    assert await lies.here.sql("SELECT name FROM actor WHERE uri = :uri", uri=lies.uri) == [("Sokha Prak",)]
    assert await kid_at(lies.here, lies.uri) == ""
