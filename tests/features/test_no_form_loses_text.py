"""Walks over every form of the house that takes typed text: whatever it is refused for, the text is on the page that says so."""

from dataclasses import dataclass, field, replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from multidict import MultiDict

from fedcollab.access.models import AMBER, GREEN, STRICT
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import StorageFull
from fedcollab.base.passwords import pepper, tried
from fedcollab.base.session import Session
from fedcollab.base.web import SECRETS
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.mending import Masking
from fedcollab.features.cases.people import Person
from fedcollab.features.cases.record import Hold
from fedcollab.features.cases.sharing import Consent
from fedcollab.features.cases.work import Task
from fedcollab.features.discussions import groups
from fedcollab.features.members import service as members
from fedcollab.features.members.models import Member
from fedcollab.features.resources import lists, notes, service
from fedcollab.features.resources.exchange import importing
from fedcollab.features.resources.record import Record
from fedcollab.features.rooms import acting, filing, units
from fedcollab.features.rooms.entries import Group, Thread
from tests.browser.page import fits
from tests.features.cases.desks import Office
from tests.web import PASSWORD, Visitor

from .conftest import House
from .test_mid_composition import age
from .test_stories import written

WORDS = "Many words that nobody types twice"
TYPED = ("text", "search", "url", "email")
ACTS = ("change", "mask", "redact", "erase")  # on an entry of a case

NOTHING_TYPED = {
    "/inbox": "a machine's",
    "/actor/inbox": "a machine's",
    "/people/{id}/inbox": "a machine's",
    "/people/{id}/outbox": "a machine's",
    "/groups/{id}/inbox": "a machine's",
    "/oai": "a machine's",
    "/uploads": "script's",
    "/preview/{id}": "script's, of a form that still stands",
    "/keep/{id}": "script's, of a form that still stands",
    "/library/keep": "script's, of a form that still stands",
    "/library/{id}/keep": "script's, of a form that still stands",
    "/login": "keeps what travels along by itself (test_forms_come_back)",
    "/login/code": "a secret",
    "/login/passkey": "script's",
    "/again": "keeps what travels along by itself (test_asking_again)",
    "/again/passkey": "script's",
    "/settings/factor/passkeys/new": "script's",
    "/settings/factor/passkeys": "keeps a name by itself (test_passkeys)",
    "/unlock": "keeps what travels along by itself (test_key_pages)",
    "/settings/keys": "secrets",
    "/keepers/waiting/{id}": "a box to tick",
    "/keepers/waiting/{id}/reopen": "a box to tick",
    "/keepers/tasks/{id}": "a choice",
    "/keepers/rooms/{id}": "a choice",
    "/leaving/{id}": "a choice",
    "/people/{id}/words": "a box to tick",
    "/settings/password": "secrets",
    "/settings/factor": "secrets",
    "/keepers": "a choice",
    "/keepers/{id}/hand": "a box to tick",
    "/keepers/{id}/remove": "a button",
    "/keepers/set-up/keys": "a button",
    "/keepers/set-up/sheets": "a button",
    "/keepers/set-up/try": "secrets",
    "/keepers/sheets/use": "secrets",
    "/admin/first": "a secret",
    "/take-back": "a secret",
    "/files": "a file",
    "/cases/{id}/files/{file}/mark": "a button",
    "/files/{id}/again": "a button",
    "/link/{token}": "a button",
    "/logout": "a button",
    "/settings/muted": "a button",
    "/settings/sessions": "buttons",
    "/settings/notices": "a button",
    "/reports/read": "a button",
    "/posts/{id}/thank": "a button",
    "/posts/{id}/delete": "a button",
    "/groups/{id}/narrow": "a button",
    "/library/{id}/delete": "a button",
    "/library/{id}/list": "a choice",
    "/library/{id}/translations/end": "a button",
    "/library/lists/{id}/take": "a button",
    "/library/lists/{id}/delete": "a button",
    "/library/notes/{id}/delete": "a button",
    "/library/import/{id}": "boxes",
    "/stories/{id}/check": "boxes (test_library_forms_come_back)",
    "/stories/{id}/renew": "boxes and a day (test_library_forms_come_back)",
    "/stories/{id}/code": "a button",
    "/stories/{id}/withdraw": "a button",
    "/cases/{id}/access/invite": "comes back by itself (cases/test_access_pages)",
    "/cases/{id}/access/invite/to": "a choice",
    "/cases/{id}/access/assign": "a choice and boxes",
    "/cases/{id}/access/unassign": "a button",
    "/cases/{id}/access/needs": "boxes",
    "/cases/{id}/people/{person}/needs": "boxes",
    "/cases/{id}/access/withdraw": "a button",
    "/cases/{id}/access/remove": "a button",
    "/cases/{id}/access/leave": "a box to tick",
    "/cases/{id}/end": "comes back by itself (cases/test_ending_a_case)",
    "/cases/{id}/end/hold": "a choice and a day",
    "/cases/{id}/end/let-go": "a button",
    "/cases/{id}/people/{person}/copy": "comes back by itself (cases/test_copies_for_people)",
    "/cases/{id}/answer": "boxes and buttons",
    "/cases/{id}/assign": "a choice",
    "/cases/{id}/export": "a box to tick",
    "/cases/{id}/withdraw/{entry}": "a choice",
    "/cases/{id}/refer": "comes back by itself (referrals/test_referral_pages)",
    "/cases/{id}/refer/send": "comes back by itself (referrals/test_referral_pages)",
    "/referrals/{id}/accept": "boxes",
    "/referrals/{id}/assign": "a choice",
    "/referrals/{id}/decline": "a choice",
    "/referrals/{id}/take-back": "a button",
    "/referrals/{id}/finish": "a choice",
    "/referrals/to-erase": "buttons and a box",
    "/cases/{id}/guests/{guest}": "comes back by itself (flows/test_guests)",
    "/cases/{id}/guests/{guest}/end": "a button",
    "/guests/join/{token}": "comes back by itself (flows/test_guests)",
    "/guest/referral": "a choice",
    "/sealed/{id}/people": "choices and buttons",
    "/sealed/{id}/posts/{row}/file": "a file and a box",
    "/sealed/{id}/files/{file}/mark": "a button",
    "/sealed/{id}/answer": "boxes and buttons",
    "/sealed/{id}/export": "a box to tick",
    "/sealed/{id}/end": "a button",
    "/sealed/{id}/end/hold": "a choice and a day",
    "/sealed/{id}/end/let-go": "a button",
    "/admin/members/invite": "boxes",
    "/admin/members/{id}/link": "a button",
    "/admin/members/{id}/roles": "boxes",
    "/admin/members/{id}/disable": "a button",
    "/admin/members/{id}/factor": "a button",
    "/admin/partners/{id}": "buttons",
    "/admin/federation": "buttons",
    "/admin/audit/verify": "a button",
    "/admin/audit/export": "days",
}


@dataclass
class Form:
    """A form of a page: where it goes, all its fields as a browser would send them, the names of those that are typed into."""

    to: str
    parts: bool = False
    fields: MultiDict[str] = field(default_factory=MultiDict)
    typed: list[str] = field(default_factory=list)

    def filled(self) -> MultiDict[str]:
        """With words in the fields that are typed into, another in each."""
        return MultiDict((name, f"{WORDS} {name}" if name in self.typed else value) for name, value in self.fields.items())


class Forms(HTMLParser):
    """The forms of a page that are sent by POST."""

    def __init__(self, at: str, html: str) -> None:
        super().__init__()
        self.at, self.found, self.open = at, list[Form](), False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self.open = said.get("method") == "post"
            if self.open:
                self.found.append(Form(said.get("action") or self.at, said.get("enctype") == "multipart/form-data"))
        name, kind = said.get("name") or "", said.get("type") or "text"
        if not self.open or not name or tag not in ("input", "textarea"):
            return
        typed = (tag == "textarea" or kind in TYPED) and name not in SECRETS
        if typed or kind == "hidden" or (kind in ("radio", "checkbox") and "checked" in said):
            self.found[-1].fields.add(name, said.get("value") or "")
        if typed:
            self.found[-1].typed.append(name)

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open and tag != "form"


async def everything(house: House) -> list[str]:
    """The pages that have forms, on a node that has one of each thing."""
    site, ilse = house.site, house.admin
    group = (await site.write(groups.create, ilse.viewer, slug="leads", name="Leads", label=STRICT)).id
    told = await site.thread(ilse, group)
    other = await site.thread(await site.member("amal"), group, "Another", "What I have seen")
    guide = (await site.write(service.add, ilse.viewer, Record(title="A guide", kind="Guide"), label=GREEN)).id
    listed = await site.write(lists.add, ilse.viewer, title="For newcomers", summary="", label=STRICT, once="", resource_id=guide)
    note = await site.write(notes.add, ilse.viewer, guide, country="NL", text="It works here.", language="en", once="")
    story = (await written(house, ilse))[0]
    begun = await site.write(
        importing.begin, ilse.viewer, text="TY  - BOOK\n", code="ris", guessed=False, name="", label=GREEN, publisher=""
    )
    join = await site.write(members.invite, None, ["member"])
    threads = [f"/threads/{told.thread_id}{one}" for one in ("", "/moderate", "/to-library")]
    posts = [f"/posts/{told.post_id}/edit", f"/posts/{other.post_id}/report", f"/posts/{other.post_id}/moderate", "/moderation"]
    acts = ("", "/edit", "/version", "/withdraw", "/audience", "/translations", "/note", "/discuss")
    records = [f"/library/{guide}{one}" for one in acts]
    library = ["/library/new", "/library/lists/new", f"/library/lists/{listed}", "/library/import", f"/library/import/{begun}/text"]
    stories = ["/stories/new", f"/stories/{story}", f"/stories/{story}/edit", f"/stories/{story}/renew"]
    stories += [f"/library/notes/{note}/edit", f"/library/notes/{note}/remove"]
    admins = ["/admin/members", "/admin/partners", "/admin/settings", "/admin/audit", "/settings", "/settings/tokens", f"/join/{join}"]
    report = dict(reason="other", text="Look at this, it names somebody.", host="yes", author="yes")
    await ilse.post(f"/posts/{other.post_id}/report", at=f"/posts/{other.post_id}/report", **report)
    return [*await casework(house), "/groups/new", f"/groups/{group}/new", *threads, *posts, *records, *library, *stories, *admins]


async def casework(house: House) -> list[str]:
    """The pages of a case; the admin works on cases too."""
    site, ilse, at = house.site, house.admin, Office(house.site)

    def may(session: Session, node: Node) -> bytes:
        row = sa.update(Member).where(Member.username == "ilse").values(roles=["admin", "member", "caseworker"])
        session.execute(row)
        hashed = session.scalars(sa.select(Member.password_hash).where(Member.username == "ilse")).one()
        return tried(hashed, PASSWORD, pepper(node.master_key)).unlock or b""

    at.people["ilse"] = replace(ilse, viewer=replace(ilse.viewer, roles=frozenset({"admin", "member", "caseworker"})))
    await at.unlock("ilse", at["ilse"], await site.write(may))
    await at.join("ruth")
    await at.open("ilse", "ruth")
    case = await at.case("ilse")
    said = await at.say("ilse", case, "She is safe.")
    now, code = site.kernel.node.now(), "bafuko-tezara"
    await at.say("ilse", case, Task(at=now, what="Call"))
    await at.say("ilse", case, Person(at=now, person=code, role="Other"))
    hidden = await at.say("ilse", case, "Not for here")
    await at.say("ilse", case, Masking(at=now, of=(hidden,)))
    held = await at.say("ilse", case, Hold(at=now, of=(said,), by="Amal B.", reason="A court", review="2099-01-01"))
    agreed = dict(how="Spoken", capacity="Adult", decided_by="Self", until="2099-01-01", what="Her name")
    consent = await at.say("ilse", case, Consent(at=now, person=code, to_name="A clinic", **agreed))  # type: ignore[arg-type]
    acts = [("unmask", hidden), ("lift", held), ("people", code), ("renew", consent), *((act, said) for act in ACTS)]
    own = [f"/{act}/{handle(case, of)}{'/erase' if of == code else ''}" for act, of in acts]
    pages = ["", "/tasks", "/files", "/guests", "/new/decision", *own]
    return ["/cases/new", *(f"/cases/{case}{one}" for one in pages), *await sealed_group(at)]


async def sealed_group(at: Office) -> list[str]:
    """The pages of a sealed group, in which Ruth has written too."""
    now = at.site.kernel.node.now()
    room = await at.unlocked("ilse", acting.begin, AMBER, Group(at=now, name="A group"))
    await at.unlocked("ilse", acting.assign, room, at["ruth"].viewer.person_id)
    thread = Thread(at=now, title="Q", text="?")
    rows = [await at.unlocked(name, units.at_once, room, filing.says, lambda _: thread) for name in ("ilse", "ruth")]
    pages = ["", "/start", "/about", "/resources", f"/threads/{rows[0]}", f"/posts/{rows[0]}/edit", f"/posts/{rows[1]}/remove"]
    return ["/sealed/new", *(f"/sealed/{room}{one}" for one in pages)]


async def forms(house: House) -> dict[str, Form]:
    """Each form that takes typed text, by the pattern of the route that it goes to."""
    router = house.site.runner.app.router
    patterns = [resource.canonical for resource in router.resources() if "POST" in {route.method for route in resource}]
    found = dict[str, Form]()
    for at in await everything(house):
        status, html = await (house.site.stranger() if at.startswith("/join/") else house.admin).get(at)
        assert status == 200, at
        for form in Forms(at, html).found:
            path = form.to.partition("#")[0].partition("?")[0]
            if form.typed:
                found[min((one for one in patterns if fits(one, path)), key=lambda one: one.count("{"))] = form
    assert set(patterns) - set(found) == set(NOTHING_TYPED), "each form is walked over here, or named as one that nobody types into"
    return found


async def send(visitor: Visitor, form: Form, to: str, **over: str) -> tuple[int, Any, str]:
    """As a browser sends it; (status, headers, page as its reader sees it)."""
    fields = form.filled()
    fields.update(over)
    data: Any = fields
    if form.parts:
        data = aiohttp.FormData(fields, default_to_multipart=True)
    status, headers, html = await visitor.ask("POST", to, data)
    return status, headers, unescape(html)


def lost(form: Form, html: str) -> list[str]:
    return [name for name in form.typed if f"{WORDS} {name}" not in html]


async def test_a_form_that_was_opened_in_another_session_keeps_all_that_was_typed(house: House) -> None:
    for pattern, form in (await forms(house)).items():
        status, _, html = await send(house.admin, form, form.to, token="0" * 64)
        assert (pattern, status, lost(form, html)) == (pattern, 403, [])


async def test_who_is_signed_out_finds_all_that_was_typed_after_signing_in(house: House) -> None:
    every = await forms(house)
    for pattern, form in every.items():
        visitor = house.site.stranger()
        if pattern == "/join/{token}":
            continue
        token = await visitor.token()
        status, headers, html = await send(visitor, form, form.to)
        if status == 307:
            form.parts, to = False, headers["Location"]
        else:
            to = Forms(form.to, html).found[0].to
            form.parts = False
            assert (pattern, status, lost(form, html)) == (pattern, 401, [])
        _, _, html = await send(visitor, form, to)
        assert (pattern, lost(form, html)) == (pattern, [])
        kept = Forms(to, html).found[0].fields
        kept.update({"token": token, "username": "ilse", "password": PASSWORD})
        status, headers, _ = await visitor.ask("POST", "/login", kept)
        assert (pattern, status, headers["Location"]) == (pattern, 307, form.to.partition("#")[0])
        _, _, html = await visitor.ask("POST", headers["Location"], kept)
        assert (pattern, lost(form, unescape(html)), PASSWORD in html) == (pattern, [], False)


async def test_what_another_site_sends_is_shown_to_nobody_and_what_is_ours_can_be_sent_once_more(house: House) -> None:
    form: Any = {"name": "Night line", "slug": "night", "summary": WORDS, "label": GREEN, "token": "0"}
    for visitor, to in ((house.admin, "/groups/new"), (house.site.stranger(), "/groups/new"), (house.admin, "/login?next=/groups/new")):
        status, _, html = await visitor.ask("POST", to, form, {"Sec-Fetch-Site": "cross-site"})
        assert (status in (401, 403), WORDS in html) == (True, False)
    _, _, html = await house.admin.ask("POST", "/groups/new", form)
    again = next(one for one in Forms("/groups/new", html).found if one.to == "/groups/new")
    fields: Any = again.fields
    fields.update({"name": "Night line", "summary": WORDS})  # what stands in the page's boxes
    status, headers, _ = await house.admin.ask("POST", again.to, fields)
    assert (status, WORDS in (await house.admin.get(headers["Location"]))[1]) == (303, True)


async def test_a_full_disk_and_a_thing_that_is_gone_meanwhile_leave_what_was_typed_on_the_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageFull()

    monkeypatch.setattr(groups, "create", full)
    status, _, html = await house.admin.post("/groups/new", name="Night line", slug="night", summary=WORDS, label=GREEN)
    assert (status, WORDS in html, "Send it once more" in html) == (507, True, True)
    status, _, html = await house.admin.post("/threads/none", text=WORDS)
    assert (status, WORDS in html, "Send it once more" in html) == (404, True, False)


async def test_what_a_form_was_asked_beside_its_path_is_asked_again_after_signing_in(house: House) -> None:
    token = await house.admin.token("/settings")
    await house.site.kernel.database.write(age)
    at = f"/library/{(thing := new_id())}/withdraw?number=2"
    status, headers, _ = await house.admin.ask("POST", at, {"reason": WORDS, "token": token})
    assert (status, headers["Location"]) == (307, f"/login?next=/library/{thing}/withdraw%3Fnumber%3D2")
    login = {"reason": WORDS, "token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
    assert (await house.admin.ask("POST", "/login", login))[1]["Location"] == at


async def test_what_was_ticked_several_times_comes_back_whole(house: House) -> None:
    ticked: Any = MultiDict([("use", "Research/Press"), ("use", "Learning/Print"), ("title", "T")])
    html = (await house.admin.ask("POST", "/login?next=/stories/new", ticked))[2]
    assert [value for name, value in Forms("/login", html).found[0].fields.items() if name == "use"] == ["Research/Press", "Learning/Print"]
