"""Shows that what somebody is writing survives: a session that ran out meanwhile, a form too long, a node that can't store it now."""

import html
import io
import re
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.base.clock import HOUR, new_id
from fedcollab.base.errors import StorageFull, TooLarge
from fedcollab.base.session import Session
from fedcollab.features.discussions import progress, service
from tests.web import PASSWORD

from .conftest import House


def age(session: Session) -> None:
    """All sessions were last used 13 hours ago."""
    session.execute(sa.text("UPDATE login_session SET seen_at = seen_at - :hours"), {"hours": 13 * HOUR})


async def test_a_session_that_ran_out_keeps_a_new_conversation_through_signing_in(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    at = f"/groups/{group}/new"
    form = {"title": "A long title", "text": "Many words", "once": new_id(), "act": "send", "token": await house.admin.token(at)}
    await house.site.kernel.database.write(age)
    assert (await house.admin.get("/settings"))[0] == 303, "the session is over"
    status, headers, _ = await house.admin.ask("POST", at, form)
    assert status == 307
    _, _, page = await house.admin.ask("POST", headers["Location"], form)
    assert "Many words" in page
    login = form | {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
    status, headers, _ = await house.admin.ask("POST", "/login", login)
    assert (status, headers["Location"]) == (307, at)
    _, _, page = await house.admin.ask("POST", at, login)
    assert "A long title" in page
    assert ">Many words</textarea>" in page
    assert PASSWORD not in page
    status, location, _ = await house.admin.post(at, at=at, title="A long title", text="Many words", act="send")
    assert (status, location.startswith("/threads/")) == (303, True)


async def test_a_session_that_ran_out_keeps_a_change_of_a_post_through_signing_in(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    at = f"/posts/{posted.post_id}/edit"
    form = {"text": "Said better", "token": await house.admin.token(at)}
    await house.site.kernel.database.write(age)
    status, headers, _ = await house.admin.ask("POST", at, form)
    assert (status, headers["Location"]) == (307, f"/login?next={at}")
    _, _, page = await house.admin.ask("POST", headers["Location"], form)
    assert "Said better" in page
    login = form | {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
    assert (await house.admin.ask("POST", "/login", login))[0] == 307
    _, _, page = await house.admin.ask("POST", at, login)
    assert ">Said better</textarea>" in page
    assert "Said better" not in (await house.admin.get(f"/threads/{posted.thread_id}"))[1], "nothing is stored before its author says so"
    assert (await house.admin.ask("POST", at, login, {"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await house.admin.post(at, at=at, text="Said better"))[0] == 303
    assert "Said better" in (await house.admin.get(f"/threads/{posted.thread_id}"))[1]


async def test_a_draft_outlives_its_session_and_is_for_its_writer_alone(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    at = f"/groups/{group}/new"
    assert (await house.admin.post(at, at=at, title="Half", text="a word", act="keep"))[0] == 200
    await house.site.kernel.database.write(age)
    daan = await house.site.member("daan")
    assert ">a word</textarea>" not in (await daan.get(at))[1]
    form = {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
    assert (await house.admin.ask("POST", "/login", form))[0] == 303
    assert ">a word</textarea>" in (await house.admin.get(at))[1]


async def test_ten_megabytes_in_any_form_are_refused_in_words_and_stored_nowhere(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    size = (house.site.place / "node.db").stat().st_size
    body = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"x" * 10_000_000 + b"\r\n--b--\r\n"
    for path in ("/login", "/settings", "/settings/password", "/groups/new", f"/groups/{group}/new", f"/threads/{posted.thread_id}"):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
            form: Any = io.BytesIO(body)
            status, _, page = await house.admin.ask("POST", path, form, {"Content-Type": kind})
            assert (status, html.escape(TooLarge.text) in page) == (413, True), path
    assert (house.site.place / "node.db").stat().st_size - size < 1_000_000
    assert (await house.admin.get("/groups"))[0] == 200


async def test_what_cannot_be_stored_now_stays_in_the_form_with_the_reason(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)

    def full(*_: object, **__: object) -> None:
        raise StorageFull

    for module, name in ((service, "post_reply"), (service, "post_thread"), (progress, "mark_read")):
        monkeypatch.setattr(module, name, full)
    for at, more in ((f"/threads/{posted.thread_id}", {}), (f"/groups/{group}/new", {"title": "A title"})):
        status, _, page = await house.admin.post(at, at=at, text="Many words", act="send", **more)
        assert (status, ">Many words</textarea>" in page) == (507, True)
        assert "disk is full, so nothing was stored. Your text is safe in the form" in page
    assert (await house.admin.get(f"/threads/{posted.thread_id}"))[0] == 200


async def test_seen_first_a_name_is_a_link_where_somebody_will_be_told_and_the_text_as_typed_where_not(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    daan = await house.site.member("daan")
    text = "Ask @daan and @nobody"
    for at in (f"/groups/{group}/new", f"/preview/{group}"):
        answer = await house.admin.post(at, at=f"/groups/{group}/new", title="Half", text=text, act="preview")
        assert re.search(r'Ask <a href="/people/[0-9a-f-]{36}" [^<>]*>@daan</a> and @nobody</p>', answer[2]), at
    outside = await daan.post("/preview/01a21689-0000-7000-8000-000000000000", at="/settings", text=text)
    assert (outside[0], "@daan</a>" in outside[2]) == (404, False)
