"""Shows that grave acts need what one signs in with, given in this session within ten minutes, and that they then go on as they were sent;
and that every form of the house is either such an act or named here as none."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.app import FEATURES
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.crypto import stored
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.base.web import cookie_name
from fedcollab.feature import ASKED_FOR
from fedcollab.features.members import factor, service, sessions
from fedcollab.features.members.feature import THROTTLE
from fedcollab.features.members.models import LoginSession, Passkey, SecondFactor
from fedcollab.sealing.keeping_models import Keeper
from tests.web import PASSWORD, Site, Visitor, forget_asking, site

FACTOR, EXPORT = "/settings/factor", "/admin/audit/export"
GRAVE: dict[str, tuple[str, dict[str, str], str]] = {  # route: who may, what they send, where the form is
    "/admin/members/invite": ("mila", {"role": "member"}, "/admin/members"),
    "/admin/members/{id}/link": ("mila", {}, "/admin/members"),
    "/admin/members/{id}/roles": ("mila", {"role": "moderator"}, "/admin/members"),
    "/admin/members/{id}/factor": ("mila", {}, "/admin/members"),
    "/admin/audit/export": ("mila", {"form": "jsonl"}, "/admin/audit"),
    "/keepers": ("mila", {"person": "{id}"}, "/keepers"),
    "/keepers/{id}/hand": ("noor", {"same": "yes", "kid": "x"}, "/keepers"),
    "/keepers/{id}/remove": ("mila", {}, "/keepers"),
    "/keepers/set-up/keys": ("noor", {}, "/keepers/set-up/keys"),
    "/keepers/set-up/sheets": ("noor", {"instead": ""}, "/keepers"),
    "/keepers/sheets/use": ("noor", {"sheet": "ABCD EFGH", "sheet2": "JKLM NPQR"}, "/keepers"),
    "/keepers/waiting/{id}": ("noor", {"same": "yes", "kid": "x"}, "/keepers"),
    "/keepers/waiting/{id}/reopen": ("noor", {"same": "yes", "kid": "x"}, "/keepers"),
    "/keepers/tasks/{id}": ("noor", {"person": "x"}, "/keepers"),
    "/keepers/rooms/{id}": ("noor", {"act": "heal", "same": "yes"}, "/keepers"),
    "/leaving/{id}": ("noor", {"person": "x"}, "/keepers"),
    "/people/{id}/words": ("noor", {"same": "yes", "kid": "x"}, "/keepers"),
    "/cases/{id}/redact/{entry}": ("noor", {}, "/keepers"),
    "/cases/{id}/erase/{entry}": ("noor", {}, "/keepers"),
    "/cases/{id}/people/{person}/erase": ("noor", {}, "/keepers"),
    "/cases/{id}/people/{person}/needs": ("noor", {"colleague": "{id}"}, "/keepers"),
    "/cases/{id}/access/assign": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/access/unassign": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/access/needs": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/access/withdraw": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/access/remove": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/access/leave": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/access/invite": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/guests": ("noor", {"name": "Sara Lind", "works_for": "Police of Xanten"}, "/keepers"),
    "/cases/{id}/guests/{guest}": ("noor", {"same": "yes", "kid": "x"}, "/keepers"),
    "/cases/{id}/answer": ("noor", {"act": "decline"}, "/keepers"),
    "/cases/{id}/export": ("noor", {}, "/keepers"),
    "/cases/{id}/end": ("noor", {}, "/keepers"),
    "/cases/{id}/end/hold": ("noor", {}, "/keepers"),
    "/cases/{id}/end/let-go": ("noor", {}, "/keepers"),
    "/cases/{id}/people/{person}/copy": ("noor", {}, "/keepers"),
    "/cases/{id}/assign": ("noor", {"person": "{id}"}, "/keepers"),
    "/cases/{id}/refer/send": ("noor", {"once": "x"}, "/keepers"),
    "/referrals/{id}/accept": ("noor", {"people": "{id}"}, "/keepers"),
    "/referrals/{id}/assign": ("noor", {"person": "{id}"}, "/keepers"),
    "/referrals/{id}/take-back": ("noor", {}, "/keepers"),
    "/referrals/to-erase": ("noor", {"mark": "x", "act": "erase"}, "/keepers"),
    "/sealed/{id}/people": ("mila", {"act": "turn"}, "/admin/members"),
    "/sealed/{id}/export": ("mila", {}, "/admin/members"),
    "/sealed/{id}/end": ("mila", {}, "/admin/members"),
    "/sealed/{id}/end/hold": ("mila", {}, "/admin/members"),
    "/sealed/{id}/end/let-go": ("mila", {}, "/admin/members"),
    "/sealed/{id}/answer": ("mila", {"act": "decline"}, "/admin/members"),
    "/settings/factor": ("daan", {"act": "off"}, FACTOR),
    "/settings/factor/passkeys": ("daan", {"act": "rename", "id": "p1", "name": "The blue one"}, FACTOR),
}
BY_SCRIPT = {"/settings/factor/passkeys/new"}  # answers 403, and its page asks (test_passkeys)
ORDINARY = {  # why none of these is asked for again
    "/admin/members/{id}/disable": "never waits",
    "/admin/partners": "lists somebody who has to be admitted yet",
    "/admin/partners/{id}": "about partners, with words to compare",
    "/admin/federation": "sends again or puts away",
    "/admin/audit/verify": "only reads",
    "/admin/settings": "says what is in node.toml",
    "/admin/maintenance": "closes and opens",
    "/admin/first": "reads the printed key back",
    "/keepers/set-up/try": "changes nothing: compares two sheets",
    "/cases/new": "begins something that one is alone on",
    "/cases/{id}/say/{kind}": "adds to a case",
    "/cases/{id}/tasks": "adds to a case",
    "/cases/{id}/tasks/progress": "adds to a case",
    "/cases/{id}/access/invite/to": "only shows the next page",
    "/cases/{id}/search": "only reads",
    "/cases/{id}/guests/{guest}/end": "ending a guest never waits",
    "/guests/join/{token}": "comes, or does not",
    "/guest/referral": "says how it came out; the work goes on",
    "/cases/{id}/new/{kind}": "adds to a case",
    "/cases/{id}/renew/{entry}": "adds to a case",
    "/cases/{id}/change/{entry}": "adds to a case: what stood before stays to be read",
    "/cases/{id}/mask/{entry}": "can be undone",
    "/cases/{id}/unmask/{entry}": "undoes a masking",
    "/cases/{id}/withdraw/{entry}": "a withdrawal never waits",
    "/cases/{id}/lift/{entry}": "ends a hold of one's own; what is erased by that was asked for with a password",
    "/cases/{id}/files": "adds to a case",
    "/cases/{id}/files/{file}/mark": "never waits",
    "/cases/{id}/refer": "only shows the next step",
    "/referrals/{id}/decline": "a no gives nobody anything",
    "/referrals/{id}/finish": "says how it came out; the work goes on",
    "/sealed/new": "begins something that one is alone in",
    "/sealed/{id}/start": "adds to a group",
    "/sealed/{id}/about": "adds to a group",
    "/sealed/{id}/threads/{row}": "adds to a group",
    "/sealed/{id}/resources": "adds to a group",
    "/sealed/{id}/search": "only reads",
    "/sealed/{id}/posts/{row}/file": "adds to a group",
    "/sealed/{id}/files/{file}/mark": "never waits",
    "/sealed/{id}/posts/{row}/edit": "adds to a group: what stood before stays to be read",
    "/sealed/{id}/posts/{row}/remove": "takes back what one wrote, or says before all why",
    "/settings": "a name and a language",
    "/settings/password": "asks for the old one, or comes by a one-time link",
    "/settings/keys": "each act asks for the password itself, but for locking, which never waits",
    "/settings/tokens": "asks for the password itself",
    "/settings/sessions": "ending a session never waits",
    "/settings/notices": "has read them",
    "/settings/muted": "what one sees",
    "/logout": "never waits",
    "/unlock": "asks for the password itself",
    "/again": "asks",
    "/again/passkey": "asks",
}
CONTENT = (  # the beginnings of what people write and read, and of what machines send
    *("/groups/", "/threads/", "/posts/", "/preview/", "/keep/", "/moderation/", "/reports/", "/library/", "/stories/", "/take-back"),
    *("/files", "/uploads", "/inbox", "/actor/", "/people/{id}/inbox", "/people/{id}/outbox", "/oai", "/login", "/join/", "/link/"),
)


@dataclass
class Clock:
    at: Callable[[], int]
    ahead: int = 0

    def __call__(self) -> int:
        return self.at() + self.ahead


@dataclass
class Room:
    """A node with an admin, a keeper and a member with an app and a passkey; who of them is whom; and its clock."""

    site: Site
    people: dict[str, Visitor]
    clock: Clock

    def path(self, route: str) -> str:
        return re.sub(r"\{\w+\}", self.people["daan"].viewer.person_id, route)

    def form(self, route: str) -> dict[str, str]:
        return {name: self.path(value) for name, value in GRAVE[route][1].items()}

    async def tables(self) -> dict[str, list[Any]]:
        """All that the node has stored, but for what its chores note of themselves."""
        tables = [table for table in Model.metadata.sorted_tables if not table.name.startswith(("search_", "disk_"))]

        def read(session: Session) -> dict[str, list[Any]]:
            return {table.name: session.execute(sa.select(table)).all() for table in tables}

        return await self.site.kernel.database.read(read)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with site(tmp_path) as made:
        names = {"mila": ("admin", "member"), "noor": ("member",), "daan": ("member",), "ruth": ("admin", "member")}
        people = {name: await made.member(name, *roles) for name, roles in names.items()}
        clock = Clock(made.kernel.node.clock)
        object.__setattr__(made.kernel.node, "clock", clock)

        def fill(session: Session) -> None:
            now, daan = made.kernel.node.now(), people["daan"].viewer.person_id
            session.execute(sa.insert(Keeper).values(person_id=people["noor"].viewer.person_id, kid="", named_at=now))
            session.execute(sa.insert(SecondFactor).values(person_id=daan, on_at=now, last_step=0))
            values = dict(id="p1", person_id=daan, credential="AAAA", public_key=b"", counter=0, name="The red one", created_at=now)
            session.execute(sa.insert(Passkey).values(values))

        await made.kernel.database.write(fill)
        yield Room(made, people, clock)


async def codes(room: Room, name: str) -> list[str]:
    viewer = room.people[name].viewer
    made: list[str] = await room.site.write(factor.renew_codes, viewer)
    return made


def hidden(page: str) -> dict[str, str]:
    """The fields that a page takes along."""
    main = page.split("<main")[1].split("</main", maxsplit=1)[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?>', main)
    return {name: unescape(value) for name, value in found}


def test_each_form_of_the_house_is_a_grave_act_or_named_as_none() -> None:
    every = [route for feature in FEATURES for route in feature.routes if route.method == "POST"]
    posts = {re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path) for route in every}
    assert {path for path in posts if not path.startswith(CONTENT)} == {*GRAVE, *BY_SCRIPT, *ORDINARY}
    assert not {path for path in (*GRAVE, *BY_SCRIPT) if path.startswith(CONTENT)}


@pytest.mark.parametrize("route", GRAVE)
async def test_a_grave_act_is_not_done_before_its_person_has_given_all_again_and_then_goes_on_as_it_was_sent(
    room: Room, route: str
) -> None:
    who, path, form = room.people[GRAVE[route][0]], room.path(route), room.form(route)
    sent = form | {"token": await who.token(GRAVE[route][2])}
    [code, *_] = await codes(room, "daan") if GRAVE[route][0] == "daan" else [""]
    await forget_asking(room.site)
    before = await room.tables()
    status, headers, _ = await who.ask("POST", path, sent)
    assert (status, headers["Location"]) == (307, f"/again?next={path}")
    status, _, page = await who.ask("POST", headers["Location"], sent)
    kept = hidden(page)
    assert (status, {name: kept[name] for name in form}, kept["next"]) == (200, form, path)
    status, _, page = await who.ask("POST", "/again", kept | {"password": "not my password", "code": code})
    assert (status, hidden(page)) == (422, kept), "nothing is lost by a wrong one"
    assert await room.tables() == before
    given = kept | {"password": PASSWORD, "code": code}
    status, headers, _ = await who.ask("POST", "/again", given)
    assert (status, headers["Location"]) == (307, path)
    status, headers, _ = await who.ask("POST", path, given)
    assert status in (200, 303, 404, 409, 422) or headers["Location"].startswith("/unlock")
    assert not headers.get("Location", "").startswith("/again")
    _, headers, _ = await who.ask("POST", path, sent)
    assert not headers.get("Location", "").startswith("/again"), "nor is it asked for again at once"


async def test_whoever_has_no_right_to_a_grave_act_is_not_even_asked(room: Room) -> None:
    await forget_asking(room.site)
    token = await room.people["noor"].token("/settings")
    for path in ("/admin/members/invite", EXPORT, room.path("/admin/members/{id}/roles")):
        assert (await room.people["noor"].ask("POST", path, {"token": token, "role": "admin"}))[0] == 404
    daan = room.people["daan"]
    assert (await daan.ask("POST", "/keepers", {"token": await daan.token("/settings"), "person": "x"}))[0] == 404


async def test_ten_minutes_count_in_one_session_alone_and_end_with_it(room: Room) -> None:
    mila, form = room.people["mila"], {"form": "csv"}
    room.clock.ahead = ASKED_FOR - MINUTE
    assert (await mila.post(EXPORT, **form))[0] == 200
    room.clock.ahead = ASKED_FOR + MINUTE
    assert (await mila.post(EXPORT, **form))[0] == 307
    other = Visitor(room.site, mila.viewer, {cookie_name(room.site.kernel.node.settings, "session"): await fresh(room, "mila")})
    assert (await other.post(EXPORT, **form))[0] == 200
    assert (await mila.post(EXPORT, **form))[0] == 307, "another session's does not count"
    assert (await mila.post("/again", at="/again", again="page", next="/groups", password=PASSWORD))[:2] == (303, "/groups")
    assert (await mila.post(EXPORT, **form))[0] == 200
    kept = dict(mila.cookies)
    await mila.post("/logout")
    back = Visitor(room.site, mila.viewer, kept)
    assert (await back.ask("POST", EXPORT, form | {"token": "x"}))[0] in (307, 403)
    assert (await back.ask("GET", "/keepers/sheets/use"))[1]["Location"].startswith("/login")
    room.clock.ahead = 0
    assert (await other.post(EXPORT, **form))[0] == 307, "a moment that lies ahead is no proof either"


async def fresh(room: Room, name: str) -> str:
    made: str = await room.site.write(sessions.start_session, room.people[name].viewer.person_id, "test")
    return made


async def test_the_password_alone_does_not_do_where_a_second_factor_is_on_and_a_code_works_once(room: Room) -> None:
    daan, [code, other, *_] = room.people["daan"], await codes(room, "daan")
    await forget_asking(room.site)
    form = {"again": "page", "next": FACTOR, "token": await daan.token("/again")}
    for wrong in ({}, {"code": ""}, {"code": "000 000"}, {"passkey": "{}"}):
        status, _, page = await daan.ask("POST", "/again", form | {"password": PASSWORD} | wrong)
        assert (status, 'id="code-err"' in page) == (422, True), wrong
    status, _, page = await daan.ask("POST", "/again", form | {"password": "not my password", "code": code})
    assert (status, 'id="password-err"' in page) == (422, True)
    assert (await daan.post(FACTOR, at=FACTOR, act="begin"))[0] == 307
    assert (await daan.ask("POST", "/again", form | {"password": PASSWORD, "code": code}))[0] == 303
    assert (await daan.post(FACTOR, at=FACTOR, act="begin"))[0] == 303
    await forget_asking(room.site)
    assert (await daan.ask("POST", "/again", form | {"password": PASSWORD, "code": code}))[0] == 422, "used up"
    assert (await daan.ask("POST", "/again", form | {"password": PASSWORD, "code": other}))[0] == 303


@pytest.mark.rule("AUTH-01")
async def test_guessing_is_slowed_as_at_signing_in(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    mila = room.people["mila"]
    throttle = room.site.runner.app[THROTTLE]
    now = throttle._clock()
    monkeypatch.setattr(throttle, "_clock", lambda: now)
    form = {"again": "form", "next": EXPORT, "form": "csv", "token": await mila.token("/again")}
    found = [(await mila.ask("POST", "/again", form | {"password": f"guess number {n}"})) for n in range(7)]
    assert [status for status, _, _ in found] == [422] * 5 + [429] * 2
    assert int(found[-1][1]["Retry-After"]) >= 1
    assert hidden(found[-1][2])["form"] == "csv", "nothing is lost by waiting"
    assert (await mila.ask("POST", "/again", form | {"password": PASSWORD}))[0] == 429
    monkeypatch.setattr(throttle, "_clock", lambda: now + 60 * MICROSECONDS)
    assert (await mila.ask("POST", "/again", form | {"password": PASSWORD}))[0] == 307


@pytest.mark.parametrize("name", ["ruth", "daan"])
async def test_a_one_time_link_is_no_password_until_one_was_chosen_and_then_counts_from_when_it_was_used(room: Room, name: str) -> None:
    """With a second factor its code is asked for beside the link, and counts from then as well."""
    who, visitor = room.people[name].viewer.person_id, room.site.stranger()
    [code, *_] = await codes(room, name) if name == "daan" else [""]
    link = f"/link/{await room.site.write(service.make_link, None, who)}"
    await visitor.post(link, at=link)
    if code:
        await visitor.ask("POST", "/login/code", {"token": await visitor.token("/login/code"), "code": code, "next": "/"})
    token = visitor.cookies[cookie_name(room.site.kernel.node.settings, "session")]
    query = sa.select(LoginSession.asked_at, LoginSession.created_at).where(LoginSession.token_hash == stored(token))

    async def asked() -> Any:
        return (await room.site.kernel.database.read(lambda session: session.execute(query).all()))[0]

    assert (await asked())[0] is None
    room.clock.ahead = MINUTE
    assert (await visitor.post("/settings/password", at="/settings/password", password="five other plain words"))[0] == 303
    at, created = await asked()
    assert at == created
    assert (await visitor.post(FACTOR, at=FACTOR, act="begin"))[:2] == (303, FACTOR)
    room.clock.ahead = ASKED_FOR + MINUTE // 2
    assert (await visitor.post(FACTOR, at=FACTOR, act="begin"))[:2] == (307, f"/again?next={FACTOR}")


async def test_a_form_that_is_not_from_a_page_of_ours_is_neither_taken_along_nor_done(room: Room) -> None:
    mila = room.people["mila"]
    await forget_asking(room.site)
    before = await room.tables()
    path = room.path("/admin/members/{id}/roles")
    for token in ("", "0" * 64):
        assert (await mila.ask("POST", path, {"token": token, "role": "admin"}))[0] == 403
        for more in ({}, {"again": "form", "password": PASSWORD}):
            status, headers, page = await mila.ask("POST", f"/again?next={path}", {"token": token, "role": "admin", **more})
            assert (status, headers.get("Location"), "Not done" in page) == (403, None, True)
    cross = {"Sec-Fetch-Site": "cross-site"}
    form = {"role": "admin", "token": await mila.token("/admin/members")}
    assert (await mila.ask("POST", f"/again?next={path}", form, cross))[0] == 403
    assert await room.tables() == before
    assert hidden((await mila.ask("POST", f"/again?next={path}", form))[2])["role"] == "admin"


async def test_it_leads_nowhere_else(room: Room) -> None:
    mila = room.people["mila"]
    for to in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        assert (await mila.post("/again", at="/again", again="page", next=to, password=PASSWORD))[:2] == (303, "/")
    assert (await room.site.stranger().ask("GET", "/again"))[1]["Location"] == "/login?next=/again"


async def test_the_page_where_sheets_are_typed_asks_before_anybody_has_typed_them(room: Room) -> None:
    noor = room.people["noor"]
    assert (await noor.ask("GET", "/keepers/sheets/use"))[0] == 200
    await forget_asking(room.site)
    assert (await noor.ask("GET", "/keepers/sheets/use"))[1]["Location"] == "/again?next=/keepers/sheets/use"
