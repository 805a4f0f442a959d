"""Shows that members' own tools put files to posts as the form does, and that posts' files and records come to their inbox."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fedcollab.features.discussions import attaching
from fedcollab.features.resources import clients, service
from fedcollab.features.resources.record import Record
from fedcollab.federation import activitystreams as ap
from tests.features.resources.three import resource, tell
from tests.files.placed import placed
from tests.nodes import admit, rogue, start
from tests.web import site

from .conftest import House
from .test_client_api import Tool, article, counts, group_uri, tool

GUIDE = Record(title="How to read a contract", kind="Guide", summary="Eleven *questions*.")
FILES = ("post_file", "file")


async def carried(house: House) -> dict[str, int]:
    def read(session: Any) -> dict[str, int]:
        return {table: session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in FILES}

    return await counts(house) | await house.site.kernel.database.read(read)


async def test_a_post_of_a_tool_carries_the_files_that_its_person_has_uploaded_and_others_read_of_them(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", "TLP:GREEN"))
    mine, daan = await tool(house.admin), await house.site.member("daan")
    one, two = [await placed(house.site, house.admin.viewer, name) for name in ("one.pdf", "two.pdf")]
    named = [one.uri, {"type": "Document", "url": two.uri, "name": "anything", "mediaType": "text/html"}]
    made = await mine.post(article(group, attachment=named))
    assert made.status == 201
    said = (await mine.ask("GET", made.headers["Location"])).body["object"]
    assert [(file["url"], file["name"], file["mediaType"]) for file in said["attachment"]] == [
        (one.uri, "one.pdf", "application/pdf"),
        (two.uri, "two.pdf", "application/pdf"),
    ]
    [arrived] = await (await tool(daan, "read")).items("inbox")
    assert arrived["object"]["attachment"] == said["attachment"]
    assert (await daan.ask("GET", one.path))[0] == 200
    answered = await mine.post({"type": "Note", "content": "And this", "inReplyTo": said["id"], "attachment": {"href": one.uri}})
    note = (await mine.ask("GET", answered.headers["Location"])).body["object"]
    assert [file["url"] for file in note["attachment"]] == [one.uri]
    for label in ("TLP:CLEAR", "TLP:AMBER+STRICT"):
        other = group_uri(house, await house.site.group(house.admin, f"g{label[4:7].lower()}", label))
        assert (await mine.post(article(other, attachment=one.uri))).status == 201, label


async def test_a_file_that_is_not_ones_own_is_put_to_nothing_whether_it_is_there_or_not(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", "TLP:GREEN"))
    mine, daan = await tool(house.admin), await house.site.member("daan")
    own, theirs = await placed(house.site, house.admin.viewer), await placed(house.site, daan.viewer)
    before, said = await carried(house), set()
    for wrong in (theirs.uri, own.uri + "x", "https://elsewhere.example/1", {"type": "Document"}, 7, own.path):
        refused = await mine.post(article(group, attachment=[own.uri, wrong]))
        assert refused.status == 404, wrong
        said.add(refused.body["detail"])
        assert await carried(house) == before
    assert len(said) == 1, "whose it is, and whether it is there, is told to nobody"
    refused = await mine.post(article(group, attachment=[f"{own.uri}{number}" for number in range(attaching.MOST + 1)]))
    assert (refused.status, await carried(house)) == (422, before)
    assert (await mine.post(article(group, attachment=[own.uri, own.uri]))).status == 201


async def test_a_change_takes_away_what_it_names_no_more_and_adds_none(house: House) -> None:
    group = group_uri(house, await house.site.group(house.admin, "leads", "TLP:GREEN"))
    mine = await tool(house.admin)
    one, two, late = [await placed(house.site, house.admin.viewer, name) for name in ("one.pdf", "two.pdf", "late.pdf")]
    made = await mine.post(article(group, attachment=[one.uri, two.uri]))
    post = (await mine.ask("GET", made.headers["Location"])).body["object"]

    async def change(**more: Any) -> tuple[int, list[str]]:
        changed = await mine.post({"type": "Update", "object": {"type": "Article", "id": post["id"], "content": "Said better", **more}})
        if changed.status != 201:
            return changed.status, []
        now = (await mine.ask("GET", changed.headers["Location"])).body["object"]
        return 201, [file["url"] for file in now.get("attachment", ())]

    before = await carried(house)
    assert await change(attachment=[one.uri, late.uri]) == (422, [])
    assert await carried(house) == before
    assert await change() == (201, [one.uri, two.uri])
    assert await change(attachment=post["attachment"][1:]) == (201, [two.uri])
    assert await change(attachment=[]) == (201, [])


async def record(here: Any, by: Any, title: str = GUIDE.title, label: str = "TLP:GREEN") -> str:
    return str((await here.write(service.add, by.viewer, Record(title=title, kind="Guide"), label=label)).id)


async def names(mine: Tool) -> list[tuple[str, str]]:
    return [(one["type"], one["object"].get("name", "")) for one in await mine.items("inbox")]


async def test_records_of_others_stand_in_the_inbox_among_posts_and_ones_own_do_not(house: House) -> None:
    daan = await house.site.member("daan")
    box, own = await tool(daan, "read"), await tool(house.admin, "read")
    group = await house.site.group(house.admin, "leads", "TLP:GREEN")
    first = await record(house.site, house.admin, "First")
    await house.site.thread(house.admin, group, "A question")
    await record(house.site, house.admin, "Ours alone", "TLP:AMBER+STRICT")
    assert await names(box) == [("Create", "Ours alone"), ("Create", "A question"), ("Create", "First")]
    found = (await box.items("inbox"))[2]
    assert found["actor"] == found["object"]["attributedTo"] == house.site.kernel.node.actor_uri
    assert (found["object"]["type"], found["object"][ap.RECORD]["kind"]) == (["Article", ap.RESOURCE], "Guide")
    assert await names(own) == []
    await house.site.write(service.delete, house.admin.viewer, first)
    assert (await names(box))[2] == ("Delete", "")

    def shut(session: Any) -> None:
        session.execute(sa.text("DELETE FROM audience_member"))

    await house.site.kernel.database.write(shut)
    assert await names(box) == []


async def test_pages_of_the_inbox_hold_each_record_once_on_both_databases(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        admin, daan = await here.member("ilse", "admin", "member"), await here.member("daan")
        group, box = await here.group(admin, "leads", "TLP:GREEN"), await tool(daan, "read")
        for number in range(28):
            await record(here, admin, f"Guide {number}")
            await here.thread(admin, group, f"Question {number}")
        first = (await box.ask("GET", (await box.ask("GET", box.person + "/inbox")).body["first"])).body
        second = (await box.ask("GET", first["next"])).body
        shown = [one["object"]["name"] for page in (first, second) for one in page["orderedItems"]]
        assert shown == [f"{kind} {number}" for number in reversed(range(28)) for kind in ("Question", "Guide")]
        assert (len(first["orderedItems"]), "next" in second) == (50, False)


async def test_a_partners_record_stands_where_it_came_however_old_it_says_to_be(tmp_path: Path) -> None:
    p = await rogue("P")
    here = await start(tmp_path, peers=(p.port,))
    await admit(here, p)
    try:
        theirs = [resource(p, name=f"Number {number}", published=f"20{20 - number}-01-01T00:00:00Z") for number in range(4)]
        for one in theirs:
            assert await tell(p, here, "Create", one) == 202
        came: list[Any] = []
        while page := await here.read(clients.arrivals, here.kernel.node, here.viewer, (came[-1].at, came[-1].id) if came else None, 2):
            came += page
        assert [one.activity["object"]["name"] for one in came] == [f"Number {number}" for number in (3, 2, 1, 0)]
        assert {one.activity["actor"] for one in came} == {p.uri("/actor")}
        assert all(one.activity["id"].startswith(here.kernel.node.settings.uri("/library/")) for one in came)
    finally:
        await here.stop()
        await p.stop()
