"""Rooms between real nodes: invited, told, passed on to members who don't know each other, taken back, purged; what strangers try."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.federation import outbox
from fedcollab.sealing import acting, boxes, casesecrets, ending, messages, pairs, room_activities, room_sending, rooms
from fedcollab.sealing.casekeys import GUEST
from fedcollab.sealing.ending_models import RoomEnding
from fedcollab.sealing.facts import Invited, Left, Seen
from fedcollab.sealing.messages import Place, Sealed
from fedcollab.sealing.room_activities import Header, Said
from fedcollab.sealing.room_receiving import check_label
from fedcollab.sealing.room_state import FROZEN, OPEN, OUT, PURGED, Room
from tests.nodes import Here, Rogue, admit, befriend, may_also_reach, rogue, running, settled, until

PERSON = pairs.generate()


@dataclass
class Party:
    """A node and the case keys that its people hold."""

    here: Here
    secrets: dict[str, casesecrets.CaseSecret] = field(default_factory=dict)

    @property
    def me(self) -> str:
        return self.here.url + "/actor"

    async def room(self, uri: str) -> Room:
        return await self.here.read(rooms.load, self.here.kernel.node, uri)  # type: ignore[no-any-return]

    async def say(self, uri: str, act: Callable[..., Any], *values: Any, public: boxes.Public | None = None, **more: Any) -> Any:
        """What somebody does in a room, from the check to the telling."""

        def work(session: Any, node: Node) -> Any:
            made = act(rooms.load(session, node, uri), *values, **more)
            rooms.say(session, node, uri, made, public=public)
            return made

        return await self.here.write(work)

    async def turn(self, uri: str, **more: Any) -> None:
        def work(session: Any, node: Node) -> Any:
            key, secret = casesecrets.made(acting.turn(rooms.load(session, node, uri), **more))
            rooms.say(session, node, uri, key)
            return secret

        secret = await self.here.write(work)
        self.secrets[secret.ck] = secret

    async def state(self, uri: str, state: str) -> None:
        async def there() -> bool:
            return await self.here.sql("SELECT state FROM room WHERE uri = :uri", uri=uri) == [(state,)]

        await until(f"the room is {state}", there)

    async def has(self, query: str, what: str, **values: Any) -> None:
        await until(what, lambda: self.here.sql(query, **values))


@dataclass
class Three:
    """An owner with two partners who are none of each other's, all in one room."""

    owner: Party
    ben: Party
    cleo: Party
    uri: str

    def all(self) -> list[Party]:
        return [self.owner, self.ben, self.cleo]

    async def join(self, other: Party, *, person: str = "") -> None:
        async def invited() -> Any:
            return await other.here.sql("SELECT 1 FROM room WHERE uri = :uri", uri=self.uri)

        fresh = outbox.new_uri(self.owner.here.kernel.node)
        await self.owner.say(self.uri, acting.invite, fresh, other.me, person, has_key=True)
        await until("the invitation is there", invited)
        mk = boxes.generate().public
        await other.say(self.uri, acting.accept, fresh, mk.kid, public=mk)
        await self.owner.has("SELECT 1 FROM member_key WHERE kid = :kid", "the yes is there", kid=mk.kid)
        await self.owner.turn(self.uri)
        await other.state(self.uri, OPEN)

    async def agree(self) -> None:
        """All work with the same list."""

        async def same() -> bool:
            rows = [await one.here.sql("SELECT state, ck FROM room WHERE uri = :uri", uri=self.uri) for one in self.all()]
            return len({tuple(found) for found in rows}) == 1

        await until("all agree", same)

    def sealed(self, by: Party, room: Room, text: str = "She is safe.") -> Sealed:
        assert room.head is not None
        place = Place(by.here.url + f"/messages/{new_id()}", by.here.url + "/people/ilse", dict(room.seen))
        return messages.seal(self.owner.secrets[room.head.ck], PERSON, {"text": text}, place)

    async def write(self, by: Party) -> Sealed:
        message = self.sealed(by, await by.room(self.uri))
        await by.here.write(room_sending.send, by.here.viewer, message)
        return message


async def found(owner: Party, label: str = AMBER) -> str:
    uri, mk = owner.here.url + f"/rooms/{new_id()}", boxes.generate().public

    def work(session: Any, node: Node) -> Any:
        rooms.begin(session, node, Header(uri, "case", label), owner.me)
        founded, plan = acting.found(uri, owner.me, mk.kid)
        key, secret = casesecrets.made(plan)
        rooms.say(session, node, uri, founded, key, public=mk)
        return secret

    secret = await owner.here.write(work)
    owner.secrets[secret.ck] = secret
    return uri


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with running(tmp_path, "Meridian", "Baobab", "Cedar") as nodes:
        owner, ben, cleo = (Party(here) for here in nodes)
        await befriend(owner.here, ben.here)
        await befriend(owner.here, cleo.here)
        made = Three(owner, ben, cleo, await found(owner))
        await made.join(ben)
        await made.join(cleo)
        await made.agree()
        await settled(*nodes)  # what each says of the last list passes on
        yield made


async def test_members_who_do_not_know_each_other_work_with_one_list_and_read_each_others_messages(three: Three) -> None:
    for party in three.all():
        room = await party.room(three.uri)
        assert room.state == OPEN
        assert room.inside == {one.me for one in three.all()}

        async def confirmed(party: Party = party) -> bool:
            return not (await party.room(three.uri)).unconfirmed

        await until("every member's own yes is there", confirmed)
    message = await three.write(three.cleo)
    for party in three.all():
        await party.has("SELECT 1 FROM sealed_message WHERE uri = :uri AND state = 'there'", "the message", uri=message.id)
        [(body,)] = await party.here.sql("SELECT body FROM sealed_message WHERE uri = :uri", uri=message.id)
        assert body == message.to_bytes()
        assert b"safe" not in body
    assert await three.ben.here.sql("SELECT 1 FROM key_request WHERE state = 'open'")  # the boxes are asked for


async def test_a_member_that_was_removed_hears_of_it_and_of_nothing_later(three: Three) -> None:
    await three.owner.say(three.uri, acting.remove, three.ben.me)
    await three.ben.state(three.uri, OUT)
    await three.owner.turn(three.uri)
    message = await three.write(three.owner)
    await three.cleo.has("SELECT 1 FROM sealed_message WHERE uri = :uri", "the message", uri=message.id)
    assert not await three.ben.here.sql("SELECT 1 FROM sealed_message WHERE uri = :uri", uri=message.id)
    head = (await three.cleo.room(three.uri)).head
    assert head is not None
    assert not await three.ben.here.sql("SELECT 1 FROM room_key WHERE ck = :ck", ck=head.ck)
    assert not await three.ben.here.sql("SELECT 1 FROM key_request WHERE state = 'open'")


@pytest.mark.rule("P12")
async def test_a_message_that_was_taken_back_is_gone_everywhere_and_confirmed(three: Three) -> None:
    message = await three.write(three.owner)
    for party in (three.ben, three.cleo):
        await party.has("SELECT 1 FROM sealed_message WHERE uri = :uri", "the message", uri=message.id)
    await three.owner.here.write(room_sending.take_back, three.owner.here.viewer, message.id)
    for party in three.all():
        await party.has("SELECT 1 FROM sealed_message WHERE uri = :uri AND state = 'erased'", "it is gone", uri=message.id)
        assert await party.here.sql("SELECT body FROM sealed_message WHERE uri = :uri", uri=message.id) == [(b"",)]


async def test_a_purged_room_keeps_no_ciphertext_anywhere(three: Three) -> None:
    message = await three.write(three.ben)
    await three.cleo.has("SELECT 1 FROM sealed_message WHERE uri = :uri", "the message", uri=message.id)
    await three.owner.say(three.uri, acting.close, purged=True)
    for party in (three.ben, three.cleo):
        await party.state(three.uri, rooms.ENDING)
        assert await party.here.sql("SELECT 1 FROM sealed_message WHERE length(body) > 0")  # of others than who ends it, for a week
        await party.here.read_write(lambda session: session.execute(sa.update(RoomEnding).values(due_at=0)) and None)
        await party.here.write(ending.end_due)
        await party.state(three.uri, PURGED)
        assert await party.here.sql("SELECT body FROM sealed_message") == [(b"",)]


async def test_two_lists_freeze_the_room_on_every_node(three: Three) -> None:
    room = await three.owner.room(three.uri)
    assert room.head is not None
    other = boxes.generate().public.kid  # as good a name as any
    await three.owner.here.write(rooms.say, three.uri, Seen(three.owner.me, room.head.epoch, other))
    for party in (three.ben, three.cleo):
        await party.state(three.uri, FROZEN)


def proved(at: Rogue, room: str, fact: Any, header: Header | None = None) -> dict[str, Any]:
    activity_id = fact.id if isinstance(fact, Invited) else at.uri(f"/activities/{new_id()}")
    return at.prove(room_activities.document(activity_id, at.uri("/actor"), Said(room, fact, header)), at.uri("/actor"))


@pytest.mark.rule("CONF-01")
async def test_a_partner_outside_says_and_sends_nothing_into_a_room(three: Three) -> None:
    stranger = await rogue()
    try:
        here = may_also_reach(three.owner.here, stranger)
        await admit(here, stranger)
        room = await three.owner.room(three.uri)
        before = await here.tables()
        head, me = room.head, stranger.uri("/actor")
        assert head is not None
        mine = boxes.generate().public.kid
        forged, header = three.sealed(three.owner, room), Header(three.uri, "case", AMBER)
        for activity in [
            proved(stranger, three.uri, Seen(me, head.epoch, mine)),
            proved(stranger, three.uri, Left(me, mine)),
            proved(stranger, three.uri, Seen(three.owner.me, head.epoch, mine)),
            proved(
                stranger,
                three.uri,
                Invited(stranger.uri("/activities/1"), me, here.url + "/actor", "", "member"),
                header,
            ),
            stranger.prove(room_activities.sealed(stranger.uri("/activities/2"), me, forged), me),
        ]:
            assert await stranger.send(here, activity) == 202
        await here.quiet()
        after = await here.tables()
        assert {name for name in after if after[name] != before.get(name) and name not in ("inbox_item", "partner")} == set()
        assert (await three.owner.room(three.uri)).facts == room.facts
        await three.write(three.owner)
    finally:
        await stranger.stop()


@pytest.mark.rule("P6")
async def test_a_room_for_named_people_is_refused_to_an_organisation_as_such(three: Three) -> None:
    red = await found(three.owner, RED)
    fresh = outbox.new_uri(three.owner.here.kernel.node)
    await three.owner.say(red, acting.invite, fresh, three.ben.me, has_key=True)
    await three.ben.has("SELECT 1 FROM inbox_item WHERE state = 'refused' AND uri = :uri", "it is refused", uri=fresh)
    assert not await three.ben.here.sql("SELECT 1 FROM room WHERE uri = :uri", uri=red)
    named = outbox.new_uri(three.owner.here.kernel.node)
    await three.owner.say(red, acting.invite, named, three.ben.me, three.ben.here.url + "/people/ilse", has_key=True)
    await three.ben.has("SELECT 1 FROM room WHERE uri = :uri", "the person is invited", uri=red)


@pytest.mark.rule("P7")
async def test_a_guest_is_brought_into_no_room_for_organisations_own_people_by_an_invitation_or_a_list(three: Three) -> None:
    strict = await found(three.owner, STRICT)
    fresh = outbox.new_uri(three.owner.here.kernel.node)
    await three.owner.say(strict, acting.invite, fresh, three.ben.me, "", GUEST, has_key=True)
    await three.ben.has("SELECT 1 FROM inbox_item WHERE state = 'refused' AND uri = :uri", "it is refused", uri=fresh)
    assert not await three.ben.here.sql("SELECT 1 FROM room WHERE uri = :uri", uri=strict)
    head = (await three.owner.room(three.uri)).head
    assert head is not None
    listed = replace(head, members=tuple(replace(member, role=GUEST) for member in head.members))
    for label, key, taken in ((STRICT, head, True), (STRICT, listed, False), (AMBER, listed, True), (RED, head, False)):
        with contextlib.nullcontext() if taken else pytest.raises(Refused):
            check_label(label, key)
    member = await found(three.owner, STRICT)
    await three.owner.say(member, acting.invite, outbox.new_uri(three.owner.here.kernel.node), three.ben.me, has_key=True)
    await three.ben.has("SELECT 1 FROM room WHERE uri = :uri", "a member is invited", uri=member)


async def test_a_message_under_an_older_key_is_not_sent(three: Three) -> None:
    late = three.sealed(three.owner, await three.owner.room(three.uri))
    await three.owner.turn(three.uri)
    with pytest.raises(Refused):
        await three.owner.here.write(room_sending.send, three.owner.here.viewer, late)
    await three.write(three.owner)
