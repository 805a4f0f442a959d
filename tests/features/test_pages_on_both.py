"""Shows that the pages seen most, whose queries are built once, say the same on SQLite and on PostgreSQL."""

import re
from pathlib import Path

import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.discussions import reading, service
from fedcollab.features.discussions.models import LAST, Post, Thread
from tests.web import site


async def test_home_groups_a_group_page_by_page_and_a_thread_open_for_members_and_for_nobody_else(
    tmp_path: Path, database_url: str
) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        admin = await here.member("ilse", "admin", "moderator", "member")
        group = await here.group(admin, "leads", "TLP:GREEN")
        for number in range(reading.THREADS + 1):
            last = await here.thread(admin, group, title=f"Question {number:02d}")
        for path in ("/", "/groups", f"/groups/{group}", f"/threads/{last.thread_id}"):
            status, page = await admin.get(path)
            assert (status, "Leads" in page) == (200, True), path
        first = (await admin.get(f"/groups/{group}"))[1]
        more = re.search(r"\?before=[\w-]+", first)
        assert more
        second = (await admin.get(f"/groups/{group}{more.group()}"))[1]
        shown = [set(re.findall(r"Question \d\d", page)) for page in (first, second)]
        assert [len(titles) for titles in shown] == [reading.THREADS, 1]
        assert shown[1] == {"Question 00"}
        assert (await here.stranger().get(f"/threads/{last.thread_id}"))[0] == 404
        assert "Question" not in (await here.stranger().get("/"))[1]


async def test_a_post_that_waits_for_its_host_on_a_page_of_its_own_leads_back_to_those_before(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        admin = await here.member("ilse", "admin", "moderator", "member")
        thread = await here.thread(admin, await here.group(admin, "leads", "TLP:GREEN"))

        def answers(session: Session, node: Node) -> str:
            for _ in range(reading.POSTS):
                last = service.post_reply(session, node, admin.viewer, thread.thread_id, text="An answer")
            session.execute(sa.update(Post).where(Post.id == last.post_id).values(place=LAST, confirmed_at=None))
            session.execute(sa.update(Thread).values(posts=reading.POSTS))
            return last.post_id

        waiting = await here.write(answers)
        _, headers, _ = await admin.ask("GET", f"/posts/{waiting}")
        status, page = await admin.get(headers["Location"])
        assert (status, f'id="p-{waiting}"' in page, "Earlier posts" in page) == (200, True, True)


async def test_a_nul_in_an_address_or_a_form_is_refused_in_words_whatever_the_database(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        admin = await here.member("ilse", "admin", "moderator", "member")
        group = await here.group(admin, "leads", "TLP:GREEN")
        finger = f"/.well-known/webfinger?resource=acct:%00@{here.kernel.node.host}"
        for path in ("/threads/%00", "/groups/%00", "/people/%00", "/posts/%00", "/posts/%00/edit", finger):
            assert (await admin.get(path))[0] in (303, 400, 404), path
        assert (await admin.get(f"/groups/{group}?before=1-%00"))[0] in (200, 400, 404)
        at = f"/groups/{group}/new"
        for act in ("keep", "preview", ""):
            assert (await admin.post(at, at, title="A \0 question", text="What \0 do you see?", act=act))[0] in (200, 303, 400)
        assert (await here.stranger().post("/login", "/login", username="a\0b", password="four plain words"))[0] in (400, 422)
