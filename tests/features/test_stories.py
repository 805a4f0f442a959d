"""Stories: written by one, checked by another, taken back by the person."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.base.errors import Forbidden, NotFound, Refused
from fedcollab.features.resources import notes
from fedcollab.features.resources.stories import code, ending, telling
from fedcollab.features.resources.stories.shelf import Draft
from fedcollab.features.resources.stories.telling import Agreed
from fedcollab.features.resources.stories.words import CHECKS
from tests.web import Visitor, site

from .conftest import House

GREEN, STRICT, CLEAR = "TLP:GREEN", "TLP:AMBER+STRICT", "TLP:CLEAR"
BOTH = (("Learning", "OurLibrary"), ("Learning", "PartnerLibraries"))
DRAFT = Draft("Two years in a house", "She said: **they kept my papers.** I was not alone in it.", "en", ("KH",), ("DomesticServitude",))


def agreed(house: House, *pairs: tuple[str, str], days: int = 0) -> Agreed:
    return Agreed("Retold", "Person", "Written", house.site.kernel.node.now() - days * DAY, pairs or BOTH)


async def written(house: House, by: Visitor, *pairs: tuple[str, str]) -> tuple[str, str]:
    made: tuple[str, str] = await house.site.write(telling.write, by.viewer, DRAFT, agreed(house, *pairs))
    return made


async def resource(house: House, story_id: str) -> dict[str, Any]:
    def read(session: Any) -> dict[str, Any]:
        query = "SELECT r.* FROM resource r JOIN story s ON s.resource_id = r.id WHERE s.id = :id"
        return dict(session.execute(sa.text(query), {"id": story_id}).mappings().one())

    found: dict[str, Any] = await house.site.kernel.database.read(read)
    return found


async def test_nobody_checks_what_they_have_written(house: House) -> None:
    writer = await house.site.member("amal")
    story_id, _ = await written(house, writer)
    with pytest.raises(Forbidden, match="four eyes"):
        await house.site.write(telling.check, writer.viewer, story_id, set(CHECKS), GREEN)
    with pytest.raises(Refused, match="Tick each point"):
        await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS) - {"names"}, GREEN)
    made = await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    assert (await resource(house, story_id))["id"] == made


@pytest.mark.parametrize(("label", "good"), [(CLEAR, False), (GREEN, True), (STRICT, True)])
async def test_a_story_is_no_wider_than_the_person_has_agreed_to(house: House, label: str, good: bool) -> None:
    story_id, _ = await written(house, await house.site.member("amal"))
    if good:
        await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), label)
        assert (await resource(house, story_id))["label"] == label
    else:
        with pytest.raises(Refused, match="so many readers"):
            await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), label)


async def test_a_code_takes_some_uses_back_and_then_all(house: House) -> None:
    story_id, secret = await written(house, await house.site.member("amal"))
    await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    hashed = code.read(secret)
    standing = await house.site.write(ending.take_back, hashed, [("Learning", "OurLibrary")])
    assert [(use.use, use.channel) for use in standing.uses] == [("Learning", "OurLibrary")]
    assert (await resource(house, story_id))["label"] == STRICT
    standing = await house.site.write(ending.take_back, hashed, [])
    assert (standing.ended, standing.uses) == ("TakenBack", ())
    row = await resource(house, story_id)
    assert (row["html"], row["summary"], row["title"], row["uses"]) == ("", "", "", None)
    again = await house.site.write(ending.take_back, hashed, [("Learning", "Press")])
    assert again == standing
    with pytest.raises(NotFound):
        await house.site.write(ending.take_back, code.read(code.make()), [])


@pytest.mark.rule("P3", "P8")
async def test_what_was_said_of_a_story_is_for_no_more_people_than_the_story(house: House) -> None:
    from fedcollab.features.resources import notes

    story_id, secret = await written(house, await house.site.member("amal"))
    made = await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    await house.site.write(notes.add, house.admin.viewer, made, country="KH", text="Read it aloud.")
    await house.site.write(ending.take_back, code.read(secret), [("Learning", "OurLibrary")])

    def read(session: Any) -> list[tuple[str, bool]]:
        query = "SELECT n.label, n.audience_id = r.audience_id FROM country_note n JOIN resource r ON r.id = n.resource_id"
        return [(label, bool(same)) for label, same in session.execute(sa.text(query))]

    assert await house.site.kernel.database.read(read) == [(STRICT, True)]


async def test_changed_words_wait_for_another_check_while_the_old_ones_stand(house: House) -> None:
    writer = await house.site.member("amal")
    story_id, _ = await written(house, writer)
    await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    await house.site.write(telling.change, house.admin.viewer, story_id, Draft("Two years", "Other words.", "en"))
    assert (await resource(house, story_id))["summary"] == DRAFT.text
    with pytest.raises(Forbidden, match="four eyes"):
        await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    await house.site.write(telling.check, writer.viewer, story_id, set(CHECKS), GREEN)
    row = await resource(house, story_id)
    assert (row["summary"], row["title"]) == ("Other words.", "Two years")


@pytest.mark.rule("P10")
async def test_consent_runs_out_by_itself(house: House) -> None:
    story_id, _ = await house.site.write(telling.write, house.admin.viewer, DRAFT, agreed(house, days=364))
    checker = await house.site.member("amal", "moderator")
    await house.site.write(telling.check, checker.viewer, story_id, set(CHECKS), GREEN)
    await house.site.write(ending.let_run_out)
    assert (await resource(house, story_id))["title"]
    node = house.site.kernel.node
    clock = node.clock
    object.__setattr__(node, "clock", lambda: clock() + 2 * DAY)
    await house.site.write(ending.let_run_out)
    assert not (await resource(house, story_id))["title"]
    story = await house.site.kernel.database.read(telling.one, checker.viewer, story_id)
    assert (story.ended, story.uses) == ("RanOut", ())


async def test_what_was_said_of_a_story_is_for_as_few_as_the_story_is(house: House) -> None:
    story_id, secret = await written(house, await house.site.member("amal"))
    made = await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    await house.site.write(notes.add, house.admin.viewer, made, country="KH", text="Read it with the group.")
    await house.site.write(ending.take_back, code.read(secret), [("Learning", "OurLibrary")])
    same = "SELECT n.label, n.audience_id = r.audience_id FROM country_note n JOIN resource r ON r.id = n.resource_id"
    said = await house.site.kernel.database.read(lambda session: [tuple(row) for row in session.execute(sa.text(same))])
    assert said == [(STRICT, True)]


@pytest.mark.rule("P11")
async def test_what_somebody_agrees_to_no_more_when_asked_again_does_not_return_with_an_older_backup(house: House) -> None:
    story_id, _ = await written(house, await house.site.member("amal"))
    start = house.site.kernel.node.now()
    await house.site.write(telling.ask_again, house.admin.viewer, story_id, agreed(house, *BOTH))
    assert await house.site.kernel.database.read(ending.lessened_since, start) == [], "nothing became less"
    await house.site.write(telling.ask_again, house.admin.viewer, story_id, agreed(house, BOTH[0], ("Research", "OurLibrary")))
    listed = await house.site.kernel.database.read(ending.lessened_since, start)
    assert listed == [f"{story_id} =Learning/OurLibrary,Research/OurLibrary"]


@pytest.mark.rule("P11")
async def test_what_was_taken_back_does_not_return_with_an_older_backup(house: House) -> None:
    story_id, secret = await written(house, await house.site.member("amal"))
    other_id, other = await written(house, await house.site.member("lea"))
    start = house.site.kernel.node.now()
    for one in (story_id, other_id):
        await house.site.write(telling.check, house.admin.viewer, one, set(CHECKS), GREEN)
    await house.site.write(ending.take_back, code.read(secret), [])
    await house.site.write(ending.take_back, code.read(other), [("Learning", "OurLibrary")])
    listed = await house.site.kernel.database.read(lambda session: ending.lessened_since(session, start))
    assert listed == [f"{story_id} TakenBack", f"{other_id} =Learning/OurLibrary"]
    await house.site.write(telling.ask_again, house.admin.viewer, other_id, agreed(house, *BOTH))  # as the older backup has it
    await house.site.write(lambda session, node: [ending.lessen_again(session, node, name) for name in listed[1:]])
    assert len((await house.site.kernel.database.read(telling.one, house.admin.viewer, other_id)).uses) == 1
    for name in listed:
        with pytest.raises(Refused):
            await house.site.write(lambda session, node, name=name: ending.lessen_again(session, node, name))


@pytest.mark.rule("P11")
async def test_a_code_that_was_lost_opens_nothing_again_with_an_older_backup(house: House) -> None:
    story_id, lost = await written(house, await house.site.member("amal"))
    start = house.site.kernel.node.now()
    fresh = await house.site.write(telling.new_code, house.admin.viewer, story_id)
    [said] = await house.site.kernel.database.read(lambda session: ending.lessened_since(session, start))
    assert (fresh in said, code.read(fresh) in said) == (False, True)
    old = sa.text("UPDATE story SET code_hash = :old")
    await house.site.write(lambda session, node: session.execute(old, {"old": code.read(lost)}).close())  # as the older backup has it
    await house.site.write(lambda session, node: ending.lessen_again(session, node, said))
    with pytest.raises(NotFound):
        await house.site.kernel.database.read(ending.look, house.site.kernel.node, code.read(lost))
    assert (await house.site.kernel.database.read(ending.look, house.site.kernel.node, code.read(fresh))).story_id == story_id
    with pytest.raises(Refused):
        await house.site.write(lambda session, node: ending.lessen_again(session, node, said))


async def test_a_story_goes_by_its_own_page_alone(house: House) -> None:
    from fedcollab.features.resources import service
    from fedcollab.features.resources.record import Record

    story_id, _ = await written(house, await house.site.member("amal"))
    made = await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), STRICT)
    revision = (await resource(house, story_id))["revision"]
    record = Record(title="Her real name", kind="Guide", language="en")
    with pytest.raises(Refused, match="its own page"):
        await house.site.write(service.edit, house.admin.viewer, made, record, revision=revision)
    with pytest.raises(Refused, match="its own page"):
        await house.site.write(service.relabel, house.admin.viewer, made, GREEN, reason="why not")
    for act, more in (
        (service.new_version, {"link": "https://names.example/"}),
        (service.withdraw, {"reason": "no"}),
        (service.delete, {}),
    ):
        with pytest.raises(Refused, match="its own page"):
            await house.site.write(act, house.admin.viewer, made, **more)
    assert (await resource(house, story_id))["revision"] == revision
    with pytest.raises(Refused, match="page of its own"):
        await house.site.write(service.add, house.admin.viewer, Record(title="A story", kind="Story", language="en"), label=GREEN)
    assert (await house.site.write(service.add, house.admin.viewer, record, label=GREEN)).id


async def test_a_story_from_the_form_to_the_code_without_script(house: House) -> None:
    writer = await house.site.member("amal")
    today = datetime.now(UTC).date().isoformat()
    form = {"title": "Two years", "text": "They called Sokha Prak on +855 12 345 678.", "told": "Retold", "by": "Person", "how": "Written"}
    status, _, body = await writer.post("/stories/new", **form, on=today, use="Learning/PartnerLibraries", language="en")
    assert status == 200
    secret = re.search(r"((?:\d{3} ){8}\d{3})", body)
    story = re.search(r"/stories/([0-9a-f-]{36})", body)
    assert secret is not None
    assert story is not None
    status, page = await house.admin.get(f"/stories/{story[1]}")
    assert (status, page.count("<mark>")) == (200, 2)
    status, location, body = await house.admin.post(f"/stories/{story[1]}/check", check="names", label=GREEN)
    assert (status, location) == (422, "")
    assert "Tick each point" in body
    await house.site.write(telling.check, house.admin.viewer, story[1], set(CHECKS), GREEN)
    person = house.site.stranger()
    status, _, body = await person.post("/take-back", at="/take-back", code=secret[1])
    assert status == 200
    assert "In the libraries of our partner organisations" in body
    assert "Two years" not in body
    status, _, body = await person.post("/take-back", at="/take-back", code=secret[1], act="take", which="all")
    assert (status, "It is taken back" in body) == (200, True)
    assert (await person.get("/stories"))[0] in (302, 303)


async def test_each_story_of_the_list_has_what_its_own_person_agreed_to_and_what_waits_comes_first(house: House) -> None:
    writer = await house.site.member("amal")
    first, _ = await written(house, writer)
    await house.site.write(telling.check, house.admin.viewer, first, set(CHECKS), GREEN)
    second, _ = await written(house, writer, ("Research", "OurLibrary"))
    listed = await house.site.kernel.database.read(telling.listed, house.admin.viewer)
    said = [(story.id, [(use.use, use.channel) for use in story.uses]) for story in listed]
    assert said == [(second, [("Research", "OurLibrary")]), (first, list(BOTH))]


async def test_who_guesses_codes_holds_up_nobody_who_writes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = await written(house, await house.site.member("amal"))
    person, database = house.site.stranger(), house.site.kernel.database
    write, units = database.write, list[Any]()

    async def counted(work: Any, *args: Any, **more: Any) -> Any:
        units.append(work)
        return await write(work, *args, **more)

    monkeypatch.setattr(database, "write", counted)
    sent = dict(at="/take-back", act="take", which="all")
    assert (await person.post("/take-back", code=code.make(), **sent))[0] == 404
    assert ending.take_back not in units
    assert (await person.post("/take-back", code=secret, **sent))[0] == 200
    assert ending.take_back in units


async def test_a_form_that_is_refused_keeps_what_was_typed(house: House) -> None:
    status, _, body = await house.admin.post("/stories/new", title="Two years", text="Her words", told="Retold", by="Person", how="Written")
    assert status == 422
    assert "Her words" in body
    assert "within the last year" in body


async def test_a_form_that_comes_twice_keeps_one_story(house: House) -> None:
    writer, other = await house.site.member("amal"), await house.site.member("karim")
    found = re.search(r'name="once" value="([^"]+)"', (await writer.get("/stories/new"))[1])
    assert found
    today = datetime.now(UTC).date().isoformat()
    form = {"once": found[1], "title": "Two", "text": "Her words", "told": "Retold", "by": "Person", "how": "Written", "language": "en"}
    assert (await writer.post("/stories/new", **form, on=today, use="Learning/OurLibrary"))[0] == 200
    assert (await writer.post("/stories/new", **form, on=today, use="Learning/OurLibrary"))[:2] == (303, f"/stories/{found[1]}")
    listed = await house.site.kernel.database.read(telling.listed, writer.viewer)
    assert [story.id for story in listed] == [found[1]]
    # Another person's form is no repetition, whatever it says.
    assert (await other.post("/stories/new", **form, on=today, use="Learning/OurLibrary"))[0] == 200
    assert len(await house.site.kernel.database.read(telling.listed, writer.viewer)) == 2


async def test_what_is_wrong_with_a_story_stands_beside_its_field(house: House) -> None:
    form = {"title": "Two years", "text": "Her words", "told": "Retold", "by": "Person", "how": "Written", "language": "en"}
    _, _, body = await house.admin.post("/stories/new", **form)
    assert ('id="on-err"' in body, 'id="text-err"' in body) == (True, False)
    _, _, body = await house.admin.post("/stories/new", **form, on=datetime.now(UTC).date().isoformat())
    assert 'id="use-err"' in body
    assert '<a href="#use">' in body
    _, _, body = await house.admin.post("/stories/new", **form | {"text": " "})
    assert 'id="text-err"' in body


async def test_leave_now_leads_where_the_admin_says(tmp_path: Path) -> None:
    async with site(tmp_path, leave_to="https://www.weather.example/") as here:
        status, body = await here.stranger().get("/take-back")
        assert (status, 'href="https://www.weather.example/" rel="noreferrer"' in body) == (200, True)


async def test_a_story_is_asked_for_its_language_and_countries_in_words_as_a_resource_is(house: House) -> None:
    today = datetime.now(UTC).date().isoformat()
    form = {"title": "Two years", "text": "Her words", "told": "Retold", "by": "Person", "how": "Written", "on": today}
    form |= {"use": "Learning/OurLibrary", "language": "Khmer", "countries": "Cambodia, th، Viet Nam"}
    status, _, body = await house.admin.post("/stories/new", **form)
    assert (status, 'id="countries-err"' in body, 'value="Cambodia, th، Viet Nam"' in body) == (422, True, True)
    status, _, body = await house.admin.post("/stories/new", **form | {"countries": "", "language": "Nonesuch"})
    assert (status, 'id="language-err"' in body, 'value="Nonesuch"' in body) == (422, True, True)
    assert await house.site.kernel.database.read(telling.listed, house.admin.viewer) == []
    status, _, _ = await house.admin.post("/stories/new", **form | {"countries": "Cambodia, th، Vietnam"})
    story = (await house.site.kernel.database.read(telling.listed, house.admin.viewer))[0]
    assert story.draft is not None
    assert (status, story.draft.language, story.draft.countries) == (200, "km", ("KH", "TH", "VN"))
    _, body = await house.admin.get(f"/stories/{story.id}/edit")
    assert ('value="Khmer"' in body, 'value="Cambodia, Thailand, Vietnam"' in body) == (True, True)


async def test_a_story_that_waits_to_be_checked_stands_in_the_library_for_who_wrote_it_alone(house: House) -> None:
    writer = await house.site.member("amal")
    story_id, _ = await written(house, writer)
    link = f'href="/stories/{story_id}"'
    _, body = await writer.get("/library")
    assert (link in body, "Waits to be checked by somebody else" in body) == (True, True)
    for other in (house.admin, house.site.stranger()):
        assert link not in (await other.get("/library"))[1]
    await house.site.write(telling.check, house.admin.viewer, story_id, set(CHECKS), GREEN)
    _, body = await writer.get("/library")
    assert (link in body, DRAFT.title in body) == (False, True)
