"""Attacks on consents: whoever ends or opens what is another's, comes again or too early, fills rooms, or does not answer."""

from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import consent_marks, consents, consents_in, room_content
from fedcollab.sealing.consent_models import WITHDRAWN
from fedcollab.sealing.consents import Given, Overfull, Stopped
from tests.nodes import admit, may_also_reach, rogue, until
from tests.sealing.consenting import LATER, SHARED, Two


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


@pytest.mark.rule("P3")
async def test_a_withdrawal_that_overtakes_its_consent_stays_and_an_old_consent_that_comes_again_opens_nothing(two: Two) -> None:
    [hers] = await two.said(SHARED)
    consent = two.meridian.here.url + f"/messages/{new_id()}"
    await two.word("Undo", consent)
    await two.heard(consent, WITHDRAWN)
    for _ in range(2):
        await two.word("Create", consent, until=LATER, things=[hers], whose="her")
        await two.word("Create", consent, until="2199-12-31", things=[two.uri, hers])
        await two.heard(consent, WITHDRAWN)
    await until("all was heard", lambda: two.baobab.here.sql("SELECT 1 FROM consent_thing WHERE uri = :u", u=two.uri))
    with pytest.raises(Stopped):
        await two.baobab["cleo"].open(two.there)
    assert len(await two.baobab.here.read(consent_marks.to_erase)) == 1


@pytest.mark.rule("P3")
async def test_nobody_else_inside_withdraws_it_and_its_recipient_does_not_turn_it_round(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    [hers] = await two.said(SHARED)
    consent = await two.give(hers, whose="her")
    stranger = await rogue()
    try:
        here = may_also_reach(two.baobab.here, stranger)
        await admit(here, stranger)
        me = stranger.uri("/actor")
        monkeypatch.setattr(consents_in, "concerned", lambda _room: {me, two.meridian.me, two.baobab.me})
        for kind, said in (("Undo", {}), ("Create", {"until": LATER, "things": [hers]}), ("Create", {"until": LATER, "things": [two.uri]})):
            obj = {"id": consent, "type": ap.CONSENT, "context": two.uri, ap.SAID: said}
            made = stranger.prove(ap.activity(kind, stranger.uri(f"/activities/{new_id()}"), me, obj), me)
            assert await stranger.send(here, made) == 202

        async def heard() -> bool:
            rows = await here.sql("SELECT state FROM inbox_item WHERE uri LIKE :host", host=stranger.url + "/activities/%")
            return len(rows) == 4 and all(state in ("done", "refused") for (state,) in rows)  # the follow, and these three

        await until("all was heard", heard)
        assert await two.baobab["cleo"].read(two.there) == [SHARED]
        assert await here.sql("SELECT state FROM consent_mark WHERE ours = :no AND state = 'given'", no=False) == [("given",)]
    finally:
        await stranger.stop()

    def turn(session: Any, node: Any) -> None:
        to = actors.by_uri(session, two.meridian.me)
        assert to is not None
        consents.publish(session, node, "Undo", consent, two.uri, to.id, {})

    await two.baobab.here.write(turn)
    await until("it is refused", lambda: two.meridian.here.sql("SELECT 1 FROM inbox_item WHERE state = 'refused'"))
    assert (await two.mark(consent)).state == "given"


@pytest.mark.rule("P3", "P12")
async def test_a_recipient_that_takes_a_withdrawal_and_says_nothing_is_asked_again_until_it_confirms(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    [hers] = await two.said(SHARED)
    consent = await two.give(hers, whose="her")
    with monkeypatch.context() as deaf:
        deaf.setattr(consents_in.receipts, "answer", lambda *_args, **_more: None)
        await two.meridian["ilse"].do(consents.withdrawn, consent)
        await two.heard(consent, WITHDRAWN)

        async def came() -> bool:
            asking = (await two.mark(consent)).asking
            return asking is not None and asking.came

        await until("they have got it", came)
    await two.meridian.here.write(consents.ask_again)
    assert (await two.mark(consent)).asking.times == 1, "not before its time"  # type: ignore[union-attr]
    monkeypatch.setattr(consents, "AGAIN", -consents.DAY)
    monkeypatch.setattr(consents, "DAY", -consents.DAY)
    await two.meridian.here.write(consents.ask_again)
    assert (await two.mark(consent)).asking.times == 2  # type: ignore[union-attr]
    await two.confirmed(consent)
    await two.meridian.here.write(consents.ask_again)
    assert (await two.mark(consent)).asking.times == 2, "who has confirmed is left in peace"  # type: ignore[union-attr]


@pytest.mark.rule("P12")
async def test_a_node_that_is_away_is_named_and_not_asked_twice_while_a_word_waits_for_it(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    [hers] = await two.said(SHARED)
    consent = await two.give(hers, whose="her")
    await two.baobab.here.runner.cleanup()
    await two.meridian["ilse"].do(consents.withdrawn, consent)
    monkeypatch.setattr(consents, "DAY", -consents.DAY)
    await two.meridian.here.write(consents.ask_again)
    mark = await two.mark(consent)
    assert mark.asking is not None
    assert (mark.receipt, mark.asking.times, mark.asking.came) == ("pending", 1, False)
    assert mark.host == two.baobab.here.url.partition("//")[2]
    assert mark.asking.reached_at


@pytest.mark.rule("P3")
async def test_what_is_said_of_somebody_after_their_consent_has_ended_goes_to_its_recipient_no_more(two: Two) -> None:
    [hers] = await two.said(SHARED)
    consent = await two.give(hers, whose="her")
    ilse, later = two.meridian["ilse"], two.meridian.here.url + f"/messages/{new_id()}"
    await ilse.do(consents.withdrawn, consent)
    await ilse.do(consents.named, (two.here, "her"), later, lambda _of: True)
    opened = await ilse.open(two.here)
    await two.meridian.here.write(room_content.write, opened, {"text": "She has moved."}, later)
    last = await two.said({"text": "Of nobody"})
    assert not await two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=later)
    assert last
    held = await two.meridian.here.read(lambda s: consents.held_back(s, actors.by_uri(s, two.baobab.me).id))
    assert later in held


@pytest.mark.rule("P3")
async def test_a_partner_that_gives_on_our_consent_first_keeps_nobody_from_giving_on_it_or_ending_it(two: Two) -> None:
    ilse, cleo = two.meridian["ilse"], two.baobab["cleo"]
    shared, entry = await ilse.say(two.here, SHARED), await ilse.say(two.here, SHARED)
    await until("both are there", lambda: two.baobab.here.sql("SELECT 1 FROM sealed_message WHERE uri = :u", u=entry))
    await cleo.do(consents.given, Given(entry, two.meridian.me, two.there, LATER, ()))
    await until("it has come", lambda: two.meridian.here.sql("SELECT 1 FROM consent_mark WHERE ours = :no", no=False))
    await ilse.do(consents.given, Given(entry, two.baobab.me, two.here, LATER, (shared,)))
    assert await ilse.do(consents.withdrawn, entry) == 1


@pytest.mark.rule("P3")
async def test_one_consent_names_so_much_and_no_more_with_us_and_by_a_partner(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    ilse, said = two.meridian["ilse"], await two.said(SHARED, SHARED, SHARED)
    consent = await two.give(*said[:2], whose="her")
    monkeypatch.setattr(consents, "MOST_NAMED", 2)
    with pytest.raises(Overfull, match="Note a new consent of the person") as refused:
        await ilse.do(consents.given, Given(consent, two.baobab.me, two.here, LATER, (said[2],), "her"))
    assert refused.value.status == 422
    with pytest.raises(Overfull):
        await ilse.do(consents.named, (two.here, "her"), said[2], lambda _of: True)
    await ilse.do(consents.given, Given(consent, two.baobab.me, two.here, LATER, (said[0],), "her"))  # what is named already fills nothing
    await two.word("Create", consent, until=LATER, things=said, whose="her")
    await until("it is refused", lambda: two.baobab.here.sql("SELECT 1 FROM inbox_item WHERE state = 'refused'"))
    assert await two.baobab.here.sql("SELECT count(*) FROM consent_thing") == [(2,)]
    second = await two.give(whose="her")
    await ilse.do(consents.named, (two.here, "her"), said[2], lambda _of: True)
    there = "SELECT 1 FROM consent_thing t JOIN consent_mark m ON m.id = t.mark_id WHERE m.uri = :c AND t.uri = :u"
    await until("it rests on the new one", lambda: two.baobab.here.sql(there, c=second, u=said[2]))
    await ilse.do(consents.withdrawn, second)
    with pytest.raises(Overfull):  # else it would rest on what has ended alone, and not go to somebody for whom a consent holds
        await ilse.do(consents.named, (two.here, "her"), said[1] + "x", lambda _of: True)
    await ilse.do(consents.withdrawn, consent)
    await two.heard(consent, WITHDRAWN)
    assert await two.baobab["cleo"].read(two.there) == ["stopped"] * 3
