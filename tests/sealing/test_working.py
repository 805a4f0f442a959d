"""What people do in rooms, between real nodes with keys of their own: who opens what, who no longer does, what is made good by itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import STRICT
from fedcollab.base.clock import HOUR, new_id
from fedcollab.base.errors import Conflict, NotFound, Refused, Unavailable
from fedcollab.sealing import (
    consents,
    holding,
    keepers,
    leaving,
    organisation,
    recovery,
    room_content,
    room_history,
    turning,
    working,
    wraps,
)
from fedcollab.sealing.consents import Given
from fedcollab.sealing.refusals import NoKey
from tests.nodes import befriend, running, settled, until
from tests.sealing.at_work import Desk, found, join_room, open_cases

HELLO, SAFE = {"text": "Where is she?"}, {"text": "She is safe."}


@dataclass
class Two:
    """Meridian leads a room; Baobab is its partner. `uri` and rows of the room at both."""

    meridian: Desk
    baobab: Desk
    uri: str
    here: str

    async def joined(self, *names: str, since: int = 0) -> str:
        return await join_room(self.meridian["ilse"], self.baobab, self.uri, self.here, *names, since=since)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await meridian.join("omar")
        await befriend(one, other)
        yield Two(meridian, baobab, *await found(meridian["ilse"]))


async def test_what_one_organisation_writes_the_people_of_the_other_read_and_answer(two: Two) -> None:
    there = await two.joined("cleo")
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    await ilse.say(two.here, HELLO)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert await cleo.read(there) == [HELLO]
    await cleo.say(there, SAFE)
    await until(
        "the answer is there",
        lambda: two.meridian.here.sql("SELECT 1 FROM sealed_message WHERE organisation LIKE :o", o=f"{two.baobab.me}"),
    )
    assert await ilse.read(two.here) == [HELLO, SAFE]


@pytest.mark.rule("P5")
async def test_membership_of_an_organisation_alone_opens_no_room(two: Two) -> None:
    there = await two.joined("cleo")
    for person, room_id in ((two.meridian["omar"], two.here), (two.baobab["ruth"], there)):
        with pytest.raises(NotFound):
            await person.open(room_id)
    assert (await two.baobab["cleo"].open(there)).secrets


async def test_a_colleague_is_assigned_by_whoever_is_on_it_and_reads_what_was_before(two: Two) -> None:
    ilse, omar = two.meridian["ilse"], two.meridian["omar"]
    await ilse.say(two.here, HELLO)
    with pytest.raises(NotFound):
        await omar.unlocked(holding.assign, two.here, omar.id)
    await ilse.unlocked(holding.assign, two.here, omar.id)
    assert await omar.read(two.here) == [HELLO]
    with pytest.raises(Conflict):
        await ilse.unlocked(holding.assign, two.here, omar.id)


async def test_a_keeper_at_work_has_the_organisations_boxes_read_and_not_all_that_are_theirs(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wraps, "wraps_to", None)
    here, ilse = two.meridian.here, two.meridian["ilse"]
    assert await here.read(organisation.opened, here.kernel.node, ilse.keys[0])


async def test_a_keeper_assigns_through_the_organisations_key_where_nobody_on_it_is_at_work(two: Two) -> None:
    ilse, ruth = two.meridian["ilse"], two.meridian["ruth"]
    await ilse.say(two.here, HELLO)
    await ruth.unlocked(holding.assign, two.here, ruth.id)
    assert await ruth.read(two.here) == [HELLO]
    rows = await two.meridian.here.sql("SELECT action, subject FROM audit_entry WHERE action = 'room.assign'")
    assert rows == [("room.assign", ruth.id)]


@pytest.mark.rule("P28")
async def test_who_is_taken_off_a_room_opens_nothing_of_it_any_more_and_the_key_is_turned_at_once(two: Two) -> None:
    ilse, omar = two.meridian["ilse"], two.meridian["omar"]
    await ilse.unlocked(holding.assign, two.here, omar.id)
    before = await omar.open(two.here)
    await ilse.do(working.unassign, two.here, omar.id)
    with pytest.raises(NotFound):
        await omar.open(two.here)
    after = await ilse.open(two.here)
    assert after.room.head is not None
    assert after.room.head.ck not in before.secrets
    assert await two.meridian.here.write(_boxes_to, omar.keys[0].public.kid) == set()
    await ilse.say(two.here, SAFE)
    assert await ilse.read(two.here) == [SAFE]
    await ilse.unlocked(holding.assign, two.here, omar.id)  # and may come back
    assert await omar.read(two.here) == [SAFE]


def _boxes_to(_session: Any, node: Any, kid: str) -> set[str]:
    with node.ring.look() as ring:
        return {of for of in wraps.wraps_to(ring, kid) if of.startswith("mk:")}


async def test_a_member_who_was_removed_reads_nothing_new_and_what_it_had_stays(two: Two) -> None:
    there = await two.joined("cleo")
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    await ilse.say(two.here, HELLO)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    await ilse.do(working.remove, two.here, two.baobab.me)
    await until("they know", lambda: two.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'out'", id=there))
    await ilse.say(two.here, SAFE)
    await two.baobab.here.quiet()
    assert await cleo.read(there) == [HELLO]
    assert await ilse.read(two.here) == [HELLO, SAFE]
    with pytest.raises(Refused):
        await cleo.say(there, SAFE)


async def test_history_is_read_where_it_was_granted_and_not_before(two: Two) -> None:
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    await ilse.say(two.here, HELLO)
    there = await two.joined("cleo")
    await ilse.say(two.here, SAFE)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert await cleo.read(there) == [SAFE]
    opened = await ilse.open(two.here)
    await two.meridian.here.write(working.grant, opened, two.baobab.me, 1)
    await until("all is there", lambda: _came(two, there))
    assert await cleo.read(there) == [SAFE, HELLO]


async def _came(two: Two, there: str) -> bool:
    await two.baobab.ask()
    return len(await two.baobab["cleo"].messages(there)) == 2


async def test_history_goes_on_behind_a_page_of_which_all_is_held_back(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_history, "AT_ONCE", 1)
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    consent = two.meridian.here.url + f"/messages/{new_id()}"
    held = await ilse.say(two.here, HELLO)
    await ilse.say(two.here, SAFE)
    await ilse.do(consents.given, Given(consent, two.baobab.me, two.here, "2099-12-31", (held,)))
    await ilse.do(consents.withdrawn, consent)
    there = await two.joined("cleo")
    await two.meridian.here.write(working.grant, await ilse.open(two.here), two.baobab.me, 1)

    async def came() -> bool:
        await two.baobab.ask()
        return bool(await cleo.messages(there))

    await until("what is not held back is there", came)
    assert await cleo.read(there) == [SAFE]


async def test_keys_that_are_due_are_turned_a_few_at_a_time(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "AT_ONCE", 1)
    _, other = await found(two.meridian["ilse"])
    await two.meridian.here.read_write(lambda session: session.execute(sa.text("UPDATE room SET turned_at = 1")) and None)
    for turned in (1, 2, 2):
        await two.meridian.here.write(working.keep_turning)
        assert [(await two.meridian.room(room))[1] for room in (two.here, other)].count(2) == turned


async def test_a_key_is_due_after_90_days_or_10_000_messages(two: Two) -> None:
    here, room = two.meridian.here, two.here

    async def turned(what: str, value: int) -> int:
        await here.read_write(lambda session: session.execute(sa.text(f"UPDATE room SET {what} = :value"), {"value": value}) and None)
        await here.write(working.keep_turning)
        return int((await two.meridian.room(room))[1])

    now = here.kernel.node.now()
    assert await turned("turned_at", now - turning.AGE + HOUR) == 1
    assert await turned("messages", turning.MESSAGES - 1) == 1
    assert await turned("messages", turning.MESSAGES) == 2
    assert await turned("turned_at", now - turning.AGE) == 3


async def test_where_nothing_is_lacking_a_room_opens_while_others_write_the_ring(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    ilse, omar = two.meridian["ilse"], two.meridian["omar"]
    await ilse.unlocked(holding.assign, two.here, omar.id)
    monkeypatch.setattr(two.meridian.here.kernel.node.ring, "begin", _busy)
    await ilse.settle(two.here)
    with pytest.raises(Unavailable):
        await two.meridian.here.write(working.turn, two.here)


def _busy() -> None:
    raise Unavailable(reason="the key ring is busy", retry_after=5)


async def test_a_new_key_of_a_person_that_a_keeper_has_vouched_for_is_handed_the_rooms_again(two: Two) -> None:
    ilse, omar, ruth = (two.meridian[name] for name in ("ilse", "omar", "ruth"))
    await ilse.unlocked(holding.assign, two.here, omar.id)
    await ilse.say(two.here, HELLO)
    omar.keys = []
    await two.meridian.new_key("omar")  # as after a reset without the paper
    with pytest.raises(Refused):
        await omar.open(two.here)
    await ruth.unlocked(recovery.readmit, omar.id, omar.keys[0].public.kid)
    assert not (await omar.open(two.here)).secrets
    await ilse.settle(two.here)
    assert await omar.read(two.here) == [HELLO]


async def test_after_a_keeper_has_gone_our_keys_for_rooms_are_made_anew(two: Two) -> None:
    ilse, ruth = two.meridian["ilse"], two.meridian["ruth"]
    before = await two.meridian.room(two.here)
    await two.meridian.here.write(working.keep_turning)
    assert await two.meridian.room(two.here) == before
    assert await two.meridian.here.write(leaving.go_on) is False
    await ilse.do(keepers.remove, ruth.id)
    assert await two.meridian.here.write(leaving.go_on) is True
    after = await two.meridian.room(two.here)
    assert after[1] == before[1] + 1
    assert await two.meridian.here.write(leaving.go_on) is False
    assert await two.meridian.room(two.here) == after
    await ilse.say(two.here, HELLO)
    assert await ilse.read(two.here) == [HELLO]


@pytest.mark.rule("P15")
async def test_an_organisation_without_a_key_is_not_invited_and_nothing_is_sent_in_plain(tmp_path: Path) -> None:
    async with running(tmp_path, "Meridian", "Cedar") as (one, other):
        meridian = await open_cases(one)
        await befriend(one, other)
        _, room_id = await found(meridian["ilse"], STRICT)
        await settled(one, other)
        before = await one.tables()
        with pytest.raises(NoKey):
            await meridian["ilse"].do(working.invite, room_id, other.url + "/actor")
        assert await one.tables() == before
        await open_cases(other)

        async def known() -> Any:
            return await one.sql("SELECT 1 FROM actor WHERE uri = :uri AND document LIKE '%organisationKey%'", uri=other.url + "/actor")

        await until("its key is known", known)
        assert await meridian["ilse"].do(working.invite, room_id, other.url + "/actor")


async def test_a_purged_room_is_gone_at_both_and_each_confirms_it(two: Two) -> None:
    there = await two.joined("cleo")
    ilse = two.meridian["ilse"]
    await ilse.say(two.here, HELLO)
    await ilse.do(working.purge, two.here)
    await until("it is gone there", lambda: two.baobab.here.sql("SELECT 1 FROM room WHERE id = :id AND state = 'purged'", id=there))
    await until("they confirm it", lambda: two.meridian.here.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    for desk in (two.meridian, two.baobab):
        assert await desk.here.sql("SELECT count(*) FROM sealed_message WHERE length(body) > 0") == [(0,)]
    with pytest.raises(NotFound):
        await ilse.open(two.here)


async def test_what_nobody_here_can_check_is_shown_as_such(two: Two) -> None:
    there = await two.joined("cleo")
    await two.meridian["ilse"].say(two.here, HELLO)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    await two.baobab.here.read_write(_forget_keys)
    assert await two.baobab["cleo"].read(there) == [room_content.AUTHOR]


def _forget_keys(session: Any) -> None:
    session.execute(sa.text("DELETE FROM person_key WHERE person_id IN (SELECT id FROM actor WHERE known = 'partner')"))
