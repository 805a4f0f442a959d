"""Shows that the pages seen most, whose queries are built once, say the same on SQLite and on PostgreSQL."""

import re
from pathlib import Path

from fedcollab.features.discussions import reading
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
