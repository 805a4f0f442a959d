"""Shows what keepers do where a room does not go on by itself, between real nodes: two lists mended, a lead that stays away replaced and
had back, people let in again who get the keys of their rooms; and which tasks say so."""

from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.base.errors import NotFound, Refused
from fedcollab.federation.models import Partner
from fedcollab.sealing import boxes, case_boxes, holding, mending, people, recovery, room_tasks, rooms, working, wraps
from fedcollab.sealing.facts import Seen
from fedcollab.sealing.refusals import NotBacked, NotFrozen, NotTheOwner
from fedcollab.sealing.room_state import FROZEN, OPEN
from tests.nodes import until
from tests.sealing import three_desks
from tests.sealing.at_work import UNLOCK, Desk

HELLO, SAFE = {"text": "Where is she?"}, {"text": "She is safe."}


class Three(three_desks.Three):
    """What the nodes of the room say of it."""

    def desks(self) -> list[tuple[Desk, str]]:
        return [(getattr(self, name), row) for name, row in self.rooms.items()]

    async def all(self, column: str, value: str) -> None:
        """On every node the room says the same."""
        for desk, row in self.desks():
            await until(
                f"{column} is {value}", partial(desk.here.sql, f"SELECT 1 FROM room WHERE id = :id AND {column} = :v", id=row, v=value)
            )

    async def ck(self, desk: Desk, row: str) -> str:
        return str((await desk.room(row))[2])

    async def healing(self, desk: Desk, row: str) -> str:
        """The name of the list that would mend it, as a keeper there sees it."""
        room = await desk.here.read(rooms.by_row, desk.here.kernel.node, row)
        return room.line.healing.ck if room.line.healing else ""

    async def freeze(self) -> None:
        """Meridian's node has said that it works with another list, which it was not."""
        desk, room_id = self.meridian, self.rooms["meridian"]
        room = await desk.here.read(rooms.by_row, desk.here.kernel.node, room_id)
        await desk.here.write(rooms.say, self.uri, Seen(desk.me, room.head.epoch, boxes.generate().public.kid))
        await self.all("state", FROZEN)


@pytest.fixture
async def three(three: three_desks.Three) -> Three:
    made = Three(**vars(three))
    await made.all("ck", await made.ck(made.meridian, made.rooms["meridian"]))
    return made


async def test_two_lists_are_mended_by_who_leads_and_count_once_every_keeper_has_agreed(three: Three) -> None:
    await three.freeze()
    for desk, _ in three.desks():
        assert await three.tasks(desk) == ["frozen"]
    ilse, here = three.meridian["ilse"], three.rooms["meridian"]
    cleo = three.baobab["ilse"]  # a keeper there
    with pytest.raises(Refused):
        await ilse.say(here, HELLO)
    with pytest.raises(NotTheOwner):
        await cleo.do(mending.heal, three.rooms["baobab"])
    await ilse.do(mending.heal, here)
    for name in ("baobab", "cedar"):
        desk, row = getattr(three, name), three.rooms[name]
        ck = await until("what mends it is there", lambda desk=desk, row=row: three.healing(desk, row))
        with pytest.raises(NotFrozen):
            await desk["ilse"].do(mending.agree, row, "x" * 43)
        await desk["ilse"].do(mending.agree, row, ck)
    await three.all("state", OPEN)
    for desk, _ in three.desks():
        await until("nothing waits", lambda desk=desk: _none(three, desk))
    await ilse.say(here, SAFE)
    await until("the box", three.baobab.ask)
    await until("the message", lambda: three.baobab.here.sql("SELECT 1 FROM sealed_message"))
    assert await three.baobab["cleo"].read(three.rooms["baobab"]) == [SAFE]


async def _none(three: Three, desk: Desk) -> bool:
    return await three.tasks(desk) == []


async def test_a_deputy_whom_another_member_backs_takes_over_and_hands_the_lead_back(three: Three) -> None:
    ilse, here = three.meridian["ilse"], three.rooms["meridian"]
    await ilse.do(working.deputise, here, (three.baobab.me,))
    await three.all("ck", await three.ck(three.meridian, here))
    keeper, there = three.baobab["ilse"], three.rooms["baobab"]
    with pytest.raises(NotBacked):
        await keeper.do(mending.take_over, there)
    with pytest.raises(NotBacked):
        await keeper.do(mending.back, there, three.baobab.me)
    await three.cedar["ilse"].do(mending.back, three.rooms["cedar"], three.baobab.me)
    await until("it is backed", lambda: three.baobab.here.sql("SELECT 1 FROM keeper_task WHERE kind = 'backed' AND done_at IS NULL"))
    await keeper.do(mending.take_over, there)
    await three.all("owner", three.baobab.me)
    assert (await three.tasks(three.baobab), await three.tasks(three.meridian)) == ([], ["taken"])
    await until("the box", three.meridian.ask)
    await three.baobab["cleo"].say(there, SAFE)
    await until("the message", lambda: three.meridian.here.sql("SELECT 1 FROM sealed_message"))
    assert await ilse.read(here) == [SAFE]
    with pytest.raises(Refused):
        await ilse.do(mending.hand_back, here, three.meridian.me)
    await keeper.do(mending.hand_back, there, three.meridian.me)
    await three.all("owner", three.meridian.me)
    assert await three.tasks(three.meridian) == []


async def test_who_leads_and_does_not_answer_for_a_week_is_said_to_members_with_a_deputy(three: Three) -> None:
    ilse, here, cedar = three.meridian["ilse"], three.rooms["meridian"], three.cedar

    def silent(session: Any, node: Any, ago: int) -> None:
        session.execute(sa.update(Partner).values(last_error="no answer", last_success_at=node.now() - ago))
        room_tasks.look_for_owners(session, node)

    await cedar.here.write(silent, 8 * DAY)
    assert await three.tasks(cedar) == [], "nobody could take over"
    await ilse.do(working.deputise, here, (three.baobab.me,))
    await three.all("ck", await three.ck(three.meridian, here))
    await cedar.here.write(silent, 6 * DAY)
    assert await three.tasks(cedar) == []
    await cedar.here.write(silent, 8 * DAY)
    assert await three.tasks(cedar) == ["owner_away"]
    await cedar.here.write(silent, 0)
    assert await three.tasks(cedar) == []


async def test_whoever_was_let_in_again_gets_the_keys_of_their_rooms_from_a_keeper(three: Three) -> None:
    dora, keeper, row = three.cedar["dora"], three.cedar["ilse"], three.rooms["cedar"]
    await dora.say(row, HELLO)

    def lost(session: Any, node: Any) -> Any:
        with node.ring.begin() as ring:
            return recovery.begin_anew(session, ring, node, dora.id, UNLOCK)

    dora.keys = [await dora.here.write(lost)]
    await keeper.unlocked(recovery.readmit, dora.id, dora.keys[0].public.kid)
    assert await three.tasks(three.cedar) == ["to_hand"]
    assert (await dora.open(row)).secrets == {}
    assert await dora.here.read(mending.lacking, dora.here.kernel.node, dora.id) == [row]
    with pytest.raises(Refused):
        await dora.unlocked(mending.hand_some, dora.id)
    assert await keeper.unlocked(mending.hand_some, dora.id) is False
    assert (await dora.read(row), await three.tasks(three.cedar)) == ([HELLO], [])
    assert await dora.here.read(mending.lacking, dora.here.kernel.node, dora.id) == []
    readmitted = await dora.here.read(people.readmitted, [dora.id, keeper.id])
    assert {who: one.by for who, one in readmitted.items()} == {dora.id: keeper.viewer.name}


async def test_a_keeper_makes_the_box_that_a_member_waits_for_and_reads_nothing(three: Three) -> None:
    ilse, here = three.meridian["ilse"], three.rooms["meridian"]
    keeper = three.meridian["ruth"]
    with pytest.raises(NotFound):
        await keeper.open(here)
    ck, mk = await three.ck(three.meridian, here), await three.mk()

    def lost(_session: Any, node: Any) -> None:
        with node.ring.begin() as ring:
            wraps.destroy(ring, case_boxes.KEY + ck, node.now(), to_kid=mk)
        assert case_boxes.get(node, ck, mk) is None

    def there(_session: Any, node: Any) -> bool:
        return case_boxes.get(node, ck, mk) is not None

    await ilse.here.write(lost)
    omar = await three.meridian.join("omar")
    with pytest.raises(Refused):
        await omar.unlocked(working.settle_as_keeper, here)
    await keeper.unlocked(working.settle_as_keeper, here)
    assert await ilse.here.write(there)
    with pytest.raises(NotFound):
        await keeper.open(here)
    assert [one.person_id for one in await ilse.here.read(holding.assigned, here)] == [ilse.id]


async def test_strangers_to_a_room_mend_nothing_in_it(three: Three) -> None:
    omar = await three.meridian.join("omar")
    for act, values in ((mending.heal, ()), (mending.agree, ("x" * 43,)), (mending.back, (three.baobab.me,)), (mending.take_over, ())):
        with pytest.raises(NotFound):
            await omar.do(act, three.rooms["meridian"], *values)
