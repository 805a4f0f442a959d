"""What an organisation gets that is out of a room, or was never in it: the word that it was removed, and then nothing, by no address."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.access.models import RED
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Unreachable
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import knocking, outbox
from fedcollab.sealing import room_sending, working
from tests.nodes import Here, admit, befriend, may_also_reach, rogue, running, settled, until
from tests.sealing.at_work import Desk, found, join_room, open_cases
from tests.sealing.shared_files import share
from tests.sealing.test_rooms_travel import Three, three  # noqa: F401
from tests.sealing.test_working import HELLO, SAFE, Two


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await befriend(one, other)
        await baobab.join("cleo")
        yield Two(meridian, baobab, *await found(meridian["ilse"]))


async def status(desk: Desk, address: str) -> int | None:
    """What an address answers to the organisation's signed GET."""
    try:
        return (await knocking.ask(desk.here.kernel, address)).status
    except Unreachable as error:
        return error.answer


@pytest.mark.rule("CONF-03")
async def test_a_member_that_was_removed_gets_the_word_of_it_and_nothing_else_by_any_address(two: Two) -> None:
    there = await two.joined("cleo")
    ilse, here, away = two.meridian["ilse"], two.meridian.here, two.baobab.here
    before = await share(ilse, two.here, b"the first file")
    [(ck,)] = await here.sql("SELECT ck FROM room")
    [(kid,)] = await away.sql("SELECT kid FROM member_key WHERE organisation = :me", me=two.baobab.me)
    addresses = [before["uri"], *(f"{here.url}/rooms/keys/{ck}{end}" for end in ("/messages", f"/boxes/{kid}"))]
    assert [await status(two.baobab, one) for one in addresses] == [200, 200, 200]
    await until("it is there", lambda: away.sql("SELECT 1 FROM sealed_message"))
    await settled(here, away)
    came = "SELECT count(*) FROM inbox_item WHERE uri LIKE :host"
    [(heard,)] = await away.sql(came, host=here.url + "/%")
    await ilse.do(working.remove, two.here, two.baobab.me)
    said = [await ilse.say(two.here, HELLO | {"number": number}) for number in range(10)]
    await share(ilse, two.here, b"a later file")
    await ilse.do(room_sending.take_back, said[0])
    await until("they know", lambda: away.sql("SELECT 1 FROM room WHERE id = :id AND state = 'out'", id=there))
    await settled(here, away)
    assert await away.sql(came, host=here.url + "/%") == [(heard + 1,)]
    assert await away.sql("SELECT count(*) FROM sealed_message") == [(1,)]
    later = [row[0] for row in await here.sql("SELECT ck FROM room_key WHERE ck <> :ck", ck=ck)]
    addresses += [f"{here.url}/rooms/keys/{one}{end}" for one in later for end in ("", "/messages", f"/boxes/{kid}")]
    assert [one for one in addresses if await status(two.baobab, one) != 404] == []
    uri, again = await found(ilse)
    assert await join_room(ilse, two.baobab, uri, again, "cleo")


async def publish(here: Here, activity: ap.Document, to: str) -> None:
    """Sends what one's own pages would never send."""

    def work(session: object, node: object) -> None:
        me = here.viewer.organisation_id
        outbox.publish(session, node, me, activity, to=[to], order_key="x")  # type: ignore[arg-type]

    await here.write(work)


@pytest.mark.rule("CONF-02")
async def test_no_word_of_a_party_carries_a_sealed_message_on_to_those_who_are_none(three: Three) -> None:  # noqa: F811
    owner, ben = three.owner.here, three.ben.here
    stranger = await rogue()
    try:
        here = may_also_reach(owner, stranger)
        await admit(here, stranger)
        group = await here.group()
        follow = ap.activity("Follow", stranger.uri(f"/activities/{new_id()}"), stranger.uri("/actor"), group.uri)
        assert await stranger.send(here, follow) == 202
        sealed = await three.write(three.ben)
        await until("it is there", lambda: owner.sql("SELECT 1 FROM sealed_message WHERE uri = :uri", uri=sealed.id))
        [(theirs,)] = await ben.sql("SELECT id FROM actor WHERE uri = :uri", uri=three.owner.me)
        before = await owner.sql("SELECT (SELECT count(*) FROM post), (SELECT count(*) FROM thread), (SELECT count(*) FROM sealed_message)")
        for kind in ("Announce", "Like", "Update", "Add"):
            made = ap.activity(
                kind, outbox.new_uri(ben.kernel.node), three.ben.me, sealed.id, to=[group.uri + "/followers"], audience=group.uri
            )
            await publish(ben, made, theirs)
        for more in ({"inReplyTo": sealed.id}, {"quoteUrl": sealed.id}, {"attachment": [{"type": "Link", "href": sealed.id}]}):
            note = {"id": ben.url + f"/posts/{new_id()}", "type": "Note", "attributedTo": three.ben.me, "content": "<p>look</p>"}
            made = ap.activity("Create", outbox.new_uri(ben.kernel.node), three.ben.me, note | more | {"audience": group.uri})
            await publish(ben, made, theirs)
        heard = "SELECT count(*) FROM inbox_item WHERE uri LIKE :u AND state <> 'waiting' GROUP BY sender_id HAVING count(*) >= 7"
        await until("all was heard", lambda: owner.sql(heard, u=ben.url + "/activities/%"))
        after = "SELECT (SELECT count(*) FROM post), (SELECT count(*) FROM thread), (SELECT count(*) FROM sealed_message)"
        assert await owner.sql(after) == before
        told = str(stranger.received)
        assert not [word for word in (sealed.id, three.uri, "SealedMessage") if word in told]
        for path in (sealed.id.removeprefix(ben.url), "/actor/outbox", "/actor/stream?since=0:0"):
            assert three.uri not in (await stranger.get(here, path))[2]
        await three.cleo.has("SELECT 1 FROM sealed_message WHERE uri = :uri", "and the other party has it", uri=sealed.id)
    finally:
        await stranger.stop()


@pytest.mark.rule("CONF-12", "P6")
async def test_what_is_for_named_people_goes_to_their_nodes_and_no_other_among_200_mixed_words(tmp_path: Path) -> None:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await befriend(one, other)
        cleo, ilse = await baobab.join("cleo"), meridian["ilse"]
        listeners = [await rogue(f"Listener {number}") for number in range(3)]
        try:
            here = one
            for listener in listeners:
                here = may_also_reach(here, listener)
                await admit(here, listener)
            known = "SELECT 1 FROM person_key JOIN actor ON actor.id = person_key.person_id WHERE actor.uri = :uri"
            theirs = await cleo.uri()
            await until("her key is known", lambda: one.sql(known, uri=theirs))
            red, mine = await found(ilse, RED)
            await ilse.do(working.invite, mine, baobab.me, theirs)
            there = await baobab.room_id(red)
            await cleo.do(working.accept, there, await baobab.invitation(there), [], cleo.keys)
            await until("she is inside", lambda: other.sql("SELECT 1 FROM room WHERE state = 'open'"))
            amber, others = await found(ilse)
            opened = [await ilse.open(room) for room in (mine, others)]
            for number in range(200):
                await one.write(_said, opened[number % 2], SAFE | {"number": number})
            count = "SELECT 1 FROM sealed_message JOIN room ON room.id = room_id WHERE label = :red GROUP BY label HAVING count(*) = 100"
            await until("all are there", lambda: other.sql(count, red=RED), seconds=60)
            told = str([listener.received for listener in listeners])
            assert not [word for word in (red, amber, "SealedMessage", "CaseKey", "fc:Room") if word in told]
            to = await one.sql(
                "SELECT DISTINCT partner.host FROM delivery JOIN partner ON partner.id = delivery.partner_id"
                " JOIN activity ON activity.id = delivery.activity_id WHERE activity.object_uri IN (SELECT uri FROM sealed_message)"
            )
            assert to == [(other.host,)]
            assert await one.sql("SELECT count(*) FROM sealed_message") == [(200,)]
        finally:
            for listener in listeners:
                await listener.stop()


def _said(session: object, node: object, opened: object, content: object) -> str:
    from fedcollab.sealing import room_content

    return room_content.write(session, node, opened, content)  # type: ignore[arg-type]
