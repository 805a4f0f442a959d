"""Shows that moderation's pages say the same on SQLite and on PostgreSQL."""

from pathlib import Path

from fedcollab.features.discussions import service
from fedcollab.features.discussions.moderation import acting, decide, flags
from tests.web import site


async def test_reporting_deciding_muting_and_the_log_on_either_database(tmp_path: Path, database_url: str) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        mona, daan = await here.member("mona", "moderator", "member"), await here.member("daan")
        noor = await here.member("noor")
        opener = await here.thread(mona, await here.group(mona, "leads", "TLP:GREEN"))
        posts = [await here.write(service.post_reply, noor.viewer, opener.thread_id, text=f"words {number}") for number in range(2)]
        await here.write(service.edit, noor.viewer, posts[0].post_id, text="other words")
        for post in posts:
            await here.write(flags.make, daan.viewer, post.post_id, reason="rude", text="Look.")
        page = (await mona.get("/moderation"))[1]
        assert (page.count("Look."), "2 to look at" in page) == (2, True)
        await here.write(decide.decide, mona.viewer, posts[0].post_id, "remove", "It insults.")
        await here.write(decide.decide, mona.viewer, posts[1].post_id, "lock", "Enough said.")
        for path in (f"/threads/{opener.thread_id}", f"/threads/{opener.thread_id}/log", f"/posts/{posts[0].post_id}/history", "/reports"):
            status, page = await daan.get(path)
            assert (status, "other words" in page, "words 0" in page) == (200, False, False), path
        assert "closed: conversation locked" in page
        assert "Your post was removed" in (await noor.get("/"))[1]
        assert (await noor.post("/reports/read"))[0] == 303
        await here.write(acting.restore, mona.viewer, posts[0].post_id, "After all.")
        assert "other words" in (await daan.get(f"/threads/{opener.thread_id}"))[1]
        assert "words 0" in (await daan.get(f"/posts/{posts[0].post_id}/history"))[1]
        for subject in (noor.viewer.person_id, opener.thread_id):
            assert (await daan.post("/settings/muted", subject=subject))[0] == 303
        page = (await daan.get("/settings/muted"))[1]
        assert ("Noor" in page, "A question" in page) == (True, True)
        assert "A question" not in (await daan.get("/"))[1]
