"""Members' nodes that answer something else than they are asked for: they keep nothing from a node that others would give it, and fill
nothing there."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.addresses import host_of
from fedcollab.sealing import key_asking, room_history, rooms, working
from fedcollab.sealing.room_models import KeyRequest, RoomKey
from tests.nodes import settled
from tests.sealing.test_shut_boxes import Three, three  # noqa: F401


async def test_who_shows_something_else_than_a_lists_document_keeps_it_from_nobody(
    three: Three,  # noqa: F811
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


async def test_whoever_asks_for_earlier_messages_has_no_other_rooms_walked_over(three: Three) -> None:  # noqa: F811
    query = room_history._page_of("room", "ck", "0").compile(compile_kwargs={"literal_binds": True})
    plan = " ".join(str(row[-1]) for row in await three.meridian.here.sql(f"EXPLAIN QUERY PLAN {query}"))
    assert "SEARCH sealed_message USING INDEX ix_sealed_message_room_id (room_id=? AND id>?)" in plan
