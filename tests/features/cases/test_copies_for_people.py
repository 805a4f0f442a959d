"""A person's copy of what a case keeps of them: what is about them alone, looked at first, put on record; nothing of others."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fedcollab.features.cases import subject
from fedcollab.features.cases.people import Identity, Suspicion
from fedcollab.features.cases.work import Contact, Message, Step
from fedcollab.sealing import working

from .at_desk import Desk, desk_with_people
from .browser import Filled
from .desks import office
from .entries import P, S
from .writing import opened, send, write


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with office(tmp_path) as at:
        made = await desk_with_people(at)
        say = at.say
        await say("noor", made.id, Identity(at=made.now, person=P, name="Amina CANARY-OWN"))
        await say("noor", made.id, Identity(at=made.now, person=S, name="Rolf CANARY-OTHER"))
        await say("noor", made.id, Step(at=made.now, person=P, support="Legal", what="A lawyer CANARY-STEP", by="CANARY-WORKER"))
        contact = dict(at=made.now, how="Phone", on="2026-11-20", reached="Reached")
        await say("noor", made.id, Contact(**contact, who="the clinic", people=(P,), outcome="CANARY-ALONE"))  # type: ignore[arg-type]
        await say("noor", made.id, Contact(**contact, who="both", people=(P, S), outcome="CANARY-BOTH"))  # type: ignore[arg-type]
        await say("noor", made.id, Message(at=made.now, text="CANARY-TEXT"))
        graded = dict(reliability="2", content="C", handling="C")
        about = dict(person=P, code=S, ground="AuthorisedByLaw", law="Code, 4", fact="CANARY-FACT", source="A note", **graded)
        await say("noor", made.id, Suspicion(at=made.now, **about))  # type: ignore[arg-type]
        yield made


OWN, OTHERS = (
    ("CANARY-OWN", "CANARY-STEP", "CANARY-ALONE"),
    ("CANARY-OTHER", "CANARY-BOTH", "CANARY-TEXT", "CANARY-WORKER", "CANARY-FACT", "Noor"),
)


async def test_the_copy_holds_what_is_about_the_person_alone_and_nothing_of_others(desk: Desk) -> None:
    path = desk.person() + "/copy"
    page = await desk.page(path)
    assert "It is about other people as well." in page
    status, headers, copy = await desk.noor.ask("POST", path, await sent(desk, path))
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="copy.html"'
    assert headers["Cache-Control"] == "no-store"
    assert [one for one in OWN if one not in copy] == []
    assert [one for one in OTHERS if one in copy] == []
    assert "Your rights" in copy
    assert "Support" in copy, "the purpose"
    assert await desk.office.sql("SELECT count(*) FROM audit_entry WHERE action = 'case.copy'") == [(1,)]


async def sent(desk: Desk, path: str, **over: str) -> list[tuple[str, str]]:
    form = await opened(desk.noor, path)
    return [(name, value) for name, values in form.items() for value in values if name not in over] + list(over.items())


async def test_a_copy_for_programs_says_the_same(desk: Desk) -> None:
    path = desk.person() + "/copy"
    _, _, body = await desk.noor.ask("POST", path, await sent(desk, path, form="json"))
    said = json.loads(body)
    assert said["about"] == P
    assert {one["kind"] for one in said["entries"]} >= {"identity", "step", "contact"}
    assert said["left_out"] == {subject.OTHERS: 1, subject.WORDS: 1, subject.SUSPECT: 1}
    assert [one for one in OTHERS if one in body] == []


async def test_what_is_unticked_is_left_out_with_a_reason_that_stays_here(desk: Desk) -> None:
    path = desk.person() + "/copy"
    form = await opened(desk.noor, path)
    kept = form["give"][:-1]
    status, _, page = await send(desk.noor, path, form, give=kept)
    assert status == 422
    assert "Write why." in page
    status, _, copy = await send(desk.noor, path, form, give=kept, why="CANARY-WHY")
    assert status == 200
    assert "left it out" in copy
    assert "CANARY-WHY" not in copy
    noted = (await desk.last("decision")).entry
    assert (noted.why, P in noted.what) == ("CANARY-WHY", True)


async def test_what_was_unticked_stays_so_when_the_form_comes_back(desk: Desk) -> None:
    path = desk.person() + "/copy"
    form = await opened(desk.noor, path)
    for kept in ([], form["give"][:1]):
        _, _, page = await send(desk.noor, path, form, give=kept, form="json")
        again = Filled(page.split('<form method="post">', 1)[1].split("</form>", 1)[0]).sent
        assert (again.get("give", []), again["form"]) == (kept, ["json"])


async def test_of_a_case_that_is_closed_to_writing_a_copy_is_made_all_the_same(desk: Desk) -> None:
    path = desk.person() + "/copy"
    form = await opened(desk.noor, path)
    await desk.office.do("noor", working.close, desk.id)
    assert "write down why where you keep such decisions" in await desk.page(path)
    status, _, copy = await send(desk.noor, path, form, give=form["give"][:1])
    assert (status, "left it out" in copy) == (200, True)


async def test_a_person_who_is_not_in_the_case_has_no_copy(desk: Desk) -> None:
    status, _ = await desk.noor.get(f"{desk.path}/people/{'0' * 24}/copy")
    assert status == 404
    assert (await write(desk.noor, desk.person() + "/copy"))[0] == 200
