"""Shows the page of keepers' tasks: each in plain words with the one act that ends it, done by whoever may, once; and nothing of a case on
it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.models import AMBER, RED
from fedcollab.base.web import cookie_name
from fedcollab.features.members import service as members
from fedcollab.sealing import (
    boxes,
    holding,
    keeper_tasks,
    keepers,
    mending,
    recovery,
    room_content,
    rooms,
    sheets,
    state,
    unlocked,
    working,
)
from fedcollab.sealing.facts import Seen
from fedcollab.sealing.pairs import PersonPrivate
from tests.rows import quick_keys
from tests.web import PASSWORD, Site, Visitor, site

CANARY = "Amina is at the old mill"


@dataclass
class Office:
    """A node with cases open: Ilse and Mila are keepers, Daan works on cases, Omar was named a keeper and holds nothing yet."""

    site: Site
    who: dict[str, Visitor] = field(default_factory=dict)

    async def join(self, name: str, *roles: str) -> Visitor:
        viewer = (await self.site.member(name, *roles)).viewer
        self.who[name] = browser = self.site.stranger()
        assert (await browser.post("/login", at="/login", username=name, password=PASSWORD))[:2] == (303, "/")
        browser.viewer = viewer
        return browser

    def id(self, name: str) -> str:
        return self.who[name].viewer.person_id

    async def keys(self, name: str) -> list[PersonPrivate]:
        token = self.who[name].cookies[cookie_name(self.site.kernel.node.settings, "session")]

        def work(_session: Any, node: Any) -> list[PersonPrivate]:
            with node.ring.look() as ring:
                return unlocked.held(ring, token)

        return await self.site.write(work)  # type: ignore[no-any-return]

    async def room(self, name: str, label: str = AMBER, kind: str = "group") -> str:
        """A sealed group of somebody's own, or a case, with a word in it."""
        viewer, keys = self.who[name].viewer, await self.keys(name)
        room_id = await self.site.write(working.found, viewer, keys, kind, label)
        opened = await self.site.write(holding.open_room, viewer, keys, room_id)
        await self.site.write(room_content.write, opened, {"text": CANARY})
        return str(room_id)

    async def tasks(self) -> dict[str, str]:
        """{kind: id} of what is open."""
        return {task.kind: task.id for task in await self.site.kernel.database.read(keeper_tasks.waiting)}

    async def page(self, name: str) -> str:
        status, text = await self.who[name].get("/keepers/tasks")
        assert status == 200
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)))

    async def does(self, name: str, kind: str, **fields: str) -> tuple[int, str, str]:
        return await self.who[name].post(f"/keepers/tasks/{(await self.tasks())[kind]}", at="/keepers/tasks", **fields)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    with quick_keys():
        async with site(tmp_path) as found:
            await found.write(state.turn_on, None)
            made = Office(found)
            for name, roles in (
                ("ilse", ["admin", "member"]),
                ("mila", ["member"]),
                ("daan", ["member", "caseworker"]),
                ("omar", ["member"]),
            ):
                await made.join(name, *roles)
            ilse = made.who["ilse"].viewer
            await found.write(keepers.name, ilse, made.id("ilse"))
            await found.write(keepers.begin, ilse)
            [mine] = await made.keys("ilse")
            await found.write(sheets.make, ilse, mine, "")
            await found.write(keepers.name, ilse, made.id("mila"))
            [hers] = await made.keys("mila")
            await found.write(keepers.hand, ilse, mine, made.id("mila"), hers.public.kid)
            await found.write(keepers.name, ilse, made.id("omar"))
            yield made


@pytest.mark.rule("P28")
async def test_what_somebody_leaves_behind_is_a_task_and_a_keeper_puts_somebody_on_it(office: Office) -> None:
    room_id = await office.room("daan")
    assert "Nothing waits" in await office.page("mila")
    await office.site.write(members.disable, None, office.id("daan"))
    text = await office.page("mila")
    assert ("Nobody of us is on this" in text, CANARY in text) == (True, False)
    assert "waits for a keeper" in (await office.who["mila"].get("/"))[1]
    status, _, text = await office.does("mila", "nobody", person="")
    assert (status, "Choose who is to be on it" in text) == (400, True)
    status, _, text = await office.does("omar", "nobody", person=office.id("mila"))
    assert (status, "not been handed to you" in unescape(text) or "nothing here" in unescape(text)) == (404, True), "not theirs to do yet"
    assert (await office.does("mila", "nobody", person=office.id("mila")))[:2] == (303, "/keepers/tasks")
    assert "Nothing waits" in await office.page("mila")
    opened = await office.site.write(holding.open_room, office.who["mila"].viewer, await office.keys("mila"), room_id)
    [message] = await office.site.kernel.database.read(room_content.read, opened)
    assert message.content == {"text": CANARY}


async def test_of_a_case_it_leads_to_where_whoever_takes_it_up_is_told_what_they_need_to_know(office: Office) -> None:
    case = await office.room("daan", kind="case")
    await office.site.write(members.disable, None, office.id("daan"))
    assert f'href="/cases/{case}/assign"' in (await office.who["mila"].get("/keepers/tasks"))[1]
    assert (await office.who["mila"].get(f"/cases/{case}/assign"))[0] == 200


@pytest.mark.parametrize(("kind", "at"), [("case", "cases"), ("group", "sealed")])
async def test_an_invitation_is_answered_on_the_page_of_what_it_is_for(office: Office, kind: str, at: str) -> None:
    room_id = await office.room("daan", kind=kind)
    await office.site.write(keeper_tasks.wait, "invited", room_id)
    assert f'href="/{at}/{room_id}/answer"' in (await office.who["mila"].get("/keepers/tasks"))[1]


async def test_a_task_that_was_done_meanwhile_is_said_to_be(office: Office) -> None:
    await office.room("daan")
    await office.site.write(members.disable, None, office.id("daan"))
    at = f"/keepers/tasks/{(await office.tasks())['nobody']}"
    token = await office.who["ilse"].token("/keepers/tasks")
    assert (await office.does("mila", "nobody", person=office.id("mila")))[0] == 303
    status, _, text = await office.who["ilse"].ask("POST", at, {"token": token, "person": office.id("ilse")})
    assert (status, "done meanwhile" in text) == (409, True)


async def test_who_is_no_keeper_finds_neither_tasks_nor_rooms(office: Office) -> None:
    room_id = await office.room("daan")
    for path in ("/keepers/tasks", f"/keepers/rooms/{room_id}"):
        assert (await office.who["daan"].get(path))[0] == 404
    assert (await office.who["omar"].get(f"/keepers/rooms/{room_id}"))[0] == 404, "the key was not handed to them"
    assert (await office.who["mila"].get(f"/keepers/rooms/{room_id}"))[0] == 200
    assert (await office.who["mila"].get("/keepers/rooms/01999999-0000-7000-8000-000000000000"))[0] == 404


async def test_one_for_people_by_name_is_no_keepers_to_open_and_can_be_put_away(office: Office) -> None:
    await office.room("daan", RED)
    await office.site.write(members.disable, None, office.id("daan"))
    assert "Keepers cannot open it" in await office.page("mila")
    assert (await office.does("mila", "nobody"))[0] == 303
    assert await office.tasks() == {}


async def test_a_frozen_room_shows_its_lists_in_names_and_who_leads_mends_it_after_comparing(office: Office) -> None:
    room_id = await office.room("daan")
    kernel = office.site.kernel
    room = await kernel.database.read(rooms.by_row, kernel.node, room_id)
    await office.site.write(rooms.say, room.id, Seen(room.me, 1, boxes.generate().public.kid))
    assert list(await office.tasks()) == ["frozen"]
    assert "Two lists of who is inside" in await office.page("mila")
    at = f"/keepers/rooms/{room_id}"
    text = (await office.who["mila"].get(at))[1]
    assert ("There are two lists" in text, "This list is not here yet" in text, CANARY in text) == (True, True, False)
    assert text.count(f"List {room.head.ck[:8]}") == 1
    status, _, text = await office.who["mila"].post(at, at=at, act="heal")
    assert (status, "compared the lists" in unescape(text)) == (422, True)
    assert (await office.who["mila"].post(at, at=at, act="heal", same="yes"))[:2] == (303, at)
    assert await office.tasks() == {}
    text = (await office.who["mila"].get(at))[1]
    assert ("There are two lists" in text, "Meridian Outreach" in text) == (False, True)
    assert (await office.who["mila"].post(at, at="/settings", act="none"))[0] == 404


async def test_a_key_that_has_not_come_is_asked_for_at_once(office: Office) -> None:
    room_id = await office.room("daan")
    await office.site.write(keeper_tasks.wait, "key_missing", room_id)
    await office.site.write(keeper_tasks.wait, "refused_key", room_id)
    text = await office.page("mila")
    assert ("has not come for a week" in text, "does not count" in text) == (True, True)
    assert (await office.does("mila", "key_missing"))[0] == 303
    assert (await office.does("mila", "refused_key"))[0] == 303
    assert list(await office.tasks()) == ["key_missing"], "until it comes"


async def test_whoever_was_let_in_again_gets_the_keys_of_all_they_are_on_some_in_each_unit(office: Office) -> None:
    for _ in range(2 * mending.AT_A_TIME + 1):
        await office.room("daan")
    kernel, mila = office.site.kernel, office.who["mila"].viewer

    def lost(session: Any, node: Any) -> str:
        with node.ring.begin() as ring:
            return recovery.begin_anew(session, ring, node, office.id("daan"), bytes(32)).public.kid

    async def lacking() -> int:
        return len(await kernel.database.read(mending.lacking, kernel.node, office.id("daan")))

    kid = await office.site.write(lost)
    await office.site.write(recovery.readmit, mila, await office.keys("mila"), office.id("daan"), kid)
    assert await office.site.write(mending.hand_some, mila, await office.keys("mila"), office.id("daan")) is True
    assert (await lacking(), list(await office.tasks())) == (mending.AT_A_TIME + 1, ["to_hand"])
    assert (await office.does("mila", "to_hand"))[0] == 303
    assert (await lacking(), await office.tasks()) == (0, {})
