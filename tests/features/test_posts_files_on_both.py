"""Shows that posts carry files alike on SQLite and on PostgreSQL: drafted, posted, seen, taken away, removed, deleted, swept."""

from pathlib import Path

from fedcollab.features.discussions import drafts, service
from fedcollab.features.discussions.moderation import acting
from fedcollab.files import sweeping
from fedcollab.files.holding import HOLDS
from fedcollab.files.shelves import SHELVES
from tests.files.placed import placed
from tests.web import site

from .test_posts_files import FILE, opened


async def test_a_posts_files_from_draft_to_deletion(tmp_path: Path, database_url: str) -> None:
    more = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **more) as here:
        ilse, daan = await here.member("ilse", "admin", "member"), await here.member("daan", "moderator", "member")
        thread = await here.thread(ilse, await here.group(ilse, "leads", "TLP:GREEN"))
        at = f"/threads/{thread.thread_id}"
        one, two = await placed(here, ilse.viewer, "one.pdf"), await placed(here, ilse.viewer, "two.pdf")
        await here.write(drafts.save_draft, ilse.viewer, thread.thread_id, title="", text="later", files=[two.id, one.id])
        assert FILE.findall((await ilse.get(at))[1]) == [two.id, one.id]
        assert (await opened(daan, one.path))[0] == 404
        made = await here.write(service.post_reply, ilse.viewer, thread.thread_id, text="now", files=[two.id, one.id], once=one.id)
        assert [(await opened(daan, file.path))[0] for file in (one, two)] == [200, 200]
        assert f'href="{one.path}"' in (await daan.get(at))[1]
        await here.write(service.edit, ilse.viewer, made.post_id, text="now", without=[two.id])
        await here.write(acting.remove, daan.viewer, made.post_id, reason="names somebody")
        assert [(await opened(daan, file.path))[0] for file in (one, two)] == [404, 404]
        await sweeping.sweep(here.kernel, here.runner.app[SHELVES], here.runner.app[HOLDS])
        await here.write(acting.restore, daan.viewer, made.post_id, reason="it does not")
        assert [(await opened(daan, file.path))[0] for file in (one, two)] == [200, 404]
        await here.write(service.delete, ilse.viewer, made.post_id)
        await sweeping.sweep(here.kernel, here.runner.app[SHELVES], here.runner.app[HOLDS])
        assert [path for path in (here.place / "files").rglob("*") if path.is_file()] == [], "previews go with the bytes"
