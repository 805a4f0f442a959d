"""Shows that health, figures, the pages of the node, its chores and the search for SQL say the same on SQLite and on PostgreSQL."""

from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa

from fedcollab.federation import retention
from fedcollab.running import disk
from fedcollab.running.models import DiskSample, Said
from tests.running.test_metrics import figures
from tests.web import site

TOKEN = "a-secret-of-the-watcher"
ODD = ("' OR '1'='1", "'; SELECT pg_sleep(5); --", "%' --", "9" * 40, "-1", "x' || (SELECT 1/0) || '")


async def test_a_node_says_how_it_is_whatever_its_database(tmp_path: Path, database_url: str) -> None:
    more = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, metrics_token=TOKEN, **more) as here:
        ilse = await here.member("ilse", "admin", "member")
        await here.thread(ilse, await here.group(ilse, "leads", "TLP:GREEN"))
        assert (await ilse.get("/readyz")) == (200, '{"ok": true}')
        status, _, found = await figures(here.url + "/metrics", TOKEN)
        assert status == 200
        assert found["fedcollab_database_bytes"] > 10_000
        assert found["fedcollab_units_total"] > 0
        assert found["fedcollab_commit_seconds_count"] > 0
        assert found['fedcollab_deliveries{state="waiting"}'] == 0
        status, page = await ilse.get("/admin/settings")
        assert status == 200
        assert f'class="code">{"PostgreSQL" if more else "SQLite"} ' in page
        assert (await ilse.get("/admin/first"))[0] == 200
        for _ in range(2):
            assert (await ilse.post("/admin/first", at="/admin/first", act="away"))[0] == 303
        assert await here.kernel.database.read(lambda session: len(session.scalars(sa.select(Said)).all())) == 1


async def test_the_record_is_chosen_from_whatever_the_database(tmp_path: Path, database_url: str) -> None:
    more = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **more) as here:
        ilse = await here.member("ilse", "admin", "member")
        assert (await ilse.post("/admin/audit/verify", at="/admin/audit"))[0] == 303
        for query, wanted in (("", True), ("?kind=member", True), ("?kind=queue", False), ("?who=-", True), ("?since=2001-01-01", True)):
            status, page = await ilse.get("/admin/audit" + query)
            assert (status, "Member added" in page) == (200, wanted), query
        for name in ("who", "kind", "since", "until", "before"):
            for odd in ODD:
                _, _, page = await ilse.ask("GET", "/admin/audit?" + urlencode({name: odd}))
                assert "<h1>Record</h1>" in page, (name, odd)
        assert (await ilse.post("/admin/audit/export", at="/admin/audit", form="jsonl"))[0] == 200


async def test_chores_of_a_full_disk_run_whatever_the_database(tmp_path: Path, database_url: str) -> None:
    more = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **more) as here:
        room = here.kernel.node.room
        room.wanted, room._figures, room._looked = 500, (0, 100_000), float("inf")
        for chore in (*disk.CHORES, *retention.CHORES):
            await here.write(chore)
        assert await here.kernel.database.read(lambda session: session.scalars(sa.select(DiskSample.free)).all()) == [0]
