"""A sealed group of four organisations on real nodes, of which three are no partners of each other: written in, left, turned."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AMBER, STRICT
from fedcollab.actors.models import Actor
from fedcollab.base.errors import Forbidden, NotFound, Refused
from fedcollab.features.rooms import acting, inside, reading
from fedcollab.features.rooms.entries import Edited, Removed
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import working
from fedcollab.sealing.refusals import InsideAlready, NoKey, NotTheOwner
from tests.features.rooms.coalitions import Coalition, coalition
from tests.nodes import until

OWNER, OTHERS = "Meridian", ("Baobab", "Cedar", "Dahlia")


@pytest.fixture
async def four(tmp_path: Path) -> AsyncIterator[Coalition]:
    async with coalition(tmp_path, OWNER, *OTHERS) as made:
        await made.begin(OWNER)
        yield made


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Coalition]:
    async with coalition(tmp_path, OWNER, "Baobab") as made:
        yield made


async def joined(made: Coalition, *names: str) -> None:
    for name in names:
        await made.invite(OWNER, name)
        await made.accept(name)


@pytest.mark.rule("P5", "P14")
async def test_four_organisations_write_to_each_other_and_each_knows_who_reads(four: Coalition) -> None:
    await joined(four, *OTHERS)
    thread = await four.start("Baobab", "The same picture, another name.")
    for name in (OWNER, "Cedar", "Dahlia"):
        await four.reads(name, thread, "The same picture, another name.")
    await four.reply("Dahlia", thread, "Here too.")  # no partner of Baobab or Cedar: it goes by way of who leads
    for name in (OWNER, *OTHERS):
        await four.reads(name, thread, "The same picture, another name.", "Here too.")
    await four.do("Cedar", acting.assign, four["Cedar"]["omar"].id)
    await four.opens("Cedar")

    async def said() -> bool:
        return [await four.reach(name) for name in (OWNER, *OTHERS)] == [(5, 4, 0)] * 4

    await until("everybody knows that five people at four organisations read it", said)
    for name in (OWNER, *OTHERS):
        with pytest.raises(NotFound):
            await four.opens(name, by="ruth")
    for name in OTHERS:
        assert (await four.opens(name)).named.name == "Coalition"
    assert (await four.opens("Cedar", by="omar")).named.name == "Coalition"


@pytest.mark.rule("P14")
async def test_no_word_of_it_is_in_any_table_of_any_node(four: Coalition) -> None:
    await joined(four, "Baobab", "Dahlia")
    thread = await four.start(OWNER, "kingfisher one", title="kingfisher two")
    await four.row("Dahlia", thread)
    await four.reply("Dahlia", thread, "kingfisher three")
    for name in (OWNER, "Baobab", "Dahlia"):
        await four.reads(name, thread, "kingfisher one", "kingfisher three")
    for name in (OWNER, "Baobab", "Dahlia"):
        tables = await four[name].here.sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables:
            rows = await four[name].here.sql(f'SELECT * FROM "{table}"')
            assert b"kingfisher" not in repr(rows).encode(), (name, table)


async def test_who_is_removed_reads_nothing_new_and_who_stays_goes_on(four: Coalition) -> None:
    await joined(four, *OTHERS)
    thread = await four.start(OWNER, "Before")
    for name in OTHERS:
        await four.reads(name, thread, "Before")
    with pytest.raises(NotTheOwner):
        await four.do("Baobab", acting.remove, four["Cedar"].me, "")
    await four.do(OWNER, acting.remove, four["Cedar"].me, "")
    await until("Cedar knows", lambda: four["Cedar"].here.sql("SELECT 1 FROM room WHERE state = 'out'"))
    await four.reply(OWNER, thread, "After")
    for name in (OWNER, "Baobab", "Dahlia"):
        await four.reads(name, thread, "Before", "After")
    await four["Cedar"].here.quiet()
    assert await four.read("Cedar", thread) == ["Before"]
    with pytest.raises(Refused):
        await four.reply("Cedar", thread, "Still here")
    await four.invite(OWNER, "Cedar")
    await four.accept("Cedar")
    last = await four.reply(OWNER, thread, "Again")
    await four.row("Cedar", last)
    await four.reads("Cedar", thread, "Before", "Again")


async def test_who_leaves_gets_nothing_new_and_who_leads_hands_over_first(four: Coalition) -> None:
    await joined(four, "Baobab", "Cedar")
    thread = await four.start(OWNER, "Before")
    for name in ("Baobab", "Cedar"):
        await four.reads(name, thread, "Before")
    with pytest.raises(NotTheOwner):
        await four.do(OWNER, acting.leave)
    await four.do(OWNER, acting.assign, four[OWNER]["omar"].id)
    with pytest.raises(Forbidden):
        await four.do(OWNER, acting.leave, by="omar")
    await four.do("Cedar", acting.leave)
    await until("Meridian knows", lambda: _members(four, OWNER, 2))
    with pytest.raises(Refused):
        await four.do(OWNER, acting.hand_over, four["Baobab"].me)
    await four.do(OWNER, acting.deputise, [four["Baobab"].me])
    await four.do(OWNER, acting.hand_over, four["Baobab"].me)
    await until("Baobab leads", lambda: four["Baobab"].here.sql("SELECT 1 FROM room WHERE owner = :me", me=four["Baobab"].me))
    assert not (await four.opens(OWNER)).leads
    await four.do("Baobab", acting.turn)
    await four.do(OWNER, acting.leave)
    await until("Meridian is out", lambda: four[OWNER].here.sql("SELECT 1 FROM room WHERE state = 'out'"))
    assert await four.read(OWNER, thread) == ["Before"]


async def _members(made: Coalition, name: str, number: int) -> bool:
    here = await made.opens(name)
    return len(here.access.inside) == number


async def test_a_new_key_by_hand_is_used_by_everybody_from_then_on(four: Coalition) -> None:
    await joined(four, "Baobab")
    thread = await four.start(OWNER, "Before")
    await four.do(OWNER, acting.turn)
    after = await four.reply(OWNER, thread, "After")
    await four.row("Baobab", after)
    await four.reads("Baobab", thread, "Before", "After")
    epochs = await four["Baobab"].here.sql("SELECT DISTINCT epoch FROM sealed_message WHERE author LIKE :o", o=f"{four[OWNER].here.url}%")
    assert len(epochs) >= 2
    rows = await four[OWNER].here.sql("SELECT count(*) FROM room_entry WHERE action = 'sealed.turn'")
    assert rows[0][0] == 1
    with pytest.raises(NotTheOwner):
        await four.do("Baobab", acting.turn)


async def test_a_post_removed_by_whoever_leads_is_destroyed_where_it_was_written(four: Coalition) -> None:
    await joined(four, "Baobab", "Dahlia")
    thread = await four.start("Baobab", "She is called Vera.")
    await four.reads(OWNER, thread, "She is called Vera.")
    await four.reads("Dahlia", thread, "She is called Vera.")
    await four.say("Dahlia", Removed(at=9, of=thread, thread=thread, why="I say so"))
    last = await four.say("Dahlia", Edited(at=9, of=thread, thread=thread, text="Forged"))
    await four.row(OWNER, last)
    await four.reads(OWNER, thread, "She is called Vera.")
    await four.say(OWNER, Removed(at=9, of=thread, thread=thread, why="It names somebody."))
    await four.reads("Baobab", thread, "removed")
    await four.reads("Dahlia", thread, "removed")
    gone = "SELECT 1 FROM sealed_message WHERE uri = :uri AND state = 'erased'"
    for name in (OWNER, "Baobab", "Dahlia"):
        await until(f"it is gone at {name}", lambda name=name: four[name].here.sql(gone, uri=thread))  # type: ignore[misc]


async def test_history_is_read_by_newcomers_where_it_was_granted_and_not_otherwise(four: Coalition) -> None:
    thread = await four.start(OWNER, "Before")
    await joined(four, "Baobab")
    await four.invite(OWNER, "Cedar", history="yes")
    await four.accept("Cedar")
    await four.opens(OWNER)  # hands over what only somebody with keys can
    after = await four.reply(OWNER, thread, "After")
    await four.reads("Baobab", after, "After")
    page = await four.plan("Baobab", reading.front, "")
    assert [(row.opener, row.posts) for row in page.rows] == [(None, 1)]
    await four.row("Cedar", after)

    async def came() -> bool:
        await four["Cedar"].ask()
        found = await four.plan("Cedar", reading.front, "")
        return [row.opener.text for row in found.rows if row.opener] == ["Before"]

    await until("Cedar has what was before", came)


async def test_each_invitation_is_refused_where_it_has_to_be_and_goes_where_not(two: Coalition) -> None:
    await two.begin(OWNER)
    baobab = two["Baobab"].me
    with pytest.raises(NotFound):
        await two.do(OWNER, acting.invite, "https://stranger.example/actor")
    with pytest.raises(NotFound):
        await two.do(OWNER, acting.invite, baobab, by="omar")  # is not in it
    await two.invite(OWNER, "Baobab")
    with pytest.raises(InsideAlready):
        await two.do(OWNER, acting.invite, baobab)
    assert [one.by_name for one in await two["Baobab"].here.write(inside.waiting, two["Baobab"]["vera"].viewer)] == [False]
    assert await two["Baobab"].here.write(inside.waiting, two["Baobab"]["omar"].viewer) == [], "not for members to answer"
    with pytest.raises(NotFound):
        await two.do("Baobab", acting.answer, [two["Baobab"]["omar"].id], yes=True, by="omar")
    with pytest.raises(Refused):
        await two.do("Baobab", acting.answer, [], yes=True)
    await two.do("Baobab", acting.answer, [], yes=False)
    await until("Meridian knows", lambda: two[OWNER].here.sql("SELECT 1 FROM room_member WHERE state = 'declined'"))
    await two.invite(OWNER, "Baobab")
    await two.accept("Baobab", "vera", "omar")
    assert len((await two.opens("Baobab", by="omar")).access.ours) == 2


@pytest.mark.rule("P15")
async def test_who_has_no_key_is_not_invited_and_nothing_is_sent(two: Coalition) -> None:
    await two.begin(OWNER)
    await two[OWNER].here.read_write(_no_key)
    before = await two[OWNER].here.sql("SELECT count(*) FROM delivery")
    with pytest.raises(NoKey):
        await two.do(OWNER, acting.invite, two["Baobab"].me)
    assert await two[OWNER].here.sql("SELECT count(*) FROM delivery") == before


def _no_key(session: Any) -> None:
    """The partner's document says nothing of a key."""
    partner = sa.and_(Actor.known == "partner", Actor.kind == "Organization")
    row = session.execute(sa.select(Actor.id, Actor.document).where(partner)).one()
    said = {name: value for name, value in row.document.items() if name != ap.ORGANISATION_KEY}
    session.execute(sa.update(Actor).where(Actor.id == row.id).values(document=said))


@pytest.mark.rule("P7")
async def test_a_group_for_our_own_people_never_leaves_the_node_and_takes_no_guests(two: Coalition) -> None:
    before = await two[OWNER].here.sql("SELECT count(*) FROM delivery")
    await two.begin(OWNER, STRICT)
    await two.do(OWNER, acting.assign, two[OWNER]["omar"].id)
    thread = await two.start(OWNER, "Only us")
    assert await two.read(OWNER, thread, by="omar") == ["Only us"]
    assert await two[OWNER].here.sql("SELECT count(*) FROM delivery") == before
    vera = two[OWNER]["vera"]
    with pytest.raises(Refused):
        await vera.do(working.invite, two.rows[OWNER], two["Baobab"].me, role="guest")
    await two.invite(OWNER, "Baobab")
    await two.accept("Baobab")
    label = await two["Baobab"].here.sql("SELECT label FROM room")
    assert label == [(STRICT,)]
    assert AMBER != STRICT
