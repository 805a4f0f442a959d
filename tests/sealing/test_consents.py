"""Consents between nodes: what ends with one is delivered and shown no more within the minute, whoever is at work; each recipient's word is
known; and nobody ends what is another's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import consents, consents_again, consents_in, file_serving
from fedcollab.sealing.consent_models import ENDED, WITHDRAWN
from fedcollab.sealing.consents import Given, Mark, Stopped
from tests.nodes import admit, befriend, may_also_reach, rogue, running, until
from tests.sealing.at_work import Desk, found, join_room, open_cases
from tests.sealing.shared_files import share

HELLO, SHARED = {"text": "Where is she?"}, {"text": "Lantern Street 14"}
LATER = "2199-01-31"


@dataclass
class Two:
    """A room of Meridian's in which Baobab's Cleo works; `here` and `there` are its rows."""

    meridian: Desk
    baobab: Desk
    uri: str
    here: str
    there: str

    async def give(self, *things: str, until_day: str = LATER) -> str:
        """Ilse has noted a consent for Baobab: its entry's id."""
        consent = self.meridian.here.url + f"/messages/{new_id()}"
        await self.meridian["ilse"].do(consents.given, Given(consent, self.baobab.me, self.here, until_day, things))
        named = "SELECT 1 FROM consent_mark WHERE uri = :uri"
        await until("it is known there", lambda: self.baobab.here.sql(named, uri=consent))
        return consent

    async def ended(self, desk: Desk, state: str = WITHDRAWN) -> None:
        await until("it has ended there", lambda: desk.here.sql("SELECT 1 FROM consent_mark WHERE state = :s", s=state))

    async def mark(self) -> Mark:
        uris = [uri for (uri,) in await self.meridian.here.sql("SELECT uri FROM consent_mark")]
        [[mark]] = (await self.meridian.here.read(consents.of_entries, uris)).values()
        return mark  # type: ignore[no-any-return]

    async def receipt(self, receipt: str) -> None:
        async def there() -> bool:
            return (await self.mark()).receipt == receipt

        await until(f"the receipt is {receipt}", there)

    async def asked(self) -> str:
        """What Baobab's keepers are asked to erase."""
        [mark] = await until("they are asked", lambda: self.baobab.here.read(consents.to_erase))
        return str(mark.id)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, other):
        meridian, baobab = await open_cases(one), await open_cases(other)
        await baobab.join("cleo")
        await befriend(one, other)
        uri, here = await found(meridian["ilse"])
        there = await join_room(meridian["ilse"], baobab, uri, here, "cleo")
        yield Two(meridian, baobab, uri, here, there)


@pytest.mark.rule("P3")
async def test_a_withdrawn_consent_stops_what_was_given_on_it_at_once_and_is_confirmed_with_nobody_unlocked(two: Two) -> None:
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    await ilse.say(two.here, HELLO)
    shared = await ilse.say(two.here, SHARED)
    await until("both are there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=shared))
    consent = await two.give(shared)
    assert await cleo.read(two.there) == [HELLO, SHARED]
    assert (await two.mark()).receipt == ""
    assert await ilse.do(consents.withdrawn, consent) == 1  # needs nobody's key, there least of all
    await two.ended(two.baobab)
    assert await cleo.read(two.there) == [HELLO, "stopped"]
    assert await ilse.read(two.here) == [HELLO, SHARED], "it is our own record"

    async def confirmed() -> bool:
        return (await two.mark()).stopped_at is not None

    await until("their node has confirmed", confirmed)
    await two.receipt("pending")
    assert await ilse.do(consents.withdrawn, consent) == 0, "once is enough"
    assert await two.baobab.here.sql("SELECT kind FROM keeper_task WHERE done_at IS NULL AND kind = 'erase'") == [("erase",)]
    await ilse.say(two.here, {"text": "The rest goes on."})
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE id IN (SELECT max(id) FROM sealed_message)"))


@pytest.mark.rule("P12")
@pytest.mark.parametrize(("act", "receipt"), [(consents.erase, "confirmed"), (consents.keep, "refused")])
async def test_what_the_recipients_keepers_do_is_shown_at_the_sender(two: Two, act: Any, receipt: str) -> None:
    shared = await two.meridian["ilse"].say(two.here, SHARED)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=shared))
    consent = await two.give(shared)
    await two.meridian["ilse"].do(consents.withdrawn, consent)
    asked = await two.asked()
    await two.receipt("pending")
    await two.baobab["ruth"].do(act, asked)
    await two.receipt(receipt)
    assert await two.baobab["cleo"].read(two.there) == (["erased"] if receipt == "confirmed" else [SHARED])
    assert not await two.baobab.here.sql("SELECT 1 FROM keeper_task WHERE done_at IS NULL AND kind = 'erase'")
    with pytest.raises(NotFound):
        await two.baobab["ruth"].do(act, asked)


@pytest.mark.rule("P3")
async def test_a_room_given_as_a_whole_is_closed_to_reading_writing_and_keys(two: Two) -> None:
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    await ilse.say(two.here, SHARED)
    consent = await two.give(two.uri)
    assert await cleo.open(two.there)
    await ilse.do(consents.withdrawn, consent)
    await two.ended(two.baobab)
    with pytest.raises(Stopped):
        await cleo.open(two.there)
    with pytest.raises(Stopped):
        await ilse.say(two.here, SHARED)
    assert await ilse.read(two.here) == [SHARED]
    await two.baobab["ruth"].do(consents.erase, await two.asked())
    assert await two.baobab.here.sql("SELECT body FROM sealed_message") == [(b"",)]
    await two.receipt("confirmed")


@pytest.mark.rule("P3", "CONF-05")
async def test_the_bytes_of_a_file_are_given_no_more_once_the_consent_for_its_message_has_ended(two: Two) -> None:
    ilse, meridian = two.meridian["ilse"], two.meridian.here
    said, other = await share(ilse, two.here, b"her passport"), await share(ilse, two.here, b"the law")
    await until("both have come", lambda: two.baobab.here.sql("SELECT count(*) FROM sealed_file HAVING count(*) = 2"))
    consent = await two.give(said["message"])
    baobab = await meridian.read(actors.by_uri, two.baobab.me)
    names = [one["uri"].rsplit("/", 1)[-1] for one in (said, other)]
    for name in names:
        assert await meridian.write(file_serving.give, baobab, name)
    await ilse.do(consents.withdrawn, consent)
    given = await meridian.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_given'")
    with pytest.raises(NotFound):
        await meridian.write(file_serving.give, baobab, names[0])
    assert await meridian.sql("SELECT count(*) FROM room_entry WHERE action = 'room.file_given'") == given
    assert await meridian.write(file_serving.give, baobab, names[1])
    whole = await two.give(two.uri)
    await ilse.do(consents.withdrawn, whole)
    with pytest.raises(NotFound):
        await meridian.write(file_serving.give, baobab, names[1])


@pytest.mark.rule("P3")
async def test_what_still_waits_to_be_delivered_is_never_sent(two: Two) -> None:
    ilse = two.meridian["ilse"]
    consent = await two.give(two.uri)
    await two.baobab.here.runner.cleanup()  # their node is away
    late = await ilse.say(two.here, SHARED)
    await ilse.do(consents.withdrawn, consent)
    query = "SELECT d.state FROM delivery d JOIN activity a ON a.id = d.activity_id WHERE a.object_uri = :uri"
    assert await two.meridian.here.sql(query, uri=late) == [("dropped",)]
    assert ("dropped",) not in await two.meridian.here.sql(query, uri=consent), "that it has ended still goes"


@pytest.mark.rule("P3")
async def test_a_consent_ends_with_its_day_on_both_sides_whether_they_hear_of_each_other_or_not(two: Two) -> None:
    shared = await two.meridian["ilse"].say(two.here, SHARED)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=shared))
    await two.give(shared)
    await two.baobab.here.write(consents.end_by_day)
    assert await two.baobab["cleo"].read(two.there) == [SHARED], "its day has not come"
    await two.baobab.here.read_write(_yesterday)
    await two.baobab.here.write(consents.end_by_day)
    await two.ended(two.baobab, ENDED)
    assert await two.baobab["cleo"].read(two.there) == ["stopped"]
    await two.meridian.here.read_write(_yesterday)
    await two.meridian.here.write(consents.end_by_day)

    async def confirmed() -> bool:
        return (await two.mark()).stopped_at is not None

    await until("their node has confirmed", confirmed)
    assert (await two.mark()).state == ENDED


def _yesterday(session: Any) -> None:
    session.connection().exec_driver_sql("UPDATE consent_mark SET until = '2020-01-01'")


@pytest.mark.rule("P3")
async def test_nobody_ends_what_another_has_given_or_closes_what_is_anothers(two: Two) -> None:
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    shared = await ilse.say(two.here, SHARED)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=shared))
    consent = await two.give(shared)
    stranger = await rogue()
    try:
        here = may_also_reach(two.baobab.here, stranger)
        await admit(here, stranger)
        before = await here.sql("SELECT uri, state FROM consent_mark")
        me, mine = stranger.uri("/actor"), stranger.uri("/messages/1")
        for kind, about, said in (
            ("Undo", consent, {}),
            ("Create", mine, {"until": LATER, "things": [shared]}),
            ("Create", mine, {"until": LATER, "things": [two.uri]}),
            ("Update", consent, {"answer": "erased"}),
        ):
            obj = {"id": about, "type": ap.CONSENT, "context": two.uri, ap.SAID: said}
            made = stranger.prove(ap.activity(kind, stranger.uri(f"/activities/{new_id()}"), me, obj), me)
            assert await stranger.send(here, made) == 202

        async def heard() -> bool:
            rows = await here.sql("SELECT state FROM inbox_item WHERE uri LIKE :host", host=stranger.url + "/activities/%")
            return len(rows) == 5 and all(state != "waiting" for (state,) in rows)  # the follow, and these four

        await until("all was heard", heard)
        assert await here.sql("SELECT uri, state FROM consent_mark") == before
        assert await cleo.read(two.there) == [SHARED]
    finally:
        await stranger.stop()
    await ilse.do(consents.withdrawn, consent)
    await two.ended(two.baobab)
    assert await cleo.read(two.there) == ["stopped"]


async def test_a_partners_consents_fill_no_room_and_what_was_given_on_the_others_still_ends(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consents_in, "MOST_OF_ROOM", 2)
    shared = await two.meridian["ilse"].say(two.here, SHARED)
    first, _ = await two.give(shared), await two.give()
    more = two.meridian.here.url + f"/messages/{new_id()}"
    await two.meridian["ilse"].do(consents.given, Given(more, two.baobab.me, two.here, LATER, ()))
    await until("it is refused", lambda: two.baobab.here.sql("SELECT 1 FROM inbox_item WHERE state = 'refused'"))
    assert await two.baobab.here.sql("SELECT count(*) FROM consent_mark") == [(2,)]
    await two.meridian["ilse"].do(consents.withdrawn, first)
    await two.ended(two.baobab)
    assert await two.baobab["cleo"].read(two.there) == ["stopped"]


@pytest.mark.rule("P11")
async def test_a_consent_that_has_ended_does_not_hold_again_with_an_older_backup(two: Two) -> None:
    shared = await two.meridian["ilse"].say(two.here, SHARED)
    await until("it is there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=shared))
    consent = await two.give(shared)
    await two.meridian["ilse"].do(consents.withdrawn, consent)
    await two.ended(two.baobab)
    for desk in (two.meridian, two.baobab):
        ended = await desk.here.read(consents_again.ended_since, 0)
        await desk.here.read_write(lambda session: session.connection().exec_driver_sql("UPDATE consent_mark SET state = 'given'") and None)
        await desk.here.write(consents_again.end_again, ended[0])
        assert await desk.here.sql("SELECT state FROM consent_mark") == [(WITHDRAWN,)]
        with pytest.raises(NotFound):
            await desk.here.write(consents_again.end_again, ended[0])
    assert await two.baobab["cleo"].read(two.there) == ["stopped"]
