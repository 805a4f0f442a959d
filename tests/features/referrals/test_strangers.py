"""What a partner that is no side of a referral tries, and what a side may not: nothing changes, and the next honest act works."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fedcollab.access.models import AMBER
from fedcollab.base.clock import new_id, system_clock
from fedcollab.features.referrals import boxing, fetching, service, wire
from fedcollab.features.referrals.states import ACCEPTED, DONE, RECIPIENT, REJECTED, REVOKED, SENDER, Word
from fedcollab.sealing import boxes, organisation, room_activities
from fedcollab.sealing.facts import Invited
from fedcollab.sealing.room_activities import Header, Said
from tests.nodes import Here, Rogue, admit, may_also_reach, rogue, until

from .handed import DEADLINE, PREVIEW, REGION, Two


@pytest.fixture
async def stranger() -> AsyncIterator[Rogue]:
    made = await rogue()
    yield made
    await made.stop()


def said(at: Rogue, word: Word, referral: str, room: str) -> dict[str, Any]:
    made = wire.word(at.uri(f"/activities/{new_id()}"), at.uri("/actor"), referral, room, word)
    return at.prove(made, at.uri("/actor"))


async def heard(here: Here, activity: dict[str, Any]) -> str:
    """What became of what was sent."""

    async def done() -> str:
        rows = await here.sql("SELECT state FROM inbox_item WHERE uri = :uri", uri=activity["id"])
        return str(rows[0][0]) if rows and rows[0][0] != "waiting" else ""

    return str(await until("it was heard", done))


async def rows(here: Here) -> list[tuple[Any, ...]]:
    return await here.sql(
        "SELECT uri, state, code, room FROM referral UNION SELECT referral_id, kind, side, '' FROM referral_word ORDER BY 1, 2"
    )


@pytest.mark.rule("CONF-01")
async def test_a_partner_that_is_no_side_answers_nothing_and_gets_no_box(two: Two, stranger: Rogue) -> None:
    here = may_also_reach(two.meridian.here, stranger)
    await admit(here, stranger)
    sent, _ = await two.refer()
    [(uri, room)] = await here.sql("SELECT uri, room FROM referral")
    before, tables = await rows(here), await here.tables()
    for word in (
        Word(1, ACCEPTED, RECIPIENT),
        Word(1, REJECTED, RECIPIENT, "Other"),
        Word(1, REVOKED, SENDER),
        Word(1, DONE, RECIPIENT, "Other"),
    ):
        activity = said(stranger, word, uri, room)
        assert await stranger.send(here, activity) == 202
        assert await heard(here, activity) in ("refused", "early")
    assert await rows(here) == before
    after = await here.tables()
    assert {name for name in after if after[name] != tables[name]} <= {"inbox_item", "audit_entry", "delivery", "activity"}
    asked = await stranger.get(here, f"/referrals/{sent}/box")
    nothing = await stranger.get(here, f"/referrals/{new_id()}/box")
    assert asked == nothing
    assert asked[0] == 404
    came = await two.came()
    assert await two.baobab["ilse"].unlocked(service.open_preview, came) == PREVIEW


class Offering:
    """A partner made for the test that refers to Meridian: an invitation into a room of its own, and the offer."""

    def __init__(self, at: Rogue, here: Here, key: boxes.Public) -> None:
        self.at, self.here, self.key, self.me = at, here, key, at.uri("/actor")
        self.room, self.uri = at.uri(f"/rooms/{new_id()}"), at.uri(f"/referrals/{new_id()}")
        self.invitation = at.uri(f"/activities/{new_id()}")
        self.header = boxing.Header(self.uri, self.me, here.url + "/actor", self.room, DEADLINE)
        self.sealed = boxing.seal(PREVIEW, self.header)

    async def invite(self) -> None:
        word = Said(
            self.room, Invited(self.invitation, self.me, self.here.url + "/actor", "", "member", 1), Header(self.room, "case", AMBER)
        )
        made = self.at.prove(room_activities.document(self.invitation, self.me, word), self.me)
        assert await self.at.send(self.here, made) == 202
        await heard(self.here, made)

    async def offer(self, **over: Any) -> str:
        said_by = wire.Offered(self.header, self.invitation, self.key.kid, self.sealed.ct)
        made = wire.offer(self.at.uri(f"/activities/{new_id()}"), said_by)
        made["object"] |= {name: value for name, value in over.items() if name != "said"}
        made["object"]["fc:said"] |= over.get("said", {})
        proved = self.at.prove(made, self.me)
        assert await self.at.send(self.here, proved) == 202
        return await heard(self.here, proved)


@pytest.fixture
async def offering(two: Two, stranger: Rogue) -> Offering:
    here = may_also_reach(two.meridian.here, stranger)
    await admit(here, stranger)
    key = await here.write(organisation.current)
    assert key is not None
    return Offering(stranger, here, key)


@pytest.mark.rule("P14")
async def test_an_offer_is_taken_only_as_it_has_to_be_and_only_with_its_invitation(two: Two, offering: Offering) -> None:
    here, other = offering.here, two.meridian.here.url
    assert await offering.offer() in ("refused", "early"), "its invitation is not here"
    await offering.invite()
    for over in (
        {"id": f"{other}/referrals/{new_id()}"},
        {"context": f"{other}/rooms/{new_id()}"},
        {"said": {"deadline": "soon"}},
        {"said": {"ct": "u" + "A" * 40}},
        {"said": {"kid": "x"}},
        {"said": {"more": "x"}},
        {"said": {"invitation": offering.at.uri("/activities/none")}},
    ):
        assert await offering.offer(**over) in ("refused", "early"), over
    assert not await here.sql("SELECT 1 FROM referral")
    assert await offering.offer() == "done"
    assert await here.sql("SELECT state FROM referral") == [("in_progress",)]
    assert await offering.offer() == "done", "the same again changes nothing"
    assert len(await here.sql("SELECT 1 FROM referral")) == 1
    second = Offering(offering.at, here, offering.key)
    second.room, second.invitation = offering.room, offering.invitation
    second.header = boxing.Header(second.uri, second.me, here.url + "/actor", second.room, DEADLINE)
    assert await second.offer() == "refused", "a second one with the same room"


async def test_nobody_refers_with_a_room_that_another_has_made_and_so_bars_us_from_it(two: Two, offering: Offering) -> None:
    here = offering.here
    offering.room = f"{two.baobab.here.url}/rooms/{new_id()}"
    offering.header = boxing.Header(offering.uri, offering.me, here.url + "/actor", offering.room, DEADLINE)
    offering.sealed = boxing.seal(PREVIEW, offering.header)
    await offering.invite()
    assert await offering.offer() == "refused"
    assert not await here.sql("SELECT 1 FROM room_aside"), "else its own invitation would wait for nobody"
    activity = said(offering.at, Word(system_clock(), REVOKED, SENDER), offering.uri, offering.room)
    assert await offering.at.send(here, activity) == 202
    assert await heard(here, activity) == "refused"
    assert await here.sql("SELECT state FROM room WHERE uri = :uri", uri=offering.room) == [("nothing",)], "nor is it shut to us"


async def test_what_was_taken_back_before_it_came_is_not_taken_when_it_comes_late(two: Two, offering: Offering) -> None:
    here = offering.here
    await offering.invite()
    activity = said(offering.at, Word(system_clock(), REVOKED, SENDER), offering.uri, offering.room)
    assert await offering.at.send(here, activity) == 202
    assert await heard(here, activity) == "done"
    assert await offering.offer() == "done"
    assert await here.sql("SELECT state, preview, kid FROM referral") == [("revoked", b"", "")]
    assert two


async def test_one_sealed_to_a_key_that_was_never_ours_is_declined_at_once_with_the_reason(two: Two, offering: Offering) -> None:
    offering.key = boxes.generate().public
    await offering.invite()
    assert await offering.offer() == "done"
    assert await offering.here.sql("SELECT state, code, preview FROM referral") == [("rejected", "Unreadable", b"")]
    told = "SELECT body FROM activity WHERE type = 'Reject' AND object_uri = :uri"
    [(body,)] = await offering.here.sql(told, uri=offering.uri)
    assert "Unreadable" in body
    assert REGION not in body
    assert two


async def test_a_preview_that_was_carried_from_another_referral_does_not_open(two: Two, offering: Offering) -> None:
    await offering.invite()
    honest = Offering(offering.at, offering.here, offering.key)
    box = boxing.boxed(honest.sealed.key, offering.key, honest.header)
    offering.sealed = honest.sealed
    assert await offering.offer() == "done"
    [(referral_id,)] = await offering.here.sql("SELECT id FROM referral")
    assert await offering.here.write(fetching.came_in, referral_id, box)
    with pytest.raises(service.NotReadable):
        await two.ilse.unlocked(service.open_preview, referral_id)
    await two.ilse.do(service.decline, referral_id, "Other")
    assert await offering.here.sql("SELECT state FROM referral") == [("rejected",)]
