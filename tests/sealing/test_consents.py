"""Consents between nodes: what ends with one is delivered and shown no more within the minute, whoever is at work; each recipient's word is
known; and nobody ends what is another's."""

from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.base.errors import NotFound
from fedcollab.sealing import consent_marks, consents, consents_again, file_serving
from fedcollab.sealing.consent_models import ENDED, WITHDRAWN
from fedcollab.sealing.consents import Given, Stopped
from tests.nodes import until
from tests.sealing.at_work import found, join_room
from tests.sealing.consenting import HELLO, LATER, SHARED, Two
from tests.sealing.shared_files import share


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
@pytest.mark.parametrize(("act", "receipt"), [(consent_marks.erase, "confirmed"), (consent_marks.keep, "refused")])
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
    await two.baobab["ruth"].do(consent_marks.erase, await two.asked())
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
    session.connection().exec_driver_sql(f"UPDATE consent_mark SET until = '2020-01-01' WHERE until = '{LATER}'")


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


@pytest.mark.rule("P3")
async def test_of_a_room_given_on_two_peoples_consents_one_takes_back_their_own_entries_and_the_last_closes_it(two: Two) -> None:
    hers, his = await two.said(SHARED, HELLO)
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    of_her, of_him = await two.give(two.uri, hers, whose="her"), await two.give(two.uri, his, whose="him")
    [effect] = await two.meridian.here.read(consent_marks.effects, [of_her])
    assert (effect.whole, effect.stops, effect.goes_on) == (False, 1, 0)
    await ilse.do(consents.withdrawn, of_her)
    await two.heard(of_her, WITHDRAWN)
    assert await cleo.read(two.there) == ["stopped", HELLO]
    assert await two.said({"text": "The rest goes on."})
    [asked] = await two.baobab.here.read(consent_marks.to_erase)
    await two.baobab["ruth"].do(consent_marks.erase, asked.id)
    assert await cleo.read(two.there) == ["erased", HELLO, {"text": "The rest goes on."}]
    [effect] = await two.meridian.here.read(consent_marks.effects, [of_him])
    assert effect.whole
    await ilse.do(consents.withdrawn, of_him)
    await two.heard(of_him, WITHDRAWN)
    with pytest.raises(Stopped):
        await cleo.open(two.there)


@pytest.mark.rule("P3")
async def test_a_renewed_consent_carries_on_without_interruption_and_its_withdrawal_ends_all_of_it(two: Two) -> None:
    [hers] = await two.said(SHARED)
    ilse, cleo, ruth = two.meridian["ilse"], two.baobab["cleo"], two.baobab["ruth"]
    first, second = await two.give(two.uri, hers), two.meridian.here.url + f"/messages/{new_id()}"  # as an older node has said it
    await ilse.do(consents.carried_on, first, second, "2199-12-31")
    await two.heard(second, "given")
    for desk in (two.meridian, two.baobab):
        await desk.here.read_write(_yesterday)
        await desk.here.write(consents.end_by_day)
    await two.confirmed(first)
    assert await cleo.read(two.there) == [SHARED]
    assert not await two.baobab.here.read(consent_marks.to_erase), "there is nothing to erase"
    assert not await two.baobab.here.sql("SELECT 1 FROM keeper_task WHERE done_at IS NULL AND kind = 'erase'")
    assert ((await two.mark(first)).receipt, (await two.mark(second)).receipt) == ("carried", "")
    await ilse.do(consents.withdrawn, first, second)
    await two.heard(second, WITHDRAWN)
    with pytest.raises(Stopped):
        await cleo.open(two.there)
    [asked] = await two.baobab.here.read(consent_marks.to_erase)
    await ruth.do(consent_marks.erase, asked.id)
    assert await two.baobab.here.sql("SELECT body FROM sealed_message") == [(b"",)]
    for consent in (first, second):
        query = "SELECT 1 FROM consent_mark WHERE uri = :uri AND answer = 'erased'"
        await until("both are answered", lambda: two.meridian.here.sql(query, uri=consent))  # noqa: B023


@pytest.mark.rule("P3", "P12")
async def test_one_consent_for_several_rooms_ends_in_each_and_each_is_confirmed_and_answered(two: Two) -> None:
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    [said] = await two.said(SHARED)
    consent = await two.give(said, whose="her")
    uri, here = await found(ilse)
    there = await join_room(ilse, two.baobab, uri, here, "cleo")
    await ilse.do(consents.given, Given(consent, two.baobab.me, here, LATER, (uri,), "hers"))
    given = "SELECT count(*) FROM consent_mark WHERE uri = :uri HAVING count(*) = 2"
    await until("both are known there", lambda: two.baobab.here.sql(given, uri=consent))
    assert await ilse.do(consents.withdrawn, consent) == 2
    ended = "SELECT count(*) FROM consent_mark WHERE stopped_at IS NOT NULL AND state = 'withdrawn' HAVING count(*) = 2"
    for desk in (two.baobab, two.meridian):
        await until("both have ended", lambda: desk.here.sql(ended))  # noqa: B023
    assert await cleo.read(two.there) == ["stopped"]
    with pytest.raises(Stopped):
        await cleo.open(there)
    [first, second] = await two.baobab.here.read(consent_marks.to_erase)
    await two.baobab["ruth"].do(consent_marks.keep, first.id)
    await two.baobab["ruth"].do(consent_marks.erase, second.id)
    answers = "SELECT answer FROM consent_mark WHERE answer != '' ORDER BY room_id"

    async def answered() -> bool:
        return await two.meridian.here.sql(answers) == [("kept",), ("erased",)]

    await until("each is answered for itself", answered)
