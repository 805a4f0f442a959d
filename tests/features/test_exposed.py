"""Shows that nobody but those whose they are finds the pages of admins and keepers, signed out or as a member, that nothing a machine knows
of itself (its environment, its settings, its key) is on any page, and that nobody of another organisation administers ours."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import rooms, working
from fedcollab.sealing.facts import Backed, Closed, Removed
from fedcollab.sealing.refusals import NotTheOwner
from fedcollab.sealing.room_activities import Said, document
from tests.nodes import Rogue, admit, befriend, may_also_reach, rogue, running, until
from tests.sealing.at_work import Desk, found, join_room, open_cases
from tests.web import Site, Visitor, site

CANARY = "canary-of-the-environment"
GUESSED = (
    "/debug",
    "/.env",
    "/env",
    "/environment",
    "/config",
    "/node.toml",
    "/node.key",
    "/server-status",
    "/actuator/env",
    "/docs",
    "/openapi.json",
)
GUESSED += (
    "/admin/debug",
    "/admin/environment",
    "/console",
    "/.git/config",
    "/ring.db",
    "/fedcollab.db",
    "/backup",
    "/graphql",
    "/phpinfo.php",
)


@dataclass
class House:
    """A node with an admin and a member, and the addresses of all pages for admins and keepers."""

    site: Site
    admin: Visitor
    member: Visitor
    theirs: list[str]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setenv("FEDCOLLAB_CANARY", CANARY)
    async with site(tmp_path) as here:
        admin, member = await here.member("ilse", "admin", "member"), await here.member("daan")
        router = here.runner.app.router
        patterns = {one.canonical for one in router.resources() if any(route.method == "GET" for route in one)}
        theirs = sorted(one for one in patterns if one.startswith(("/admin", "/keepers", "/metrics", "/changed-keys")))
        assert len(theirs) > 15
        yield House(here, admin, member, [re.sub(r"\{\w+\}", member.viewer.person_id, one) for one in theirs])


@pytest.mark.rule("AUTH-06")
async def test_pages_of_admins_and_keepers_are_nobody_elses(house: House) -> None:
    stranger = house.site.stranger()
    for path in house.theirs:
        status, headers, text = await stranger.ask("GET", path)
        assert status in (401, 403, 404) or (status == 303 and headers["Location"].startswith("/login")), path
        assert CANARY not in text
        status, _, text = await house.member.ask("GET", path)
        assert (path, status in (401, 403, 404), CANARY in text) == (path, True, False)
    for path in ("/admin/members", "/admin/audit", "/admin/settings", "/keepers"):
        assert (path, (await house.admin.get(path))[0]) == (path, 200)


@pytest.mark.rule("AUTH-06")
async def test_nothing_that_a_machine_knows_of_itself_is_at_any_address_that_somebody_may_guess(house: House) -> None:
    key = (house.site.place / "node.key").read_bytes()
    for who in (house.site.stranger(), house.member, house.admin):
        for path in GUESSED:
            status, _, text = await who.ask("GET", path)
            assert (path, status) == (path, 404)
            assert CANARY not in text
    for path in house.theirs:
        text = (await house.admin.ask("GET", path))[2]
        assert CANARY not in text, path
        assert key.decode(errors="ignore").strip()[:40] not in text, path


@dataclass
class Three:
    """Meridian leads a room that Baobab is in; a rogue is their partner."""

    meridian: Desk
    baobab: Desk
    other: Rogue
    uri: str
    here: str
    there: str

    @property
    def me(self) -> str:
        return self.other.uri("/actor")


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    async with running(tmp_path, "Meridian", "Baobab") as (one, two):
        meridian, baobab = await open_cases(one), await open_cases(two)
        await baobab.join("cleo")
        await befriend(one, two)
        uri, here = await found(meridian["ilse"])
        there = await join_room(meridian["ilse"], baobab, uri, here, "cleo")
        other = await rogue()
        try:
            await admit(may_also_reach(one, other), other)
            yield Three(meridian, baobab, other, uri, here, there)
        finally:
            await other.stop()


async def _stands(desk: Desk) -> list[Any]:
    """All of a node's people, their roles and keys, its keepers, partners, and who is inside its rooms."""
    tables = (
        "member",
        "keeper",
        "person_key",
        "organisation_key",
        "room",
        "room_fact",
        "room_key",
        "room_member",
        "room_person",
        "actor_key",
    )
    rows = [await desk.here.sql(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]
    return [*rows, await desk.here.sql("SELECT id, uri, name, known, disabled_at FROM actor WHERE known = 'own' ORDER BY id")]


Make = Callable[[Three], Awaitable[list[dict[str, Any]]]]


async def _people_and_keys(three: Three) -> list[dict[str, Any]]:
    """As if our admin's acts were theirs: our people renamed, ended and given other keys, our organisation's document replaced."""
    node, me = three.meridian.here, three.me
    person = await three.meridian["ilse"].uri()
    ours = await node.read(actors.by_uri, node.url + "/actor")
    assert ours is not None
    forged = [
        {"id": person, "type": "Person", "name": "Somebody else", "inbox": person + "/inbox", ap.ORGANISATION: node.url + "/actor"},
        {"id": node.url + "/actor", "type": "Organization", "name": "Somebody else", "inbox": three.other.uri("/inbox")},
    ]
    made = [
        ap.activity("Update", three.other.uri(f"/activities/{new_id()}"), me, three.other.prove(ap_ | {"@context": ap.CONTEXT}, me))
        for ap_ in forged
    ]
    return [*made, *(ap.activity("Delete", three.other.uri(f"/activities/{new_id()}"), me, uri) for uri in (person, node.url + "/actor"))]


async def _rooms(three: Three) -> list[dict[str, Any]]:
    """As if whoever leads our room were they: members put out, the room taken over, closed, purged."""
    room = await three.meridian.here.read(rooms.by_row, three.meridian.here.kernel.node, three.here)
    head, me = room.head, three.me
    assert head is not None
    mk = next(member.mk for member in head.members if member.organisation == three.baobab.me)
    facts = [Removed(me, three.baobab.me, mk, head.ck), Backed(me, me, head.ck), Closed(me), Closed(me, purged=True)]
    return [document(three.other.uri(f"/activities/{new_id()}"), me, Said(three.uri, fact)) for fact in facts]


@pytest.mark.rule("AUTH-07")
@pytest.mark.parametrize("make", [_people_and_keys, _rooms], ids=["people", "rooms"])
async def test_a_partner_administers_neither_our_people_nor_our_keys_nor_our_rooms(three: Three, make: Make) -> None:
    await until("nothing waits", three.meridian.here._idle)
    before = await _stands(three.meridian)
    for activity in await make(three):
        await three.other.send(three.meridian.here, three.other.prove(activity, three.me))
    await three.meridian.here.quiet()
    assert await _stands(three.meridian) == before


@pytest.mark.rule("AUTH-07")
async def test_a_member_of_a_room_puts_nobody_out_and_closes_nothing_that_another_leads(three: Three) -> None:
    baobab, room_id = three.baobab, three.there
    for act, values in ((working.remove, (three.meridian.me,)), (working.close, ()), (working.deputise, ((baobab.me,),))):
        with pytest.raises(NotTheOwner):
            await baobab["cleo"].do(act, room_id, *values)
    await three.meridian["ilse"].do(working.deputise, three.here, (baobab.me,))
    await until("who leads it may", lambda: baobab.here.sql("SELECT 1 FROM room_member WHERE role = 'deputy'"))
