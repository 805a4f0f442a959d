"""Shows a sealed group on its pages: begun, written in, changed, searched, taken back; for those in it alone, and without a word of it in
titles, addresses and tables."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AMBER, RED
from fedcollab.access.viewer import INSIDE
from fedcollab.base.clock import DAY, new_id
from fedcollab.features.members import factor, sessions
from fedcollab.features.rooms import opening, reading, units
from fedcollab.features.rooms.entries import Edited, Thread
from fedcollab.sealing import leaving, unlocked
from tests.features.cases.desks import Office, office

NAME, QUESTION = "Coalition on the river", "Has anybody seen this advert?"
POST = re.compile(r'<article class="post[^"]*" id="p-([0-9a-f-]+)">')


@pytest.fixture
async def at(tmp_path: Path, either_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": either_url} if either_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        await made.join("omar", "member")
        yield made


async def begun(at: Office, label: str = AMBER, by: str = "noor") -> str:
    """A group of Noor's; its address."""
    status, to, _ = await at[by].post("/sealed/new", at="/sealed/new", name=NAME, about="Adverts", label=label)
    assert status == 303
    return to.removesuffix("/people")


async def asked(at: Office, group: str, text: str = "The same picture, another name.", by: str = "noor") -> str:
    """A conversation in it; its address."""
    status, to, _ = await at[by].post(f"{group}/start", at=f"{group}/start", title=QUESTION, text=text)
    assert status == 303
    return to


async def let_in(at: Office, group: str, name: str, by: str = "noor") -> None:
    person = at[name].viewer.person_id
    assert (await at[by].post(f"{group}/people", at=f"{group}/people", act="assign", person=person))[0] == 303


async def count(at: Office, action: str) -> int:
    return int((await at.sql("SELECT count(*) FROM audit_entry WHERE action = :action", action=action))[0][0])


async def test_a_group_is_begun_and_written_in(at: Office) -> None:
    group = await begun(at)
    thread = await asked(at, group)
    _, page = await at["noor"].get(group)
    assert NAME in page
    assert f'<p class="crumb"><a href="{group}">' in (await at["noor"].get(thread))[1], "one step back"
    assert "When we stay away" not in (await at["noor"].get(f"{group}/people"))[1], "of nobody else: a heading with nothing under it"
    assert QUESTION in page
    assert "1 person of our organisation can read this, and nobody else." in page
    status, to, _ = await at["noor"].post(thread, at=thread, text="Yes, *twice*.")
    assert status == 303
    _, headers, _ = await at["noor"].ask("GET", to)
    assert headers["Location"].startswith(f"{thread}#p-")
    _, page = await at["noor"].get(thread)
    assert "Yes, <em>twice</em>." in page
    assert len(POST.findall(page)) == 2
    assert NAME in (await at["noor"].get("/sealed"))[1]


async def test_an_answer_leads_back_also_where_the_beginning_was_taken_back_before_anybody_here_read_it(at: Office) -> None:
    group = await begun(at)
    thread = await asked(at, group)
    _, to, _ = await at["noor"].post(thread, at=thread, text="Yes, twice.")
    first = thread.rpartition("/")[2]
    gone = ("DELETE FROM group_entry WHERE message_id = :id", "UPDATE sealed_message SET state = 'erased' WHERE id = :id")
    for what in gone:  # as a node finds it that was not at work meanwhile
        await at.site.write(lambda session, _node, what=what: session.execute(sa.text(what), {"id": first}) and None)
    status, headers, _ = await at["noor"].ask("GET", to)
    assert status == 303
    status, page = await at["noor"].get(headers["Location"].partition("#")[0])
    assert (status, "Yes, twice." in page) == (200, True)


async def test_another_language_is_chosen_on_a_groups_page_without_leaving_it(at: Office) -> None:
    group = await begun(at)
    assert f'href="/language/fr?next={group}"' in (await at["noor"].get(group))[1]


@pytest.mark.rule("P5")
async def test_membership_of_the_organisation_alone_opens_no_group_and_whoever_is_let_in_reads_all(at: Office) -> None:
    group = await begun(at)
    thread = await asked(at, group)
    for name in ("omar", "daan", "mila", "ruth"):  # a member, a caseworker, an admin, keepers
        for path in (group, thread, f"{group}/people", f"{group}/resources", f"{group}/start"):
            assert (await at[name].get(path))[0] == 404
        assert (await at[name].post(f"{group}/start", title="T", text="x"))[0] == 404
    await let_in(at, group, "omar")
    status, page = await at["omar"].get(thread)
    assert (status, "The same picture, another name." in page) == (200, True)
    assert "2 people of our organisation can read this" in page
    assert (await at["omar"].post(thread, at=thread, text="I have."))[0] == 303


async def test_whoever_is_taken_out_is_told_so_and_reads_nothing_more(at: Office) -> None:
    group = await begun(at)
    await let_in(at, group, "omar")
    assert (await at["omar"].get(group))[0] == 200
    omar = at["omar"].viewer.person_id
    status, to, _ = await at["noor"].post(f"{group}/people", at=f"{group}/people", act="unassign", person=omar)
    assert (status, to) == (303, f"{group}/people")
    assert (await at["omar"].get(group))[0] == 410
    assert (await at["omar"].post(f"{group}/start", title="T", text="x"))[0] == 410
    status, to, _ = await at["noor"].post(f"{group}/people", at=f"{group}/people", act="unassign", person=at["noor"].viewer.person_id)
    assert status == 422, "somebody has to stay"


@pytest.mark.rule("P4")
async def test_nothing_of_a_group_stands_in_titles_addresses_and_caches(at: Office) -> None:
    group = await begun(at)
    thread = await asked(at, group)
    for path in ("/sealed", "/sealed/new", group, thread, f"{group}/people", f"{group}/resources", f"{group}/about", f"{group}/start"):
        status, headers, page = await at["noor"].ask("GET", path)
        assert (status, headers["Cache-Control"]) == (200, "no-store")
        assert re.findall(r"<title>(.*?)</title>", page)[0].startswith("Sealed group")
        assert NAME not in page.split("<main")[0]
        assert QUESTION not in page.split("<main")[0]
        assert 'class="btn leave"' in page
    assert re.fullmatch(r"/sealed/[0-9a-f-]{36}", group)
    assert re.fullmatch(r"/sealed/[0-9a-f-]{36}/threads/[0-9a-f-]{36}", thread)


async def test_a_locked_browser_is_led_to_its_password_and_a_form_loses_nothing(at: Office) -> None:
    group, noor = await begun(at), at["noor"]
    token = await noor.token(f"{group}/start")

    def lock(_session: Any, node: Any) -> None:
        with node.ring.begin() as ring:
            unlocked.lock(ring, next(iter(noor.cookies.values())))

    await at.site.write(lock)
    status, headers, _ = await noor.ask("GET", group)
    assert (status, headers["Location"]) == (303, f"/unlock?next={group}")
    form = {"token": token, "title": QUESTION, "text": "Many words"}
    status, headers, _ = await noor.ask("POST", f"{group}/start", form)
    assert (status, headers["Location"]) == (307, f"/unlock?next={group}/start")
    _, _, page = await noor.ask("POST", headers["Location"], form)
    assert "Many words" in page


async def test_what_is_wrong_with_a_form_is_said_beside_its_field_and_what_was_typed_stays(at: Office) -> None:
    group = await begun(at)
    status, _, page = await at["noor"].post(f"{group}/start", at=f"{group}/start", title=" ", text="Many words")
    assert (status, "Give it a title." in page, "Many words" in page) == (422, True, True)
    status, _, page = await at["noor"].post("/sealed/new", at="/sealed/new", name="", about="Many words", label=AMBER)
    assert (status, "Give the group a name." in page, "Many words" in page) == (422, True, True)
    status, _, page = await at["noor"].post(f"{group}/resources", at=f"{group}/resources", title="A guide", link="guide.example")
    assert (status, "Write the whole address" in page, "guide.example" in page) == (422, True, True)
    assert (await at["noor"].post(f"{group}/resources", at=f"{group}/resources", title="A guide", link="https://guide.example/"))[0] == 303
    assert f'href="{group}/resources#p-' in (await at["noor"].get(group))[1]
    assert 'href="https://guide.example/" rel="noopener noreferrer nofollow ugc"' in (await at["noor"].get(f"{group}/resources"))[1]


async def test_a_preview_is_stored_nowhere(at: Office) -> None:
    group = await begun(at)
    before = await at.sql("SELECT (SELECT count(*) FROM sealed_message), (SELECT count(*) FROM draft)")
    status, _, page = await at["noor"].post(f"{group}/start", at=f"{group}/start", title=QUESTION, text="Is it *so*?", act="preview")
    assert (status, "Is it <em>so</em>?" in page, "Is it *so*?" in page) == (200, True, True)
    assert await at.sql("SELECT (SELECT count(*) FROM sealed_message), (SELECT count(*) FROM draft)") == before


async def test_a_form_sent_twice_says_it_once(at: Office) -> None:
    group, once = await begun(at), new_id()
    form = {"title": QUESTION, "text": "Once", "once": once}
    first = await at["noor"].post(f"{group}/start", at=f"{group}/start", **form)
    assert (await at["noor"].post(f"{group}/start", at=f"{group}/start", **form))[:2] == first[:2]
    assert (await at["noor"].get(group))[1].count(QUESTION) == 1


async def test_an_own_post_is_changed_with_its_history_and_nobody_changes_anothers(at: Office) -> None:
    group = await begun(at)
    await let_in(at, group, "omar")
    thread = await asked(at, group)
    post = f"{group}/posts/{thread.rpartition('/')[2]}"
    assert (await at["noor"].post(f"{post}/edit", at=f"{post}/edit", title="Another title", text="Another text"))[0] == 303
    _, page = await at["noor"].get(thread)
    assert ("Another title" in page, "Another text" in page, QUESTION in page) == (True, True, False)
    assert "The same picture, another name." in (await at["omar"].get(f"{post}/history"))[1]
    assert (await at["omar"].get(f"{post}/edit"))[0] == 404
    assert (await at["omar"].post(f"{post}/edit", title="x", text="Forged"))[0] == 404
    assert "Another text" in (await at["omar"].get(thread))[1]


async def test_an_own_post_goes_with_its_history_and_a_moderator_says_why(at: Office) -> None:
    group = await begun(at)
    await let_in(at, group, "omar")
    thread = await asked(at, group)
    _, to, _ = await at["omar"].post(thread, at=thread, text="She is called Vera.")
    post = to.partition("#")[0]
    assert (await at["noor"].get(f"{post}/remove"))[0] == 404, "no moderator"
    await let_in(at, group, "mila")
    assert (await at["mila"].post(f"{post}/remove", at=f"{post}/remove", why=" "))[0] == 422
    assert (await at["mila"].post(f"{post}/remove", at=f"{post}/remove", why="It names somebody."))[0] == 303
    _, page = await at["noor"].get(thread)
    assert ("Vera" in page, "It names somebody." in page) == (False, True)
    assert (await at["mila"].get(f"{post}/remove"))[0] == 404, "once"
    assert (await at.sql("SELECT count(*) FROM sealed_message WHERE state = 'erased'"))[0][0] == 1
    opener = f"{group}/posts/{thread.rpartition('/')[2]}"
    await at["noor"].post(f"{opener}/edit", at=f"{opener}/edit", title="T", text="Later")
    assert (await at["noor"].post(f"{opener}/remove", at=f"{opener}/remove"))[0] == 303
    _, page = await at["omar"].get(thread)
    assert "Removed by its author." in page
    assert "A conversation whose beginning was removed" in page
    assert (await at.sql("SELECT count(*) FROM sealed_message WHERE state = 'erased'"))[0][0] == 3


async def test_words_are_found_inside_and_what_is_searched_for_is_stored_nowhere(at: Office) -> None:
    group = await begun(at)
    await asked(at, group, "The same picture of a harbour.")
    status, _, page = await at["noor"].post(f"{group}/search", at=group, q="HARBOUR picture")
    assert (status, "The same picture of a harbour." in page) == (200, True)
    _, _, page = await at["noor"].post(f"{group}/search", at=group, q="harbour nowhere")
    assert "Nothing in this group says all of these words." in page
    assert (await at["omar"].post(f"{group}/search", q="harbour"))[0] == 404


@pytest.mark.rule("XSS-03", "XSS-05", "XSS-09")
async def test_what_others_write_runs_nowhere(at: Office) -> None:
    group = await begun(at)
    script, image = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    for bad in (script, image, "[x](javascript:alert(1))", "<svg/onload=alert(1)>", "{{ 77777*77777 }}"):
        thread = (await at["noor"].post(f"{group}/start", at=f"{group}/start", title=bad, text=bad))[1]
        await at["noor"].post(f"{group}/resources", at=f"{group}/resources", title=bad, about=bad)
        await at["noor"].post(f"{group}/about", at=f"{group}/about", name=bad, about=bad)
        for path in (group, thread, f"{group}/resources", f"{group}/people", "/sealed"):
            _, page = await at["noor"].get(path)
            main = page.split("<main")[1]
            assert not re.search(r"<script|<img|<svg[^>]*onload|href=\"javascript", main), (bad, path)
            assert str(77777 * 77777) not in main


@dataclass
class Clock:
    at: Any
    ahead: int = 0

    def __call__(self) -> int:
        return int(self.at()) + self.ahead


@pytest.mark.rule("P9")
async def test_opening_is_on_record_once_a_day_and_for_named_people_every_look(at: Office) -> None:
    clock = Clock(at.site.kernel.node.clock)
    object.__setattr__(at.site.kernel.node, "clock", clock)
    group = await begun(at)
    assert await count(at, "sealed.open") == 1
    for _ in range(3):
        await at["noor"].get(group)
    assert await count(at, "sealed.open") == 1
    clock.ahead = DAY
    await at.unlocked("noor", units.at_once, group.rpartition("/")[2], units.opens)
    assert await count(at, "sealed.open") == 2
    clock.ahead = 0
    red = await begun(at, RED)
    seen = await count(at, "sealed.read")
    for _ in range(3):
        await at["noor"].get(red)
    assert await count(at, "sealed.read") == seen + 3
    room = red.rpartition("/")[2]
    rows = await at.sql("SELECT count(*) FROM room_entry WHERE room_id = :id AND action = 'sealed.read'", id=room)
    assert rows[0][0] == seen + 3


async def test_the_home_says_how_much_is_new_in_how_many_groups_and_no_name(at: Office) -> None:
    group = await begun(at)
    await let_in(at, group, "omar")
    _, page = await at["omar"].get("/")
    assert "Something new in a sealed group: 1 message." in page
    await at["omar"].get(group)
    assert "Something new" not in (await at["omar"].get("/"))[1]
    await asked(at, group)
    _, page = await at["omar"].get("/")
    assert "Something new in a sealed group: 1 message." in page
    assert (NAME in page, QUESTION in page) == (False, False)
    assert "Something new" not in (await at["noor"].get("/"))[1], "one's own is not new"
    assert "1 new" in (await at["omar"].get("/sealed"))[1]
    assert '<li class="row new">' in (await at["omar"].get(group))[1]
    assert '<li class="row new">' not in (await at["omar"].get(group))[1]


async def test_who_may_begin_groups_and_what_a_member_may_not(at: Office) -> None:
    assert (await at["omar"].get("/sealed/new"))[0] == 404
    assert (await at["omar"].post("/sealed/new", name=NAME, label=AMBER))[0] == 404
    group = await begun(at)
    await let_in(at, group, "omar")
    people, omar = f"{group}/people", at["omar"]
    for form in ({"act": "turn"}, {"act": "close"}, {"act": "invite", "who": "https://x.example/actor"}):
        status, _, _ = await omar.post(people, at="/settings", **form)
        assert status == 403, form
    assert (await omar.post(people, at="/settings", act="unassign", person=at["noor"].viewer.person_id))[0] == 403
    assert (await at["noor"].post(people, at=people, act="turn"))[0] == 303
    assert (await at["noor"].post(people, at=people, act="nonsense"))[0] == 400
    assert (await at["noor"].post("/sealed/new", at="/sealed/new", name=NAME, label="TLP:CLEAR"))[0] == 400


async def test_a_keeper_lets_somebody_into_a_group_that_nobody_is_in_any_more(at: Office) -> None:
    group = await begun(at)
    room = group.rpartition("/")[2]
    await at.site.write(leaving.end, None, at["noor"].viewer.person_id)
    assert "Nobody of us is in these" in (await at["ruth"].get("/sealed"))[1]
    assert "Nobody of us is in these" not in (await at["omar"].get("/sealed"))[1]
    assert (await at["ruth"].post(f"{group}/people", at="/sealed", act="assign", person=at["ruth"].viewer.person_id))[0] == 303
    assert (await at["ruth"].get(f"/sealed/{room}"))[0] == 200


@pytest.mark.rule("P14")
async def test_no_word_of_a_group_stands_in_any_table(at: Office) -> None:
    word = "kingfisher"
    status, to, _ = await at["noor"].post("/sealed/new", at="/sealed/new", name=f"{word} one", about=f"{word} two", label=AMBER)
    group = to.removesuffix("/people")
    thread = await asked(at, group, f"{word} three")
    await at["noor"].post(thread, at=thread, text=f"{word} four")
    await at["noor"].post(f"{group}/resources", at=f"{group}/resources", title=f"{word} five", about=word)
    await at["noor"].post(f"{group}/search", at=group, q=word)
    await at["noor"].post(f"{group}/start", at=f"{group}/start", title=word, text=word, act="preview")
    assert status == 303
    assert word in (await at["noor"].get(thread))[1]
    at.site.kernel.database.close()
    files = [path for path in at.site.place.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if word.encode() in path.read_bytes()] == []


async def test_a_group_of_many_posts_opens_the_posts_of_a_page_and_no_others(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await begun(at)
    room = group.rpartition("/")[2]
    thread = await asked(at, group)
    await at["noor"].post(thread, at=thread, text="An answer.")
    row = thread.rpartition("/")[2]
    for number in range(12):
        here = await at.unlocked("noor", units.at_once, room, units.opens)
        await at.site.write(opening.add, here, Thread(at=1, title=f"Question {number}", text="?"))
    found: list[int] = []
    real = reading.places.items

    def counted(session: Any, opened: Any, rows: Any) -> Any:
        found.append(len(rows))
        return real(session, opened, rows)

    monkeypatch.setattr(reading.places, "items", counted)
    page = await at.unlocked("noor", units.at_once, room, reading.conversation, row, 1)
    assert [one.text for one in page.posts] == ["The same picture, another name.", "An answer."]
    assert sum(found) <= 5, "two posts and what names the group"


async def test_an_edit_of_a_post_in_another_conversation_changes_nothing(at: Office) -> None:
    group = await begun(at)
    room, first, second = group.rpartition("/")[2], await asked(at, group), await asked(at, group, "Elsewhere")
    page = await at.unlocked("noor", units.at_once, room, reading.conversation, first.rpartition("/")[2], 1)
    other = await at.unlocked("noor", units.at_once, room, reading.conversation, second.rpartition("/")[2], 1)
    await at.site.write(opening.add, page.here, Edited(at=9, of=page.place, thread=other.place, text="Moved"))
    assert "Moved" not in (await at["noor"].get(first))[1]
    await at.site.write(opening.add, page.here, Edited(at=9, of=page.place, thread=page.place, text="Changed"))
    assert "Changed" in (await at["noor"].get(first))[1]


async def test_whoever_is_in_a_group_has_to_have_a_second_factor_and_others_have_not(at: Office) -> None:
    group = await begun(at)
    assert (await at["omar"].get("/settings"))[0] == 200
    await let_in(at, group, "omar")
    seen = await at.site.kernel.database.read(sessions.signed_in, at.site.kernel.node, next(iter(at["omar"].cookies.values())))
    assert seen is not None
    assert INSIDE in seen.viewer.roles
    assert factor.COMPELLED & seen.viewer.roles == {INSIDE}
    other = await at.site.member("petra", "member")
    seen = await at.site.kernel.database.read(sessions.signed_in, at.site.kernel.node, next(iter(other.cookies.values())))
    assert seen is not None
    assert not factor.COMPELLED & seen.viewer.roles
