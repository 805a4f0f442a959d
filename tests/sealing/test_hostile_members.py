"""Members of a room who break their word, and who were removed: they freeze it for nobody, keep nobody from ending it, end no hold of
others, and name no label."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.base.clock import DAY, HOUR, new_id
from fedcollab.base.errors import TooMany
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox
from fedcollab.sealing import acting, ending, messages, refusals, room_activities, room_content, room_receiving, rooms, working
from fedcollab.sealing.facts import Closed, Invited, Seen, organisations
from fedcollab.sealing.messages import Place
from fedcollab.sealing.room_activities import Header
from fedcollab.sealing.room_models import Room, RoomKey
from fedcollab.sealing.room_state import FROZEN, OPEN, PURGED
from tests.nodes import Here, Rogue, admit, befriend, may_also_reach, rogue, running, settled, until
from tests.sealing.at_work import found, open_cases
from tests.sealing.simulated import DEPUTY, MINA, OWNER, Air, begun, fresh
from tests.sealing.test_ending import a_week_later, both_wrote
from tests.sealing.test_rooms_travel import Three, proved, three  # noqa: F401
from tests.sealing.test_working import HELLO, SAFE, Two


@pytest.fixture
def air() -> Air:
    """A room of the owner, a deputy and Mina."""
    return begun()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await befriend(one, other)
        await baobab.join("cleo")
        yield Two(meridian, baobab, *await found(meridian["ilse"]))


def freeze(air: Air, by: str) -> None:
    """A member says that it works with a list which nobody has seen."""
    head = air[OWNER].room.head
    assert head is not None
    for me in (OWNER, DEPUTY):
        air[me].learns(Seen(by, head.epoch, fresh("a list that there is not")))


def test_a_member_who_freezes_a_room_and_agrees_to_nothing_is_removed_and_the_others_go_on(air: Air) -> None:
    freeze(air, MINA)
    assert air[OWNER].room.state == FROZEN
    with pytest.raises(refusals.Frozen):
        air[OWNER].writes()
    air[OWNER].learns(acting.remove(air[OWNER].room, MINA))
    assert air[OWNER].room.state == OPEN
    head = air[OWNER].issues(acting.turn(air[OWNER].room), air.make)
    air[DEPUTY].learns(head)
    assert air[DEPUTY].room.state == OPEN
    assert MINA not in organisations(head)
    message = air[DEPUTY].writes()
    air[OWNER].takes(message)
    assert air[OWNER].reads(message)


def test_who_was_removed_freezes_nothing_by_words_of_an_older_list(air: Air) -> None:
    before = air[OWNER].room.head
    assert before is not None
    air[OWNER].learns(acting.remove(air[OWNER].room, MINA))
    air.settle()
    for me in (OWNER, DEPUTY):
        air[me].learns(Seen(MINA, before.epoch, fresh("a list that there is not")))
        assert air[me].room.state == OPEN
    air[DEPUTY].learns(Seen(OWNER, before.epoch, fresh("a list that the deputy has not seen")))
    assert air[DEPUTY].room.state == FROZEN, "the word of somebody who is inside counts as before"


def test_a_frozen_room_is_ended_by_who_leads_it_and_by_nobody_else(air: Air) -> None:
    freeze(air, MINA)
    with pytest.raises(refusals.NotTheOwner):
        acting.close(air[DEPUTY].room, purged=True)
    air[OWNER].learns(acting.close(air[OWNER].room, purged=True))
    assert air[OWNER].room.state == PURGED


async def say(at: Here, uri: str, fact: Any) -> None:
    """A node tells what it likes, without the checks of its own."""
    await at.write(rooms.say, uri, fact)


def test_a_member_whose_lists_lead_nowhere_makes_a_room_no_slower_than_so_many_seats(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_receiving, "MOST_SEATS", 10)
    head = air[OWNER].room.head
    assert head is not None
    lists = [
        replace(head, epoch=900, prev=fresh(f"before {n}"), issuer=MINA, commit=fresh(f"list {n}"), members=head.members) for n in range(4)
    ]
    for n, made in enumerate(lists):
        if n < 3:
            room_receiving._check_seats(air[OWNER].room, made)
            air[OWNER].learns(made)
        else:
            with pytest.raises(TooMany):
                room_receiving._check_seats(air[OWNER].room, made)
    for _ in range(5):
        air[OWNER].issues(acting.turn(air[OWNER].room), air.make)
    assert len(air[OWNER].room.line.keys) > 5
    room_receiving._check_seats(air[OWNER].room, acting.turn(air[OWNER].room))  # those of the line fill nothing


@pytest.mark.rule("P21", "P29")
async def test_a_hold_is_ended_by_no_further_word_of_those_who_lead_the_room_or_are_inside(two: Two) -> None:
    there = await both_wrote(two)
    here, cleo, now = two.baobab.here, two.baobab["cleo"], two.baobab.here.kernel.node.now()
    await cleo.do(ending.hold, there, "LegalHold", now + 30 * DAY)
    held = await here.sql("SELECT by, due_at, held_why, held_until FROM room_ending")
    await say(two.meridian.here, two.uri, Closed(two.meridian.me, purged=False))
    await until("it was heard", lambda: here.sql("SELECT 1 FROM room_fact WHERE kind = 'closed' GROUP BY room_id HAVING count(*) = 2"))
    assert await here.sql("SELECT by, due_at, held_why, held_until FROM room_ending") == held
    await a_week_later(two)
    assert await cleo.read(there) == ["erased", SAFE]
    await cleo.do(ending.lift, there)
    await here.write(ending.end_due)
    assert await here.sql("SELECT state FROM room") == [("purged",)]


async def test_a_word_on_a_room_that_is_gone_here_changes_nothing_and_stops_no_queue(two: Two) -> None:
    there = await both_wrote(two)
    here = two.baobab.here
    await a_week_later(two)
    gone = await here.sql("SELECT * FROM room_ending")
    await say(two.meridian.here, two.uri, Closed(two.meridian.me, purged=False))
    await until("it was heard", lambda: here.sql("SELECT 1 FROM room_fact WHERE kind = 'closed' GROUP BY room_id HAVING count(*) = 2"))
    await here.quiet()
    assert await here.sql("SELECT * FROM room_ending") == gone
    assert await here.sql("SELECT state FROM room WHERE id = :id", id=there) == [("purged",)]
    uri, again = await found(two.meridian["ilse"])
    await two.meridian["ilse"].do(working.invite, again, two.baobab.me)
    assert await two.baobab.room_id(uri)


async def invited(at: Rogue, here: Here, room: str, label: str) -> None:
    fact = Invited(at.uri(f"/activities/{new_id()}"), at.uri("/actor"), here.url + "/actor", at_person(here, label), "member")
    assert await at.send(here, proved(at, room, fact, Header(room, "case", label))) == 202
    await here.quiet()


def at_person(here: Here, label: str) -> str:
    return here.url + "/people/ilse" if label == RED else ""


@pytest.mark.rule("CONF-11", "P6", "P8")
async def test_nobody_who_knows_a_rooms_id_calls_it_something_weaker_before_or_after_it_comes(tmp_path: Path) -> None:
    async with running(tmp_path, "Baobab") as (at,):
        source, squatter = await rogue(), await rogue("Squatter")
        try:
            here = may_also_reach(may_also_reach(at, source), squatter)
            await admit(here, source)
            await admit(here, squatter)
            room, label = source.uri(f"/rooms/{new_id()}"), "SELECT label, owner FROM room"
            await invited(squatter, here, room, AMBER)
            await invited(source, here, room, RED)
            assert await here.sql(label) == [(RED, source.uri("/actor"))]
            before = await here.sql("SELECT count(*) FROM room_fact")
            await invited(squatter, here, room, STRICT)
            await invited(squatter, here, room, AMBER)
            assert await here.sql(label) == [(RED, source.uri("/actor"))]
            assert await here.sql("SELECT count(*) FROM room_fact") == before
            await invited(source, here, source.uri("/rooms/another"), STRICT)
            assert await here.sql(label + " WHERE uri LIKE '%another'") == [(STRICT, source.uri("/actor"))]
        finally:
            await source.stop()
            await squatter.stop()


async def test_a_partners_invitations_that_nobody_answers_fill_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_receiving, "MOST_WAITING", 3)
    async with running(tmp_path, "Baobab") as (at,):
        loud, other = await rogue(), await rogue("Other")
        try:
            here = may_also_reach(may_also_reach(at, loud), other)
            await admit(here, loud)
            await admit(here, other)
            for number in range(5):
                await invited(loud, here, loud.uri(f"/rooms/{number}"), AMBER)
            assert await here.sql("SELECT count(*) FROM room") == [(3,)]
            assert await here.sql("SELECT count(*) FROM keeper_task") == [(3,)]
            await invited(other, here, other.uri("/rooms/1"), AMBER)
            assert await here.sql("SELECT count(*) FROM room") == [(4,)]
        finally:
            await loud.stop()
            await other.stop()


async def test_who_is_not_inside_writes_nothing_into_a_rooms_record_by_a_consent_of_nothing(three: Three) -> None:  # noqa: F811
    await settled(*(one.here for one in three.all()))  # or what members still tell each other is on record beside
    stranger = await rogue()
    try:
        here = may_also_reach(three.owner.here, stranger)
        await admit(here, stranger)
        lines, marks = "SELECT count(*) FROM room_entry", "SELECT count(*) FROM consent_mark"
        before = [await here.sql(one) for one in (lines, marks)]
        me, mine = stranger.uri("/actor"), stranger.uri("/messages/1")
        obj = {"id": mine, "type": ap.CONSENT, "context": three.uri, ap.SAID: {"until": "2199-01-31", "things": []}}
        made = stranger.prove(ap.activity("Create", stranger.uri(f"/activities/{new_id()}"), me, obj), me)
        assert await stranger.send(here, made) == 202
        heard = sa.text("SELECT 1 FROM inbox_item WHERE uri = :uri AND state <> 'waiting'")
        await until("it was heard", lambda: here.read(lambda session: session.execute(heard, {"uri": made["id"]}).first()))
        assert [await here.sql(one) for one in (lines, marks)] == before
        await three.write(three.owner)
        assert await here.sql(lines) != before[0]
    finally:
        await stranger.stop()


async def late(two: Two, opened: Any, text: str) -> str:
    """Cleo's node sends what it has sealed by the key that it had; the message's id."""
    cleo, node, here = two.baobab["cleo"], two.baobab.here.kernel.node, two.baobab.here
    place = Place(room_content.new_uri(node), await cleo.uri())
    sealed = messages.seal(opened.secrets[opened.room.head.ck], cleo.keys[0], {"text": text}, place)
    [(to,)] = await here.sql("SELECT id FROM actor WHERE uri = :uri", uri=two.meridian.me)

    def work(session: Any, node: Any) -> None:
        made = room_activities.sealed(outbox.new_uri(node), two.baobab.me, sealed)
        outbox.publish(session, node, here.viewer.organisation_id, made, to=[to], order_key=two.uri)

    await here.write(work)
    return place.id


async def test_who_was_removed_writes_on_with_the_old_key_for_no_longer_than_a_message_may_be_late(two: Two) -> None:
    there = await two.joined("cleo")
    ilse, here = two.meridian["ilse"], two.meridian.here
    opened = await two.baobab["cleo"].open(there)
    await ilse.do(working.remove, two.here, two.baobab.me)
    in_time = await late(two, opened, "written before")
    known = "SELECT 1 FROM sealed_message WHERE uri = :uri"
    await until("what is late is there", lambda: here.sql(known, uri=in_time))
    past = sa.update(RoomKey).values(at=RoomKey.at - 8 * DAY)
    await here.read_write(lambda session: session.execute(past) and None)
    await settled(here, two.baobab.here)
    entries = await here.sql("SELECT count(*) FROM room_entry")
    too_late = await late(two, opened, "erase all that they wrote")
    heard = "SELECT 1 FROM inbox_item WHERE state = 'refused' AND host = :host"
    await until("it is refused", lambda: here.sql(heard, host=two.baobab.here.host))
    assert (await here.sql(known, uri=too_late), await here.sql("SELECT count(*) FROM room_entry")) == ([], entries)
    await ilse.say(two.here, HELLO)
    assert HELLO in await ilse.read(two.here)


async def test_a_member_that_has_another_key_again_and_again_keeps_nobody_at_turning(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_receiving, "MOST_KEYS", 3)
    there = await two.joined("cleo")
    here = two.meridian.here
    [(before,)] = await here.sql("SELECT epoch FROM room")
    for _ in range(6):
        await two.baobab.here.write(working.rekey, there)
    heard = "SELECT 1 FROM room_fact WHERE kind = 'rekeyed' GROUP BY room_id HAVING count(*) = 6"
    await until("all came", lambda: here.sql(heard))
    assert await here.sql("SELECT epoch FROM room") == [(before + 3,)]
    await here.write(working.keep_turning)
    assert await here.sql("SELECT epoch FROM room") == [(before + 3,)]
    await here.read_write(lambda session: session.execute(sa.update(Room).values(turned_at=Room.turned_at - HOUR)) and None)
    await here.write(working.keep_turning)
    await here.write(working.keep_turning)
    assert await here.sql("SELECT epoch FROM room") == [(before + 4,)]
    await until("they have their box", two.baobab.ask)
    await two.meridian["ilse"].say(two.here, HELLO)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert await two.baobab["cleo"].read(there) == [HELLO]
