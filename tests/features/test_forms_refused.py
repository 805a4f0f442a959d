"""Shows what the site does with forms and names that no page of ours makes: refused in words, never an error, nobody shut out."""

import re
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.base.web import cookie_name
from tests.timing import spending
from tests.web import PASSWORD

from .conftest import House

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe=1", FORM),
        (b"username=a", FORM + "; charset=idna"),
        (b"username=+2AA-", FORM + "; charset=utf-7"),
        (b"username=a", FORM + "; charset=nonsense"),
        (b"&".join(b"f%d=" % n for n in range(60_000)), FORM),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\nContent-Type: text/plain; charset=idna\r\n\r\na\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"--x", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"username=%ED%A0%80&password=%00&token=%ED%A0%80", FORM),
    ],
)
async def test_a_form_that_no_browser_makes_of_our_pages_is_refused_at_once(house: House, body: Any, kind: str) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    for visitor, path in ((house.site.stranger(), "/login"), (house.admin, f"/groups/{group}/new"), (house.admin, "/settings")):
        with spending() as spent:
            status, _, _ = await visitor.ask("POST", path, body, {"Content-Type": kind})
            assert 400 <= status < 500
        assert spent.seconds < 0.5
    assert (await house.admin.post("/settings", name="Ilse V.", summary="", language="", time_zone=""))[0] == 303


async def test_nul_in_addresses_names_nothing_and_in_forms_is_left_out(house: House) -> None:
    for path in (
        "/groups/%00",
        "/posts/a%00b",
        "/people/%00",
        "/login?next=%00",
        "/groups/x?before=1-%00",
        "/.well-known/webfinger?resource=%00",
    ):
        assert (await house.admin.ask("GET", path))[0] == 404
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    status, at, _ = await house.admin.post(f"/groups/{group}/new", title="a\0b", text="c\0d", act="send", once=new_id())
    assert status == 303
    assert "cd" in (await house.admin.get(at))[1]
    assert (await house.admin.post(f"/groups/{group}/new", title="t", text="e\0f", act="keep"))[0] == 200
    assert ">ef</textarea>" in (await house.admin.get(f"/groups/{group}/new"))[1]


@pytest.mark.parametrize("raw", ["\udcff\udcfe", '"\\377"', "%ED%A0%80"])
async def test_a_cookie_of_odd_bytes_is_nobodys_session(house: House, raw: str) -> None:
    for name in ("session", "visit", "language"):
        cookie = f"{cookie_name(house.site.kernel.node.settings, name)}={raw}"
        assert (await house.site.stranger().ask("GET", "/", None, {"Cookie": cookie}))[0] == 200


@pytest.mark.rule("AUTH-02")
async def test_nobody_takes_anothers_row_id_for_a_name_and_cannot_then_be_disabled(house: House) -> None:
    daan = await house.site.member("daan")
    _, _, page = await house.admin.post("/admin/members/invite", at="/admin/members", role="member")
    found = re.search(r"/join/[\w-]+", page)
    assert found
    link = found.group()
    visitor = house.site.stranger()
    status, _, page = await visitor.post(link, at=link, name="Double", username=daan.viewer.person_id, password=PASSWORD)
    assert (status, "This name is taken" in page) == (422, True)
    assert (await visitor.post(link, at=link, name="Double", username="double", password=PASSWORD))[0] == 303
    assert (await daan.get("/settings"))[0] == 200
    assert (await house.admin.post(f"/admin/members/{daan.viewer.person_id}/disable", at="/admin/members"))[0] == 303
    assert (await daan.ask("GET", "/settings"))[0] == 303


async def test_a_form_that_bears_anothers_number_makes_a_post_of_its_own(house: House) -> None:
    daan = await house.site.member("daan")
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    once = new_id()
    first = await house.admin.post(f"/groups/{group}/new", title="Mine", text="mine", act="send", once=once)
    other = await daan.post(f"/groups/{group}/new", title="Theirs", text="theirs", act="send", once=once)
    assert (first[0], other[0]) == (303, 303)
    assert first[1] != other[1]
