"""Shows the web's rules on a whole node: forged forms, headers everywhere, invisible things, hostile text, guessed passwords."""

import io
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fedcollab.base.clock import new_id
from fedcollab.features.discussions import service
from fedcollab.federation import activitystreams as ap
from tests.hostile import PAYLOADS, acted_on
from tests.timing import spending
from tests.web import PASSWORD, site

from .conftest import House

OPEN_FORMS = {"/login"}  # forms that people who have not signed in send; each with a token of its own


def routes(house: House) -> list[tuple[str, str]]:
    """(method, path) of every route, with ids filled in."""
    found = []
    for route in house.site.runner.app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if path.startswith("/static"):
            path = "/static/app.css"
        filled = re.sub(r"\{\w+\}", lambda m: "fr" if "code" in m[0] else new_id(), path)
        if route.method in ("GET", "POST"):
            found.append((route.method, filled))
    return found


async def counts(house: House) -> dict[str, int]:
    def read(session: Any) -> dict[str, int]:
        import sqlalchemy as sa

        names = ("member", "login_session", "invitation", "thread", "post", "draft", "partner", "activity", "audit_entry")
        return {name: session.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}

    return await house.site.kernel.database.read(read)


def aimed(path: str, posted: service.Posted, group: str) -> str:
    """The path with ids of things that exist, so that only the token stands in the way."""
    folder, _, rest = path.strip("/").partition("/")
    real = {"threads": posted.thread_id, "posts": posted.post_id, "groups": group}.get(folder, "")
    return f"/{folder}/{real}/{rest.partition('/')[2]}".rstrip("/") if real and len(rest) >= 36 else path


@pytest.mark.rule("HTTP-03")
async def test_no_form_is_taken_without_its_token_or_with_anothers_or_from_another_site(house: House) -> None:
    other = await house.site.member("daan")
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    before = await counts(house)
    theirs, mine = await other.token("/settings"), await house.admin.token("/settings")
    fields = {"text": "x", "title": "t", "name": "n", "slug": "s", "act": "send", "username": "ilse", "password": PASSWORD, "role": "admin"}
    checked = 0
    for path in (aimed(p, posted, group) for method, p in routes(house) if method == "POST" and not p.endswith(("/inbox", "/outbox"))):
        for token, headers in (
            ("", {}),
            (theirs, {}),
            (mine, {"Origin": "https://evil.example"}),
            (mine, {"Sec-Fetch-Site": "cross-site"}),
        ):
            status, _, _ = await house.admin.ask("POST", path, fields | {"token": token}, headers)
            assert status in (403, 404, 410), (path, status, headers)
            checked += 1
    assert checked > 40
    assert await counts(house) == before
    status, location, _ = await house.admin.post(f"/threads/{posted.thread_id}", text="With its token.", act="send")
    assert (status, location.startswith("/posts/")) == (303, True)


@pytest.mark.rule("HTTP-03")
async def test_reading_changes_nothing_whatever_is_read(house: House) -> None:
    before = await counts(house)
    for method, path in routes(house):
        if method == "GET":
            await house.admin.ask("GET", path)
    assert await counts(house) == before


@pytest.mark.rule("HTTP-04")
async def test_every_answer_carries_the_security_headers(house: House) -> None:
    stranger, seen = house.site.stranger(), set()
    for method, path in [*routes(house), ("GET", "/nothing/here"), ("PUT", "/login"), ("GET", "/static/none.css")]:
        for visitor, accept in ((house.admin, "text/html"), (stranger, "text/html"), (stranger, ap.MEDIA_TYPE)):
            status, headers, _ = await visitor.ask(method, path, None, {"Accept": accept})
            seen.add(status)
            policy = headers.get("Content-Security-Policy", "")
            assert "default-src 'none'" in policy, (method, path, status)
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Server"] == "fedcollab"
            assert status < 500, (method, path, status)
    assert {200, 303, 401, 403, 404, 405} <= seen


@pytest.mark.rule("CONF-01")
@pytest.mark.parametrize("label", ["TLP:GREEN", "TLP:AMBER+STRICT"])
async def test_what_is_not_for_you_answers_exactly_like_what_does_not_exist(house: House, label: str) -> None:
    group = await house.site.group(house.admin, "leads", label)
    posted = await house.site.thread(house.admin, group, "Hidden title")
    stranger = house.site.stranger()
    for path in ("/groups/%s", "/threads/%s", "/posts/%s", "/posts/%s/history"):
        real = {"/g": group, "/t": posted.thread_id, "/p": posted.post_id}[path[:2]]
        answers = []
        for row_id in (real, new_id()):
            status, headers, text = await stranger.ask("GET", path % row_id)
            kept = {k: v for k, v in headers.items() if k not in ("Date", "Set-Cookie")}
            answers.append((status, kept, re.sub(r'name="token" value="\w+"|[0-9a-f-]{36}', "", text)))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
        assert "Hidden" not in answers[0][2]
        assert (await house.admin.get(path % real))[0] in (200, 303)
    assert "Hidden" not in (await stranger.get("/"))[1]


@pytest.mark.rule("XSS-01", "XSS-02", "XSS-03")
async def test_hostile_text_in_every_form_is_shown_and_never_acted_on(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    for payload in PAYLOADS:
        posted = await house.site.thread(house.admin, group, f"{payload} title", f"{payload}\n\nharmless end")
        _, page = await house.admin.get(f"/threads/{posted.thread_id}")
        assert acted_on(page) == [], payload
        assert "harmless end" in page
    await house.admin.post("/settings", name="<script>alert(1)</script>Eve", summary=PAYLOADS[2], language="", time_zone="")
    for path in ("/settings", "/", "/groups", f"/groups/{group}", "/admin/members", "/admin/audit"):
        _, page = await house.admin.get(path)
        assert "<script>alert" not in page
        assert not re.search(r"<[^>]+\son\w+\s*=", page), path


@pytest.mark.rule("AUTH-01")
async def test_guessing_is_slowed_down_and_locks_nobody_else_out(house: House) -> None:
    await house.site.member("daan")
    house.site.hold_time_for_guesses()
    guesser, statuses = house.site.stranger(), []
    token = await guesser.token()
    for number in range(30):
        status, headers, _ = await guesser.ask(
            "POST", "/login", {"token": token, "username": "daan", "password": f"guess number {number}", "next": "/"}
        )
        statuses.append(status)
    assert statuses[:5] == [422] * 5
    assert statuses.count(429) >= 20
    assert int(headers["Retry-After"]) >= 1
    other = house.site.stranger()
    status, _, _ = await other.ask("POST", "/login", {"token": await other.token(), "username": "ilse", "password": PASSWORD, "next": "/"})
    assert status == 303


@pytest.mark.rule("AUTH-01")
async def test_an_unknown_name_costs_and_answers_like_a_known_one(house: House) -> None:
    took, pages = [], []
    for name in ("ilse", "nobody"):
        visitor = house.site.stranger()
        token = await visitor.token()
        with spending() as spent:
            status, _, page = await visitor.ask(
                "POST", "/login", {"token": token, "username": name, "password": "wrong words here", "next": "/"}
            )
        took.append(spent.seconds)
        pages.append((status, page.replace(name, "").replace(token, "")))
    assert pages[0] == pages[1]
    assert 0.3 < took[0] / took[1] < 3


@pytest.mark.rule("AUTH-02")
async def test_a_disabled_member_is_out_at_once_with_sessions_links_and_password(house: House) -> None:
    daan = await house.site.member("daan")
    assert (await daan.get("/settings"))[0] == 200
    status, _, page = await house.admin.post(f"/admin/members/{daan.viewer.person_id}/link", at="/admin/members")
    link = re.search(r"/link/[\w-]+", page)
    assert link
    assert (await daan.get("/settings"))[0] == 303, "a one-time link ends the sessions"
    assert (await house.admin.post(f"/admin/members/{daan.viewer.person_id}/disable", at="/admin/members"))[0] == 303
    visitor = house.site.stranger()
    assert (await visitor.post(link.group(), at=link.group()))[0] == 410
    form = {"token": await visitor.token(), "username": "daan", "password": PASSWORD, "next": "/"}
    assert (await visitor.ask("POST", "/login", form))[0] == 422
    assert (await house.admin.get("/settings"))[0] == 200
    assert status == 200


async def test_a_one_time_link_works_once_tells_everybody_and_asks_for_a_new_password(house: House) -> None:
    daan = await house.site.member("daan")
    _, _, page = await house.admin.post(f"/admin/members/{daan.viewer.person_id}/link", at="/admin/members")
    link = re.search(r"/link/[\w-]+", page)
    assert link
    visitor = house.site.stranger()
    assert (await visitor.get(link.group()))[0] == 200, "opening it uses nothing up"
    status, location, _ = await visitor.post(link.group(), at=link.group())
    assert (status, location) == (303, "/settings/password")
    assert (await visitor.ask("GET", "/groups"))[1]["Location"] == "/settings/password"
    assert (await house.site.stranger().post(link.group(), at="/login"))[0] == 410
    assert (await visitor.post("/settings/password", at="/settings/password", password="short"))[0] == 422
    assert (await visitor.post("/settings/password", at="/settings/password", password="four other words now"))[0] == 303
    assert (await visitor.get("/groups"))[0] == 200
    for someone in (visitor, house.admin):
        assert "one-time link to sign in or a token for a tool was made" in (await someone.get("/groups"))[1]


async def test_an_invitation_makes_one_account_and_a_refused_form_keeps_it(house: House) -> None:
    _, _, page = await house.admin.post("/admin/members/invite", at="/admin/members", role="member")
    link = re.search(r"/join/[\w-]+", page)
    assert link
    assert "<svg" in page, "its QR code"
    visitor = house.site.stranger()
    status, _, text = await visitor.post(link.group(), at=link.group(), name="Noor A.", username="Noor!", password=PASSWORD)
    assert (status, "Noor A." in text) == (422, True)
    assert (await visitor.post(link.group(), at=link.group(), name="Noor A.", username="Noor", password=PASSWORD))[0] == 303
    assert ">noor</span></dd>" in (await visitor.get("/settings"))[1], "a phone's capital at the beginning is no obstacle"
    assert (await visitor.get("/groups"))[0] == 200
    assert (await house.site.stranger().get(link.group()))[0] == 410


async def test_a_session_that_ended_in_mid_composition_loses_no_word(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    posted = await house.site.thread(house.admin, group)
    form = {"text": "My <long> words", "token": "old", "once": new_id(), "act": "send"}
    at, before = f"/threads/{posted.thread_id}", await counts(house)
    visitor = house.site.stranger()
    status, headers, _ = await visitor.ask("POST", at, form)
    assert (status, headers["Location"]) == (307, f"/login?next={at}")
    status, _, page = await visitor.ask("POST", headers["Location"], form)
    assert (status, 'name="text" value="My &lt;long&gt; words"' in page) == (200, True)
    login = form | {"token": await visitor.token(), "username": "ilse", "password": "wrong words here", "next": at}
    status, _, page = await visitor.ask("POST", "/login", login)
    assert (status, 'name="text" value="My &lt;long&gt; words"' in page) == (422, True)
    status, headers, _ = await visitor.ask("POST", "/login", login | {"password": PASSWORD})
    assert (status, headers["Location"]) == (307, at)
    status, _, page = await visitor.ask("POST", at, login | {"password": PASSWORD})
    assert (status, ">My &lt;long&gt; words</textarea>" in page) == (200, True)
    assert await counts(house) == before | {"login_session": before["login_session"] + 1}, "nothing is sent before its author says so"
    assert (await visitor.post(at, at=at, text=form["text"], act="send"))[0] == 303
    status, _, page = await visitor.ask("POST", at, form)
    assert (status, ">My &lt;long&gt; words</textarea>" in page) == (403, True)


async def test_a_form_sent_twice_posts_once(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    form = {"title": "Once", "text": "Only once.", "act": "send", "once": new_id()}
    first = await house.admin.post(f"/groups/{group}/new", **form)
    assert first[0] == 303
    assert await house.admin.post(f"/groups/{group}/new", **form) == first
    assert (await counts(house))["thread"] == 1


async def test_ten_megabytes_in_a_field_are_refused_in_words(house: House) -> None:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    form: Any = io.BytesIO(b"title=t&text=" + b"x" * 10_000_000)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, text = await house.admin.ask("POST", f"/groups/{group}/new", form, headers)
    assert status == 413
    assert "shorten it and send it again" in text
    assert (await house.admin.get("/groups"))[0] == 200


@pytest.mark.rule("OPS-01")
async def test_keys_and_settings_are_for_the_nodes_user_alone_and_never_in_the_log(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    found = {file.name: file.stat().st_mode & 0o077 for file in house.site.place.iterdir()}
    assert {"node.toml", "node.key", "node.db", "node.db-wal"} <= set(found)
    assert set(found.values()) == {0}, found
    key = (house.site.place / "node.key").read_text().strip()
    await house.admin.get("/nothing")
    await house.admin.ask("POST", "/inbox", {})
    out, err = capfd.readouterr()
    assert key not in out + err
    assert house.site.kernel.node.master_key.hex() == key
    assert key not in repr(house.site.kernel.node)
    from fedcollab.base.crypto import read_master_key
    from fedcollab.base.errors import Misconfigured
    from fedcollab.base.paths import NodeFiles

    (house.site.place / "node.key").chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        read_master_key(NodeFiles(house.site.place))
    (house.site.place / "node.key").chmod(0o600)
    (house.site.place / "node.key").write_text("0" * 64)
    with pytest.raises(Misconfigured, match="holds no key"):
        read_master_key(NodeFiles(house.site.place))


@pytest.mark.rule("HTTP-04")
async def test_a_node_in_earnest_insists_on_https_and_on_cookies_of_its_own_host(tmp_path: Path) -> None:
    async with site(tmp_path, base_url="https://node.example.org", trial=False) as made:
        here = f"http://{made.kernel.node.settings.listen}"
        async with aiohttp.request("GET", here + "/login", headers={"Host": "node.example.org"}) as answer:
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
            (cookie,) = answer.headers.getall("Set-Cookie")
            token = re.search(r'name="token" value="(\w+)"', await answer.text())
        assert re.match(r"__Host-visit=[\w-]+;", cookie)
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert token
        await made.member("ilse")
        form = {"token": token.group(1), "username": "ilse", "password": PASSWORD, "next": "/"}
        sent = {"Cookie": cookie.split(";")[0], "Origin": "https://node.example.org", "Host": "node.example.org"}
        async with aiohttp.request("POST", here + "/login", data=form, headers=sent, allow_redirects=False) as answer:
            assert answer.status == 303
            assert any(re.match(r"__Host-session=[\w-]{32};.*Secure", one) for one in answer.headers.getall("Set-Cookie"))
