"""Shows a referral to an organisation without a node on its pages: asked by link and code, declined, accepted, worked by a guest, done;
taken back, late, ended with its consent."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY, iso
from fedcollab.features.cases.sharing import Consent, Withdrawn
from fedcollab.features.guests.models import Guest
from fedcollab.features.referrals import chores, outside
from fedcollab.features.referrals.models import Referral
from fedcollab.flows import guests, referred
from fedcollab.sealing import consent_marks, consents, working
from fedcollab.sealing.made_ready import Write
from tests.features.cases.desks import Office, office
from tests.features.referrals.test_referral_pages import CODE, NAME, REGION, form_of, step
from tests.nodes import until
from tests.web import PASSWORD

from .outsiders import (
    FIRST,
    HEALTH,
    WHO,
    a_case,
    accept,
    acts,
    decline,
    let_in,
    refer,
    row,
    shown,
    to_the_end,
)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def either(tmp_path: Path, either_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": either_url} if either_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


@pytest.mark.rule("P2")
@pytest.mark.rule("P25")
async def test_a_person_is_referred_to_somebody_without_a_node_who_says_yes_works_it_and_says_how_it_came_out(either: Office) -> None:
    at = either
    case = await a_case(at)
    link, code = await refer(at, case)
    page = await shown(at, link, code)
    for said in ("Within days", REGION, "Legal help", "18 to 20 years", "Cambodia", "Without consent", "Germany"):
        assert said in page, said
    sara = await accept(at, link, code)
    assert "Accepted" in (await sara.get("/guest"))[1]
    one = await row(at)
    listed = (await at["noor"].get("/referrals"))[1]
    assert ("Sara Lind, Police of Xanten" in listed, "compare words, and let them in" in listed) == (True, True)
    assert await let_in(at) == 303
    assert "compare words, and let them in" not in (await at["noor"].get("/referrals"))[1]
    [[room]] = await at.sql("SELECT id FROM room WHERE uri = :uri", uri=one.room)
    people = re.findall(rf'href="/cases/{room}/people/([^"/]+)"', (await sara.get(f"/cases/{room}/people"))[1])
    read = [(await sara.get(f"/cases/{room}/people/{link}"))[1] for link in people]
    assert (NAME in read[0], HEALTH in read[0]) == (True, False), "the parts that were chosen, and no others"
    assert (await sara.get(f"/cases/{case}"))[0] == 404, "the case itself is not theirs"
    wrong = await sara.post("/guest/referral", at="/guest", outcome="")
    assert (wrong[0], "Choose how it came out" in wrong[2]) == (422, True)
    assert (await sara.post("/guest/referral", at="/guest", outcome="LackOfCapacity"))[:2] == (303, "/guest")
    said = (await row(at)).state, (await row(at)).code
    assert said == ("done", "LackOfCapacity")
    assert "Done:" in (await at["noor"].get(f"/referrals/{one.id}"))[1]
    assert await acts(at, case) == ["send", "open", "accept", "done"]
    assert (await at["noor"].post(f"/referrals/{one.id}/finish", at="/settings", outcome="Successful"))[0] == 409


async def test_the_sender_can_say_how_it_came_out_too_and_then_nobody_is_let_in_any_more(at: Office) -> None:
    case = await a_case(at)
    await accept(at, *await refer(at, case))
    one = await row(at)
    assert (await at["noor"].post(f"/referrals/{one.id}/finish", at=f"/referrals/{one.id}", outcome="ClientRefused"))[0] == 303
    assert (await row(at)).state == "done"
    assert await let_in(at) == 409
    assert (await at.sql("SELECT let_in_at FROM guest")) == [(None,)]


@pytest.mark.rule("P11")
async def test_after_a_no_the_link_is_dead_and_nothing_stays(either: Office) -> None:
    at = either
    case = await a_case(at)
    link, code = await refer(at, case)
    status, page = await decline(at, link, code, "")
    assert (status, "Choose the reason" in page, REGION in page) == (422, True, True)
    status, page = await decline(at, link, code)
    assert (status, "You have declined" in page) == (200, True)
    for answer in (await at.site.stranger().get(link), await at.site.stranger().post(link, at="/login", act="open", code=code)):
        assert answer[0] == 410
    one = await row(at)
    assert (one.state, one.code, one.outside, one.preview) == ("rejected", "OutsideArea", "", b"")
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]
    assert await at.sql("SELECT state FROM room WHERE uri = :uri", uri=one.room) == [("purged",)]
    bodies = await at.sql("SELECT body FROM sealed_message m JOIN room r ON r.id = m.room_id WHERE r.uri = :uri", uri=one.room)
    assert not any(body for (body,) in bodies)
    page = (await at["noor"].get("/referrals"))[1]
    assert ("Outside the area that we serve" in page, "Sara Lind" in page, "an organisation without a node" in page) == (True, False, True)
    assert await acts(at, case) == ["send", "decline"]


async def test_a_referral_taken_back_is_dead_at_once_and_one_that_was_answered_is_not_taken_back(at: Office) -> None:
    case = await a_case(at)
    link, code = await refer(at, case)
    one = await row(at)
    assert (await at["noor"].post(f"/referrals/{one.id}/take-back", at=f"/referrals/{one.id}"))[0] == 303
    assert (await at.site.stranger().get(link))[0] == 410
    assert (await at.site.stranger().post(link, at="/login", act="accept", code=code, username="sara", password=PASSWORD))[0] == 410
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]
    assert (await row(at)).state == "revoked"
    link, code = await refer(at, case)
    await accept(at, link, code)
    two = await row(at)
    assert (await at["noor"].post(f"/referrals/{two.id}/take-back", at=f"/referrals/{two.id}"))[0] == 409
    assert await acts(at, case) == ["send", "take_back", "send", "accept"]


@pytest.mark.parametrize("how", ["by hand", "closed"])
async def test_an_invitation_that_ends_otherwise_takes_its_referral_back(at: Office, how: str) -> None:
    case = await a_case(at)
    link, _ = await refer(at, case)
    one = await row(at)
    [[room]] = await at.sql("SELECT id FROM room WHERE uri = :uri", uri=one.room)
    if how == "by hand":
        assert (await at["noor"].post(f"/cases/{room}/guests/{one.id}/end", at=f"/cases/{room}/guests"))[0] == 303
    else:
        await at.do("noor", working.purge, room)
        await at.site.write(guests.end_due)
    assert (await row(at)).state == "revoked"
    assert (await at.site.stranger().get(link))[0] == 410
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]


async def test_when_its_day_has_passed_the_link_is_dead_and_the_sender_is_reminded(at: Office) -> None:
    case = await a_case(at)
    link, code = await refer(at, case)
    one = await row(at)
    assert one.deadline
    [[ends]] = await at.sql("SELECT expires_at FROM guest")
    assert 0 < ends - at.site.kernel.node.now() <= 8 * DAY
    past = {"deadline": "2020-01-31"}
    await at.site.write(lambda session, _: session.execute(sa.update(Referral).values(**past)) and None)
    await at.site.write(lambda session, _: session.execute(sa.update(Guest).values(expires_at=outside.good_until("2020-01-31"))) and None)
    await at.site.write(chores.mark_late)
    assert (await at.site.stranger().get(link))[0] == 410
    assert (await at.site.stranger().post(link, at="/login", act="open", code=code))[0] == 410
    assert "Not answered by" in (await at["noor"].get("/referrals"))[1]
    assert "was not answered by its day" in (await at["noor"].get("/"))[1]
    assert await acts(at, case) == ["send", "late"]
    assert (await at["noor"].post(f"/referrals/{one.id}/take-back", at=f"/referrals/{one.id}"))[0] == 303
    assert (await row(at)).state == "revoked"


@pytest.mark.rule("P10")
async def test_what_nobody_answers_is_taken_back_a_month_after_its_day_and_not_before(at: Office) -> None:
    await refer(at, await a_case(at))
    now = at.site.kernel.node.now()
    for days, state, guests_left in ((30, "in_progress", 1), (31, "revoked", 0)):
        past = {"deadline": iso(now - days * DAY)[:10]}
        await at.site.write(lambda session, _, past=past: session.execute(sa.update(Referral).values(**past)) and None)
        await at.site.write(referred.end_unanswered)
        assert ((await row(at)).state, await at.sql("SELECT count(*) FROM guest")) == (state, [(guests_left,)])
    assert (await row(at)).outside == ""


@pytest.mark.rule("P3")
async def test_when_the_consent_is_withdrawn_a_link_dies_and_a_guest_is_out(at: Office) -> None:
    case, now = await a_case(at), at.site.kernel.node.now()
    said: dict[str, Any] = dict(person=CODE, to_name="Police of Xanten", what="Who she is", until="2199-01-01", parts=("identity",))
    said |= dict(capacity="Adult", decided_by="Self", how="Written")
    given = [await at.say("noor", case, Consent(at=now, **said)) for _ in range(2)]
    on = [{"without": "", "without_why": "", "consent": one} for one in given]
    sara = await accept(at, *await refer(at, case, **on[0]))
    assert await let_in(at) == 303
    first = await row(at)
    link, code = await refer(at, case, **on[1])
    assert "With the person" in await shown(at, link, code)
    await at.site.write(guests.end_due)
    assert "Open the case" in (await sara.get("/guest"))[1], "not before"
    before = f"/cases/{case}/withdraw/{(await at.desk('noor', case)).handle(given[0])}"
    assert "their link is dead at once" in (await at["noor"].get(before))[1], "said before anybody withdraws"
    for one in given:
        await at.say("noor", case, Withdrawn(at=now, of=one))
    assert (await at.site.stranger().get(link))[0] == 410, "at once"
    out = "SELECT 1 FROM guest WHERE id = :id AND ended_at IS NOT NULL"
    await until("she is out by the same commit's wake", lambda: at.sql(out, id=first.id))
    assert (await sara.ask("GET", "/guest"))[1]["Location"].startswith("/login")
    await until("the other is taken back", lambda: at.sql("SELECT 1 FROM referral WHERE id <> :id AND state = 'revoked'", id=first.id))
    assert await at.sql("SELECT state FROM referral WHERE id = :id", id=first.id) == [("accepted",)]
    assert await at.sql("SELECT count(*) FROM activity WHERE type = 'Undo'") == [(0,)]
    await at.site.write(guests.end_due)
    assert "Meridian" not in str(await at.site.kernel.database.read(consent_marks.of_entries, given))


@pytest.mark.rule("P3")
async def test_one_consent_ends_all_that_was_handed_over_on_it_however_often(at: Office) -> None:
    case, now = await a_case(at), at.site.kernel.node.now()
    said: dict[str, Any] = dict(person=CODE, to_name="Police of Xanten", what="Who she is", until="2199-01-01", parts=("identity",))
    of = await at.say("noor", case, Consent(at=now, **said, capacity="Adult", decided_by="Self", how="Written"))
    links = [(await refer(at, case, without="", without_why="", consent=of))[0] for _ in range(2)]
    assert [(await at.site.stranger().get(link))[0] for link in links] == [200, 200]
    await at.say("noor", case, Withdrawn(at=now, of=of))
    assert [(await at.site.stranger().get(link))[0] for link in links] == [410, 410]
    await at.site.write(guests.end_due)
    assert await at.sql("SELECT state FROM referral") == [("revoked",)] * 2


@pytest.mark.rule("P3")
async def test_a_consent_that_is_withdrawn_as_a_guest_is_let_in_lets_nobody_in(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case, now = await a_case(at), at.site.kernel.node.now()
    said: dict[str, Any] = dict(person=CODE, to_name="Police of Xanten", what="Who she is", until="2199-01-01", parts=("identity",))
    of = await at.say("noor", case, Consent(at=now, **said, capacity="Adult", decided_by="Self", how="Written"))
    await accept(at, *await refer(at, case, without="", without_why="", consent=of))
    plan = guests.let_in

    def and_then(*args: Any) -> Write:
        made = plan(*args)

        def write(session: Any) -> Any:
            consents.withdrawn(session, at.site.kernel.node, at["noor"].viewer, of)
            return made(session)

        return write

    monkeypatch.setattr(guests, "let_in", and_then)
    assert await let_in(at) == 409
    assert await at.sql("SELECT let_in_at FROM guest") == [(None,)]


async def test_what_is_wrong_with_who_it_is_stands_beside_its_field_with_all_that_was_typed(at: Office) -> None:
    case = await a_case(at)
    page = (await at["noor"].get(f"/cases/{case}/refer"))[1]
    for field, value in (("name", " "), ("works_for", ""), ("type", ""), ("type", "Circus"), ("land", "Atlantis")):
        status, again = await step(at, case, page, **{**WHO, field: value})
        assert (status, f'id="{field}-err"' in again) == (422, True), field
        assert all(f'value="{WHO[name]}"' in again for name in ("name", "works_for") if name != field)
    _, page = await step(at, case, page, **WHO)
    status, page = await step(at, case, page, **FIRST, deadline="2199-01-31")
    assert (status, "within the next 30 days" in page, REGION in page) == (422, True, True)


async def test_a_form_sent_twice_asks_once_and_shows_neither_link_nor_code_again(at: Office) -> None:
    case = await a_case(at)
    pairs: Any = [(name, value) for name, values in form_of(await to_the_end(at, case)).items() for value in values]
    assert (await at["noor"].ask("POST", f"/cases/{case}/refer/send", pairs))[0] == 200
    status, headers, page = await at["noor"].ask("POST", f"/cases/{case}/refer/send", pairs)
    assert (status, headers["Location"]) == (303, f"/referrals/{(await row(at)).id}")
    assert await at.sql("SELECT (SELECT count(*) FROM referral), (SELECT count(*) FROM guest)") == [(1, 1)]
    assert "guests/join" not in page
