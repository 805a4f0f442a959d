"""Shows that each organisation fills its own share of what is kept sealed, whoever passes its messages on: a member who breaks their word
takes no room from whoever leads the room, nor holds up what goes the same way."""

from typing import Any

import pytest

from fedcollab.base.room import MEGABYTE
from fedcollab.sealing import room_quotas, room_sending
from tests.sealing.test_room_quotas import FULL, change
from tests.sealing.test_rooms_travel import Party, Three, three  # noqa: F401

MESSAGE = "SELECT 1 FROM sealed_message WHERE uri = :uri"


async def use(party: Party) -> dict[str, int]:
    """{share: bytes in all rooms}."""
    return dict(await party.here.sql("SELECT host, size FROM sealed_use WHERE room_id = ''"))


def host(party: Party) -> str:
    return party.here.kernel.node.host


async def fills(room: Three, by: Party, at: Party) -> None:
    """A member has used up their share at another's node."""
    message = await room.write(by)
    await at.has(MESSAGE, "the message", uri=message.id)
    await change(at.here, "UPDATE sealed_use SET size = :full WHERE host = :host", full=FULL, host=host(by))


@pytest.mark.rule("R6")
async def test_a_member_who_fills_their_share_takes_none_of_whoever_passes_it_on_and_holds_up_nobody(three: Three) -> None:  # noqa: F811
    await fills(three, three.ben, three.cleo)
    before = await use(three.cleo)
    assert set(before) == {host(three.ben), f"via {host(three.owner)}"}
    more = await three.write(three.ben)
    await three.owner.has("SELECT 1 FROM delivery WHERE state = 'waiting' AND status = 507", "it waits at whoever passes it on")
    kept = "SELECT body FROM inbox_item WHERE state = 'no_room'"
    assert host(three.ben) in str(await three.cleo.here.sql(kept))
    mine = await three.write(three.owner)
    await three.cleo.has(MESSAGE, "the owner's message goes past it", uri=mine.id)
    after = await use(three.cleo)
    assert 0 < after.pop(host(three.owner)) < MEGABYTE
    assert after == before
    theirs = await three.write(three.cleo)
    await three.ben.has(MESSAGE, "the other way as before", uri=theirs.id)
    assert not await three.cleo.here.sql(MESSAGE, uri=more.id)
    await three.cleo.here.write(room_quotas.take_again)
    assert await three.cleo.here.sql(kept), "there is no room yet"
    await change(three.cleo.here, "UPDATE sealed_use SET size = 0")
    await three.cleo.here.write(room_quotas.take_again)
    await change(three.owner.here, "UPDATE delivery SET next_try_at = 0")
    await three.cleo.has(MESSAGE, "it comes once there is room", uri=more.id)


@pytest.mark.rule("R6")
async def test_what_one_passes_on_has_an_end_however_many_authors_it_names(three: Three) -> None:  # noqa: F811
    node, leads = three.cleo.here.kernel.node, host(three.owner)
    most = node.settings.sealed_quota * MEGABYTE

    def work(session: Any, _node: Any) -> list[bool]:
        for number in range(room_quotas.OTHERS):
            room_quotas.count(session, f"invented{number}.example", leads, "", most)
        who = [("another.example", leads), (leads, leads), ("another.example", "another.example"), ("invented1.example", "x.example")]
        return [room_quotas.is_full(session, node, author, brings, "r") for author, brings in who]

    assert await three.cleo.here.write(work) == [True, False, False, True]


async def test_what_is_taken_back_is_given_back_to_both_shares(three: Three) -> None:  # noqa: F811
    message = await three.write(three.ben)
    await three.cleo.has(MESSAGE, "the message", uri=message.id)
    assert set((await use(three.cleo)).values()) == {len(message.to_bytes())}
    await three.ben.here.write(room_sending.take_back, three.ben.here.viewer, message.id)
    await three.cleo.has(MESSAGE + " AND state = 'erased'", "it is gone", uri=message.id)
    assert await use(three.cleo) == {host(three.ben): 0, f"via {host(three.owner)}": 0}


async def test_an_id_that_is_none_waits_for_no_room(three: Three) -> None:  # noqa: F811
    [(there,)] = await three.cleo.here.sql("SELECT id FROM room WHERE uri = :uri", uri=three.uri)
    said = {"object": {"id": "no address", "context": three.uri}}

    def work(session: Any, node: Any) -> list[str]:
        found = [room_quotas.full(session, node, host(three.owner), said)]
        room_quotas.count(session, host(three.owner), host(three.owner), there, FULL)
        return [*found, room_quotas.full(session, node, host(three.owner), said)]

    assert await three.cleo.here.write(work) == ["", host(three.owner)]
