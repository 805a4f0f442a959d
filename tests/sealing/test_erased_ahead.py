"""Shows what becomes of the erasure of a message that never came: it is over at once, and what comes later is not taken in."""

import json
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.base.errors import TooMany
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import receipts
from fedcollab.federation.receipts import ReceiptData
from fedcollab.sealing import consents, erased_ahead, room_content, room_sending, rooms
from fedcollab.sealing.room_history import _author_of
from tests.nodes import Here, admit, may_also_reach, rogue, until
from tests.rows import receive
from tests.sealing.consenting import SHARED, Two


async def said_of(here: Here, uri: str) -> ReceiptData:
    """What the one organisation that was asked says."""
    found = await here.read(receipts.of, here.kernel.node.now(), [uri])
    return found[uri][0]  # type: ignore[no-any-return]


async def kept_back(two: Two) -> tuple[str, dict[str, Any]]:
    """A message that Baobab does not get, for the consent that it would rest on has ended; the activity that would bring it."""
    [hers] = await two.said(SHARED)
    consent, ilse = await two.give(hers, whose="her"), two.meridian["ilse"]
    await ilse.do(consents.withdrawn, consent)
    await two.heard(consent, "withdrawn")
    later = two.meridian.here.url + f"/messages/{new_id()}"
    await ilse.do(consents.named, (two.here, "her"), later, lambda _of: True)
    await two.meridian.here.write(room_content.write, await ilse.open(two.here), {"text": "She has moved."}, later)
    [(body,)] = await two.meridian.here.sql("SELECT body FROM activity WHERE object_uri = :u AND type = 'Create'", u=later)
    return later, json.loads(body)


@pytest.mark.rule("P12", "P13", "P29")
async def test_the_erasure_of_what_never_came_is_over_at_once_and_what_comes_later_is_not_taken_in(two: Two) -> None:
    one, other = two.meridian.here, two.baobab.here
    later, create = await kept_back(two)
    await two.meridian["ilse"].do(room_sending.take_back, later)
    await until("it is over", lambda: one.sql("SELECT 1 FROM receipt WHERE object_uri = :u AND state = 'confirmed'", u=later))
    said = await said_of(one, later)
    assert (said.never_came, bool(said.confirmed_at), said.refused, said.late) == (True, True, "", False)
    assert await other.sql("SELECT uri FROM erased_ahead") == [(later,)]

    def comes(session: Any, node: Any) -> bool:
        sender = actors.by_uri(session, two.meridian.me)
        assert sender is not None
        return receive(session, node, sender, create)

    assert await other.write(comes)
    await until("it was looked at", lambda: other.sql("SELECT 1 FROM inbox_item WHERE uri = :u AND state = 'done'", u=create["id"]))
    assert not await other.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=later)

    def by_history(session: Any, node: Any) -> str:
        room = rooms.load(session, node, two.uri)
        assert room.head is not None
        return _author_of(session, room.head, room_sending.room_activities.parse_sealed(create))

    assert not await other.write(by_history)
    assert await two.baobab["cleo"].read(two.there) == ["stopped"], "nor is anything shown in its place"


@pytest.mark.rule("P12")
async def test_what_was_here_is_confirmed_as_before(two: Two) -> None:
    [hers] = await two.said(SHARED)
    await two.meridian["ilse"].do(room_sending.take_back, hers)
    one = two.meridian.here
    await until("it is over", lambda: one.sql("SELECT 1 FROM receipt WHERE object_uri = :u AND state = 'confirmed'", u=hers))
    assert not (await said_of(one, hers)).never_came
    assert not await two.baobab.here.sql("SELECT 1 FROM erased_ahead")


@pytest.mark.rule("P29")
async def test_nobody_keeps_another_ones_messages_away_and_nobody_fills_the_node_with_names(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = await rogue()
    coming = two.meridian.here.url + f"/messages/{new_id()}"
    try:
        here = may_also_reach(two.baobab.here, stranger)
        await admit(here, stranger)
        me = stranger.uri("/actor")
        for about in (coming, stranger.uri("/messages/1")):
            obj = {"id": about, "type": ap.SEALED_MESSAGE, "context": two.uri}
            made = stranger.prove(ap.activity("Delete", stranger.uri(f"/activities/{new_id()}"), me, obj), me)
            assert await stranger.send(here, made) == 202
        refused = "SELECT 1 FROM inbox_item WHERE state = 'refused' GROUP BY state HAVING count(*) = 2"
        await until("both are refused", lambda: here.sql(refused))
        assert not await here.sql("SELECT 1 FROM erased_ahead")
    finally:
        await stranger.stop()
    monkeypatch.setattr(erased_ahead, "MOST", 1)

    def twice(session: Any, node: Any) -> None:
        for uri in ("a", "a", "b"):
            erased_ahead.note(session, node, two.there, two.meridian.me, uri)

    with pytest.raises(TooMany):
        await two.baobab.here.write(twice)


@pytest.mark.rule("P10")
async def test_of_a_room_that_is_gone_no_name_is_kept(two: Two) -> None:
    await two.baobab.here.write(erased_ahead.note, two.there, two.meridian.me, "a")
    await two.baobab.here.write(rooms.purge, two.uri)
    assert not await two.baobab.here.sql("SELECT 1 FROM erased_ahead")
