"""Shows that a guest sees their own pages and nothing else of the house: every route of it is walked as one."""

import re

import pytest

from fedcollab.features.guests.allowed import ALLOWED
from fedcollab.features.members import service as members
from tests.features.cases.desks import Office
from tests.web import Visitor

from .visits import a_case, guest

NOTHING = re.compile(
    r' aria-current="page"|value="[0-9a-f]+"|/[\w/%.-]*'
)  # what differs between two pages that say that nothing is there: the address


async def told(visitor: Visitor, method: str, path: str) -> tuple[int, str]:
    status, _, page = await visitor.ask(method, path)
    return status, NOTHING.sub("", page)


@pytest.mark.rule("AUTH-06")
async def test_every_route_of_the_house_but_those_named_answers_a_guest_as_if_nothing_were_there(at: Office) -> None:
    sara, routes = await guest(at, await a_case(at)), at.site.runner.app.router.routes()
    walked = {(route.method, route.resource.canonical) for route in routes if route.resource is not None}
    assert {path for _, path in walked} >= ALLOWED, "no address is named that is not there"
    closed = sorted((method, path) for method, path in walked if path not in ALLOWED and path != "/")
    assert len(closed) > 150
    nothing = {method: await told(sara, method, "/no-such-place") for method in {method for method, _ in closed}}
    machine = {method: await told(sara, method, "/.well-known/no-such-place") for method in nothing}
    assert {status for status, _ in (*nothing.values(), *machine.values())} == {404}
    person = sara.viewer.person_id
    for method, path in closed:
        found = await told(sara, method, re.sub(r"\{[^}]+\}", person, path))
        assert found in (nothing[method], machine[method]), (method, path)
    status, headers, _ = await sara.ask("GET", "/")
    assert (status, headers["Location"]) == (303, "/guest")


async def test_what_keeps_an_account_safe_is_open_to_a_guest_and_no_page_leads_where_they_may_not_go(at: Office) -> None:
    sara, case = await guest(at, await a_case(at)), await a_case(at)
    for path in ("/guest", "/settings/password", "/settings/factor", "/settings/keys", "/settings/sessions", "/unlock", "/again"):
        status, page = await sara.get(path)
        assert status == 200, path
        leads = {link.partition("?")[0] for link in re.findall(r'(?:href|action)="(/[^"#]*)"', page)} - {"/"}
        for link in sorted(leads):
            found = await sara.ask("GET", link)
            assert found[0] != 404 or link == "/logout", (path, link)
    assert (await sara.get(f"/cases/{case}"))[0] == 404, "a case that is not theirs"
    assert (await sara.post("/logout", at="/guest"))[0] == 303


@pytest.mark.rule("AUTH-03")
async def test_a_guest_is_given_no_role_whoever_asks_and_however(at: Office) -> None:
    sara, mila = await guest(at, await a_case(at)), at["mila"]
    person = sara.viewer.person_id
    for roles in ("admin", "member", "caseworker"):
        await sara.post("/settings/password", at="/settings/password", role=roles, roles=roles, is_admin="1", old="x", password="x")
        status, _, page = await mila.post(f"/admin/members/{person}/roles", at="/admin/members", role=roles)
        assert (status, "A guest stays a guest" in page) == (422, True)
    assert (await mila.post("/keepers", at="/keepers", person=person))[0] in (404, 422)
    assert (await mila.post("/admin/members/invite", at="/admin/members", role="guest"))[0] == 422, "nor is anybody made one this way"
    found = await at.site.kernel.database.read(members.find, person)
    assert found.all_roles == ["guest"]
    noor = at["noor"].viewer.person_id
    assert (await mila.post(f"/admin/members/{noor}/roles", at="/admin/members", role="member"))[0] == 303
