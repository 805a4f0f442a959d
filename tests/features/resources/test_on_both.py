"""Shows that the library says the same on SQLite and on PostgreSQL: lists, a page, what is due, notes, lists, withdrawing and deleting."""

import re
from pathlib import Path

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.resources import catalogue, reading, service
from fedcollab.features.resources.record import Record
from tests.web import site


async def test_the_shelf_page_by_page_a_resource_what_is_due_and_what_goes(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        boss = await here.member("ilse", "admin", "moderator", "member")

        def fill(session: Session, node: Node) -> str:
            for number in range(reading.PAGE + 1):
                record = Record(
                    title=f"Guide {number:02d}", kind="Guide", topics=("Outreach",), review_on="2020-01-01" if number == 7 else ""
                )
                last = service.add(session, node, boss.viewer, record, label="TLP:GREEN" if number else "TLP:CLEAR")
            return last.id

        at = f"/library/{await here.write(fill)}"
        first = (await boss.get("/library"))[1]
        more = re.search(r"/library\?before=[\w-]+", first)
        assert more
        shown = [set(re.findall(r"Guide \d\d", page)) for page in (first, (await boss.get(more.group()))[1])]
        assert [len(titles) for titles in shown] == [reading.PAGE, 1]
        assert set(re.findall(r"Guide \d\d", (await here.stranger().get("/library"))[1])) == {"Guide 00"}
        assert set(re.findall(r"Guide \d\d", (await boss.get("/review"))[1])) == {"Guide 07"}
        assert "1 to look at" in first
        assert (await boss.post(f"{at}/note", country="France", text="In *writing*."))[0] == 303
        assert (await boss.post(f"{at}/withdraw", reason="Out of date."))[0] == 303
        assert (await boss.post(f"{at}/version", link="https://guides.example/2", number="2"))[0] == 303
        assert (await boss.post(f"{at}/audience", label="TLP:AMBER+STRICT"))[0] == 303
        status, page = await boss.get(at)
        assert (status, "<em>writing</em>" in page, "Out of date." in page, "Only us" in page) == (200, True, True, True)
        assert "Guide 30" in (await boss.get("/library?q=guide&topic=Outreach"))[1]
        assert (await boss.post(f"{at}/delete"))[0] == 303
        assert (await boss.get(at))[0] == 404
        await here.write(catalogue.send_catalogue)
        counted = await here.kernel.database.read(lambda session: session.scalar(sa.text("SELECT count(*) FROM resource_version")))
        assert counted == reading.PAGE
