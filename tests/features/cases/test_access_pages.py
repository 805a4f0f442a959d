"""Shows who comes onto a case and who goes on its pages: nobody by being a member alone, everybody in sight before anything is sent, the
ground recorded first, grave acts asked for again."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.features.cases import desk, membership
from fedcollab.features.cases.people import Health, Person
from fedcollab.features.cases.sharing import Share, Withdrawn
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import working
from tests.features.cases.desks import CODE, Office, office, partners
from tests.features.cases.entries import P, S
from tests.features.cases.writing import write
from tests.nodes import until
from tests.web import forget_asking

GROUND = {
    "what": "What the lawyer needs to know",
    "why": "Legal advice, as she has asked for",
    "without": "Danger",
    "without_why": "She is in danger and cannot be asked today",
    "basis": "VitalInterests",
    "out_of": "NL",
    "into": "KE",
    "transfer": "VitalInterests",
}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Office, Office]]:
    """Two nodes that are partners; Noor works at each."""
    async with partners(tmp_path) as made:
        yield made


async def counted(at: Office) -> list[tuple[Any, ...]]:
    tables = ("room", "room_fact", "room_key", "room_person", "sealed_message", "case_need", "delivery", "room_member")
    return await at.sql("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


async def to_ground(at: Office, case: str) -> str:
    """The page on which the ground is written down, for the only partner."""
    _, page = await at["noor"].get(f"/cases/{case}/access/invite")
    status, _, page = await at["noor"].post(f"/cases/{case}/access/invite/to", at=f"/cases/{case}", whom=field(page, "whom"))
    assert status == 200
    return page


async def invited(at: Office, case: str, **over: str) -> tuple[int, str, str]:
    page = await to_ground(at, case)
    form = GROUND | {"whom": field(page, "whom"), "shown": field(page, "shown")} | over
    return await at["noor"].post(f"/cases/{case}/access/invite", at=f"/cases/{case}", **form)


async def waits(at: Office) -> str:
    """What waits at an organisation: the room's row there."""
    rows = await until("an invitation waits", lambda: at.sql("SELECT room_id FROM room_member WHERE state = 'invited'"))
    return str(rows[0][0])


async def together(one: Office, other: Office) -> tuple[str, str]:
    """A case that both are on, by pages alone; its row at each."""
    case = await one.case("noor")
    assert (await invited(one, case))[:2] == (303, f"/cases/{case}/access")
    there = await waits(other)
    form = {"act": "accept", "person": other["noor"].viewer.person_id}
    assert (await other["noor"].post(f"/cases/{there}/answer", at=f"/cases/{there}/answer", **form))[:2] == (303, "/cases")
    await until("they are in", lambda: other.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
    await other.keys_come()
    return case, there


async def test_the_list_tells_with_whom_one_works_on_each_case(two: tuple[Office, Office]) -> None:
    one, other = two
    case, there = await together(one, other)
    alone = await one.case("noor")
    _, page = await one["noor"].get("/cases")
    rows = {at: next(part for part in page.split("<li") if f"/cases/{at}" in part) for at in (case, alone)}
    assert "with <bdi>Kivuli Support</bdi>" in rows[case]
    assert "Kivuli" not in rows[alone]
    assert "with <bdi>Meridian Outreach</bdi>" in (await other["noor"].get("/cases"))[1]
    assert there in (await other["noor"].get("/cases"))[1]


async def test_a_case_for_people_by_name_is_answered_and_opened_by_the_one_who_is_asked(two: tuple[Office, Office]) -> None:
    one, other = two
    case, eva = await one.case("noor", "TLP:RED"), await other.join("eva")
    [(uri,)] = await other.sql("SELECT uri FROM actor WHERE id = :id", id=eva.viewer.person_id)
    known = "SELECT 1 FROM person_key JOIN actor ON actor.id = person_key.person_id WHERE actor.uri = :uri"
    await until("their key is known", lambda: one.sql(known, uri=uri))
    await one.do("noor", working.invite, case, other.me, uri)
    there = await waits(other)
    answer = f"/cases/{there}/answer"
    assert (await other["daan"].get(answer))[0] == 404
    assert "It is for you by name" in (await eva.get(answer))[1]
    assert (await eva.post(answer, at=answer, act="accept"))[:2] == (303, "/cases")
    await until("they are in", lambda: other.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
    await other.keys_come()
    await one.say("noor", case, "She is safe.")
    await until("it is there", lambda: other.sql("SELECT 1 FROM sealed_message"))
    assert "She is safe." in (await eva.get(f"/cases/{there}"))[1]


@pytest.mark.rule("P5")
async def test_a_colleague_is_put_on_a_case_by_somebody_on_it_and_nobody_is_by_being_a_member(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    await at.say("noor", case, "She is safe.")
    assert (await at["daan"].post(f"/cases/{case}/access/assign", at="/settings", person=daan))[0] == 404
    assert (await at["daan"].get(f"/cases/{case}"))[0] == 404
    access = f"/cases/{case}/access"
    assert (await at["noor"].post(access + "/assign", at=access, person=daan, part="contact"))[:2] == (303, access)
    _, page = await at["daan"].get(f"/cases/{case}")
    assert ("She is safe." in page, "2 people at our organisation can read this case" in page) == (True, True)
    assert await at.sql("SELECT part FROM case_need WHERE person_id = :id", id=daan) == [("contact",)]
    status, _, page = await at["noor"].post(access + "/assign", at=access, person="", part="health")
    assert (status, "Choose who it is." in page, page.count('value="health" checked')) == (422, True, 1), "what was ticked stays"
    admin = await at.join("amal", "admin", "member")
    status, _, page = await at["noor"].post(access + "/assign", at=access, person=admin.viewer.person_id)
    assert (status, "Choose somebody who works on cases." in page) == (422, True)


@pytest.mark.rule("P5")
async def test_a_part_of_a_record_is_for_those_who_need_to_know_it_and_is_given_by_somebody_who_does(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    access = f"/cases/{case}/access"
    await at["noor"].post(access + "/assign", at=access, person=daan)
    await at.say("noor", case, Health(at=at.site.kernel.node.now(), person="bafuko-tezara", urgent="Penicillin"))
    assert (await at.desk("daan", case)).case.people[0].parts[0].state == "withheld"
    before = await at.sql("SELECT count(*) FROM case_need")
    status, _, page = await at["daan"].post(access + "/needs", at=access, person=daan, part="health")
    assert (status, "only what you need to know yourself" in page) == (403, True)
    assert await at.sql("SELECT count(*) FROM case_need") == before
    assert (await at["noor"].post(access + "/needs", at=access, person=daan, part="health"))[0] == 303
    assert (await at.desk("daan", case)).case.people[0].parts[0].state == "there"
    assert (await at["noor"].post(access + "/needs", at=access, person=daan, part="nonsense"))[0] == 400
    assert (await at["noor"].post(access + "/needs", at=access, person=daan))[0] == 303
    assert (await at.desk("daan", case)).case.people[0].parts[0].state == "withheld"


async def test_a_keeper_puts_somebody_on_a_case_whose_people_cannot_work(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    red, assign = await at.case("noor", "TLP:RED"), f"/cases/{case}/assign"
    _, page = await at["ruth"].get("/cases")
    assert ("Others of us work on these" in page, assign in page, red in page) == (True, True, False)
    assert (await at["daan"].get(assign))[0] == 404
    assert (await at["ruth"].get(f"/cases/{red}/assign"))[0] == 404, "for people by name no keeper can"
    assert "On it today: <bdi>Noor</bdi>" in (await at["ruth"].get(assign))[1]
    assert (await at["ruth"].post(assign, at=assign, person=daan))[:2] == (303, "/cases")
    assert await at.sql("SELECT count(*) FROM case_need WHERE person_id = :id", id=daan) == [(0,)], "Noor says what he needs to know"
    access, noor = f"/cases/{case}/access", at["noor"].viewer.person_id
    assert (await at["daan"].post(access + "/unassign", at=access, person=noor))[0] == 303
    assert len(await at.sql("SELECT part FROM case_need WHERE person_id = :id", id=daan)) == 6, "nobody else could"


async def test_who_is_taken_off_needs_to_know_nothing_and_a_keeper_puts_somebody_on_a_case_with_nobody(at: Office) -> None:
    case, noor, daan = await at.case("noor"), at["noor"].viewer.person_id, at["daan"].viewer.person_id
    access = f"/cases/{case}/access"
    assert (await at["noor"].post(access + "/unassign", at=access, person=noor))[:2] == (303, "/cases")
    assert await at.sql("SELECT count(*) FROM case_need") == [(0,)]
    assert (await at["noor"].get(f"/cases/{case}"))[0] == 410
    assert (await at["daan"].get(f"/cases/{case}/assign"))[0] == 404
    _, page = await at["ruth"].get("/cases")
    assert ("Nobody is on these" in page, f"/cases/{case}/assign" in page) == (True, True)
    assign = f"/cases/{case}/assign"
    status, _, page = await at["ruth"].post(assign, at=assign, person="")
    assert (status, "Choose somebody who works on cases." in page) == (400, True)
    assert (await at["ruth"].post(assign, at=assign, person=daan))[:2] == (303, "/cases")
    assert (await at["daan"].get(f"/cases/{case}"))[0] == 200
    assert len(await at.sql("SELECT part FROM case_need WHERE person_id = :id", id=daan)) == 6
    assert (await at["ruth"].get(f"/cases/{case}"))[0] == 404, "a keeper who assigns others reads nothing"


@pytest.mark.rule("P2", "P3")
async def test_a_consent_is_noted_for_a_partner_before_it_is_asked_onto_the_case_and_it_is_invited_on_that_alone(
    two: tuple[Office, Office],
) -> None:
    one, other = two
    case, now = await one.case("noor"), one.site.kernel.node.now()
    for code, role in ((P, "PotentialVictim"), (S, "Other")):
        await one.say("noor", case, Person(at=now, person=code, role=role))
    for kind in ("consent", "share"):
        _, page = await one["noor"].get(f"/cases/{case}/new/{kind}")
        assert f'<option value="{other.me}">Kivuli Support (' in page, kind
    said: dict[str, Any] = dict(how="Spoken", capacity="Adult", decided_by="Self", until="2199-01-31", what="Who she is", to=other.me)
    assert (await write(one["noor"], f"/cases/{case}/new/consent", person=P, **said))[0] == 303
    [consent] = (await one.desk("noor", case)).case.in_force
    page = await to_ground(one, case)
    assert f'value="{consent.item.id}"' in page
    with_it = {"without": "", "without_why": "", "consent": consent.item.id, "people": P}
    status, _, again = await invited(one, case, **(with_it | {"people": S}))
    assert (status, "Choose a consent of each person" in again) == (422, True)
    await one.say("noor", case, Withdrawn(at=now, of=consent.item.id))
    status, _, again = await invited(one, case, **with_it)
    assert (status, "was withdrawn or is over" in again) == (422, True)
    assert not await other.sql("SELECT 1 FROM room")
    assert (await write(one["noor"], f"/cases/{case}/new/consent", person=P, **said))[0] == 303
    [consent] = (await one.desk("noor", case)).case.in_force
    assert (await invited(one, case, **(with_it | {"consent": consent.item.id})))[:2] == (303, f"/cases/{case}/access")
    assert f'<option value="{other.me}"' in (await one["noor"].get(f"/cases/{case}/new/consent"))[1], "who was asked stays a choice"


@pytest.mark.rule("P2", "P5", "P25")
async def test_an_organisation_is_invited_with_the_ground_recorded_first_and_the_list_in_sight(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await one.case("noor")
    page = await to_ground(one, case)
    assert "From then on those whom <bdi>Kivuli Support</bdi> puts on it can read this case too." in page
    assert "1 person at our organisation can read this case, and nobody else." in page
    before = await counted(one)
    for missing in ("what", "why", "basis", "without_why", "out_of", "into", "transfer"):
        status, _, page = await invited(one, case, **{missing: ""})
        assert (status, f'id="{missing}-err"' in page, GROUND["why"] in page or missing == "why") == (422, True, True), missing
    status, _, page = await invited(one, case, without="", without_why="")
    assert (status, 'id="consent-err"' in page) == (422, True), "neither a consent nor a reason"
    assert await counted(one) == before, "nothing was sent or kept"
    assert (await invited(one, case))[:2] == (303, f"/cases/{case}/access")
    opened: desk.Desk = await one.desk("noor", case)
    [share] = [shown.entry for shown in opened.case.shares]
    assert isinstance(share, Share)
    assert (share.to, share.into, share.transfer, share.without) == (other.me, "KE", "VitalInterests", "Danger")
    assert await one.sql("SELECT count(*) FROM audit_entry WHERE action = 'case.share'") == [(1,)]
    there = await waits(other)
    assert "An invitation onto a case, from <bdi>Meridian Outreach</bdi>" in (await other["daan"].get("/cases"))[1]
    assert (await other["daan"].get(f"/cases/{there}"))[0] == 404


async def test_a_list_that_has_changed_since_the_page_was_opened_is_shown_before_anything_is_sent(two: tuple[Office, Office]) -> None:
    one, _ = two
    case = await one.case("noor")
    page = await to_ground(one, case)
    form = GROUND | {"whom": field(page, "whom"), "shown": field(page, "shown")}
    await one["noor"].post(f"/cases/{case}/access/assign", at=f"/cases/{case}", person=one["daan"].viewer.person_id)
    before = await counted(one)
    status, _, page = await one["noor"].post(f"/cases/{case}/access/invite", at=f"/cases/{case}", **form)
    assert (status, "Who can read this case has changed" in page, GROUND["why"] in page) == (409, True, True)
    assert await counted(one) == before
    form["shown"] = field(page, "shown")
    assert (await one["noor"].post(f"/cases/{case}/access/invite", at=f"/cases/{case}", **form))[0] == 303


@pytest.mark.rule("P4", "P5")
async def test_two_organisations_work_one_case_by_its_pages_and_one_that_is_removed_reads_nothing_new(two: tuple[Office, Office]) -> None:
    one, other = two
    case, there = await together(one, other)
    await one["noor"].post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="She is safe.")
    await until("it is there", lambda: other.sql("SELECT 1 FROM sealed_message WHERE size > 0 AND organisation = :o", o=one.me))
    await other.keys_come() if await other.sql("SELECT 1 FROM key_request WHERE state = 'open'") else None
    _, page = await other["noor"].get(f"/cases/{there}")
    assert "She is safe." in page
    assert (await other["daan"].get(f"/cases/{there}"))[0] == 404, "membership of the organisation opens nothing"
    assert "1 person of ours can read this case, and those whom 1 other organisation put on it." in page
    assert "from its beginning" not in page
    status, to, _ = await other["noor"].post(f"/cases/{there}/say/message", at=f"/cases/{there}", text="Received, thank you.")
    assert (status, to) == (303, f"/cases/{there}")
    await until("the answer is here", lambda: one.sql("SELECT 1 FROM sealed_message WHERE organisation = :o", o=other.me))
    _, page = await one["noor"].get(f"/cases/{case}")
    assert ("Received, thank you." in page, "Kivuli Support" in page) == (True, True)
    access = f"/cases/{case}/access"
    assert (await one["noor"].post(access + "/remove", at=access, organisation=other.me))[:2] == (303, access)
    await one["noor"].post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="Only for us now.")
    await until("they know", lambda: other.sql("SELECT 1 FROM room WHERE state = 'out'"))
    _, page = await other["noor"].get(f"/cases/{there}")
    assert ("She is safe." in page, "Only for us now." in page, "no longer on this case" in page) == (True, False, True)
    form = {"text": "Is anybody there, at the house or elsewhere?", "token": await other["noor"].token("/settings")}
    status, _, page = await other["noor"].ask("POST", f"/cases/{there}/say/message", form)
    assert (status, form["text"] in page) == (422, True)


async def test_whoever_declines_keeps_nothing_and_an_invitation_can_be_withdrawn(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await one.case("noor")
    await invited(one, case)
    there = await waits(other)
    answer = f"/cases/{there}/answer"
    status, _, page = await other["noor"].post(answer, at=answer, act="accept")
    assert (status, "Choose at least one person" in page) == (400, True)
    status, _, page = await other["noor"].post(answer, at=answer, act="accept", person=other["mila"].viewer.organisation_id)
    assert (status, "Choose somebody who works on cases." in page) == (400, True)
    assert (await other["noor"].post(answer, at=answer, act="decline"))[:2] == (303, "/cases")
    assert (await other["noor"].get(answer))[0] == 404
    assert await other.sql("SELECT (SELECT count(*) FROM case_need), (SELECT count(*) FROM room_person)") == [(0, 0)]
    await until("the no is here", lambda: one.sql("SELECT 1 FROM room_member WHERE state = 'declined'"))
    await invited(one, case)
    access = f"/cases/{case}/access"
    _, page = await one["noor"].get(access)
    assert "Invited, has not answered yet" in page
    assert (await one["noor"].post(access + "/withdraw", at=access, invitation=field(page, "invitation")))[:2] == (303, access)
    assert "Invited, has not answered yet" not in (await one["noor"].get(access))[1]


async def test_an_organisation_leaves_only_when_it_says_that_it_wants_to(two: tuple[Office, Office]) -> None:
    one, other = two
    case, there = await together(one, other)
    access = f"/cases/{there}/access"
    status, _, page = await other["noor"].post(access + "/leave", at=access)
    assert (status, "Say that you want this" in page) == (422, True)
    assert await other.sql("SELECT state FROM room") == [("open",)]
    assert (await other["noor"].post(access + "/leave", at=access, sure="yes"))[:2] == (303, "/cases")
    await until("the owner knows", lambda: one.sql("SELECT 1 FROM room_member WHERE organisation = :o AND state = 'left'", o=other.me))
    assert (await one["noor"].post(f"/cases/{case}/access/leave", at=f"/cases/{case}", sure="yes"))[0] == 422, "who leads hands over first"


@pytest.mark.rule("P15")
async def test_a_partner_without_a_key_is_shown_as_such_and_nothing_is_sent_to_it(two: tuple[Office, Office]) -> None:
    one, _ = two
    case = await one.case("noor")
    whom = field(await to_ground(one, case), "whom")
    await one.site.write(lambda session, node: forget_key(session, whom))
    _, page = await one["noor"].get(f"/cases/{case}/access/invite")
    assert ("Has no key to seal to" in page, f'value="{whom}" disabled' in page) == (True, True)
    before = await counted(one)
    form = GROUND | {"whom": whom, "shown": membership_shown(await one.desk("noor", case))}
    status, _, page = await one["noor"].post(f"/cases/{case}/access/invite", at=f"/cases/{case}", **form)
    assert (status, "no key to which anything can be sealed" in page) == (422, True)
    assert await counted(one) == before


def membership_shown(opened: desk.Desk) -> str:
    return membership.seen(opened)


def forget_key(session: Any, organisation_id: str) -> None:
    document = session.execute(sa.select(Actor.document).where(Actor.id == organisation_id)).scalar_one()
    said = {name: value for name, value in document.items() if name != ap.ORGANISATION_KEY}
    session.execute(sa.update(Actor).where(Actor.id == organisation_id).values(document=said))


async def test_each_change_of_who_reads_a_case_asks_again_and_then_goes_on(at: Office) -> None:
    case, daan = await at.case("noor"), at["daan"].viewer.person_id
    access = f"/cases/{case}/access"
    token = await at["noor"].token(access)
    await forget_asking(at.site)
    for act in ("assign", "unassign", "needs", "withdraw", "remove", "leave", "invite"):
        status, headers, _ = await at["noor"].ask("POST", f"{access}/{act}", {"token": token, "person": daan})
        assert (status, headers["Location"]) == (307, f"/again?next={access}/{act}"), act
    assert await at.sql("SELECT count(*) FROM room_person") == [(1,)]


@pytest.mark.rule("P4")
async def test_nothing_of_a_case_stands_where_somebody_is_told_of_it(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await one.case("noor", purpose="Legal advice for a weaver")
    code = CODE.findall((await one["noor"].get(f"/cases/{case}"))[1])[0]
    await invited(one, case)
    there = await waits(other)
    for path in ("/", "/cases", f"/cases/{there}/answer"):
        _, page = await other["noor"].get(path)
        assert not any(word in page for word in (code, "weaver", GROUND["why"], GROUND["what"])), path
