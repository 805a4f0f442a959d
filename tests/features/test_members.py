"""Shows accounts as their owners and admins meet them: roles, notices, profiles, the settings form that loses nothing."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.markup import as_html, as_text
from fedcollab.features.members import service as members
from fedcollab.features.members import sessions
from tests.web import PASSWORD, Visitor

from .conftest import House


async def roles_of(house: House, person_id: str) -> list[str]:
    found = await house.site.kernel.database.read(members.find, person_id)
    return list(found.roles)


async def save(who: Visitor, **fields: str) -> int:
    status, _, _ = await who.post("/settings", **({"name": "Daan", "summary": "", "language": "", "time_zone": ""} | fields))
    return status


async def test_roles_change_from_the_next_page_on(house: House) -> None:
    daan = await house.site.member("daan")
    assert (await daan.get("/admin/members"))[0] == 404
    at = f"/admin/members/{daan.viewer.person_id}/roles"
    assert (await house.admin.post(at, at="/admin/members", role="admin"))[0] == 303
    assert (await daan.get("/admin/members"))[0] == 200
    assert await roles_of(house, daan.viewer.person_id) == ["admin"]


async def test_nobody_is_left_without_a_role_and_the_node_not_without_an_admin(house: House) -> None:
    daan = await house.site.member("daan")
    me, theirs = house.admin.viewer.person_id, daan.viewer.person_id
    status, _, page = await house.admin.post(f"/admin/members/{theirs}/roles", at="/admin/members")
    assert (status, "Choose at least one" in page) == (422, True)
    for path in (f"/admin/members/{me}/roles", f"/admin/members/{me}/disable"):
        status, _, page = await house.admin.post(path, at="/admin/members", role="member")
        assert (status, "This is the last admin" in page) == (422, True)
    assert await roles_of(house, me) == ["admin", "member"]
    assert await roles_of(house, theirs) == ["member"]


async def test_a_member_cannot_change_roles(house: House) -> None:
    daan = await house.site.member("daan")
    status, _, _ = await daan.post(f"/admin/members/{daan.viewer.person_id}/roles", role="admin")
    assert status == 404
    assert await roles_of(house, daan.viewer.person_id) == ["member"]


async def test_each_one_time_link_is_told_until_it_was_read(house: House) -> None:
    made = [await house.site.member(name) for name in ("daan", "noor")]
    for one in made:
        await house.admin.post(f"/admin/members/{one.viewer.person_id}/link", at="/admin/members")
    page = (await house.admin.get("/"))[1]
    note = page[page.index('class="note bad"') : page.index("I have read this")]
    assert re.findall(r"<li><bdi>(\w+)", note) == ["Daan", "Noor"]
    assert '<input type="hidden" name="next" value="/groups?x=1">' in (await house.admin.get("/groups?x=1"))[1]
    assert (await house.admin.post("/settings/notices", at="/", next="/groups?x=1"))[:2] == (303, "/groups?x=1")
    assert 'class="note bad"' not in (await house.admin.get("/"))[1]


async def test_a_saved_settings_form_says_so_once(house: House) -> None:
    status, to, _ = await house.admin.post("/settings", name="Ilse V.", summary="", language="", time_zone="")
    assert status == 303
    assert ">Saved.</p>" in (await house.admin.get(to))[1]
    assert ">Saved.</p>" not in (await house.admin.get("/settings"))[1]


async def test_the_settings_form_gives_back_what_it_was_given(house: House) -> None:
    daan = await house.site.member("daan")
    about = "Outreach, <nights>.\n\nPhone & street"
    assert await save(daan, summary=about, language="fr", time_zone="Africa/Nairobi") == 303
    page = (await daan.get("/settings"))[1]
    assert "Outreach, &lt;nights&gt;.\n\nPhone &amp; street</textarea>" in page
    assert '<option translate="no" selected>Africa/Nairobi' in page
    assert '<html lang="fr"' in page
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert text
    assert await save(daan, summary=about) == 303
    shown = (await house.admin.get(f"/people/{daan.viewer.person_id}"))[1]
    assert "<p>Outreach, &lt;nights&gt;.</p><p>Phone &amp; street</p>" in shown


@pytest.mark.parametrize("fields", [{"name": " "}, {"time_zone": "Mars/Olympus"}, {"language": "tlh"}])
async def test_a_refused_settings_form_keeps_what_was_typed(house: House, fields: dict[str, str]) -> None:
    daan = await house.site.member("daan")
    status, _, page = await daan.post("/settings", **({"name": "Daan K.", "summary": "Mine", "language": "", "time_zone": ""} | fields))
    assert (status, ">Mine</textarea>" in page) == (422, True)
    assert "Mine" not in (await daan.get("/settings"))[1]


async def test_a_language_is_chosen_on_any_page_and_leads_back_to_one_that_opens(house: House) -> None:
    page = (await house.admin.get("/groups?x=1"))[1]
    assert "/language/fr?next=/groups%3Fx%3D1" in page
    _, _, page = await house.admin.post("/admin/members/invite", at="/admin/members", role="member")
    assert "/join/" in page
    back = re.search(r'href="(/language/fr\?next=[^"]+)"', page)
    assert back, "the page that shows an invitation answers a form alone"
    _, headers, _ = await house.admin.ask("GET", back.group(1))
    assert headers["Location"] == "/admin/members"
    assert (await house.admin.get(headers["Location"]))[0] == 200


async def test_who_is_signed_out_is_led_to_the_login_page_and_back_where_nothing_is_found(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    at = f"/threads/{(await house.site.thread(house.admin, group)).thread_id}"
    status, page = await house.site.stranger().get(at)
    assert status == 404
    assert page.count(f'href="/login?next={at}"') == 2, "above and in the middle"
    login = {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
    status, headers, _ = await house.admin.ask("POST", "/login", login)
    assert (status, headers["Location"]) == (303, at)
    assert "/login" not in (await house.admin.get("/threads/none"))[1]


async def test_choosing_a_language_in_the_browser_changes_no_account(house: House) -> None:
    daan = await house.site.member("daan")
    assert await save(daan, language="es") == 303
    assert '<html lang="es"' in (await daan.get("/"))[1]
    await daan.ask("GET", "/language/ar")
    assert '<html lang="ar" dir="rtl"' in (await daan.get("/"))[1]
    found: Any = await house.site.kernel.database.read(members.find, daan.viewer.person_id)
    assert found.language == "es"


async def test_a_persons_page_is_for_members_and_says_nothing_to_strangers(house: House) -> None:
    person_id = house.admin.viewer.person_id
    daan = await house.site.member("daan")
    assert (await daan.get(f"/people/{person_id}"))[0] == 200
    stranger = house.site.stranger()
    for row_id in (person_id, "0190c2b0-0000-7000-8000-000000000000"):
        status, headers, _ = await stranger.ask("GET", f"/people/{row_id}")
        assert (status, headers["Location"]) == (303, f"/login?next=/people/{row_id}")
    assert (await daan.get("/people/0190c2b0-0000-7000-8000-000000000000"))[0] == 404


async def test_a_password_changed_while_it_is_compared_opens_nothing(house: House) -> None:
    daan = await house.site.member("daan")
    person_id, hashed = await house.site.kernel.database.read(sessions.credentials, "daan")
    assert await house.site.write(sessions.sign_in, person_id, hashed, "test")
    await house.site.write(members.set_password, person_id, "another hash")
    assert await house.site.write(sessions.sign_in, person_id, hashed, "test") == ""
    await house.site.write(members.disable, None, person_id)
    assert await house.site.write(sessions.sign_in, person_id, "", "test") == ""
    assert (await daan.get("/settings"))[0] == 303


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\n"), max_size=80))
def test_plain_text_comes_back_as_it_was_written(text: str) -> None:
    made = as_html(text)
    assert as_html(as_text(made)) == made
    assert " ".join(as_text(made).split()) == " ".join(text.split())
