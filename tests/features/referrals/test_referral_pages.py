"""Referrals on their pages, from one organisation's case to the other's: step by step, nothing lost, nothing shown to others."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import new_id
from fedcollab.base.statements import put
from fedcollab.features.cases import lateness
from fedcollab.features.cases.checking import Wrong
from fedcollab.features.cases.ending import forget_gone
from fedcollab.features.cases.people import Health, Identity, Person
from fedcollab.features.cases.sharing import Consent, Withdrawn
from fedcollab.features.referrals import chores, fetching, service
from fedcollab.features.referrals.models import Referral
from fedcollab.flows import propose_referral
from fedcollab.sealing import consent_marks, consents, going, working
from tests.features.cases.browser import Filled, Sent
from tests.features.cases.desks import Office, office, partners
from tests.nodes import asked, until

CODE, NAME, REGION = "bafuko-tezara", "Sopheap Lantern", "Kandal"
STEPS: dict[str, dict[str, Any]] = {
    "first": {
        "reason": "AdditionalServicesRequired",
        "support": ["Legal", "Health"],
        "urgency": "Days",
        "age": "18-20",
        "languages": "Khmer, en",
        "country": "Cambodia",
        "region": REGION,
        "deadline": "2199-01-31",
    },
    "yes": {"take": [f"{CODE}/", f"{CODE}/identity"]},
    "ground": {
        "what": "Who she is",
        "why": "Legal advice, as she has asked for",
        "without": "Danger",
        "without_why": "She cannot be asked today",
        "basis": "VitalInterests",
        "out_of": "NL",
        "into": "KE",
        "transfer": "VitalInterests",
    },
}


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Office, Office]]:
    """Two nodes that are partners; Noor works at each."""
    async with partners(tmp_path) as made:
        yield made


async def case_of(one: Office) -> str:
    """A case of Noor's with a person whose name and health are on record."""
    case, now = await one.case("noor"), one.site.kernel.node.now()
    await one.say("noor", case, Person(at=now, person=CODE, role="PotentialVictim"))
    await one.say("noor", case, Identity(at=now, person=CODE, name=NAME))
    await one.say("noor", case, Health(at=now, person=CODE, urgent="Penicillin"))
    return case


def form_of(page: str) -> Sent:
    main = page.split("<main", 1)[1]
    return Filled(re.split(r'<form method="post"[^>]*refer[^>]*>', main, maxsplit=1)[1].split("</form>", 1)[0]).sent


async def step(one: Office, case: str, page: str, act: str = "on", **typed: Any) -> tuple[int, str]:
    sent = form_of(page) | {name: value if isinstance(value, list) else [value] for name, value in typed.items()} | {"act": [act]}
    pairs: Any = [(name, value) for name, values in sent.items() for value in values]
    status, _, page = await one["noor"].ask("POST", f"/cases/{case}/refer", pairs)
    return status, page


async def to_the_end(one: Office, other: Office, case: str, **ground: Any) -> str:
    """The last step, where all is shown once more."""
    await until("their key is known", lambda: _can_receive(one, other))
    _, page = await one["noor"].get(f"/cases/{case}/refer")
    [row] = await one.sql("SELECT id FROM actor WHERE uri = :uri", uri=other.me)
    status, page = await step(one, case, page, to=row[0])
    assert (status, "What they see before they answer" in page) == (200, True)
    for name, typed in (STEPS | {"ground": STEPS["ground"] | ground}).items():
        status, page = await step(one, case, page, **typed)
        assert status == 200, (name, re.findall(r'class="err"[^>]*>(.*?)</p>', page, re.DOTALL))
    return page


async def _can_receive(one: Office, other: Office) -> bool:
    [row] = await one.sql("SELECT id FROM actor WHERE uri = :uri", uri=other.me)
    try:
        await one.site.kernel.database.read(service.check_recipient, row[0])
    except service.Refused:
        return False
    return True


async def send(one: Office, case: str, page: str) -> tuple[int, str, str]:
    pairs: Any = [(name, value) for name, values in form_of(page).items() for value in values]
    status, headers, page = await one["noor"].ask("POST", f"/cases/{case}/refer/send", pairs)
    return status, headers.get("Location", ""), page


async def came(other: Office) -> str:
    rows = await until("it has come", lambda: other.sql("SELECT id FROM referral WHERE state = 'in_progress'"))
    await other.site.write(lambda session, _node: session.execute(sa.text("UPDATE referral SET next_at = 0")) and None)
    await asked(fetching.lanes(other.site.kernel))
    return str(rows[0][0])


async def test_nobody_is_offered_to_say_yes_to_what_they_cannot_read_yet(
    two: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    monkeypatch.setattr(fetching, "due", lambda *_: [])  # its box takes its time
    case = await case_of(one)
    await send(one, case, await to_the_end(one, other, case))
    [[asked]] = await until("it has come", lambda: other.sql("SELECT id FROM referral WHERE state = 'in_progress'"))
    page = (await other["mila"].get(f"/referrals/{asked}"))[1]
    for there, words in ((True, "still on its way"), (True, "You can say yes as soon as"), (True, ">Decline<"), (False, ">Accept<")):
        assert (words in page) == there, words
    monkeypatch.undo()
    await came(other)
    page = (await other["mila"].get(f"/referrals/{asked}"))[1]
    assert (">Accept<" in page, "You can say yes as soon as" in page) == (True, False)


@pytest.mark.rule("P2")
async def test_a_person_is_referred_from_a_case_and_worked_with_at_the_other_organisation(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await case_of(one)
    page = await to_the_end(one, other, case)
    for seen in ("Within days", REGION, "Legal help", "18 to 20 years", "Who she is", "Name and identity", "the keepers of"):
        assert seen in page, seen
    assert NAME not in page.split("<main", 1)[1]
    status, where, page = await send(one, case, page)
    assert (status, where.startswith("/referrals/")) == (303, True), page
    shares = (await one.desk("noor", case)).case.shares
    assert [(share.entry.to, share.entry.without, share.entry.into) for share in shares if share.entry] == [(other.me, "Danger", "KE")]
    assert "Waits for an answer by" in (await one["noor"].get(where))[1]
    asked = await came(other)
    assert (await other["noor"].get(f"/referrals/{asked}"))[0] == 404, "a caseworker to whom nobody has handed it"
    [waits] = await other.sql("SELECT id FROM room")
    assert waits[0] not in (await other["noor"].get("/cases"))[1], "it is answered with the referral alone"
    assert (await other["noor"].get(f"/cases/{waits[0]}/answer"))[0] == 404
    assert "/answer" not in (await other["mila"].get("/keepers/tasks"))[1], "nor is it a keeper's task beside"
    status, headers, page = await other["mila"].ask("GET", f"/referrals/{asked}")
    assert (status, headers["Cache-Control"], REGION in page, NAME in page) == (200, "no-store", True, False)
    assert "<title>Referral · " in page
    noor = other["noor"].viewer.person_id
    path = f"/referrals/{asked}"
    assert (await other["mila"].post(f"{path}/assign", at=path, person=noor))[:2] == (303, path)
    assert REGION in (await other["noor"].get(path))[1]
    status, _, page = await other["noor"].post(f"{path}/accept", at=path)
    assert (status, "Choose at least one colleague" in page) == (422, True)
    assert (await other["noor"].post(f"{path}/accept", at=path, people=noor))[:2] == (303, path)
    await until("the sender knows", lambda: one.sql("SELECT 1 FROM referral WHERE state = 'accepted'"))
    assert "Open it once" in (await one["noor"].get("/"))[1]
    [room] = await one.sql("SELECT room.id FROM room JOIN referral ON referral.room = room.uri")
    await until("they are inside", lambda: other.sql("SELECT 1 FROM room WHERE state = 'open'"))
    assert (await one["noor"].get(f"/cases/{room[0]}"))[0] == 200
    assert "Open it once" not in (await one["noor"].get("/"))[1]
    await other.keys_come()
    [there] = await other.sql("SELECT id FROM room")
    desk = await other.desk("noor", there[0])
    assert [person.code for person in desk.case.people] == [CODE]
    assert [part.part for part in desk.case.people[0].parts] == ["identity"]
    assert desk.case.code not in ("", (await one.desk("noor", case)).case.code)
    assert desk.leads, "whoever takes a person on leads the work"
    status, where, _ = await other["noor"].post(f"{path}/finish", at=path, outcome="Successful")
    assert (status, where) == (303, path)
    await until("the sender knows the outcome", lambda: one.sql("SELECT 1 FROM referral WHERE code = 'Successful'"))


@pytest.mark.rule("P24")
async def test_a_suspect_is_referred_by_no_form_that_somebody_makes_up(two: tuple[Office, Office]) -> None:
    one, _ = two
    case, suspect, now = await case_of(one), "kutare-bosuka", two[0].site.kernel.node.now()
    await one.say("noor", case, Person(at=now, person=suspect, role="Suspect", ground="AuthorisedByLaw", law="Art. 1"))
    open_desk = await one.desk("noor", case)
    with pytest.raises(Wrong):
        propose_referral.taken(open_desk, {"take": [f"{suspect}/"]})
    assert [person.code for person, _ in propose_referral.taken(open_desk, {"take": [f"{suspect}/", f"{CODE}/"]})] == [CODE]


async def test_what_is_wrong_in_a_step_is_said_there_and_nothing_typed_is_lost(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await case_of(one)
    await until("their key is known", lambda: _can_receive(one, other))
    _, page = await one["noor"].get(f"/cases/{case}/refer")
    status, page = await step(one, case, page)
    assert (status, "Choose to whom you refer." in page) == (422, True)
    [row] = await one.sql("SELECT id FROM actor WHERE uri = :uri", uri=other.me)
    _, page = await step(one, case, page, to=row[0])
    status, again = await step(one, case, page)
    assert (status, "Choose why the person is referred." in again, "at least one kind of support" in again) == (422, True, True), (
        "all at once"
    )
    for field, wrong, word in (
        ("country", "Nowhere", "Write the country"),
        ("support", [], "at least one kind of support"),
        ("deadline", "2001-01-01", "This day has passed"),
        ("deadline", "soon", "Choose the day"),
    ):
        status, again = await step(one, case, page, **(STEPS["first"] | {field: wrong}))
        assert (status, word in again, REGION in again) == (422, True, True), field
    _, page = await step(one, case, page, **STEPS["first"])
    status, again = await step(one, case, page, take=[])
    assert (status, "Choose at least one person" in again) == (422, True)
    _, page = await step(one, case, page, **STEPS["yes"])
    for field, wrong, word in (("transfer", "", "on which ground"), ("basis", "", "lawful basis"), ("without_why", "", "without consent")):
        status, again = await step(one, case, page, **(STEPS["ground"] | {field: wrong}))
        assert (status, word in again, "Legal advice, as she has asked for" in again) == (422, True, True), field
    _, back = await step(one, case, page, act="back", **STEPS["ground"])
    assert (f'value="{CODE}/identity" checked' in back, "Legal advice, as she has asked for" in back) == (True, True)
    assert not await one.sql("SELECT 1 FROM referral"), "nothing is stored before it is sent"
    assert len((await one.desk("noor", case)).case.shares) == 0


async def consents_to(one: Office, case: str, other: Office) -> str:
    """That another organisation may know who she is; the consent's id."""
    said: dict[str, Any] = dict(how="Spoken", capacity="Adult", decided_by="Self", until="2199-01-31", what="Who she is")
    now = one.site.kernel.node.now()
    return await one.say("noor", case, Consent(at=now, to=other.me, person=CODE, parts=("identity",), **said))


@pytest.mark.rule("P3")
async def test_more_than_a_consent_is_for_leads_back_to_where_it_was_ticked_and_nothing_typed_is_lost(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await case_of(one)
    consent = await consents_to(one, case, other)
    with_it = {"consent": [consent], "without": "", "without_why": ""}
    page = await to_the_end(one, other, case, **with_it)
    beyond = form_of(page) | {"take": [f"{CODE}/", f"{CODE}/identity", f"{CODE}/health"]}
    for path in (f"/cases/{case}/refer/send", f"/cases/{case}/refer"):
        pairs: Any = [(name, value) for name, values in (beyond | {"step": ["look"]}).items() for value in values]
        status, _, page = await one["noor"].ask("POST", path, pairs)
        assert (status, "Share less, or ask the person again." in page, 'id="take-err"' in page) == (422, True, True), path
        assert (f'value="{CODE}/health" checked' in page, "Legal advice, as she has asked for" in page) == (True, True), path
    _, page = await step(one, case, page, **STEPS["yes"])
    assert "Permission and ground" in page
    assert not await one.sql("SELECT 1 FROM referral")


@pytest.mark.rule("P7")
@pytest.mark.parametrize("label", ["TLP:AMBER+STRICT", "TLP:RED"])
async def test_from_a_case_for_own_or_named_people_nobody_is_referred_onward(two: tuple[Office, Office], label: str) -> None:
    one, other = two
    case = await one.case("noor", label)
    status, page = await one["noor"].get(f"/cases/{case}/refer")
    assert (status, "nobody is referred onward" in page) == (422, True)
    assert other


async def test_from_a_case_that_nothing_can_be_added_to_nobody_is_led_through_five_steps_for_nothing(two: tuple[Office, Office]) -> None:
    one, _ = two
    case = await case_of(one)
    assert f'href="/cases/{case}/new/consent"' in (await one["noor"].get(f"/cases/{case}/refer"))[1]
    await one.do("noor", working.close, case)
    status, page = await one["noor"].get(f"/cases/{case}/refer")
    assert (status, 'name="step"' in page, "Back to the case" in page) == (422, False, True)


async def test_a_form_that_is_sent_twice_refers_once(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await case_of(one)
    page = await to_the_end(one, other, case)
    first, again = await send(one, case, page), await send(one, case, page)
    assert first[:2] == again[:2]
    assert len(await one.sql("SELECT 1 FROM referral")) == 1
    assert len((await one.desk("noor", case)).case.shares) == 1


@pytest.mark.rule("P3")
async def test_a_consent_that_is_withdrawn_in_the_case_closes_what_was_referred_on_it(two: tuple[Office, Office]) -> None:
    one, other = two
    case, now = await case_of(one), one.site.kernel.node.now()
    consent = await consents_to(one, case, other)
    page = await to_the_end(one, other, case, consent=[consent], without="", without_why="")
    assert (await send(one, case, page))[0] == 303
    asked = await came(other)
    noor, path = other["noor"].viewer.person_id, f"/referrals/{asked}"
    await other["mila"].post(f"{path}/accept", at=path, people=noor)
    await until("they are inside", lambda: other.sql("SELECT 1 FROM room WHERE state = 'open'"))
    [room] = await one.sql("SELECT room.id FROM room JOIN referral ON referral.room = room.uri")
    assert (await one["noor"].get(f"/cases/{room[0]}"))[0] == 200
    await other.keys_come()
    [there] = await other.sql("SELECT id FROM room")
    assert (await other["noor"].get(f"/cases/{there[0]}"))[0] == 200
    await one.say("noor", case, Withdrawn(at=now, of=consent))
    await until("it has ended there", lambda: other.sql("SELECT 1 FROM consent_mark WHERE state = 'withdrawn'"))
    status, page = await other["noor"].get(f"/cases/{there[0]}")
    assert (status, "The consent for this was withdrawn" in page) == (422, True)
    status, page = await other["mila"].get("/referrals/to-erase")
    assert (status, "Consent withdrawn" in page) == (200, True)
    mark = re.findall(r'name="mark" value="([^"]*)"', page)[0]
    status, _, page = await other["mila"].post("/referrals/to-erase", at="/referrals/to-erase", mark=mark, act="keep")
    assert (status, "Tick that you have written down the ground first" in page) == (422, True)
    assert await other.sql("SELECT count(*) FROM case_record") == [(1,)]
    assert (await other["mila"].post("/referrals/to-erase", at="/referrals/to-erase", mark=mark, act="erase"))[0] == 303
    await other.site.write(forget_gone)
    assert await other.sql("SELECT count(*) FROM case_record") == [(0,)], "nothing of it is counted as late for ever"

    async def confirmed() -> bool:
        uris = [uri for (uri,) in await one.sql("SELECT uri FROM consent_mark")]
        found = await one.site.kernel.database.read(consent_marks.of_entries, uris)
        return [mark.receipt for marks in found.values() for mark in marks] == ["confirmed"]

    await until("it is confirmed", confirmed)
    assert "Erased there, confirmed" in (await one["noor"].get(f"/cases/{case}/consents"))[1]
    assert (await other["noor"].get("/referrals/to-erase"))[0] == 404


async def test_declined_and_taken_back_on_their_pages(two: tuple[Office, Office]) -> None:
    one, other = two
    case = await case_of(one)
    status, where, _ = await send(one, case, await to_the_end(one, other, case))
    path = f"/referrals/{await came(other)}"
    status, _, page = await other["mila"].post(f"{path}/decline", at=path)
    assert (status, "Choose the reason" in page) == (422, True)
    noor = other["noor"].viewer.person_id
    assert (await other["mila"].post(f"{path}/assign", at=path, person=noor))[:2] == (303, path)
    status, where_to, _ = await other["noor"].post(f"{path}/decline", at=path, reason="OutsideArea")
    assert (status, (await other["noor"].get(where_to))[0]) == (303, 200), "nothing of it is theirs to see any more, and no dead end waits"
    status, stale = (await other["noor"].get(path))[:2]
    assert (status, "A colleague may have answered it" in stale) == (404, True), "whoever has its page still open is told why it is gone"
    await until("the sender knows", lambda: one.sql("SELECT 1 FROM referral WHERE state = 'rejected'"))
    assert "Outside the area that we serve" in (await one["noor"].get(where))[1]
    status, where, _ = await send(one, case, await to_the_end(one, other, case))
    assert (await one["noor"].post(f"{where}/take-back", at=where))[:2] == (303, where)
    await until("it is gone there", lambda: other.sql("SELECT 1 FROM referral WHERE state = 'revoked'"))
    assert "Taken back" in (await other["mila"].get("/referrals"))[1]
    assert (await one["daan"].get(where))[0] == 404


async def test_however_many_have_come_each_can_be_found_and_answered(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        bare = dict(room="", invitation="", code="", deadline="2199-01-31", kid="", preview=b"", size=0, changed_at=0, next_at=0, tries=0)
        [partner] = await at.sql("SELECT id FROM actor WHERE uri = :me", me=at.me)
        rows = [
            dict(id=f"r-{n:03}", uri=f"https://a.example/{n}", sent=False, organisation_id=partner[0], state="in_progress", at=n, **bare)
            for n in range(120)
        ]
        await at.site.write(lambda session, _node: put(session, Referral, *rows))
        found, path = list[str](), "/referrals"
        while path:
            status, page = await at["mila"].get(path)
            assert status == 200
            found += re.findall(r'href="/referrals/(r-\d+)"', page)
            older = re.search(r'href="([^"]*)">Older<', page)
            path = older[1].replace("&amp;", "&") if older else ""
        assert sorted(found) == [row["id"] for row in rows]
        assert (await at["mila"].get("/referrals/r-000"))[0] == 200, "who waits longest is not out of reach"
        page = (await at["mila"].get("/"))[1]
        assert "120 referrals wait for our answer." in page
        assert re.search(r'href="/referrals"[^>]*>.*?<span class="n" aria-hidden="true">120</span>', page), "the menu says so too"
        assert not re.search(r'href="/referrals"[^>]*>[^/]*<span class="n"', (await at["noor"].get("/"))[1]), (
            "to who cannot answer, nothing"
        )
        for odd in ("0", "-1", "x", "9" * 30, "٣"):
            assert (await at["mila"].get(f"/referrals?came={odd}"))[0] == 200


async def test_lists_with_nothing_in_them_say_what_comes_here_on_either_database(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as at:
        status, page = await at["mila"].get("/referrals")
        assert (status, "No referral waits for us." in page, "You have sent none." in page) == (200, True, True)
        assert "Keepers see them first" in (await at["noor"].get("/referrals"))[1]
        assert "Nothing is to be erased." in (await at["mila"].get("/referrals/to-erase"))[1]
        plain = await at.join("amal", "member")
        for path in ("/referrals", "/referrals/to-erase", f"/referrals/{new_id()}"):
            assert (await plain.get(path))[0] == 404
        for chore in (chores.mark_late, consents.end_by_day, consents.ask_again, going.go_on):
            await at.site.write(chore)
        node, read = at.site.kernel.node, at.site.kernel.database.read
        assert (await read(consent_marks.of_entries, ["x"]), await read(consent_marks.effects, ["x"])) == ({}, [])
        assert (await read(consents.is_shown, "x"), await read(consents.not_for, "x", "x")) == (True, set())
        assert await read(lateness.consents_end, node, at["noor"].viewer) is None
