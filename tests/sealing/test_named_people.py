"""TLP:RED between real nodes: people inside by name, their own keys for the room signed by them, and what stops when a key changes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import RED
from fedcollab.base.errors import Forbidden, NotFound, Refused
from fedcollab.sealing import holding, member_boxes, pairs, people, pinned, working, wraps
from fedcollab.sealing.refusals import KeyChanged
from fedcollab.sealing.vouched import PURPOSE, Vouch, _statement
from tests.nodes import befriend, running, until
from tests.sealing.at_work import Desk, found, open_cases

HELLO, AGAIN = {"text": "Where is she?"}, {"text": "She is safe."}


@dataclass
class Red:
    """Ilse of Meridian leads a room for named people; Cleo of Baobab is invited by name."""

    meridian: Desk
    baobab: Desk
    uri: str
    here: str
    there: str = ""

    async def join(self) -> None:
        cleo = self.baobab["cleo"]
        await self.meridian["ilse"].do(working.invite, self.here, self.baobab.me, await cleo.uri())
        self.there = await self.baobab.room_id(self.uri)
        await cleo.do(working.accept, self.there, await self.baobab.invitation(self.there), [], cleo.keys)
        await until("she is inside", lambda: self.baobab.here.sql("SELECT 1 FROM room WHERE state = 'open'"))
        await until("she has her box", self.baobab.ask)

    async def cleo_is_known(self) -> None:
        query = "SELECT 1 FROM person_key JOIN actor ON actor.id = person_key.person_id WHERE actor.uri = :uri"
        uri = await self.baobab["cleo"].uri()
        await until("her key is known", lambda: self.meridian.here.sql(query, uri=uri))


@pytest.fixture
async def red(tmp_path: Path) -> AsyncIterator[Red]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await befriend(one, other)
        await baobab.join("cleo")
        made = Red(meridian, baobab, *await found(meridian["ilse"], RED))
        await made.cleo_is_known()
        yield made


async def boxes_of(desk: Desk, room_id: str) -> int:
    """How many boxes there are of this organisation's keys for a room."""

    def work(session: Any, node: Any) -> int:
        with node.ring.look() as ring:
            return sum(len(wraps.wraps_of(ring, "mk:" + kid)) for kid in member_boxes.kids(session, node, room_id))

    return await desk.here.write(work)  # type: ignore[no-any-return]


@pytest.mark.rule("P6")
async def test_only_who_is_named_reads_and_no_keeper_or_colleague_does(red: Red) -> None:
    await red.join()
    ilse, cleo = red.meridian["ilse"], red.baobab["cleo"]
    await ilse.say(red.here, HELLO)
    await until("it is there", lambda: red.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert await cleo.read(red.there) == [HELLO]
    assert (await boxes_of(red.meridian, red.here), await boxes_of(red.baobab, red.there)) == (1, 1)
    ruth = red.baobab["ruth"]
    with pytest.raises(NotFound):
        await ruth.open(red.there)
    with pytest.raises(Refused, match="by name"):
        await ruth.unlocked(holding.assign, red.there, ruth.id)


@pytest.mark.rule("P6")
async def test_an_organisation_as_such_is_not_invited_and_nobody_else_answers_for_the_person(red: Red) -> None:
    ilse, ruth, cleo = red.meridian["ilse"], red.baobab["ruth"], red.baobab["cleo"]
    with pytest.raises(Refused, match="named people"):
        await ilse.do(working.invite, red.here, red.baobab.me)
    await ilse.do(working.invite, red.here, red.baobab.me, await cleo.uri())
    there = await red.baobab.room_id(red.uri)
    invitation = await red.baobab.invitation(there)
    with pytest.raises(Forbidden):
        await ruth.do(working.accept, there, invitation, [ruth.id], ruth.keys)
    await cleo.do(working.accept, there, invitation, [], cleo.keys)


async def test_a_colleague_is_invited_by_name_as_well(red: Red) -> None:
    omar, ilse = await red.meridian.join("omar"), red.meridian["ilse"]
    await ilse.do(working.invite, red.here, red.meridian.me, await omar.uri())
    await omar.do(working.accept, red.here, await red.meridian.invitation(red.here), [], omar.keys)
    await ilse.say(red.here, HELLO)
    assert await omar.read(red.here) == [HELLO]
    assert await ilse.read(red.here) == [HELLO]


async def test_a_room_key_that_its_person_has_not_signed_is_handed_nothing(red: Red, monkeypatch: pytest.MonkeyPatch) -> None:
    """Her own node makes a key for the room in her name."""
    with monkeypatch.context() as patch:
        patch.setattr("fedcollab.sealing.vouched.vouch", lambda _person, room, kid: vouch_of(pairs.generate(), room, kid))
        cleo = red.baobab["cleo"]
        await red.meridian["ilse"].do(working.invite, red.here, red.baobab.me, await cleo.uri())
        red.there = await red.baobab.room_id(red.uri)
        await cleo.do(working.accept, red.there, await red.baobab.invitation(red.there), [], cleo.keys)
    await until("she is inside", lambda: red.baobab.here.sql("SELECT 1 FROM room WHERE state = 'open'"))
    assert not await red.baobab.ask()
    stopped = await red.meridian.here.write(working.stopped, red.here)
    assert [one.person for one in stopped] == [await cleo.uri()]
    assert await red.meridian["ilse"].say(red.here, HELLO)  # she holds no key, so the others go on


def vouch_of(person: pairs.PersonPrivate, room: str, kid: str) -> Any:
    return Vouch(person.public.kid, person.sign(PURPOSE, _statement(room, kid)))


async def test_a_changed_key_stops_what_goes_to_that_person_until_its_words_were_compared(red: Red) -> None:
    await red.join()
    ilse, cleo = red.meridian["ilse"], red.baobab["cleo"]
    before = cleo.keys[0]
    await red.baobab.here.read_write(lambda session: session.execute(sa.text("UPDATE person_key SET state = 'old'")) and None)
    await red.baobab.new_key("cleo")
    await red.baobab.here.read_write(lambda session: session.execute(_in_use(cleo.keys[0].public.kid)) and None)
    await red.baobab.here.write(_tell, cleo.id)

    async def waits() -> Any:
        return await red.meridian.here.sql("SELECT 1 FROM person_key WHERE state = 'waiting'")

    await until("the change is known", waits)
    with pytest.raises(KeyChanged, match="Cleo"):
        await ilse.say(red.here, HELLO)
    await red.meridian.here.write(working.keep_turning)
    await ilse.say(red.here, HELLO)  # under a key that she has no box of
    await until("it is there", lambda: red.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert not await red.baobab.ask()
    await ilse.do(pinned.confirm, await _id_of(red.meridian, await cleo.uri()), cleo.keys[0].public.kid)
    assert await red.meridian.here.write(working.stopped, red.here) == []
    await ilse.settle(red.here)
    await until("her box is there", red.baobab.ask)
    assert before in cleo.keys
    assert await cleo.read(red.there) == [HELLO]


def _in_use(kid: str) -> Any:
    return sa.text("UPDATE person_key SET state = 'current' WHERE kid = :kid").bindparams(kid=kid)


def _tell(session: Any, node: Any, person_id: str) -> None:
    people.tell(session, node, person_id)


async def _id_of(desk: Desk, uri: str) -> str:
    return str((await desk.here.sql("SELECT id FROM actor WHERE uri = :uri", uri=uri))[0][0])
