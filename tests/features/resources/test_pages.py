"""Shows the library's pages: adding, changing at the same time, versions, withdrawing, notes, lists, and who may do what."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from fedcollab.access.models import CLEAR, GREEN
from fedcollab.features.resources import lists, service
from fedcollab.features.resources.record import Record
from tests.files.holder import PDF
from tests.web import Site, Visitor, site

GUIDE = Record(title="How to read a contract", kind="Guide", summary="Eleven *questions*.", source="https://guides.example/contract")
RECORD = {"title": "A guide", "kind": "Guide", "label": "TLP:GREEN"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


async def add(here: Site, by: Visitor, record: Record = GUIDE, label: str = "TLP:GREEN") -> str:
    return str((await here.write(service.add, by.viewer, record, label=label)).id)


async def test_a_resource_is_added_with_words_for_countries_and_languages_and_stands_on_the_shelf(here: Site) -> None:
    ilse = await here.member("ilse")
    form = RECORD | {"language": "Khmer", "countries": "Kambodscha, Cambodia", "authors": "Sokha Prak\nMateo Ruiz", "year": "2026"}
    status, _, text = await ilse.post("/library/new", **form)
    assert (status, "Write countries by name" in text, 'value="A guide"' in text) == (422, True, True)
    status, at, _ = await ilse.post("/library/new", **(form | {"countries": "Cambodia, TH"}))
    assert status == 303
    _, text = await ilse.get(at)
    for word in ("Sokha Prak, Mateo Ruiz", "Khmer", "Cambodia, Thailand", "1 person at 1 organisation", "2026"):
        assert word in text, word
    _, shelf = await ilse.get("/library")
    assert f'href="{at}"' in shelf
    assert at not in (await here.stranger().get("/library"))[1]


async def test_search_calls_kinds_and_topics_by_their_names_in_the_readers_language(here: Site) -> None:
    ilse = await here.member("ilse")
    await add(here, ilse, Record(title="Seasonal contracts", kind="Policy", topics=("LabourRecruitment",)))
    for language, named in (("en", ("Policy or procedure", "Labour recruitment")), ("fr", ("Politique ou procédure", "Recrutement de"))):
        await ilse.ask("GET", f"/language/{language}")
        _, text = await ilse.get("/search?q=seasonal")
        for name in named:
            assert name in text, name
        assert "LabourRecruitment</bdi>" not in text


async def test_what_was_typed_comes_back_from_the_login_page_and_nothing_is_stored_before(here: Site) -> None:
    ilse, stranger = await here.member("ilse"), here.stranger()
    token = await stranger.token()
    status, headers, _ = await stranger.ask("POST", "/library/new", RECORD | {"token": token, "title": "Typed while signed out"})
    assert (status, headers["Location"]) == (307, "/login?next=/library/new")
    status, _, text = await ilse.ask("POST", "/library/new", RECORD | {"title": "Typed while signed out", "next": "/library/new"})
    assert (status, 'value="Typed while signed out"' in text) == (200, True)
    assert "Typed while signed out" not in (await ilse.get("/library"))[1]


async def test_two_people_who_edit_one_record_see_both_texts_and_lose_neither(here: Site) -> None:
    ilse, mara = await here.member("ilse"), await here.member("mara")
    at = f"/library/{await add(here, ilse)}/edit"
    began = (await ilse.get(at))[1].split('name="revision" value="')[1].split('"')[0]
    form = RECORD | {"source": GUIDE.source, "summary": GUIDE.summary, "revision": began}
    assert (await mara.post(at, **(form | {"title": "Mara's title"})))[0] == 303
    status, _, text = await ilse.post(at, **(form | {"title": "Ilse's title"}))
    assert status == 409
    assert 'value="Ilse&#39;s title"' in text
    assert "Stands there now:" in text
    assert "Mara&#39;s title</p>" in text
    fresh = text.split('name="revision" value="')[1].split('"')[0]
    assert (await ilse.post(at, **(form | {"title": "Both", "revision": fresh})))[0] == 303
    assert "<h1" in (await ilse.get(at.removesuffix("/edit")))[1]


async def test_a_draft_is_kept_for_its_person_alone_and_gone_once_it_is_sent(here: Site) -> None:
    ilse, mara = await here.member("ilse"), await here.member("mara")
    status, _, text = await ilse.post("/library/keep", **(RECORD | {"title": "Half a"}))
    assert (status, "Kept" in text) == (200, True)
    assert 'value="Half a"' in (await ilse.get("/library/new"))[1]
    assert 'value="Half a"' not in (await mara.get("/library/new"))[1]
    assert (await ilse.post("/library/new", **(RECORD | {"title": "Half a guide"})))[0] == 303
    assert 'value="Half a' not in (await ilse.get("/library/new"))[1]


async def test_withdrawing_needs_a_reason_and_the_right_person_and_shows_on_the_page_and_the_shelf(here: Site) -> None:
    ilse, mara = await here.member("ilse"), await here.member("mara")
    at = f"/library/{await add(here, ilse)}"
    assert (await mara.post(f"{at}/withdraw", reason="Not good."))[0] == 403
    assert (await ilse.post(f"{at}/withdraw", reason=" "))[0] == 422
    assert (await ilse.post(f"{at}/withdraw", reason="The law has changed."))[0] == 303
    for page in (at, "/library"):
        _, text = await mara.get(page)
        assert "Withdrawn" in text
        assert "The law has changed." in text
    assert (await mara.post(f"{at}/version", link="https://guides.example/2", note="New law.", number="2"))[0] == 303
    assert "The law has changed." not in (await mara.get("/library"))[1]
    assert "Version 1" in (await mara.get(at))[1]


async def test_deleted_a_resource_is_gone_for_everybody(here: Site) -> None:
    ilse, mara, boss = await here.member("ilse"), await here.member("mara"), await here.member("boss", "moderator")
    at = f"/library/{await add(here, ilse)}"
    assert (await mara.post(f"{at}/delete"))[0] == 403
    assert (await boss.post(f"{at}/delete"))[1] == "/library"
    assert (await ilse.get(at))[0] == 404
    assert at not in (await ilse.get("/library"))[1]


async def test_only_its_author_or_a_moderator_widens_with_a_reason_that_members_read_later(here: Site) -> None:
    ilse, mara, boss = await here.member("ilse"), await here.member("mara"), await here.member("boss", "moderator")
    at = f"/library/{await add(here, ilse)}"
    assert (await mara.post(f"{at}/audience", label="TLP:CLEAR", reason="Good."))[0] == 403
    for who, offered in ((mara, False), (ilse, True), (boss, True)):
        text = (await who.get(f"{at}/audience"))[1]
        assert ('name="reason"' in text, 'value="TLP:CLEAR"' in text) == (offered, offered)
    assert (await boss.post(f"{at}/audience", label="TLP:CLEAR"))[0] == 422
    assert (await boss.post(f"{at}/audience", label="TLP:CLEAR", reason="Its authors ask for it."))[0] == 303
    assert "Its authors ask for it." in (await ilse.get(at))[1]
    status, text = await here.stranger().get(at)
    assert (status, "Its authors ask for it." in text) == (200, False)
    assert (await ilse.post(f"{at}/audience", label="TLP:AMBER+STRICT"))[0] == 303
    assert (await here.stranger().get(at))[0] == 404


async def test_translations_lead_to_each_other_and_can_be_parted(here: Site) -> None:
    ilse = await here.member("ilse")
    one = f"/library/{await add(here, ilse, Record(title='English', kind='Card', language='en'))}"
    other = f"/library/{await add(here, ilse, Record(title='Français', kind='Card', language='fr'))}"
    assert (await ilse.post(f"{one}/translations", address="https://elsewhere.example/library/x"))[0] == 422
    assert (await ilse.post(f"{one}/translations", address=other))[0] == 303
    assert f'href="{other}"' in (await ilse.get(one))[1]
    assert f'href="{one}"' in (await ilse.get(other))[1]
    assert (await ilse.post(f"{other}/translations/end", other=one.rsplit("/", 1)[1]))[0] == 303
    assert f'href="{other}"' not in (await ilse.get(one))[1]


async def test_a_note_on_a_country_is_written_changed_and_deleted_by_its_writer(here: Site) -> None:
    ilse, mara = await here.member("ilse"), await here.member("mara")
    at = f"/library/{await add(here, ilse)}"
    status, _, text = await mara.post(f"{at}/note", country="Nowhere", text="Ask for it in writing.")
    assert (status, "as a code of two letters" in text, "Ask for it in writing." in text) == (422, True, True)
    assert (await mara.post(f"{at}/note", country="France", text="Ask for it in *writing*."))[0] == 303
    _, text = await ilse.get(at)
    assert "<b>France</b>" in text
    assert "<em>writing</em>" in text
    assert "/library/notes/" not in text
    text = (await mara.get(at))[1]
    note = text.split("/library/notes/")[1].split("/")[0]
    assert text.rindex("<details>", 0, text.index(f"/library/notes/{note}/delete")) > text.index(f"/library/notes/{note}/edit")
    assert (await ilse.post(f"/library/notes/{note}/edit", country="FR", text="Mine now."))[0] == 403
    assert (await mara.post(f"/library/notes/{note}/edit", country="FR", text="Better."))[0] == 303
    assert (await mara.post(f"/library/notes/{note}/delete"))[0] == 303
    assert "Better." not in (await ilse.get(at))[1]


async def test_a_reading_list_shows_what_its_reader_may_see_and_no_more(here: Site) -> None:
    ilse = await here.member("ilse")
    public, ours = await add(here, ilse, label="TLP:CLEAR"), await add(here, ilse, Record(title="For us", kind="Form"), "TLP:AMBER+STRICT")
    _, at, _ = await ilse.post("/library/lists/new", title="First week", summary="To begin with", label="TLP:CLEAR")
    for one in (public, ours):
        assert (await ilse.post(f"/library/{one}/list", list=at.rsplit("/", 1)[1]))[0] == 303
    _, text = await ilse.get(at)
    assert "For us" in text
    status, text = await here.stranger().get(at)
    assert (status, GUIDE.title in text, "For us" in text, ours in text) == (200, True, False, False)
    assert (await ilse.post(f"{at}/take", resource=ours))[0] == 303
    assert "For us" not in (await ilse.get(at))[1]
    assert (await ilse.post(f"{at}/delete"))[0] == 303
    assert (await ilse.get(at))[0] == 404


async def test_a_list_begun_on_a_resources_page_has_it_and_no_list_says_that_partners_see_it(here: Site) -> None:
    ilse, mara = await here.member("ilse"), await here.member("mara")
    guide = await add(here, ilse, label="TLP:GREEN")
    _, text = await ilse.get(f"/library/{guide}")
    assert f"/library/lists/new?resource={guide}" in text
    _, text = await ilse.get(f"/library/lists/new?resource={guide}")
    assert (f'name="resource" value="{guide}"' in text, "TLP:GREEN" in text) == (True, False)
    form = {"title": "First week", "summary": "", "resource": guide}
    assert (await ilse.post("/library/lists/new", **form, label="TLP:GREEN"))[0] == 400
    _, at, _ = await ilse.post("/library/lists/new", **form, label="TLP:AMBER+STRICT")
    assert GUIDE.title in (await ilse.get(at))[1]
    assert f"/library/lists/new?resource={guide}" in (await mara.get(f"/library/{guide}"))[1]  # also where there is a list already
    lists_before = (await ilse.get("/library/lists"))[1].count("First week")
    assert (await ilse.post("/library/lists/new", **form | {"resource": "no such resource"}, label="TLP:CLEAR"))[0] == 404
    assert (await ilse.get("/library/lists"))[1].count("First week") == lists_before


async def test_a_list_that_was_made_for_partners_once_says_that_our_own_people_alone_see_it(here: Site) -> None:
    ilse = await here.member("ilse")
    made = await here.write(lists.add, ilse.viewer, title="First week", summary="", label=GREEN)
    _, text = await ilse.get(f"/library/lists/{made}")
    assert ("Never leaves our node." in text, "can see this" in text) == (True, False)
    assert ("TLP:AMBER+STRICT" in text, "TLP:GREEN" in text) == (True, False)
    assert "TLP:GREEN" not in (await ilse.get("/library/lists"))[1]
    public = await here.write(lists.add, ilse.viewer, title="For all", summary="", label=CLEAR)
    assert "Anyone may read this and pass it on." in (await here.stranger().get(f"/library/lists/{public}"))[1]
    assert (await here.stranger().get(f"/library/lists/{made}"))[0] == 404


async def test_what_is_due_for_review_is_listed_for_its_adder_and_counted_for_moderators(here: Site) -> None:
    ilse, mara, boss = await here.member("ilse"), await here.member("mara"), await here.member("boss", "moderator")
    await add(here, ilse, Record(title="Old", kind="Law", review_on="2020-01-01"))
    await add(here, ilse, Record(title="Fresh", kind="Law", review_on="2999-01-01"))
    for member, sees in ((ilse, True), (mara, False), (boss, True)):
        _, text = await member.get("/review")
        assert (">Old<" in text, ">Fresh<" in text) == (sees, False)
    assert "1 to look at" in (await boss.get("/review"))[1]
    assert "1 resource is due for review." in (await ilse.get("/library"))[1]


async def test_the_shelf_is_searched_and_filtered_and_paged(here: Site) -> None:
    ilse = await here.member("ilse")
    for number in range(32):
        await add(here, ilse, Record(title=f"Guide {number:02}", kind="Guide" if number else "Card", topics=("Outreach",), language="en"))
    _, first = await ilse.get("/library")
    assert ("Guide 31" in first, "Guide 01" in first) == (True, False)
    older = first.split('class="pager"')[1].split('href="')[1].split('"')[0]
    assert "Guide 01" in (await ilse.get(older))[1]
    _, found = await ilse.get("/library?q=guide&type=Card")
    assert ("Guide 00" in found, "Guide 01" in found) == (True, False)
    _, offered = await ilse.get("/library?by=all")
    assert "Outreach" in offered
    assert (await ilse.get("/library?q=nothing&type=%3Cscript%3E"))[0] == 200


async def test_of_another_members_file_not_even_the_name_is_told(here: Site) -> None:
    ilse, mara = await here.member("ilse"), await here.member("mara")
    token = await ilse.token("/settings")
    form = aiohttp.FormData({"token": token})
    form.add_field("file", PDF, filename="whose-plan.pdf", content_type="application/pdf")
    sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in ilse.cookies.items())}
    async with aiohttp.request("POST", here.url + "/files?next=/library/new", data=form, headers=sent, allow_redirects=False) as answer:
        at = answer.headers["Location"]
    assert "whose-plan.pdf" in (await ilse.get(at))[1]
    assert "whose-plan" not in (await mara.get(at))[1]
    file_id = at.partition("file=")[2]
    assert (await mara.post("/library/new", **(RECORD | {"file": file_id})))[0] == 404
    status, made, _ = await ilse.post("/library/new", **(RECORD | {"file": file_id}))
    assert status == 303
    assert "whose-plan.pdf" in (await mara.get(made))[1]
    assert (await mara.get(f"/files/{file_id}"))[0] == 200
    assert (await here.stranger().get(f"/files/{file_id}"))[0] in (401, 404, 303)
    status, _, _ = await ilse.post(f"{made}/version", file=file_id, number="2")
    assert status == 303


async def test_taking_a_resource_out_of_a_list_stands_in_its_own_row_and_for_members_alone(here: Site) -> None:
    ilse = await here.member("ilse")
    guide = await add(here, ilse, label="TLP:CLEAR")
    made = await here.write(lists.add, ilse.viewer, title="First week", summary="", label=CLEAR, resource_id=guide)
    rows = {}
    for visitor in (ilse, here.stranger()):
        _, text = await visitor.get(f"/library/lists/{made}")
        rows[visitor.viewer.signed_in] = next(row for row in text.split("<li") if GUIDE.title in row).partition("</li>")[0]
    assert ("Take it out" in rows[True], "Take it out" in rows[False]) == (True, False)
