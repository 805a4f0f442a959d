"""Members' nodes that answer something else than they are asked for: they keep nothing from a node that others would give it, and fill
nothing there."""

import asyncio
import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.base.addresses import host_of
from fedcollab.base.clock import new_id
from fedcollab.base.errors import BadRequest, NoRoom, NotFound, Refused, TooMany
from fedcollab.federation import activitystreams as ap
from fedcollab.federation.registry import Verified
from fedcollab.sealing import (
    case_boxes,
    casesecrets,
    file_serving,
    key_asking,
    key_serving,
    messages,
    room_activities,
    room_content,
    room_history,
    room_quotas,
    room_receiving,
    rooms,
    sealed_files,
    working,
)
from fedcollab.sealing.boxes import Public
from fedcollab.sealing.carried import Carried
from fedcollab.sealing.messages import Place
from fedcollab.sealing.room_models import KeyRequest, MemberKey, RoomKey, SealedMessage
from tests.nodes import rogue, settled, until
from tests.sealing.at_work import found
from tests.sealing.shared_files import share
from tests.sealing.three_desks import SAFE, Three


async def test_who_shows_something_else_than_a_lists_document_keeps_it_from_nobody(
    three: Three,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, row = three.baobab.here, three.rooms["baobab"]
    await three.meridian.here.write(lambda session, node: working.turn(session, node, three.rooms["meridian"]) and None)
    await settled(three.meridian.here, here, three.cedar.here)
    ck = (await three.baobab.room(row))[2]

    def forget(session: Any) -> None:
        session.execute(sa.delete(RoomKey).where(RoomKey.ck == ck))
        session.execute(sa.delete(KeyRequest).where(KeyRequest.ck == ck))

    await here.read_write(forget)
    await here.write(rooms.learn, three.uri, [])
    [(first,)] = await here.sql("SELECT organisation FROM key_request WHERE state = 'document'")
    asked, get = list[str](), key_asking.knocking.get

    async def answered(kernel: Any, uri: str) -> dict[str, Any]:
        asked.append(uri)
        return {"type": "Create"} if host_of(uri) == host_of(first) else await get(kernel, uri)

    monkeypatch.setattr(key_asking.knocking, "get", answered)
    await three.baobab.ask()
    assert host_of(asked[0]) == host_of(first), "the one that lies is asked first"
    assert (await three.baobab.room(row))[2] == ck
    assert await here.sql("SELECT state FROM room_key WHERE ck = :ck", ck=ck) == [("current",)]


async def test_whoever_asks_for_earlier_messages_has_no_other_rooms_walked_over(three: Three) -> None:
    query = room_history._page_of("room", "ck", "0").compile(compile_kwargs={"literal_binds": True})
    plan = " ".join(str(row[-1]) for row in await three.meridian.here.sql(f"EXPLAIN QUERY PLAN {query}"))
    assert "SEARCH sealed_message USING INDEX ix_sealed_message_room_id (room_id=? AND id>?)" in plan


async def history(three: Three, ck: str, *texts: str) -> list[dict[str, Any]]:
    """Messages under a case key as Cedar's node makes them up: of somebody at Meridian."""
    opened = await three.cedar["dora"].open(three.rooms["cedar"])
    at = three.meridian.here.url
    made = [
        messages.seal(opened.secrets[ck], opened.person, {"text": text}, Place(f"{at}/messages/{new_id()}", f"{at}/people/ilse"))
        for text in texts
    ]
    return [one.document() for one in made]


async def test_a_member_that_makes_up_earlier_messages_fills_its_own_share_alone_and_no_more_than_that(
    three: Three,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, row = three.baobab.here, three.rooms["baobab"]
    ck = (await three.baobab.room(row))[2]
    cedar = await here.read(actors.by_uri, three.cedar.me)
    await until("Cedar's own box", lambda: _opens(three, ck))
    forged = await history(three, ck, "one", "two")
    await here.write(room_history.take, cedar, ck, {"messages": forged[:1], "after": ""})
    used = await here.sql("SELECT DISTINCT host FROM sealed_use WHERE size > 0")
    assert used == [("via " + host_of(three.cedar.me),)], "Meridian has brought none of it"
    await here.read_write(lambda session: session.execute(sa.text("UPDATE sealed_use SET size = 1000000000000")) and None)
    with pytest.raises(NoRoom):
        await here.write(room_history.take, cedar, ck, {"messages": forged, "after": ""})
    assert await here.sql("SELECT count(*) FROM sealed_message") == [(1,)]
    known = await here.write(room_history.take, cedar, ck, {"messages": forged[:1], "after": ""})
    assert known.came == 0, "what is here already takes no room"


async def _opens(three: Three, ck: str) -> bool:
    await three.cedar.ask()
    return ck in (await three.cedar["dora"].open(three.rooms["cedar"])).secrets


async def test_a_page_of_earlier_messages_introduces_nobody_but_members_people(three: Three) -> None:
    here, ck = three.baobab.here, (await three.baobab.room(three.rooms["baobab"]))[2]
    cedar, stranger = await here.read(actors.by_uri, three.cedar.me), await rogue()
    try:
        document = stranger.documents["/people/sokha"]
        await until("Cedar's own box", lambda: _opens(three, ck))
        opened = await three.cedar["dora"].open(three.rooms["cedar"])
        place = Place(stranger.uri(f"/messages/{new_id()}"), stranger.uri("/people/sokha"))
        forged = messages.seal(opened.secrets[ck], opened.person, {"text": "one"}, place).document()
        before = await here.tables()
        around = [stranger.documents["/actor"], document]
        page = await here.write(room_history.take, cedar, ck, {"messages": [forged], "after": "", ap.INTRODUCES: around})
        assert page.came == 0
        assert await here.tables() == before
        with pytest.raises(BadRequest):
            await here.write(room_history.take, cedar, ck, {"messages": [forged] * (room_history.AT_ONCE + 1), "after": ""})
    finally:
        await stranger.stop()


@pytest.mark.rule("R6")
async def test_earlier_messages_for_which_no_room_is_left_come_once_there_is_and_the_key_at_once(
    three: Three,
) -> None:
    here, ilse, cleo, row = three.baobab.here, three.meridian["ilse"], three.baobab["cleo"], three.rooms["baobab"]
    ck = (await three.baobab.room(row))[2]
    await ilse.say(three.rooms["meridian"], SAFE)
    await until("the message", lambda: here.sql("SELECT 1 FROM sealed_message"))

    def forget(session: Any) -> None:
        session.execute(sa.delete(SealedMessage))
        session.execute(sa.update(KeyRequest).where(KeyRequest.ck == ck).values(state="open", next_at=0))
        room_quotas.count(session, "", room_quotas.VIA + host_of(three.meridian.me), row, 10**12)

    await here.read_write(forget)
    assert await three.baobab.ask() == 0
    assert await here.sql("SELECT state, tries FROM key_request WHERE ck = :ck", ck=ck) == [("open", 1)]
    assert (await cleo.open(row)).lacks == frozenset()
    await here.read_write(lambda session: session.execute(sa.text("UPDATE sealed_use SET size = 0")) and None)
    assert await three.baobab.ask() == 1
    assert await cleo.read(row) == [SAFE]


async def test_what_is_no_box_by_its_size_is_not_kept_and_had_from_another_member(three: Three) -> None:
    ck, there = await three.turn_and_break(), three.rooms["baobab"]
    mk = await three.mk()
    await asyncio.to_thread(case_boxes.put, three.meridian.here.kernel.node, ck, mk, bytes(600_000))
    await until("Cedar's own box", lambda: _opens(three, ck))
    opened = await three.cedar["dora"].open(three.rooms["cedar"])
    [(raw,)] = await three.cedar.here.sql("SELECT public FROM member_key WHERE kid = :kid", kid=mk)
    box = casesecrets.boxed(opened.secrets[ck], Public(raw))
    await asyncio.to_thread(case_boxes.put, three.cedar.here.kernel.node, ck, mk, box)
    assert await three.baobab.ask() == 1
    assert (await three.baobab["cleo"].open(there)).lacks == frozenset()


async def test_a_member_that_asks_for_the_same_again_and_again_writes_nothing_and_holds_up_nobody(
    three: Three,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, row = three.meridian.here, three.rooms["meridian"]
    await three.meridian["ilse"].say(row, SAFE)
    file = (await share(three.meridian["ilse"], row, b"a picture"))["uri"].rsplit("/", 1)[-1]
    ck, mk, kernel = (await three.meridian.room(row))[2], await three.mk(), three.baobab.here.kernel
    asked = [f"{here.url}/rooms/keys/{ck}/boxes/{mk}", f"{here.url}/rooms/keys/{ck}/messages?after=0", f"{here.url}/rooms/files/{file}"]

    async def ask() -> list[bytes]:
        return [(await key_asking.knocking.ask(kernel, one)).body for one in asked]

    first, acts = await ask(), "('room.box', 'room.history', 'room.file_given')"
    query = f"SELECT count(*) FROM room_entry WHERE room_id = :room AND action IN {acts}"
    [(said,)] = await here.sql(query, room=row)

    wrote, write = list[str](), here.kernel.database.write

    async def counted(work: Any, *args: Any, **more: Any) -> Any:
        wrote.append(work.__module__)
        return await write(work, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(here.kernel.database, "write", counted)
        for _ in range(3):
            assert await ask() == first
    assert not {key_serving.__name__, file_serving.__name__} & set(wrote)
    assert await here.sql(query, room=row) == [(said,)]
    await here.read_write(lambda session: session.execute(sa.text("UPDATE room_entry SET at = at - 3600000000")) and None)
    assert await ask() == first
    assert await here.sql(query, room=row) == [(said + 3,)], "an hour later it is said once more"


async def test_bytes_that_many_messages_name_are_looked_for_once_in_each_room(
    three: Three,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, row = three.meridian.here, three.rooms["meridian"]
    file = (await share(three.meridian["ilse"], row, b"a picture"))["uri"].rsplit("/", 1)[-1]

    def many(session: Any) -> None:
        for number in range(5):
            for table in ("sealed_message", "sealed_file"):
                columns = [one["name"] for one in sa.inspect(session.connection()).get_columns(table)]
                new = {"id": f"id || '{number}'", "uri": f"uri || '{number}'" if table == "sealed_message" else "uri"}
                new["message_id"] = f"message_id || '{number}'"
                values = ", ".join(new.get(one, one) for one in columns)
                there = f"SELECT {values} FROM {table} WHERE length(id) = 36"
                session.execute(sa.text(f"INSERT INTO {table} ({', '.join(columns)}) {there}"))

    await here.read_write(many)
    loads, load = list[str](), rooms.by_row

    def counted(session: Any, node: Any, room_id: str) -> Any:
        loads.append(room_id)
        return load(session, node, room_id)

    monkeypatch.setattr(rooms, "by_row", counted)
    baobab = await here.read(actors.by_uri, three.baobab.me)
    assert baobab is not None
    stranger = baobab._replace(uri="http://elsewhere.example/actor")
    with pytest.raises(NotFound):
        await here.write(file_serving.give, stranger, file)
    assert loads == [row]


async def test_a_message_that_comes_again_and_again_brings_no_more_files_than_one_has(three: Three) -> None:
    here = three.meridian.here
    message = await three.meridian["ilse"].say(three.rooms["meridian"], SAFE)
    files = [Carried(f"{here.url}/rooms/files/{number}", 4112, f"{number:064x}") for number in range(12)]
    await here.write(sealed_files.keep_others, message, files[:6])
    await here.write(sealed_files.keep_others, message, files[:10])
    with pytest.raises(TooMany):
        await here.write(sealed_files.keep_others, message, files[2:])
    await here.write(sealed_files.keep_others, message, files[:10])
    assert await here.sql("SELECT count(*) FROM sealed_file") == [(10,)]


async def test_what_one_member_is_slow_to_answer_is_asked_beside_what_is_asked_of_the_others(three: Three) -> None:
    await three.turn_and_break()
    await three.meridian.here.write(lambda session, node: working.turn(session, node, three.rooms["meridian"]) and None)
    await settled(three.meridian.here, three.baobab.here, three.cedar.here)
    kernel, slow, quick = three.baobab.here.kernel, three.meridian.me, three.cedar.me

    def named(session: Any) -> None:
        newest = sa.select(sa.func.max(KeyRequest.epoch)).scalar_subquery()
        session.execute(sa.update(KeyRequest).values(state="open", next_at=0, organisation=slow))
        session.execute(sa.update(KeyRequest).where(KeyRequest.epoch == newest).values(organisation=quick))

    await three.baobab.here.read_write(named)
    for busy, left in (((), {slow, quick}), ((slow,), {quick}), ((slow, quick), set())):
        found = await key_asking.lanes(kernel, busy)
        for work in found.values():
            work.close()
        assert set(found) == left


async def test_what_a_member_makes_up_under_a_messages_name_gives_way_to_it_and_it_gives_way_to_nothing(three: Three) -> None:
    here, ilse, cleo, row = three.baobab.here, three.meridian["ilse"], three.baobab["cleo"], three.rooms["baobab"]
    ck = (await three.baobab.room(row))[2]
    cedar = await here.read(actors.by_uri, three.cedar.me)
    await until("Cedar's own box", lambda: _opens(three, ck))
    [forged] = await history(three, ck, "made up")
    await here.write(room_history.take, cedar, ck, {"messages": [forged], "after": ""})
    assert await cleo.read(row) in (["broken"], ["author"])
    opened = await ilse.open(three.rooms["meridian"])
    await three.meridian.here.write(room_content.write, opened, SAFE, forged["id"])

    async def true_one_came() -> bool:
        return bool(await cleo.read(row) == [SAFE])

    await until("the true one", true_one_came)
    assert await here.sql("SELECT count(*) FROM sealed_message") == [(1,)]
    assert await here.sql("SELECT sum(size) FROM sealed_use WHERE host = :via", via="via " + host_of(three.cedar.me)) == [(0,)]
    other = await three.meridian.here.read(room_content.seal, three.meridian.here.kernel.node, opened, {"text": "another"}, forged["id"])
    meridian = await here.read(actors.by_uri, three.meridian.me)
    assert meridian is not None
    activity = room_activities.sealed(f"{three.meridian.here.url}/activities/{new_id()}", three.meridian.me, other)
    with pytest.raises(Refused):
        await here.write(room_receiving.receive_message, Verified(dict(activity), meridian, meridian))
    assert await cleo.read(row) == [SAFE]


async def test_what_a_member_has_handed_on_is_its_organisations_as_soon_as_that_says_so(three: Three) -> None:
    """It fills that one's share alone, is on record as its own, once, and gives way to nothing from then on."""
    here, ilse, node = three.baobab.here, three.meridian["ilse"], three.meridian.here.kernel.node
    ck, opened = (await three.baobab.room(three.rooms["baobab"]))[2], await ilse.open(three.rooms["meridian"])
    cedar, meridian = [await here.read(actors.by_uri, one.me) for one in (three.cedar, three.meridian)]
    assert meridian is not None
    name = f"{three.meridian.here.url}/messages/{new_id()}"
    one, other = [await three.meridian.here.read(room_content.seal, node, opened, {"text": text}, name) for text in ("one", "other")]
    await here.write(room_history.take, cedar, ck, {"messages": [one.document()], "after": ""})

    async def says(message: Any) -> None:
        activity = room_activities.sealed(f"{three.meridian.here.url}/activities/{new_id()}", three.meridian.me, message)
        await here.write(room_receiving.receive_message, Verified(dict(activity), meridian, meridian))

    for _ in range(2):
        await says(one)
        used = dict(await here.sql("SELECT host, size FROM sealed_use WHERE room_id = ''"))
        assert used == {host_of(three.meridian.me): len(one.to_bytes()), "via " + host_of(three.cedar.me): 0}
        assert await here.sql("SELECT count(*) FROM room_entry WHERE action = 'room.message'") == [(1,)]
    with pytest.raises(Refused):
        await says(other)
    assert await here.sql("SELECT count(*) FROM sealed_message") == [(1,)]


async def test_a_members_key_that_another_has_named_elsewhere_before_is_boxed_to_all_the_same(three: Three) -> None:
    desk, row, mk = three.meridian, three.rooms["meridian"], await three.mk()
    _, elsewhere = await found(desk["ilse"])
    taken = sa.update(MemberKey).where(MemberKey.kid == mk).values(room_id=elsewhere, organisation=three.cedar.me)
    await desk.here.read_write(lambda session: session.execute(taken) and None)
    await desk.here.write(lambda session, node: working.turn(session, node, row) and None)
    ck = (await desk.room(row))[2]
    assert await asyncio.to_thread(case_boxes.get, desk.here.kernel.node, ck, mk), "by Baobab's own word in this room"
    await until("told", lambda: three.baobab.here.sql("SELECT 1 FROM room WHERE ck = :ck", ck=ck))
    await until("a box", three.baobab.ask)
    assert (await three.baobab["cleo"].open(three.rooms["baobab"])).lacks == frozenset()


async def test_earlier_messages_that_who_leads_keeps_back_come_from_another_member(
    three: Three,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, row, cleo = three.baobab.here, three.rooms["baobab"], three.baobab["cleo"]
    ck = (await three.baobab.room(row))[2]
    await three.meridian["ilse"].say(three.rooms["meridian"], SAFE)
    await until("Cedar has it", lambda: three.cedar.here.sql("SELECT 1 FROM sealed_message"))
    await until("Baobab has it", lambda: here.sql("SELECT 1 FROM sealed_message"))
    await three.meridian.here.write(lambda session, node: working.turn(session, node, three.rooms["meridian"]) and None)
    await until("a later key", lambda: here.sql("SELECT 1 FROM room WHERE id = :id AND ck <> :ck", id=row, ck=ck))
    await until("its box", three.baobab.ask)

    def forget(session: Any) -> None:
        session.execute(sa.delete(SealedMessage))
        session.execute(sa.update(KeyRequest).where(KeyRequest.ck == ck).values(state="open", next_at=0, organisation=three.meridian.me))

    await here.read_write(forget)
    ask = key_asking.knocking.ask

    async def answered(kernel: Any, address: str) -> Any:
        lies = host_of(address) == host_of(three.meridian.me) and "/messages" in address
        found = await ask(kernel, address)
        return dataclasses.replace(found, body=b'{"messages": [], "after": ""}') if lies else found

    monkeypatch.setattr(key_asking.knocking, "ask", answered)
    assert await three.baobab.ask() == 1
    assert await cleo.read(row) == [SAFE]
