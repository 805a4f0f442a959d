"""The keys of partners' organisations: believed as their documents are, replaced for good, and none where there is none."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import boxes, organisation, partner_keys
from fedcollab.sealing.boxes import Public
from tests.nodes import Here, Rogue, admit, befriend, rogue, running, start, until


@dataclass
class Two:
    """Our node and a partner made for the test."""

    here: Here
    p: Rogue

    async def say(self, key: object, *, by: str = "/actor") -> str:
        """The partner's Organization publishes this under `fc:organisationKey` (None for nothing), proved by one of its actors; what
        became of the Update."""
        document = {name: value for name, value in self.p.documents["/actor"].items() if name not in ("proof", ap.ORGANISATION_KEY)}
        made = self.p.prove(document | ({} if key is None else {ap.ORGANISATION_KEY: key}), self.p.uri(by))
        update = ap.activity("Update", self.p.uri(f"/activities/{new_id()}"), self.p.uri("/actor"), made)
        assert await self.p.send(self.here, update) == 202
        await self.here.quiet()
        return str((await self.here.sql("SELECT state FROM inbox_item WHERE uri = :uri", uri=update["id"]))[0][0])

    async def key(self) -> Public | None:
        def work(session: Any, node: Any) -> Public | None:
            there = actors.by_uri(session, self.p.uri("/actor"))
            assert there is not None
            return partner_keys.key_of(session, node, there.id)

        found: Public | None = await self.here.write(work)
        return found

    async def record(self) -> list[str]:
        found = await self.here.sql("SELECT action FROM audit_entry WHERE action LIKE 'partner.sealing%' ORDER BY seq")
        return [action.removeprefix("partner.sealing_") for (action,) in found]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    p = await rogue()
    here = await start(tmp_path, peers=(p.port,))
    await admit(here, p)
    yield Two(here, p)
    await here.stop()
    await p.stop()


ONE, OTHER = (boxes.generate().public for _ in range(2))


@pytest.mark.rule("P14")
async def test_a_partners_key_is_the_one_that_its_proved_document_names_and_the_next_one_replaces_it(two: Two) -> None:
    assert await two.key() is None
    for key in (ONE, ONE, OTHER):
        assert await two.say(key.document()) == "done"
        assert await two.key() == key
    assert await two.record() == ["key", "key"], "the same key said again is no change"


@pytest.mark.rule("P15")
async def test_a_partner_that_takes_its_key_back_has_none_and_a_replaced_one_never_returns(two: Two) -> None:
    for key in (ONE, OTHER, ONE):
        await two.say(key.document())
    assert await two.key() is None, "whoever has left there may still open the first"
    third = boxes.generate().public
    await two.say(third.document())
    assert await two.key() == third
    await two.say(None)
    assert await two.key() is None
    assert await two.record() == ["key", "key", "key_gone", "key", "key_gone"]


@pytest.mark.rule("P14")
@pytest.mark.parametrize("wrong", ["kid", "box", "suite", "more", "list", "text", "a kid that is a list"])
async def test_what_is_no_key_is_not_taken_and_the_next_right_one_is(two: Two, wrong: str) -> None:
    right = ONE.document()
    said: dict[str, object] = {
        "kid": right | {"kid": OTHER.kid},
        "box": right | {"box": right["box"][:-8]},
        "suite": right | {"suite": "none"},
        "more": right | {"signing": "u"},
        "list": [right],
        "text": "u" * 60,
        "a kid that is a list": right | {"kid": [ONE.kid]},
    }
    await two.say(said[wrong])
    assert await two.key() is None
    await two.say(right)
    assert await two.key() == ONE


@pytest.mark.rule("P14")
async def test_a_key_that_another_actor_of_the_partner_has_proved_is_not_believed(two: Two) -> None:
    await two.say(ONE.document())
    before = await two.here.tables()
    assert await two.say(OTHER.document(), by="/people/sokha") == "refused"
    after = await two.here.tables()
    assert {name for name in before if before[name] != after[name]} == {"inbox_item"}
    assert await two.key() == ONE
    assert await two.say(OTHER.document()) == "done"
    assert await two.key() == OTHER


async def test_partners_learn_a_turned_key_by_themselves(tmp_path: Path) -> None:
    async with running(tmp_path, "One", "Other") as (one, other):
        await befriend(one, other)
        keys = []

        def publish(session: Any, node: Any) -> None:
            key = boxes.generate().public
            keys.append(key)
            organisation.publish(session, node, key)

        def known(session: Any, node: Any) -> Public | None:
            there = actors.by_uri(session, one.url + "/actor")
            assert there is not None
            return partner_keys.key_of(session, node, there.id)

        for _ in range(2):
            await one.write(publish)

            async def learnt() -> bool:
                found: Public | None = await other.write(known)
                return found == keys[-1]

            await until("the partner knows the key", learnt)
