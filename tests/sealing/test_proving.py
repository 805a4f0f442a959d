"""Shows between real nodes that what a member has said of a room stays provable when its organisation's signing keys change: a newcomer,
who knows the new keys alone, takes in what was said before; and that an old proof brings nobody back to the old keys."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.admin import trust
from fedcollab.federation import proofs, succession
from fedcollab.federation.registry import Verified
from fedcollab.sealing import proving, room_receiving, rooms, telling
from fedcollab.sealing.facts import Answer, Fact, by, of
from tests.nodes import Here, befriend, running, settled, until
from tests.sealing.at_work import Desk, found, join_room, open_cases

HELLO = {"text": "Where is she?"}


@dataclass
class Four:
    """Meridian leads a room that Baobab is in; Cedar and Dunes come in later, and know nothing of Baobab."""

    meridian: Desk
    baobab: Desk
    cedar: Desk
    dunes: Desk
    uri: str
    here: str
    there: str

    async def change_keys(self) -> None:
        """Baobab's signing keys change, and Meridian's admin has agreed to it."""
        made = await self.baobab.here.write(succession.rotate, self.baobab.here.viewer)
        await until("the offer", lambda: self.meridian.here.sql("SELECT 1 FROM key_offer"))
        await self.meridian.here.write(trust.accept_keys, self.meridian.here.viewer, self.baobab.here.url)
        await until("Baobab signs with them", lambda: _in_use(self.baobab.here, made.successor))
        old = "SELECT 1 FROM actor_key k JOIN actor a ON a.id = k.actor_id WHERE a.uri = :uri AND k.state = 'old'"
        await until("the old ones are believed no more", lambda: self.meridian.here.sql(old, uri=self.baobab.me))

    async def kept(self, desk: Desk, room_id: str, fact: Fact) -> dict[str, Any]:
        return await desk.here.read(telling.activity_of, room_id, fact)  # type: ignore[no-any-return]

    async def answer(self) -> Answer:
        """Baobab's yes, with its key."""
        room = await self.meridian.here.read(rooms.by_row, self.meridian.here.kernel.node, self.here)
        return next(one for one in of(room.facts, Answer) if one.by == self.baobab.me)

    async def renewed(self, desk: Desk, room_id: str, before: dict[str, Any]) -> dict[str, Any]:
        """What is kept of Baobab's yes once it is another proof than before."""
        fact = await self.answer()

        async def other() -> Any:
            now = await self.kept(desk, room_id, fact)
            return now if proofs.key_uri(now) != proofs.key_uri(before) else None

        return await until("the new proof is there", other)  # type: ignore[no-any-return]


async def _in_use(here: Here, fingerprint: str) -> bool:
    return bool((await here.read(succession.status, here.kernel.node)).keys == fingerprint)


@pytest.fixture
async def four(tmp_path: Path) -> AsyncIterator[Four]:
    async with running(tmp_path, "Meridian", "Baobab", "Cedar", "Dunes") as nodes:
        meridian, baobab, cedar, dunes = [await open_cases(one) for one in nodes]
        await baobab.join("cleo")
        await cedar.join("dora")
        await dunes.join("emil")
        for other in nodes[1:]:
            await befriend(nodes[0], other)
        uri, here = await found(meridian["ilse"])
        there = await join_room(meridian["ilse"], baobab, uri, here, "cleo")
        await settled(*nodes)
        yield Four(meridian, baobab, cedar, dunes, uri, here, there)


async def confirmed(desk: Desk, room_id: str) -> bool:
    """Whether every member's own word for its key is here and believed."""
    room = await desk.here.read(rooms.by_row, desk.here.kernel.node, room_id)
    return not room.unconfirmed


async def test_a_newcomer_believes_what_was_said_before_the_keys_changed(four: Four) -> None:
    before = await four.kept(four.meridian, four.here, await four.answer())
    at_cedar = await join_room(four.meridian["ilse"], four.cedar, four.uri, four.here, "dora")
    await until("Cedar knows all of them", lambda: confirmed(four.cedar, at_cedar))
    await four.change_keys()
    await four.baobab.here.write(proving.prove_anew)
    after = await four.renewed(four.meridian, four.here, before)
    assert await four.renewed(four.cedar, at_cedar, before) == after, "also where Baobab is known through Meridian alone"
    assert (after["id"], after["object"]) == (before["id"], before["object"])
    at_dunes = await join_room(four.meridian["ilse"], four.dunes, four.uri, four.here, "emil")
    await until("Dunes knows all of them", lambda: confirmed(four.dunes, at_dunes))
    assert await four.dunes.here.sql("SELECT reason FROM inbox_item WHERE state = 'refused'") == []
    await four.meridian["ilse"].say(four.here, HELLO)
    await until("the message", lambda: four.dunes.here.sql("SELECT 1 FROM sealed_message"))
    assert await four.dunes["emil"].read(at_dunes) == [HELLO]
    assert await four.cedar.here.sql("SELECT state FROM room") == [("open",)]


async def test_nothing_is_told_again_while_the_keys_stay(four: Four) -> None:
    await four.baobab.here.write(proving.prove_anew)
    sent = await four.baobab.here.sql("SELECT count(*) FROM activity")
    [(key,)] = await four.baobab.here.sql("SELECT proved_by FROM room")
    for _ in range(2):
        await four.baobab.here.write(proving.prove_anew)
    assert await four.baobab.here.sql("SELECT count(*) FROM activity") == sent
    assert key == proofs.key_uri(await four.kept(four.meridian, four.here, await four.answer()))


async def test_an_older_proof_that_is_brought_again_takes_nobody_back(four: Four) -> None:
    fact = await four.answer()
    before = await four.kept(four.meridian, four.here, fact)
    await four.change_keys()
    await four.baobab.here.write(proving.prove_anew)
    after = await four.renewed(four.meridian, four.here, before)

    def again(session: Any, node: Node, activity: dict[str, Any]) -> None:
        author = actors.by_uri(session, by(fact))
        assert author is not None
        room_receiving.receive_fact(session, node, Verified(activity, author, author, proved=True))

    await four.meridian.here.write(again, before)
    assert await four.kept(four.meridian, four.here, fact) == after
    other = after | {"id": before["id"] + "x"}
    await four.meridian.here.write(again, other)
    assert await four.kept(four.meridian, four.here, fact) == after
