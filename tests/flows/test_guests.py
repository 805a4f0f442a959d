"""Shows a guest's whole way on pages: asked, come, let in once words are compared, at work on one case, ended with all that was theirs."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.web import cookie_name
from fedcollab.features.cases import needs
from fedcollab.features.cases.people import Health, Identity
from fedcollab.features.guests import service
from fedcollab.features.guests.models import Guest
from fedcollab.features.members import service as members
from fedcollab.flows import guests
from fedcollab.sealing import member_boxes, people, working, wraps
from fedcollab.sealing.room_models import RoomPerson
from tests.features.cases.desks import Office, office
from tests.web import PASSWORD, Visitor, forget_asking

ASKED = {"name": "Sara Lind", "works_for": "Police of Xanten", "type": "LawEnforcement"}
SHARE = {
    "what": "What is needed for the complaint",
    "why": "She wants to report it",
    "basis": "VitalInterests",
    "without": "Danger",
    "without_why": "He knows where she sleeps",
    "out_of": "Germany",
    "into": "Germany",
    "parts": "identity",
}
WORDS = re.compile(r'class="say code ltr"[^>]*>([^<]+)<')


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def link_for(at: Office, case: str, **over: str) -> str:
    """What the page shows once of an invitation by Noor."""
    status, _, page = await at["noor"].post(f"/cases/{case}/guests", at=f"/cases/{case}/guests", **{**ASKED, **over})
    assert status == 200
    found = re.search(r"/guests/join/[\w-]+", page)
    assert found
    return found[0]


async def comes(at: Office, link: str, username: str = "sara") -> Visitor:
    visitor = at.site.stranger()
    form = {"act": "accept", "username": username, "password": PASSWORD}
    assert (await visitor.post(link, at=link, **form))[:2] == (303, "/guest")
    at.people[username] = visitor
    return visitor


async def row(at: Office) -> Any:
    found = await at.site.kernel.database.read(lambda session: session.execute(sa.select(Guest)).all())
    return found[-1]


async def let_in(at: Office, case: str, **over: str) -> tuple[int, str, str]:
    """Noor sends the page on which words are compared, as she sees it."""
    place = f"/cases/{case}/guests/{(await row(at)).id}"
    _, page = await at["noor"].get(place)
    kept = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(kid|shown)" value="([^"]*)"', page)}
    return await at["noor"].post(place, at=place, **{**kept, "same": "yes", **SHARE, **over})


async def inside(at: Office) -> tuple[str, Visitor]:
    """A case, and a guest who works it."""
    case = await at.case("noor")
    sara = await comes(at, await link_for(at, case))
    assert (await let_in(at, case))[0] == 303
    return case, sara


async def test_what_a_guest_says_hands_nothing_out(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case, sara = await inside(at)
    handed: list[str] = []
    monkeypatch.setattr(working, "settle", lambda _session, _node, opened, _keys: handed.append(opened.viewer.person_id))
    for who in (sara, at["noor"]):
        assert (await who.post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="She is safe."))[0] == 303
    assert set(handed) == {at["noor"].viewer.person_id}


async def test_a_guest_is_asked_comes_is_let_in_and_works_their_case(at: Office) -> None:
    case = await at.case("noor")
    link, stranger = await link_for(at, case), at.site.stranger()
    _, page = await stranger.get(link)
    for said in ("Sara Lind, Police of Xanten", "Noor", "Meridian Outreach", "by phone", "confidential"):
        assert said in page
    assert "She is safe" not in page
    short = await stranger.post(link, at=link, act="accept", username="Sara", password="short")
    assert (short[0], 'value="sara"' in short[2], "at least 12 characters" in short[2]) == (422, True, True)
    taken = await stranger.post(link, at=link, act="accept", username="noor", password=PASSWORD)
    assert (taken[0], "This name is taken" in taken[2]) == (422, True)
    sara = await comes(at, link)
    assert (await at.site.stranger().get(link))[0] == 410, "a link is good once"
    _, home = await sara.get("/guest")
    assert "You read nothing yet" in home
    assert (await sara.get(f"/cases/{case}"))[0] == 404
    _, page = await at["noor"].get(f"/cases/{case}/guests/{(await row(at)).id}")
    assert WORDS.findall(page) == WORDS.findall(home), "both see the same words"
    status, _, page = await let_in(at, case, same="")
    assert (status, "you have heard them read all the words" in page, "He knows where she sleeps" in page) == (422, True, True)
    assert (await sara.get(f"/cases/{case}"))[0] == 404
    assert (await let_in(at, case))[:2] == (303, f"/cases/{case}/guests")
    assert "Open the case" in (await sara.get("/guest"))[1]
    assert (await sara.post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="We have opened a file."))[0] == 303
    _, page = await at["noor"].get(f"/cases/{case}")
    for said in (
        "We have opened a file.",
        "<bdi>Sara Lind, Police of Xanten</bdi> · Guest of",
        "1 guest reads it too",
        "A guest was let in",
    ):
        assert said in page, said


async def test_what_is_told_before_the_answer_opens_by_the_link_alone_and_goes_with_the_answer(at: Office) -> None:
    case, words = await at.case("noor"), "A lawyer for wages that were not paid, this month"
    link = await link_for(at, case, preview=words)
    assert words in (await at.site.stranger().get(link))[1]
    kept = (await row(at)).preview
    assert kept
    assert b"lawyer" not in kept
    await comes(at, link)
    assert (await row(at)).preview == b""
    no = await link_for(at, case, preview=words)
    await at.site.stranger().post(no, at=no, act="decline")
    assert len(await at.sql("SELECT id FROM guest")) == 1
    assert "What it is about" not in (await at.site.stranger().get(await link_for(at, case)))[1]


async def test_a_guest_changes_nothing_of_a_case_that_is_not_theirs_to_change(at: Office) -> None:
    case, sara = await inside(at)
    before = await at.sql("SELECT count(*) FROM sealed_message")
    status, _, page = await sara.post(f"/cases/{case}/say/decision", at=f"/cases/{case}", what="Close it", why="Done", who="Sara")
    assert (status, "Guests write messages" in page) == (403, True)
    for path in ("access/assign", "access/invite", "access/remove", "guests", "close", "answer"):
        assert (await sara.post(f"/cases/{case}/{path}", at=f"/cases/{case}", person=at["daan"].viewer.person_id))[0] == 404, path
    assert await at.sql("SELECT count(*) FROM sealed_message") == before
    _, page = await sara.get(f"/cases/{case}")
    for link in sorted({link.partition("?")[0] for link in re.findall(r'(?:href|action)="(/[^"#]*)"', page)} - {"/", "/logout"}):
        method = "POST" if "/say/" in link or link.endswith("/search") else "GET"
        assert (await sara.ask(method, link))[0] != 404, link
    for link in set(re.findall(rf'href="(/cases/{case}/entry/[^"]*)"', (await at["noor"].get(f"/cases/{case}"))[1])):
        assert (await at["noor"].get(link))[0] == 200
        assert (await sara.get(link))[0] == 404


@pytest.mark.rule("P2")
async def test_letting_a_guest_in_takes_a_ground_and_gives_the_parts_that_were_chosen_alone(at: Office) -> None:
    case = await at.case("noor")
    person = "bafuko-tezara"
    now = at.site.kernel.node.now()
    await at.say("noor", case, Identity(at=now, person=person, name="Mariam K"))
    await at.say("noor", case, Health(at=now, person=person, needs="An inhaler"))
    sara = await comes(at, await link_for(at, case))
    for lacking in ("what", "why", "basis", "without"):
        status, _, _ = await let_in(at, case, **{lacking: ""})
        assert status == 422, lacking
    assert (await row(at)).let_in_at is None
    assert (await let_in(at, case))[0] == 303
    person_id = (await row(at)).person_id
    assert await at.site.kernel.database.read(needs.known, case, person_id) == {"identity"}
    pages = [(await sara.get(f"/cases/{case}/people/{link}"))[1] for link in await people_of(sara, case)]
    assert "Mariam K" in pages[0]
    assert "An inhaler" not in pages[0]
    shares = [one.entry for one in (await at.desk("noor", case)).case.shares]
    assert [(one.to_name, one.why, one.parts) for one in shares if one] == [("Police of Xanten", "She wants to report it", ("identity",))]


async def people_of(visitor: Visitor, case: str) -> list[str]:
    return re.findall(rf'href="/cases/{case}/people/([^"/]+)"', (await visitor.get(f"/cases/{case}/people"))[1])


@pytest.mark.rule("P5")
async def test_nobody_is_let_in_by_words_or_a_list_other_than_those_that_were_shown(at: Office) -> None:
    case = await at.case("noor")
    await comes(at, await link_for(at, case))
    assert (await let_in(at, case, kid="0" * 64))[0] == 409
    assert (await let_in(at, case, shown="0" * 32))[0] == 409
    assert (await row(at)).let_in_at is None
    assert (await at.sql("SELECT count(*) FROM room_person WHERE room_id = :id", id=case)) == [(1,)]
    before = (await at.desk("noor", case)).access
    assert (await let_in(at, case))[0] == 303
    assert len((await at.desk("noor", case)).access.guests) == 1
    assert before.guests == ()
    await forget_asking(at.site)
    status, to, _ = await at["noor"].post(f"/cases/{case}/guests", at=f"/cases/{case}", **ASKED)
    assert (status, to.partition("?")[0]) == (307, "/again"), "asking a guest in is a grave act"


@pytest.mark.rule("P28")
@pytest.mark.rule("AUTH-02")
async def test_an_ended_guest_is_out_in_that_moment_and_what_they_wrote_stays_under_their_name(at: Office) -> None:
    case, sara = await inside(at)
    await sara.post(f"/cases/{case}/say/message", at=f"/cases/{case}", text="We have opened a file.")
    person_id, epoch = (await row(at)).person_id, await at.sql("SELECT epoch FROM room WHERE id = :id", id=case)
    kids = await at.site.kernel.database.read(lambda session: [key.kid for key in people.listed(session, person_id)])
    assert (await at["noor"].post(f"/cases/{case}/guests/{(await row(at)).id}/end", at=f"/cases/{case}/guests"))[0] == 303
    assert (await sara.ask("GET", f"/cases/{case}"))[1]["Location"].startswith("/login")
    assert (await sara.ask("GET", "/guest"))[1]["Location"].startswith("/login")

    def left(session: Any) -> list[str]:
        with at.site.kernel.node.ring.look() as ring:
            ours = [member_boxes.KEY + kid for kid in member_boxes.kids(session, at.site.kernel.node, case)]
            return [of for of in ours for kid in kids if wraps.wrap(ring, of, kid)] + [one.kid for one in wraps.secrets_of(ring, person_id)]

    assert await at.site.kernel.database.read(left) == []
    assert await at.sql("SELECT epoch FROM room WHERE id = :id", id=case) == [(epoch[0][0] + 1,)]
    _, page = await at["noor"].get(f"/cases/{case}")
    for said in ("We have opened a file.", "Sara Lind, Police of Xanten", "A guest has ended"):
        assert said in page
    assert "guest reads it too" not in page
    said_once = re.findall(r"<b>A guest has ended</b>", (await at["noor"].get(f"/cases/{case}"))[1])
    assert len(said_once) == 1
    await at.say("noor", case, "Without her from here on.")


@pytest.mark.parametrize("how", ["closed", "purged", "day", "account", "taken off"])
async def test_a_guest_ends_with_the_case_on_their_last_day_and_with_their_account(at: Office, how: str) -> None:
    case, sara = await inside(at)
    person_id = (await row(at)).person_id
    await at.site.write(guests.end_due)
    assert (await sara.get(f"/cases/{case}"))[0] == 200, "not before"
    if how == "closed":
        await at.do("noor", working.close, case)
    elif how == "purged":
        await at.do("noor", working.purge, case)
    elif how == "day":
        await at.site.kernel.database.write(lambda session: session.execute(sa.update(Guest).values(until="2020-01-01")) and None)
    elif how == "account":
        await at.do("mila", members.disable, person_id)
    else:
        await at.do("noor", working.unassign, case, person_id)
    await at.site.write(guests.end_due)
    assert (await row(at)).ended_at is not None
    assert (await at.site.kernel.database.read(members.find, person_id)).disabled_at is not None
    assert (await sara.ask("GET", "/guest"))[1]["Location"].startswith("/login")
    on_it = sa.select(RoomPerson.person_id).where(RoomPerson.room_id == case, RoomPerson.until.is_(None))
    assert person_id not in await at.site.kernel.database.read(lambda session: session.scalars(on_it).all())


async def test_a_no_and_an_invitation_taken_back_leave_nothing_of_who_was_asked(at: Office) -> None:
    case = await at.case("noor")
    link, stranger = await link_for(at, case), at.site.stranger()
    status, _, page = await stranger.post(link, at=link, act="decline")
    assert (status, "You do not come" in page) == (200, True)
    other = await link_for(at, case)
    assert (await at["noor"].post(f"/cases/{case}/guests/{(await row(at)).id}/end", at=f"/cases/{case}/guests"))[0] == 303
    for gone in (link, other):
        assert (await stranger.get(gone))[0] == 410
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]
    acts = await at.sql("SELECT action FROM room_entry WHERE room_id = :id AND action LIKE 'guest.%' ORDER BY seq", id=case)
    assert [act for (act,) in acts] == ["guest.invite", "guest.decline", "guest.invite", "guest.end"]


async def test_what_is_wrong_with_an_invitation_stands_beside_its_field_with_all_that_was_typed(at: Office) -> None:
    case = await at.case("noor")
    for field, value in (("name", " "), ("works_for", ""), ("type", ""), ("type", "Circus"), ("until", "2001-01-01")):
        form = {**ASKED, field: value}
        status, _, page = await at["noor"].post(f"/cases/{case}/guests", at=f"/cases/{case}/guests", **form)
        assert (status, f'id="{field}-err"' in page) == (422, True), field
        assert all(f'value="{form[name]}"' in page for name in ("name", "works_for") if name != field)
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]


@pytest.mark.rule("AUTH-09")
@pytest.mark.parametrize(("field", "typed"), [("until", "soon"), ("until", "2099-02-31"), ("until", "9" * 400), ("preview", "long " * 200)])
async def test_a_day_that_is_none_and_a_text_that_would_be_cut_are_refused_and_stay(at: Office, field: str, typed: str) -> None:
    case = await at.case("noor")
    path = f"/cases/{case}/guests"
    status, _, page = await at["noor"].post(path, at=path, **(ASKED | {field: typed}))
    assert (status, f'id="{field}-err"' in page, typed.strip() in page) == (422, True, True)
    assert not await at.sql("SELECT 1 FROM guest")


async def test_colleagues_and_admins_who_are_not_on_the_case_neither_see_nor_ask_nor_end_its_guests(at: Office) -> None:
    case, sara = await inside(at)
    guest = (await row(at)).id
    for name in ("daan", "mila"):
        assert (await at[name].get(f"/cases/{case}/guests"))[0] == 404
        for path in ("guests", f"guests/{guest}", f"guests/{guest}/end"):
            assert (await at[name].post(f"/cases/{case}/{path}", at="/settings", **ASKED))[0] == 404, (name, path)
    assert case not in (await at["mila"].get("/admin/members"))[1]
    other = await at.case("daan")
    assert (await at["daan"].post(f"/cases/{other}/guests/{guest}/end", at=f"/cases/{other}/guests"))[0] == 404
    assert (await sara.get(f"/cases/{case}"))[0] == 200


async def test_a_second_factor_is_owed_before_anything_else_on_a_node_in_earnest(tmp_path: Path) -> None:
    async with office(tmp_path, trial=False, base_url="https://node.example.org") as at:
        settings = at.site.kernel.node.settings
        case = await at.case("noor")

        _, token = await at.do("noor", service.invite, case, service.Asked(**ASKED))
        sara = at.site.stranger()
        link = f"/guests/join/{token}"
        form = {"act": "accept", "username": "sara", "password": PASSWORD, "token": await sara.token(link)}
        status, headers, _ = await sara.ask("POST", link, form)
        assert (status, headers["Location"]) == (303, "/guest")
        assert cookie_name(settings, "session") in sara.cookies
        assert (await sara.ask("GET", "/guest"))[1]["Location"] == "/settings/factor"
        stands = await at.site.kernel.database.read(guests.ready, at.site.kernel.node, (await listed(at, case))[0])
        assert stands.lacks == guests.NO_FACTOR


async def listed(at: Office, case: str) -> list[Any]:
    found: list[Any] = await at.site.kernel.database.read(service.of_case, case)
    return found
