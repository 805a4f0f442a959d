"""Records of a room between real nodes: told, followed, countersigned, by members who are no partners too; a rewritten one is seen."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import acting, chains, head_asking, head_receiving, head_telling, heads, room_chain
from fedcollab.sealing.chain_models import ChainHead, RoomChain, RoomEntry
from fedcollab.sealing.chains import START, Place
from fedcollab.sealing.heads import Head
from tests.nodes import admit, asked, may_also_reach, rogue, until
from tests.sealing.test_rooms_travel import Party, Three, three

__all__ = ["three"]


async def row_id(party: Party, uri: str) -> str:
    return (await party.here.sql("SELECT id FROM room WHERE uri = :uri", uri=uri))[0][0]  # type: ignore[no-any-return]


async def act(party: Party, uri: str, action: str = "case.read", times: int = 1) -> None:
    """Something that one of our people does in the room."""
    room_id = await row_id(party, uri)

    def work(session: Session, node: Node) -> None:
        for _ in range(times):
            room_chain.add(session, node, room_id, party.here.viewer, action)

    await party.here.write(work)


async def tell(party: Party) -> None:
    """As if the last telling was an hour ago."""
    await party.here.read_write(lambda session: session.execute(sa.update(RoomChain).values(told_at=0)) and None)
    await party.here.write(head_telling.tell)


async def end(party: Party, uri: str) -> Place:
    return await party.here.read(room_chain.end, await row_id(party, uri))  # type: ignore[no-any-return]


async def told(party: Party) -> Place:
    """Up to where somebody's record was told."""
    return Place(*(await party.here.sql("SELECT told_seq, told_hash FROM room_chain"))[0])


async def seen(by: Party, of: Party) -> list[Any]:
    return await by.here.sql("SELECT seq, hash, breaks, since, signed_seq FROM chain_head WHERE organisation = :of", of=of.me)


async def signed(by: Party, of: Party, at: Party) -> list[Any]:
    query = 'SELECT seq, breaks FROM chain_signed WHERE organisation = :of AND "by" = :by'
    return await at.here.sql(query, of=of.me, by=by.me)


async def follows(by: Party, of: Party) -> None:
    place = await told(of)

    async def there() -> bool:
        return [tuple(row[:2]) for row in await seen(by, of)] == [(place.seq, place.hash)]

    await until("the record is followed to its end", there)


@pytest.mark.rule("P9")
async def test_every_member_countersigns_every_others_record_also_of_those_it_does_not_know(three: Three) -> None:
    for party in three.all():
        await act(party, three.uri)
        await tell(party)
    for by in three.all():
        for of in three.all():
            if by is not of:
                await follows(by, of)
    for party in three.all():
        await party.here.write(head_telling.countersign)
    for by in three.all():
        for of in three.all():
            if by is not of:
                place = await told(of)

                async def countersigned(by: Party = by, of: Party = of, place: Place = place) -> bool:
                    return await signed(by, of, at=of) == [(place.seq, 0)]

                await until("what was countersigned is with whose record it is", countersigned)
    assert not await three.ben.here.sql("SELECT 1 FROM partner WHERE host = :host", host=three.cleo.here.kernel.node.host)
    kept = await three.ben.here.sql("SELECT document FROM chain_signed WHERE organisation = :me", me=three.ben.me)
    assert len(kept) == 2
    before = await end(three.ben, three.uri)
    await three.ben.here.write(head_telling.tell)  # nothing of all this is an act: no record grows by what was told of it
    await three.owner.here.quiet()
    assert await end(three.ben, three.uri) == before


async def test_what_is_told_is_told_at_most_once_an_hour_and_in_steps(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_telling, "LINES", 4)
    await act(three.ben, three.uri, times=10)
    for _ in range(10):
        await three.ben.here.write(head_telling.tell)
    await follows(three.owner, three.ben)
    assert (await seen(three.owner, three.ben))[0][2:4] == (0, 1)
    so_far = await three.ben.here.sql("SELECT COUNT(*) FROM activity WHERE body LIKE '%fc:ChainHead%'")
    await act(three.ben, three.uri)
    await three.ben.here.write(head_telling.tell)
    assert await three.ben.here.sql("SELECT COUNT(*) FROM activity WHERE body LIKE '%fc:ChainHead%'") == so_far
    earlier = sa.update(RoomChain).values(told_at=RoomChain.told_at - HOUR)
    await three.ben.here.read_write(lambda session: session.execute(earlier) and None)
    await three.ben.here.write(head_telling.tell)
    await follows(three.owner, three.ben)
    await three.owner.say(three.uri, acting.close)
    await three.ben.state(three.uri, "closed")
    await act(three.owner, three.uri)
    await three.owner.here.write(head_telling.tell)  # its end is told at once
    await follows(three.ben, three.owner)


def rewrite(seq: int) -> Any:
    """What somebody with the database does: an entry changed, and the whole rest made anew to fit."""

    def work(session: Session, node: Node) -> None:
        room_id = session.execute(sa.select(RoomChain.room_id)).scalar_one()
        lines = [one.line() for one in room_chain.entries(session, node, room_id)]
        lines[seq - 1][2] = "room.send"
        uri = session.execute(sa.select(RoomChain.uri)).scalar_one()
        made = chains.placed(uri, node.actor_uri, START, lines)
        for one in made:
            here = sa.and_(RoomEntry.room_id == room_id, RoomEntry.seq == one.seq)
            session.execute(sa.update(RoomEntry).where(here).values(action=one.action, hash=one.hash))
        told = session.execute(sa.select(RoomChain.told_seq)).scalar_one()
        after = made[told - 1].hash if told else ""
        session.execute(sa.update(RoomChain).values(hash=made[-1].hash, told_hash=after))
        assert room_chain.verify(session, node, room_id) is None  # alone it looks whole

    return work


@pytest.mark.rule("P9", "AUTH-10")
async def test_a_rewritten_record_is_seen_by_every_other_member_and_stays_shown(three: Three) -> None:
    await act(three.ben, three.uri, "case.export")
    await tell(three.ben)
    for by in (three.owner, three.cleo):
        await follows(by, three.ben)
        await by.here.write(head_telling.countersign)
    changed = (await told(three.ben)).seq
    await three.ben.here.write(rewrite(changed))
    await act(three.ben, three.uri)
    await tell(three.ben)
    for by in (three.owner, three.cleo):

        async def shown(by: Party = by) -> bool:
            return [row[2] for row in await seen(by, three.ben)] == [1]

        await until("the break is seen", shown)
        assert await by.here.sql("SELECT subject FROM room_entry WHERE action = 'room.rewritten'") == [(three.ben.me,)]
        kept = sa.select(ChainHead.broken).where(ChainHead.organisation == three.ben.me)
        found: Any = await by.here.read(lambda session, kept=kept: session.scalar(kept))
        before, after = heads.read_head(found["before"]), heads.read_head(found["after"])
        entries = chains.placed(before.room, before.node, Place(*found["from"]), found["lines"])
        assert entries[-1].place == after.place  # both heads are its own word, and the one does not stand on the other
        assert before.place not in {Place(*found["from"]), *(one.place for one in entries)}
    await act(three.ben, three.uri)
    await tell(three.ben)
    await follows(three.owner, three.ben)
    await three.owner.here.write(head_telling.countersign)

    async def said() -> bool:
        return [row[1] for row in await signed(three.owner, three.ben, at=three.ben)] == [1]

    await until("the countersignature says that there was a break", said)


async def test_entries_that_were_not_told_are_asked_for_and_a_break_between_is_seen(three: Three) -> None:
    await tell(three.ben)
    await follows(three.owner, three.ben)

    async def skip() -> None:
        """Two entries, of which only the second is told."""
        await act(three.ben, three.uri)
        place = await end(three.ben, three.uri)
        first = sa.update(RoomChain).values(told_seq=place.seq, told_hash=place.hash)
        await three.ben.here.read_write(lambda session: session.execute(first) and None)
        await act(three.ben, three.uri)
        await tell(three.ben)
        await three.owner.has("SELECT 1 FROM chain_head WHERE organisation = :of AND next_at > 0", "there is a gap", of=three.ben.me)

    await skip()
    assert await asked(head_asking.lanes(three.owner.here.kernel)) == 1
    await follows(three.owner, three.ben)
    assert (await seen(three.owner, three.ben))[0][2:4] == (0, 1)
    await three.ben.here.write(rewrite(2))
    await skip()
    assert await asked(head_asking.lanes(three.owner.here.kernel)) == 1
    await follows(three.owner, three.ben)
    assert (await seen(three.owner, three.ben))[0][2] == 1


async def test_what_cannot_be_had_is_asked_for_some_times_then_the_record_is_followed_anew(three: Three) -> None:
    await tell(three.ben)
    await follows(three.owner, three.ben)
    await act(three.ben, three.uri, times=2)
    place = await end(three.ben, three.uri)
    gone = sa.update(RoomChain).values(told_seq=place.seq, told_hash=place.hash, from_seq=place.seq, from_hash=place.hash)
    await three.ben.here.read_write(lambda session: session.execute(gone) and None)
    await act(three.ben, three.uri)
    await tell(three.ben)
    await three.owner.has("SELECT 1 FROM chain_head WHERE next_at > 0", "there is a gap")
    for _ in range(head_asking.TRIES):
        assert await asked(head_asking.lanes(three.owner.here.kernel)) == 0
        due = sa.update(ChainHead).where(ChainHead.next_at > 0).values(next_at=1)
        await three.owner.here.read_write(lambda session, due=due: session.execute(due) and None)
    await follows(three.owner, three.ben)
    assert (await seen(three.owner, three.ben))[0][2:4] == (0, place.seq + 1)


@pytest.mark.rule("P9", "P5")
async def test_entries_are_given_to_members_alone_and_heads_are_taken_from_them_alone(three: Three, tmp_path: Path) -> None:
    stranger = await rogue()
    here = three.owner.here
    try:
        here = may_also_reach(here, stranger)
        await admit(here, stranger)
        path = head_asking.PATH + "?room=" + three.uri + "&from=1"
        assert (await stranger.get(here, path))[0] == 404
        assert (await stranger.get(here, head_asking.PATH + "?room=x&from=y"))[0] == 404
        await here.quiet()
        before = await here.tables()
        me = stranger.uri("/actor")
        head = Head(three.uri, me, 1, "u" + "A" * 43, 1)
        document = stranger.prove(head.document(), me)
        way = {ap.ENTRIES: {"seq": 0, "hash": "", "lines": [[1, "", "case.read", ""]]}}
        obj = head_telling.stated(three.uri, ap.CHAIN_HEAD, document, way)
        for number in range(3):
            activity = ap.activity("Create", stranger.uri(f"/activities/{number}"), me, obj)
            assert await stranger.send(here, stranger.prove(activity, me)) == 202
        await here.quiet()
        after = await here.tables()
        assert {name for name in after if after[name] != before.get(name) and name not in ("inbox_item", "partner")} == set()
        await act(three.ben, three.uri)
        await tell(three.ben)
        await follows(three.owner, three.ben)
    finally:
        await stranger.stop()


@pytest.mark.rule("P9", "P5")
async def test_who_was_removed_is_told_nothing_more_of_the_record_and_gets_none_of_it(three: Three) -> None:
    await tell(three.owner)
    await follows(three.ben, three.owner)
    await follows(three.cleo, three.owner)
    before = await seen(three.ben, three.owner)
    ben = await three.owner.here.read(actors.by_uri, three.ben.me)
    node = three.owner.here.kernel.node
    assert await three.owner.here.read(head_receiving.is_inside, node, three.uri, ben)
    await three.owner.say(three.uri, acting.remove, three.ben.me)
    await three.owner.turn(three.uri)
    await three.ben.state(three.uri, "out")
    await act(three.owner, three.uri)
    await tell(three.owner)
    await follows(three.cleo, three.owner)
    assert await seen(three.ben, three.owner) == before
    with pytest.raises(NotFound):
        await three.owner.here.read(head_receiving.is_inside, node, three.uri, ben)
    await act(three.ben, three.uri)
    await tell(three.ben)  # a node that has left says nothing more
    assert not await three.ben.here.sql("SELECT 1 FROM activity WHERE body LIKE '%fc:ChainHead%'")
